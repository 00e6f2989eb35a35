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
	/* Without a link, an address or a lease of this machine any of these is met. */
	{CAUSE_NO_ROUTE, experiment_host},
	{CAUSE_CONNECT_TIMEOUT, experiment_host},
	{CAUSE_CONNECT_PROHIBITED, experiment_host},
	{CAUSE_DNS_TIMEOUT, experiment_host},
	{CAUSE_DNS_NO_LISTENER, experiment_host},
	{CAUSE_DNS_SERVFAIL, experiment_host},
	{CAUSE_DNS_REFUSED, experiment_host},
	{CAUSE_PROXY_TIMEOUT, experiment_host},
	{CAUSE_PROXY_REFUSED, experiment_host},
	{CAUSE_PROXY_UNRESOLVED, experiment_host},
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
	/* This machine's own rules look like any of these from within. */
	{CAUSE_CONNECT_TIMEOUT, experiment_firewall},
	{CAUSE_CONNECT_REFUSED, experiment_firewall},
	{CAUSE_CONNECT_PROHIBITED, experiment_firewall},
	{CAUSE_PROXY_TIMEOUT, experiment_firewall},
	{CAUSE_PROXY_REFUSED, experiment_firewall},
	{CAUSE_PROXY_UNRESOLVED, experiment_firewall},
	{CAUSE_DNS_TIMEOUT, experiment_firewall},
	{CAUSE_DNS_NO_LISTENER, experiment_firewall},
	{CAUSE_DNS_TRUNCATED_TCP_BLOCKED, experiment_firewall},
	/* Another setting of this machine may name the proxy that leads there. */
	{CAUSE_CONNECT_REFUSED, experiment_other_proxy},
	{CAUSE_CONNECT_TIMEOUT, experiment_other_proxy},
	{CAUSE_CONNECT_PROHIBITED, experiment_other_proxy},
	{CAUSE_NO_ROUTE, experiment_other_proxy},
	{CAUSE_DNS_NXDOMAIN, experiment_other_proxy},
	{CAUSE_DNS_SERVFAIL, experiment_other_proxy},
	{CAUSE_DNS_REFUSED, experiment_other_proxy},
	{CAUSE_DNS_NO_LISTENER, experiment_other_proxy},
	{CAUSE_DNS_TIMEOUT, experiment_other_proxy},
	{CAUSE_TLS_STALLED, experiment_other_proxy},
	{CAUSE_TLS_RESET, experiment_other_proxy},
	{CAUSE_PROXY_UNRESOLVED, experiment_other_proxy},
	{CAUSE_PROXY_REFUSED, experiment_other_proxy},
	{CAUSE_PROXY_TIMEOUT, experiment_other_proxy},
	{CAUSE_PROXY_NOT_A_PROXY, experiment_other_proxy},
	{CAUSE_PROXY_STALLED, experiment_other_proxy},
	{CAUSE_PROXY_AUTH_REQUIRED, experiment_other_proxy},
	{CAUSE_PROXY_AUTH_REJECTED, experiment_other_proxy},
	{CAUSE_PROXY_AUTH_UNSUPPORTED, experiment_other_proxy},
	{CAUSE_PROXY_DENIED, experiment_other_proxy},
	{CAUSE_PROXY_UPSTREAM_DNS, experiment_other_proxy},
	{CAUSE_PROXY_UPSTREAM_CONNECT, experiment_other_proxy},
	/* Is the proxy the only thing in the way? */
	{CAUSE_PROXY_UNRESOLVED, experiment_direct_way},
	{CAUSE_PROXY_REFUSED, experiment_direct_way},
	{CAUSE_PROXY_TIMEOUT, experiment_direct_way},
	{CAUSE_PROXY_NOT_A_PROXY, experiment_direct_way},
	{CAUSE_PROXY_STALLED, experiment_direct_way},
	{CAUSE_PROXY_AUTH_REQUIRED, experiment_direct_way},
	{CAUSE_PROXY_AUTH_REJECTED, experiment_direct_way},
	{CAUSE_PROXY_AUTH_UNSUPPORTED, experiment_direct_way},
	{CAUSE_PROXY_DENIED, experiment_direct_way},
	{CAUSE_PROXY_UPSTREAM_DNS, experiment_direct_way},
	{CAUSE_PROXY_UPSTREAM_CONNECT, experiment_direct_way},
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
	/* Nothing comes back: what has to change for something to come? */
	{CAUSE_TLS_STALLED, experiment_tls},
	{CAUSE_TLS_RESET, experiment_tls},
	{CAUSE_TLS_CLOSED, experiment_tls},
	{CAUSE_MARKER_ABSENT, experiment_unanswered},
	{CAUSE_PROXY_STALLED, experiment_proxy_stalled},
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

/* After a walk that has passed, with options->deep; each only warns. */
static experiment_run *const deep_experiments[] = {
	experiment_split_hello,
};

void experiments_deep(struct walker *walker)
{
	for (size_t i = 0; i < ARRAY_LEN(deep_experiments); i++)
		if (!cancel_fired(walker->options->cancel))
			deep_experiments[i](walker);
}

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
