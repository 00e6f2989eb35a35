/*
 * Probes: what is asked of this machine itself, beside the walks to the endpoints.
 *
 * One table (probes.c) says which requirement calls for which probe. check_run() runs each on a
 * thread, side by side with the walks, under the check's deadline and cancel. A probe looks, adds
 * what it saw to the answer's evidence, and ends with exactly one of probe_pass(), probe_unknown(),
 * probe_skip() or probe_blame(); a second probe_blame() adds another cause. A probe changes nothing
 * on this machine. What needs privileges that it has not is unknown, with a reason that says so,
 * unless other evidence settles it: root and an ordinary user never contradict each other.
 */
#ifndef CHECK_PROBE_H
#define CHECK_PROBE_H

#include "check/check.h"

#define PROBE_WITHOUT_PRIVILEGES "only root can see it; run the check as root"

struct probe_question {
	const struct check_options *options;
	const struct requirement *requirement; /* its inbound, service or account says what is asked */
	struct deadline deadline;
	/* What takes long says in a few words how far it is. NULL: nobody looks. */
	void (*on_progress)(void *data, const char *words);
	void *on_progress_data;
};

/* The probe for a requirement by its id, or NULL when this version has none. */
probe_find_fn probe_find;

/* The remark goes into the report beside the status; NULL for none. */
void probe_pass(struct probe_answer *answer, const char *remark);
void probe_unknown(struct probe_answer *answer, const char *format, ...) PRINTF_LIKE(2, 3);
void probe_skip(struct probe_answer *answer, const char *format, ...) PRINTF_LIKE(2, 3);
/* Fails, or warns where the cause's own severity is a warning. The finding gets a copy of the
 * evidence gathered so far and is returned, so that more can be added; it belongs to the answer. */
struct finding *probe_blame(
	struct probe_answer *answer, enum cause cause, enum confidence confidence);
/* The same with a finding that a walk made; it is copied. */
struct finding *probe_blame_finding(struct probe_answer *answer, const struct finding *finding);
void probe_answer_free(struct probe_answer *answer);

/* A file for each subject; all of them are of type probe_run. */
probe_run probe_idle;
probe_run probe_dns_external;
probe_run probe_internet;
probe_run probe_dhcp_server;
probe_run probe_ipv4_origin;
probe_run probe_dns_origin;
probe_run probe_ipv4_usable;
probe_run probe_inbound;
probe_run probe_service;
probe_run probe_account;
probe_run probe_listening;

#endif
