/*
 * `check`: everything that a profile or a hub asks of this machine, tried, and why it fails (rows
 * B1 to B3).
 *
 * Fill a check_options, check_run(), hand the result to a report (check/report.h), take the exit
 * code from the verdict, check_result_free(). The endpoints are walked side by side with the very
 * code that the agent connects with; a cancel ends the walks and leaves a partial result. What this
 * version cannot find out is `unknown` with the reason, never passed.
 *
 * Findings are joined: the same cause with the same key evidence at many endpoints is one cause
 * that affects them all (row B2).
 */
#ifndef CHECK_CHECK_H
#define CHECK_CHECK_H

#include "profile/profile.h"
#include "dial/dial.h"
#include "wire/endpoints.h"

#define CHECK_MAX_THREADS        16
#define CHECK_DEFAULT_DEADLINE_S 30
#define CHECK_DEEP_DEADLINE_S    180 /* with --deep, which measures how long the idle live */

/* As `dial_walk`; a test puts its own in. */
typedef int check_walk_fn(
	const struct dial_target *target, const struct dial_options *options, struct walk *walk);

/* What looks at this machine itself, and who finds it by a requirement's id; see check/probe.h. */
struct probe_question;
struct probe_answer;
typedef void probe_run(const struct probe_question *question, struct probe_answer *answer);
typedef probe_run *probe_find_fn(const char *requirement_id);

#define CHECK_ROLES_SIZE 48

/* One place of the hub to try; everything is borrowed. Where its roles are at several places (row
 * S6) each is tried by itself. */
struct check_hub {
	const char *host;
	uint16_t port;
	const unsigned char *hub_key; /* pinned identity key; NULL when this machine has not joined */
	const char *ca_pem;           /* of the hub's private CA; NULL: none known */
	const struct identity *identity; /* of this machine; NULL: an anonymous check */
	const struct check_hub *next;    /* another place of it; NULL: none */
	char roles[CHECK_ROLES_SIZE];    /* that are there, "session and console"; "": all of them */
	const char *id;                  /* of the requirement, behind "endpoint."; NULL: "hub" */
	bool plain;                      /* no session is there: the hub's proof over a plain request */
};

/* Where the walks are; shown on a terminal. */
struct check_progress {
	size_t done, total;
	const char *host; /* that began a stage or ended */
	const char *stage;
};

enum check_joined {
	CHECK_NOT_JOINED,
	CHECK_JOINED,
	CHECK_JOINED_UNKNOWN, /* only root can see it */
};

struct check_options {
	const struct profile *profile;       /* NULL: none */
	const struct check_hub *hub;         /* the first of its places; NULL: none */
	const struct proxy_settings *proxy;  /* never NULL */
	const struct finding *proxy_invalid; /* why the settings cannot be used; NULL: they can */
	/* Proxies that are named beside it; tried for `passes-with` alone. See dial/proxy.h. */
	const struct proxy_settings *other_proxies;
	size_t other_proxy_count;
	const struct finding *proxy_split; /* the service has other settings; NULL: the same */
	bool service_proxy_hidden;         /* it may have: only root can read its file */
	enum check_joined joined;          /* whether the agent is installed and has joined a hub */
	pid_t agent_pid; /* the agent that runs here; 0: none, -1: only root can see it */
	const char *root;
	const char *host_name, *host_os; /* this machine, for the report */
	const char *platform;            /* "linux": rows for another one are skipped */
	int64_t deadline_ms;
	bool deep;                   /* also what takes longer, and experiments on walks that pass */
	const struct cancel *cancel; /* may be NULL */
	struct trust *trust;         /* set by check_run() for its walks and probes */
	check_walk_fn *walk;         /* NULL: dial_walk */
	check_walk_fn *resolve;      /* NULL: dial_resolve */
	/* NULL: probe_find(). A test puts its own in, lest it look at the machine that it runs on. */
	probe_find_fn *find_probe;
	/* Called on several threads, one at a time. May be NULL. */
	void (*on_progress)(void *data, const struct check_progress *progress);
	void *on_progress_data;
};

enum requirement_status {
	REQUIREMENT_PASS,
	REQUIREMENT_FAIL,
	REQUIREMENT_WARN,
	REQUIREMENT_UNKNOWN,
	REQUIREMENT_SKIPPED,
	REQUIREMENT_STATUS_COUNT,
};

#define CHECK_NO_CAUSE ((size_t)-1)

#define PROBE_MAX_FINDINGS 4

/* What a probe of this machine found; see check/probe.h. */
struct probe_answer {
	enum requirement_status status;
	char *reason; /* owned */
	struct evidence evidence;
	struct finding findings[PROBE_MAX_FINDINGS];
	size_t finding_count;
	double ms;
};

struct requirement {
	char *id;                  /* "endpoint.console" */
	char *title;               /* "console and API (smart.cloud.com:443)" */
	const char *section, *row; /* borrowed from the profile; NULL when not given */
	enum requirement_status status;
	char *reason; /* why it is unknown or skipped; else NULL or a remark */
	size_t cause; /* index into causes, CHECK_NO_CAUSE for none */

	/* What is walked for it: one of the two, or neither. */
	const struct profile_endpoint *endpoint;
	const struct check_hub *hub;
	bool optional; /* a failure is only a warning */
	bool walked;
	struct walk walk; /* its connection is closed already */

	/* What the profile asks of this machine: at most one; the rest are topics, told by their id. */
	const struct profile_inbound *inbound;
	const struct profile_service *service;
	const struct profile_account *account;
	bool probed;
	struct probe_answer answer;
};

struct check_cause {
	struct finding finding;
	enum severity severity;
	size_t *affects; /* owned; indexes of requirements, ascending */
	size_t affects_count;
	size_t found; /* the how manieth it was found; breaks ties in the order */
};

enum check_verdict { VERDICT_PASS, VERDICT_FAIL, VERDICT_DEGRADED, VERDICT_INCONCLUSIVE };

/* Borrows the options' profile and proxy settings until it is freed. */
struct check_result {
	const struct profile *profile;
	const struct check_hub *hub;
	const struct proxy_settings *proxy;
	bool proxy_unusable; /* a proxy is set that cannot be used, so nothing was tried */
	const char *host_name, *host_os;
	time_t started_at;
	double elapsed_ms;
	bool interrupted;
	enum check_verdict verdict;
	struct requirement *requirements; /* owned */
	size_t requirement_count;
	struct check_cause *causes; /* owned; the most affecting failures first */
	size_t cause_count;
};

/* Fills a list, the session's place first, each like `hub` but for the place and the roles that are
 * there; returns its first. */
const struct check_hub *check_hub_places(const struct check_hub *hub,
	const struct endpoints *endpoints, struct check_hub places[ENDPOINT_COUNT]);
void check_run(const struct check_options *options, struct check_result *result);
void check_result_free(struct check_result *result);

int check_exit_code(enum check_verdict verdict); /* contracts: 0, 1, 3, 4 */
const char *check_verdict_name(enum check_verdict verdict);
const char *requirement_status_name(enum requirement_status status);

#endif
