/*
 * One SSH session on libssh: what ssh.c and its neighbours share. Private to connector/.
 *
 * libssh never blocks here: ssh_wait() waits for the socket under a deadline and the cancel, and
 * its callers ask libssh again.
 */
#ifndef CONNECTOR_SSH_H
#define CONNECTOR_SSH_H

#include "connector/channel.h"

#include <libssh/libssh.h>

struct channel {
	ssh_session session; /* owned */
	const struct cancel *cancel;
	ssh_channel held; /* owned; NULL: none */
};

/* Waits until libssh has something to do. 0; -1 with the ending (cancelled, or connection-lost with
 * `doing` in its reason). */
int ssh_wait(
	struct channel *channel, struct deadline deadline, const char *doing, struct ending *ending);
/* The connection broke; libssh's words go into the reason. Returns -1. */
int ssh_lost(struct channel *channel, const char *doing, struct ending *ending);

int ssh_authenticate(struct channel *channel, const struct login *login, struct ending *ending);
int ssh_run(struct channel *channel, struct channel_run *run, struct ending *ending);
int ssh_hold(struct channel *channel, struct channel_run *run, struct ending *ending);
void ssh_release(struct channel *channel, const char *word);

#endif
