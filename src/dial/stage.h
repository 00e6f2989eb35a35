/*
 * What the stages of one walk share. Private to dial/.
 *
 * dial.c owns the walker, runs the stages in order, keeps their time and closes what is left over.
 * A stage reads what earlier ones left, adds evidence to its own record, and returns 0, or -1 after
 * walker_fail(). The deadline is the sooner of the stage's and the walk's.
 */
#ifndef DIAL_STAGE_H
#define DIAL_STAGE_H

#include "dial/dial.h"

#include <openssl/x509.h>

#define WALKER_MAX_ADDRESSES 8

/* What `secure` saw of the certificate chain; hello turns it into a verdict where it has to. */
struct chain_seen {
	enum cause cause; /* CAUSE_NONE: the chain is good */
	enum confidence confidence;
	bool provisional; /* a hub without a pinned CA: the proof decides, not the chain */
	bool clock_only;  /* nothing but the dates is wrong, so the clock may be: ask the peer's Date */
};

struct walker {
	const struct dial_target *target;
	const struct dial_options *options;
	struct walk *walk;
	enum stage stage;          /* the running one */
	struct evidence *evidence; /* of the running stage's record */
	struct deadline deadline;  /* of the running stage */

	char endpoint[TOKEN_MAX_HOST + 8]; /* "host:port" of the target, for evidence */
	bool via_proxy;                    /* then resolve and connect are about the proxy */
	char bypass_entry[256];            /* the NO_PROXY entry that made it direct, "" for none */
	const char *next_host;             /* proxy or endpoint, borrowed */
	uint16_t next_port;

	/* left by resolve */
	struct in_addr addresses[WALKER_MAX_ADDRESSES];
	size_t address_count;
	/* left by connect */
	struct in_addr address; /* the one that connected, or was tried last */
	/* left by secure */
	struct chain_seen chain;
};

/* Fills the walk's finding with the cause and all evidence of the running stage; returns -1. A
 * timeout that was a cancel in truth leaves no finding: see walker_wait_failed(). */
int walker_fail(struct walker *walker, enum cause cause, enum confidence confidence);
/* The same for a wait that did not end in WAIT_READY: a cancel marks the walk as cancelled, a
 * timeout fails with the cause given. Returns -1. */
int walker_wait_failed(struct walker *walker, enum wait_result result, enum cause on_timeout);
/* A warning that does not end the walk, with the evidence of the running stage. */
void walker_warn(struct walker *walker, enum cause cause, enum confidence confidence);

typedef int stage_run(struct walker *walker);

stage_run resolve_run, connect_run, tunnel_run, secure_run, hello_run;

/* conn.c: the pieces of which dial.c's stages build the connection. */
struct conn *conn_new(void);
/* The transfer of libcurl that holds the socket and, with an https:// proxy, the proxy's TLS. Takes
 * the handle; `through_curl` says that bytes go through it and not through the bare socket. */
void conn_take_curl(struct conn *conn, void *curl_easy, int fd, bool through_curl);
/* Puts TLS on top: takes the SSL, whose BIOs conn.c sets up over what is below. */
int conn_take_ssl(struct conn *conn, SSL *ssl);

#endif
