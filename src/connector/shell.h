/*
 * Small POSIX shell scripts on a target, as the user or as root. Private to connector/.
 *
 * The login shell there gets one command that every shell understands, a reader of scripts; the
 * script itself comes on its input and is run by `sh` (dash, bash and busybox alike), what follows
 * it is the script's own input. With sudo the reader is what sudo starts: it skips everything
 * before its mark, so that a password that sudo did not ask for ends nowhere. No tty is asked for.
 */
#ifndef CONNECTOR_SHELL_H
#define CONNECTOR_SHELL_H

#include "connector/channel.h"

enum shell_way {
	SHELL_AS_USER,
	SHELL_AS_ROOT,       /* the user is root */
	SHELL_SUDO,          /* sudo asks for nothing */
	SHELL_SUDO_PASSWORD, /* sudo asks for the password */
};

struct shell {
	const struct channel_ops *ops;
	struct channel *channel;   /* borrowed */
	const struct login *login; /* borrowed; its sudo_password */
	enum shell_way way;
};

/* A script: text, the values of its variables, and input behind it. */
struct shell_script {
	const char *text;
	/* NAME, value, NAME, value, ..., NULL: set before the text, quoted. Nothing secret. */
	const char *const *values;
	const char *input; /* what it reads, after itself; NULL: nothing. May be secret */
	/* More input behind that; see channel_run. NULL: none. */
	size_t (*feed)(void *data, char *room, size_t size);
	void *feed_data;
};

/* Runs it; run->output, errors, on_output and silence_ms are the caller's. */
int shell_run(const struct shell *shell, const struct shell_script *script, struct channel_run *run,
	struct ending *ending);
/* The same, held open after its first line. */
int shell_hold(const struct shell *shell, const struct shell_script *script,
	struct channel_run *run, struct ending *ending);
/* Appends NAME='value' and a line's end. */
void shell_assign(struct buf *text, const char *name, const char *value);

#endif
