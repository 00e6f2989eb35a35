/*
 * A way into a target, behind a struct of functions: SSH now. Private to connector/.
 *
 * Order of calls: open() over a connected socket, host_key(), authenticate() once somebody vouches
 * for that key, then run() and hold() as often as needed, close(). Every call blocks until it is
 * done, too much time has passed or the cancel fires; one thread uses a channel. What fails fills
 * the ending; OUTCOME_CONNECTION_LOST says that the same could go well over a new connection.
 */
#ifndef CONNECTOR_CHANNEL_H
#define CONNECTOR_CHANNEL_H

#include "base/buf.h"
#include "connector/ending.h"
#include "connector/logins.h"
#include "os/wait.h"

#include <sys/types.h>

struct channel_key {
	char type[32];        /* "ssh-ed25519" */
	char fingerprint[64]; /* "SHA256:...", as OpenSSH prints it */
};

/* One command on the target. */
struct channel_run {
	const char *command; /* for the login shell there; nothing secret */
	/* Its input: fills the room and says how much, 0 at the end. NULL: it has none. */
	size_t (*feed)(void *data, char *room, size_t size);
	void *feed_data;
	/* Told after `output` grew; may consume from it. May be NULL. */
	void (*on_output)(void *data, struct buf *output);
	void *on_output_data;
	int silence_ms; /* it is given up when so long nothing moves */
	/* What it wrote, owned by the caller; what exceeds their `max` is dropped. */
	struct buf output, errors;
	int code; /* its exit code, -1 when it had none; filled */
};

struct channel_ops {
	const char *name;
	/* Takes the socket. NULL with the ending. */
	struct channel *(*open)(int fd, const struct cancel *cancel, struct ending *ending);
	int (*host_key)(struct channel *channel, struct channel_key *key, struct ending *ending);
	int (*authenticate)(struct channel *channel, const struct login *login, struct ending *ending);
	/* 0 when it ran to its end, whatever the exit code. */
	int (*run)(struct channel *channel, struct channel_run *run, struct ending *ending);
	/* Starts it and comes back with its first line of output, or when it ends. It runs on beside
	 * others until release(); its input stays open. One at a time. */
	int (*hold)(struct channel *channel, struct channel_run *run, struct ending *ending);
	/* Says the last word to what is held, waits a moment for its end. */
	void (*release)(struct channel *channel, const char *word);
	void (*close)(struct channel *channel); /* NULL is allowed */
};

extern const struct channel_ops channel_ssh;
/* The last word of a thread that had channels: what their libraries keep for it goes. */
void channel_leave_thread(void);

#endif
