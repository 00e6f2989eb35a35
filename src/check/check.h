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

#include "check/profile.h"
#include "dial/dial.h"

#define CHECK_MAX_THREADS        16
#define CHECK_DEFAULT_DEADLINE_S 30

/* As `dial_walk`; a test puts its own in. */
typedef int check_walk_fn(
	const struct dial_target *target, const struct dial_options *options, struct walk *walk);

/* The hub to try; everything is borrowed. */
struct check_hub {
	const char *host;
	uint16_t port;
	const unsigned char *hub_key; /* pinned identity key; NULL when this machine has not joined */
	const char *ca_pem;           /* of the hub's private CA; NULL: none known */
	const struct identity *identity; /* of this machine; NULL: an anonymous check */
};

/* Where the walks are; shown on a terminal. */
struct check_progress {
	size_t done, total;
	const char *host; /* that began a stage or ended */
	const char *stage;
};

struct check_options {
	const struct profile *profile;       /* NULL: none */
	const struct check_hub *hub;         /* NULL: none */
	const struct proxy_settings *proxy;  /* never NULL */
	const struct finding *proxy_invalid; /* why the settings cannot be used; NULL: they can */
	const char *root;
	const char *host_name, *host_os; /* this machine, for the report */
	const char *platform;            /* "linux": rows for another one are skipped */
	int64_t deadline_ms;
	const struct cancel *cancel; /* may be NULL */
	check_walk_fn *walk;         /* NULL: dial_walk */
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

void check_run(const struct check_options *options, struct check_result *result);
void check_result_free(struct check_result *result);

int check_exit_code(enum check_verdict verdict); /* contracts: 0, 1, 3, 4 */
const char *check_verdict_name(enum check_verdict verdict);
const char *requirement_status_name(enum requirement_status status);

#endif
