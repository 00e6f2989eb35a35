/*
 * The installs that the hub orders from this machine, a connector (rows R11, S4): a worker process
 * for each, told what to do and heard, and the hub told of every target until it has heard it.
 *
 * It lives as long as the agent and works without a session, too: the caller polls installs_fd(),
 * keeps installs_deadline(), and calls installs_step() after either.
 *
 *     installs_init() ( installs_step() | installs_online() ( installs_start() | installs_go() |
 * installs_end() )* installs_offline() )* installs_close()
 *
 * Of each target the last event is kept until the hub has answered it; one that comes before then
 * takes its place. Nothing of it is on a disk: when the agent ends, its workers end, and the hub
 * orders anew, here or elsewhere.
 *
 * The worker is `sallyport connector-worker`. Both ends speak the messages of wire/messages.def as
 * JSON-RPC notifications, one a line: install.start, install.go and install.end go in,
 * install.event and, as the last, install.over come out. Credentials pass sealed; the worker opens
 * them.
 */
#ifndef AGENT_INSTALLS_H
#define AGENT_INSTALLS_H

#include "agent/session.h"
#include "base/clock.h"
#include "base/logfile.h"

#define INSTALLS_AT_ONCE  4
#define INSTALLS_MS       7200000 /* the life of a worker; so long a person may take to confirm */
#define INSTALLS_END_MS   60000   /* for a worker that was told to end to take back what it did */
#define INSTALLS_LEAVE_MS 5000    /* likewise, when the agent ends */

#define INSTALL_MAX_TARGETS 1024
#define INSTALL_MAX_EVENT   8192 /* bytes of JSON */

struct install; /* parts.h */

struct installs {
	const char *root;                       /* borrowed; may be NULL */
	const char *program;                    /* NULL: this one; borrowed */
	struct logfile *log;                    /* borrowed; NULL: none */
	struct install *list[INSTALLS_AT_ONCE]; /* owned; NULL: free */
	int epoll;                              /* -1 until there was one */
	uint32_t next_serial;
	struct deadline progress_at; /* no event that only tells of progress before */
	struct session *session;     /* borrowed; NULL while offline */
};

void installs_init(struct installs *installs, const char *root);
/* Ends the workers; as installs_init() left it. */
void installs_close(struct installs *installs);

int installs_fd(const struct installs *installs);
/* False when there is nothing to wait for but news. */
bool installs_deadline(const struct installs *installs, struct deadline *deadline);
void installs_step(struct installs *installs);

/* The session is open: tells what it has not heard. */
void installs_online(struct installs *installs, struct session *session);
void installs_offline(struct installs *installs);
/* For the table of calls. */
enum refusal installs_start(struct installs *installs, const struct msg_install_start *msg);
enum refusal installs_go(struct installs *installs, const struct msg_install_go *msg);
enum refusal installs_end(struct installs *installs, const struct msg_install_end *msg);

#endif
