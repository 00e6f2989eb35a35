#include "agent/support/sender.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void sender_init(struct sender *sender, const char *root)
{
	*sender = (struct sender){.root = root};
	self_init(&sender->self);
}

bool sender_busy(const struct sender *sender)
{
	return sender->self.pid != 0;
}

int sender_start(struct sender *sender, const char *id, struct err *err)
{
	cleanup(free_ptr) char *as = xasprintf("--id=%s", id);
	cleanup(free_ptr) char *root = sender->root ? xasprintf("--root=%s", sender->root) : NULL;
	const char *const args[] = {"logs", "send", as, root, NULL};
	if (self_start(&sender->self, sender->program, args, err))
		return -1;
	snprintf(sender->id, sizeof sender->id, "%s", id);
	sender->failure[0] = '\0';
	sender->deadline = deadline_in_ms(SENDER_MS);
	return 0;
}

int sender_fd(const struct sender *sender)
{
	return sender->self.fd;
}

bool sender_deadline(const struct sender *sender, struct deadline *deadline)
{
	*deadline = sender->deadline;
	return sender_busy(sender);
}

static void keep_failure(struct sender *sender)
{
	struct err err;
	if (!deadline_left_ms(sender->deadline))
		err_set(&err, "it did not end in time");
	else if (!self_complaint(&sender->self, &err))
		err_set(&err, "it ended without a word");
	static const char itself[] = "sallyport logs send: ";
	bool named = strncmp(err.text, itself, sizeof itself - 1) == 0;
	snprintf(sender->failure, sizeof sender->failure, "%.380s",
		err.text + (named ? sizeof itself - 1 : 0));
}

/* It says one line when the hub has taken the bundle, and nothing when it has not. */
enum sender_news sender_step(struct sender *sender)
{
	char said[512];
	if (!sender_busy(sender))
		return SENDER_NOTHING;
	ssize_t got = read(sender->self.fd, said, sizeof said);
	if (got < 0 && (errno == EAGAIN || errno == EINTR) && deadline_left_ms(sender->deadline))
		return SENDER_NOTHING;
	if (got <= 0)
		keep_failure(sender);
	self_end(&sender->self);
	return got > 0 ? SENDER_SENT : SENDER_FAILED;
}

void sender_free(struct sender *sender)
{
	self_end(&sender->self);
}
