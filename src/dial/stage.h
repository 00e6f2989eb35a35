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

/* How a second try differs from the walk: one factor of these, all else as it was. */
enum hello_form {
	HELLO_USUAL,
	HELLO_SMALL, /* the fewest extensions, about half the size */
	HELLO_LARGE, /* padded to more than one segment of any path, as with post-quantum keys */
};

struct dial_variation {
	const char *sni; /* another name in TLS, "" for none; NULL: the endpoint's; borrowed */
	int mss;         /* most payload bytes of a segment, both ways; 0: as the system has it */
	enum hello_form form;
	size_t split_at; /* the ClientHello goes out in two segments, cut here; 0: in one piece */
};

/* What the kernel tells everyone of a packet that this machine itself did not let out. */
enum held_back {
	HELD_NOT,
	HELD_SILENTLY, /* it could not be sent: EPERM, or a SYN that is sent again and again in vain */
	HELD_REJECTED, /* an ICMP error that this machine sent to itself */
};

struct walker {
	const struct dial_target *target;
	const struct dial_options *options;
	const struct dial_variation *variation; /* NULL: the walk itself; see again.h */
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
	/* left by resolve or connect when they failed */
	enum held_back held_back;
	/* left by connect */
	struct in_addr address;    /* the one that connected, or was tried last */
	struct transfer *transfer; /* owned; for tunnel, which turns it into the connection */
	/* left by secure */
	size_t hello_size; /* bytes that TLS had sent when it last waited for the peer */
	size_t alert_size; /* and afterwards, to say that it gives up */
	bool answered;     /* bytes of TLS came back */
	struct chain_seen chain;
	/* left by hello */
	bool unanswered; /* the request went out and nothing came back */
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
/* connect.c: how much the connection had to send again, as evidence and perhaps a warning. */
void connect_measure(struct walker *walker);

/* secure.c: the handshake alone, without a verdict on the chain. */
stage_run secure_shake;

/* segments.c: what TCP knows of the bytes that were sent on a connection. */
struct segments {
	bool acknowledged; /* all but the alert; through a proxy that is the proxy's word */
	bool overtaken;    /* something came back after a gap that was never filled */
	unsigned mss;      /* payload bytes of the largest segment sent */
	unsigned retransmits;
	double rtt_ms;
};
/* 0, or -1 where the system does not tell. */
int segments_look(const struct walker *walker, struct segments *segments);
void segments_evidence(const struct walker *walker, struct evidence *evidence);

/* experiments.c: after a failure, the second look that tells it from a look-alike. It may change
 * the cause of walk->failure and add to its evidence; it never makes a failed walk pass. */
void experiments_run(struct walker *walker);

typedef void experiment_run(struct walker *walker);

/* experiments_host.c: is it this machine's own link, address or lease? (link-down, no-ipv4,
 * lease-lost, dhcp-absent) Local reads; up to DHCP_WAIT_MS more where an address is missing. */
experiment_run experiment_host;

/* experiments_firewall.c: do this machine's own rules stop it, or the answers? (local-firewall)
 * Local reads alone. */
experiment_run experiment_firewall;

/* experiments_path.c: does the way through the proxy pass that a NO_PROXY entry kept out?
 * (proxy-wrongly-bypassed) At most five seconds. */
experiment_run experiment_other_way;
/* experiments_path.c: does an address connect that no machine has? (connect-intercepted) At most
 * two seconds; never through a proxy and never about a loopback address. */
experiment_run experiment_intercepted;

/* experiments_path.c: does one of the other proxies pass that this machine knows? Adds
 * `passes-with`; the cause stays. At most five seconds. */
experiment_run experiment_other_proxy;
/* experiments_path.c: with --deep, after a failure behind a proxy: does the direct way connect? TCP
 * alone, not a byte of data, for the proxy is there by policy (row R23). Adds `direct-way`. At most
 * five seconds. */
experiment_run experiment_direct_way;

/* experiments_tls.c: another name, smaller segments, a smaller ClientHello, or the same once more:
 * does one of them pass? (sni-filtered, mtu-black-hole, clienthello-split-intolerant) At most three
 * seconds. */
experiment_run experiment_tls;
/* The same for a request that got no answer over TLS that stands: only smaller segments. */
experiment_run experiment_unanswered;
/* The same for a proxy that says nothing, as one does whose certificate is lost on its way. */
experiment_run experiment_proxy_stalled;

/* experiments.c: with options->deep, what a walk that has passed cannot show. Only warns. */
void experiments_deep(struct walker *walker);
/* experiments_hello.c: does a ClientHello pass that comes in two segments, or is larger than one?
 * At most eight seconds, when one does not. */
experiment_run experiment_split_hello;

/* dial.c, for an experiment: walks anew from resolve to `last`, through this proxy whatever
 * NO_PROXY says (NULL: directly), and keeps nothing. CAUSE_NONE when it passes. */
enum cause walker_other_way(
	const struct walker *walker, const struct proxy_settings *proxy, enum stage last, int ms);

/* conn.c: the pieces of which the stages build the connection. Each takes what it is given. */
struct conn *conn_new(void);
void conn_take_fd(struct conn *conn, int fd);
/* With an https:// proxy: bytes go through libcurl, which holds the proxy's TLS. */
void conn_take_curl(struct conn *conn, void *curl_multi, void *curl_easy, int fd);
/* Puts TLS on top: takes the SSL, whose BIOs conn.c sets up over what is below. */
int conn_take_ssl(struct conn *conn, SSL *ssl);
SSL *conn_ssl(const struct conn *conn); /* borrowed; NULL without TLS */
/* The first write of more bytes than `at` goes out in two pieces, cut there. */
void conn_split_first(struct conn *conn, size_t at);

#endif
