/*
 * The walk: how this machine gets out to an endpoint, stage by stage.
 *
 *     resolve -> connect -> tunnel -> secure -> hello
 *
 * The agent walks to stay connected; `check` walks the same functions and tells what it saw. The
 * stages run in the order of one table (dial.c); each has a deadline of its own under one over all,
 * leaves its evidence in its record, and either passes or fills the walk's one finding, which ends
 * the walk. It is IPv4 (row R4). With a proxy in use, resolve and connect are about the proxy and
 * tunnel is CONNECT; there is no fallback to a direct connection.
 *
 * Order of calls: fill a dial_target and dial_options, dial_walk(), look at walk.failure, use
 * walk.conn (and walk.hub for a hub), walk_free(). The call blocks until it is done, its deadline
 * passes or the cancel fires; several walks may run in threads side by side.
 */
#ifndef DIAL_DIAL_H
#define DIAL_DIAL_H

#include "dial/conn.h"
#include "dial/proxy.h"
#include "diagnosis/finding.h"
#include "os/wait.h"
#include "wire/identity.h"
#include "wire/token.h"
#include "wire/ws.h"

#include <jansson.h>

#define DIAL_STAGE_MS   10000 /* default deadline of one stage */
#define DIAL_OVERALL_MS 30000 /* default deadline of a walk */

enum dial_protocol {
	DIAL_TCP,   /* ends after tunnel */
	DIAL_TLS,   /* ends after secure */
	DIAL_HTTPS, /* hello is a GET that looks for the marker */
	DIAL_HTTP,  /* the same over plain TCP; behind a proxy through CONNECT as well */
	DIAL_HUB,   /* hello is the hub's WebSocket and the mutual proof */
};

/* What proves that the service is the expected one. */
struct dial_marker {
	const char *path;
	int status; /* 0: any */
	const char *header_name;
	const char *header_contains;
	const char *body_begins; /* NULL: any */
};

/* What the agent says at a hub; all borrowed. */
struct dial_hub {
	const unsigned char *hub_key;    /* pinned identity key, IDENTITY_KEY_BYTES; NULL: none known */
	const struct identity *identity; /* the agent's; NULL: an anonymous check */
	const struct join_token *token;  /* to enrol; NULL: come back, or only check */
	bool check_only;                 /* prove, ask, and leave: opens no session */
	bool plain_proof;                /* the proof over a plain request, and no session: set by hello
									  * itself to explain a refused upgrade, or to get walk.discovery */
	bool stay;                       /* with plain_proof: the connection stays open for what
									  * follows (dial/request.h) */
	json_t *inventory;               /* sent with enrol and resume; may be NULL */
	const unsigned char *instance;   /* of the service, IDENTITY_INSTANCE_BYTES; NULL for a program
									  * that does one thing and goes */
	/* With check_only: leave the connection open, and ask the hub to do so this long; walk->conn
	 * and walk->ws are open then, and no session is. 0: do not. */
	int64_t linger_ms;
};

/* Where to go; everything is borrowed for the length of the walk. */
struct dial_target {
	const char *host; /* name or dotted IPv4 address */
	uint16_t port;
	enum dial_protocol protocol;
	const char *ca_pem; /* the private CA that must have issued the certificate; NULL: public */
	const char *const *pins;          /* "sha256/BASE64", NULL-terminated; NULL: none */
	const struct dial_marker *marker; /* NULL: any HTTP answer will do */
	struct dial_hub hub;              /* for DIAL_HUB */
};

struct trust; /* dial/trust.h */

struct dial_options {
	const struct proxy_settings *proxy; /* NULL: direct */
	const char *root;                   /* --root, for resolv.conf and hosts; may be NULL */
	/* Proxies that this machine knows besides the one in use (proxy_settings_others()). They are
	 * looked at after a failure, for the evidence `passes-with`; nothing ever goes out by them. */
	const struct proxy_settings *others;
	size_t other_count;
	struct trust *trust; /* this machine's CAs for several walks; NULL: each reads for itself */
	struct deadline overall;
	int stage_ms;                /* 0: DIAL_STAGE_MS */
	bool deep;                   /* experiments also when the walk has passed, and after a failure
								  * behind a proxy whether the direct way connects (no data) */
	const struct cancel *cancel; /* may be NULL */
	/* Told when a stage begins; called on the walking thread. May be NULL. */
	void (*on_stage)(void *data, enum stage stage);
	void *on_stage_data;
};

enum stage_status {
	STAGE_NOT_REACHED,
	STAGE_PASSED,
	STAGE_SKIPPED, /* does not apply: tunnel without a proxy */
	STAGE_FAILED,
};

struct stage_record {
	enum stage_status status;
	double ms;
	struct evidence evidence;
};

#define WALK_MAX_WARNINGS 4

struct walk {
	struct stage_record stages[STAGE_COUNT]; /* by enum stage; host and session stay unused */
	struct finding failure;                  /* cause CAUSE_NONE while nothing failed */
	struct finding warnings[WALK_MAX_WARNINGS];
	size_t warning_count;
	bool cancelled; /* ended by the cancel: failure is empty then */
	double elapsed_ms;
	struct conn *conn; /* owned; open only after success */
	struct ws *ws;     /* owned; after DIAL_HUB, unless check_only: the session's frames */
	json_t *welcome;   /* owned; what the hub answered: see wire/messages.def, enrol and resume */
	unsigned char hub_key[IDENTITY_KEY_BYTES]; /* the identity key that the hub proved */
	bool hub_clock_told; /* by a hub that has proved itself; seconds since 1970 */
	time_t hub_clock;
	char *private_ca;  /* owned; PEM from hello_result, NULL for none */
	json_t *discovery; /* owned; after a plain proof: the hub's discovery document; also
						* with upgrade-filtered, which may mean that the session is elsewhere */
	struct proof_transcript proven; /* likewise: what the hub signed */
	char *proxy;                    /* owned; "http://10.0.0.9:3128", NULL when direct */
	int64_t retry_after_ms;         /* with hub-busy */
};

/* 0 when every stage passed; -1 when walk->failure is filled or walk->cancelled is true. */
int dial_walk(
	const struct dial_target *target, const struct dial_options *options, struct walk *walk);
/* The first stage alone, as a direct walk has it whatever the proxy settings are: does this machine
 * itself resolve the name? Fills and returns as dial_walk(), without experiments. */
int dial_resolve(
	const struct dial_target *target, const struct dial_options *options, struct walk *walk);
/* [{"stage":"resolve","status":"pass","ms":1.2,"evidence":{}}, ...] as in the report; new
 * reference. */
json_t *walk_to_json(const struct walk *walk);
void walk_free(struct walk *walk); /* closes the connection too; zeroes */

#endif
