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
	bool provisional; /* a hub: its proof decides, not the chain */
	bool clock_only;  /* nothing but the dates is wrong, so the clock may be: ask the peer's Date */
	enum cause
		date_cause;    /* what the dates alone would be called; CAUSE_NONE when they are right */
	time_t not_before; /* between these two every certificate of the chain is valid */
	time_t not_after;
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
	bool by_dns; /* they come from DNS, from this server: */
	struct in_addr resolver;
	/* left by connect */
	struct in_addr address;    /* the one that connected, or was tried last */
	struct transfer *transfer; /* owned; for tunnel, which turns it into the connection */
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

/* resolve.c: an experiment. A random name under .com that resolves to the endpoint's own address
 * turns the failure into dns-hijack. At most two seconds. */
void resolve_check_hijack(struct walker *walker);
/* resolve.c: with ask_local_dns, after a walk through a proxy has passed: warns (dns-only-at-proxy)
 * when this machine cannot resolve the endpoint itself. At most two seconds. */
void resolve_check_local_dns(struct walker *walker);

/* connect.c: how much the connection had to send again, as evidence and perhaps a warning. */
void connect_measure(struct walker *walker);

/* experiments.c: after a failure, the second look that tells it from a look-alike. It may change
 * the cause of walk->failure and add to its evidence; it never makes a failed walk pass. */
void experiments_run(struct walker *walker);

typedef void experiment_run(struct walker *walker);

/* experiments_path.c: does the way through the proxy pass that a NO_PROXY entry kept out?
 * (proxy-wrongly-bypassed) At most five seconds. */
experiment_run experiment_other_way;
/* experiments_path.c: does an address connect that no machine has? (connect-intercepted) At most
 * two seconds; never through a proxy and never about a loopback address. */
experiment_run experiment_intercepted;

/* dial.c, for an experiment: walks anew, from resolve to tunnel, through the proxy that a NO_PROXY
 * entry kept out, and keeps nothing. CAUSE_NONE when it passes. Needs a proxy that is set. */
enum cause walker_other_way(const struct walker *walker, int ms);

/* conn.c: the pieces of which the stages build the connection. Each takes what it is given. */
struct conn *conn_new(void);
void conn_take_fd(struct conn *conn, int fd);
/* With an https:// proxy: bytes go through libcurl, which holds the proxy's TLS. */
void conn_take_curl(struct conn *conn, void *curl_multi, void *curl_easy, int fd);
/* Puts TLS on top: takes the SSL, whose BIOs conn.c sets up over what is below. */
int conn_take_ssl(struct conn *conn, SSL *ssl);

#endif
