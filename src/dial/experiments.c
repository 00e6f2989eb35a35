/*
 * Second looks: what is asked once a walk has failed, to tell a cause from one that looks like it.
 *
 * One table says which failure calls for which experiment. They run in its order, within the walk's
 * deadline, until one of them changes the cause; a walk that passes never pays for them.
 */
#include "dial/stage.h"

static const struct experiment {
	enum cause after;
	experiment_run *run;
} experiments[] = {
	/* An entry of NO_PROXY may have chosen a way that is closed. */
	{CAUSE_CONNECT_REFUSED, experiment_other_way},
	{CAUSE_CONNECT_TIMEOUT, experiment_other_way},
	{CAUSE_CONNECT_PROHIBITED, experiment_other_way},
	{CAUSE_NO_ROUTE, experiment_other_way},
	{CAUSE_DNS_NXDOMAIN, experiment_other_way},
	{CAUSE_DNS_SERVFAIL, experiment_other_way},
	{CAUSE_DNS_REFUSED, experiment_other_way},
	{CAUSE_DNS_NO_LISTENER, experiment_other_way},
	{CAUSE_DNS_TIMEOUT, experiment_other_way},
	{CAUSE_DNS_NO_A, experiment_other_way},
	{CAUSE_DNS_SINKHOLE, experiment_other_way},
	/* A network that answers every name with its own address fails in any of these ways. */
	{CAUSE_CONNECT_REFUSED, resolve_check_hijack},
	{CAUSE_CONNECT_TIMEOUT, resolve_check_hijack},
	{CAUSE_CONNECT_PROHIBITED, resolve_check_hijack},
	{CAUSE_PROXY_REFUSED, resolve_check_hijack},
	{CAUSE_PROXY_TIMEOUT, resolve_check_hijack},
	{CAUSE_PROXY_NOT_A_PROXY, resolve_check_hijack},
	{CAUSE_TLS_NOT_SPOKEN, resolve_check_hijack},
	{CAUSE_TLS_RESET, resolve_check_hijack},
	{CAUSE_TLS_CLOSED, resolve_check_hijack},
	{CAUSE_TLS_STALLED, resolve_check_hijack},
	{CAUSE_TLS_ALERT, resolve_check_hijack},
	{CAUSE_CERT_NAME_MISMATCH, resolve_check_hijack},
	{CAUSE_CERT_UNTRUSTED, resolve_check_hijack},
	{CAUSE_TLS_INTERCEPTED, resolve_check_hijack},
	{CAUSE_MARKER_ABSENT, resolve_check_hijack},
	/* A box that accepts every connection in the endpoint's place fails in any of these. Causes
	 * with a proof of their own (tls-intercepted, captive-portal, block-page) say more than that.
	 */
	{CAUSE_TLS_STALLED, experiment_intercepted},
	{CAUSE_TLS_RESET, experiment_intercepted},
	{CAUSE_TLS_CLOSED, experiment_intercepted},
	{CAUSE_TLS_NOT_SPOKEN, experiment_intercepted},
	{CAUSE_CERT_NAME_MISMATCH, experiment_intercepted},
	{CAUSE_MARKER_ABSENT, experiment_intercepted},
};

void experiments_run(struct walker *walker)
{
	const enum cause first = walker->walk->failure.cause;
	for (size_t i = 0; i < ARRAY_LEN(experiments); i++) {
		if (experiments[i].after != first)
			continue;
		experiments[i].run(walker);
		if (walker->walk->failure.cause != first || walker->walk->cancelled)
			return;
	}
}
