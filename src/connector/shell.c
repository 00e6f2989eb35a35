#include "connector/shell.h"

#include <string.h>

/* One line without `!`, quotes inside or backslashes that csh or fish read in their own way: fish
 * takes \n in single quotes as it stands. */
#define READER                                                                                     \
	"sh -c 'n=$(printf \"\\nx\"); n=${n%x}; s=; "                                                  \
	"while IFS= read -r l; do if [ \"$l\" = sallyport-begin ]; then break; fi; done; "             \
	"while IFS= read -r l; do if [ \"$l\" = sallyport-end ]; then break; fi; s=$s$l$n; done; "     \
	"eval \"$s\"' sallyport-install"

static const char *const prefixes[] = {
	[SHELL_AS_USER] = "",
	[SHELL_AS_ROOT] = "",
	[SHELL_SUDO] = "sudo -n ",
	[SHELL_SUDO_PASSWORD] = "sudo -k -S -p '' ",
};

/* The pieces of the input, one after the other. */
struct stream {
	const struct shell_script *script;
	struct buf head; /* password, marks, script, input: wiped */
	size_t at;
};

void shell_assign(struct buf *text, const char *name, const char *value)
{
	buf_printf(text, "%s='", name);
	for (const char *at = value; *at; at++)
		buf_append(text, *at == '\'' ? "'\\''" : at, *at == '\'' ? 4 : 1);
	buf_puts(text, "'\n");
}

/* Its size is known before, so that no piece of it is left behind by growing. */
static void write_head(const struct shell *shell, struct stream *stream)
{
	const struct shell_script *script = stream->script;
	const char *password = shell->login->sudo_password;
	bool asked = shell->way == SHELL_SUDO_PASSWORD && password;
	cleanup(buf_free) struct buf values = {0};
	for (const char *const *at = script->values; at && at[0]; at += 2)
		shell_assign(&values, at[0], at[1]);
	struct buf *head = &stream->head;
	size_t room = values.len + strlen(script->text) + (asked ? strlen(password) : 0) +
				  (script->input ? strlen(script->input) : 0) + 64;
	*head = (struct buf){.data = xcalloc(room, 1), .cap = room};
	if (asked)
		buf_printf(head, "%s\n", password);
	buf_puts(head, "sallyport-begin\n");
	buf_append(head, buf_text(&values), values.len);
	buf_puts(head, script->text);
	buf_puts(head, "\nsallyport-end\n");
	if (script->input)
		buf_puts(head, script->input);
}

static size_t feed(void *data, char *room, size_t size)
{
	struct stream *stream = data;
	size_t left = stream->head.len - stream->at;
	if (!left)
		return stream->script->feed ? stream->script->feed(stream->script->feed_data, room, size)
									: 0;
	if (left > size)
		left = size;
	memcpy(room, stream->head.data + stream->at, left);
	stream->at += left;
	return left;
}

static int start(const struct shell *shell, const struct shell_script *script,
	struct channel_run *run, struct ending *ending,
	int (*how)(struct channel *, struct channel_run *, struct ending *))
{
	struct stream stream = {.script = script};
	cleanup(free_ptr) char *command = xasprintf("%s%s", prefixes[shell->way], READER);
	write_head(shell, &stream);
	run->command = command;
	run->feed = feed;
	run->feed_data = &stream;
	int rc = how(shell->channel, run, ending);
	explicit_bzero(stream.head.data, stream.head.cap);
	buf_free(&stream.head);
	run->command = NULL;
	run->feed = NULL;
	return rc;
}

int shell_run(const struct shell *shell, const struct shell_script *script, struct channel_run *run,
	struct ending *ending)
{
	return start(shell, script, run, ending, shell->ops->run);
}

int shell_hold(const struct shell *shell, const struct shell_script *script,
	struct channel_run *run, struct ending *ending)
{
	return start(shell, script, run, ending, shell->ops->hold);
}
