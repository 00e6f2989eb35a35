/*
 * The hub: one TLS port for the console, the API and the machines' sessions.
 *
 * hub_serve() opens the store, makes what is missing (identity, private CA, certificate), listens,
 * prints where the console is and "ready" on stdout, and returns the exit code after SIGTERM or
 * SIGINT: 0, or 1 after an error that was logged. SIGHUP reads the certificate again.
 */
#ifndef HUB_HUB_H
#define HUB_HUB_H

#include "hub/keys.h"
#include "hub/session/session.h"
#include "wire/endpoints.h"

#define HUB_MAX_NAMES 16
#define HUB_MAX_LOOPS 64

struct hub_options {
	const char *root;                 /* --root; may be NULL */
	char listen_host[64];             /* IPv4 address */
	uint16_t port;                    /* 0: any that is free */
	const char *names[HUB_MAX_NAMES]; /* what agents call the hub; borrowed */
	size_t name_count;
	const char *certificate, *key; /* PEM files; both NULL: the private CA */
	struct session_timing timing;
	bool no_outside_look;       /* never tries a machine's inbound ports */
	int64_t loops;              /* threads for connections; 0: one a processor */
	const char *portable;       /* folder of the portable agents; NULL: below root */
	struct endpoints endpoints; /* where a role is elsewhere; port 0: it is not */
};

int hub_serve(const struct hub_options *options);

/* Where the hub keeps its state below root; owned by the caller. */
char *hub_state_dir(const char *root);
/* Opens the database of a hub, which may be running, for the administration commands. NULL with the
 * reason on failure; `make` also makes the folder and the database. */
struct store *hub_open_store(const char *root, bool make, struct err *err);

#endif
