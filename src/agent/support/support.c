#include "agent/support/support.h"

#include <poll.h>
#include <string.h>

enum refusal support_follow(void *data, const void *record)
{
	struct online *online = data;
	const struct msg_log_follow *wish = record;
	enum refusal refusal = follow_start(&online->follow, wish->stream, wish->lines);
	if (!refusal)
		logfile_line(online->log->file, LEVEL_INFO, "somebody at the hub follows this log");
	return refusal;
}

enum refusal support_unfollow(void *data, const void *record)
{
	struct online *online = data;
	const struct msg_log_unfollow *wish = record;
	follow_stop(&online->follow, wish->stream);
	return REFUSAL_NONE;
}

enum refusal support_bundle(void *data, const void *record)
{
	struct online *online = data;
	const struct msg_bundle_make *wish = record;
	struct sender *sender = online->sender;
	struct err err;
	if (!upload_is_id(wish->bundle))
		return REFUSAL_BAD_MESSAGE;
	if (sender_busy(sender))
		return strcmp(sender->id, wish->bundle) == 0 ? REFUSAL_NONE : REFUSAL_BUNDLE_BUSY;
	if (sender_start(sender, wish->bundle, &err)) {
		logfile_line(online->log->file, LEVEL_WARN, "no support bundle: %s", err.text);
		return REFUSAL_BUNDLE_BUSY;
	}
	logfile_line(online->log->file, LEVEL_INFO, "the hub asks for support bundle %s", sender->id);
	return REFUSAL_NONE;
}

void support_poll(struct online *online, struct pollfd fds[SUPPORT_FDS], struct deadline *deadline)
{
	struct deadline due;
	fds[0] = (struct pollfd){.fd = follow_fd(&online->follow), .events = POLLIN};
	fds[1] = (struct pollfd){.fd = sender_fd(online->sender), .events = POLLIN};
	if (follow_deadline(&online->follow, &due))
		*deadline = deadline_sooner(*deadline, due);
	if (sender_deadline(online->sender, &due))
		*deadline = deadline_sooner(*deadline, due);
}

void support_step(struct online *online)
{
	struct sender *sender = online->sender;
	struct msg_bundle_failed failed = {.bundle = sender->id, .reason = sender->failure};
	follow_step(&online->follow, &online->session);
	switch (sender_step(sender)) {
	case SENDER_NOTHING:
		break;
	case SENDER_SENT:
		logfile_line(online->log->file, LEVEL_INFO, "support bundle %s is sent", sender->id);
		break;
	case SENDER_FAILED:
		logfile_line(online->log->file, LEVEL_WARN, "support bundle %s is not sent: %s", sender->id,
			sender->failure);
		session_notify(&online->session, MSG_bundle_failed, &failed);
		break;
	}
}
