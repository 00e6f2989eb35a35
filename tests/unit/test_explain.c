/* One root cause out of everything that walks and probes found (row B2). */
#include "check/probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define MET_MAX 5
#define PROXY   "http://10.0.0.9:3128"

/* What one endpoint, or one requirement of this machine, meets. */
struct met {
	const char *where; /* a host, or the id of a requirement: "addressing.ipv4" */
	enum cause cause;  /* CAUSE_NONE: it passes */
	const char *evidence[8];
	bool warning;
	const char *proxy; /* the walk goes through it */
};

struct row {
	const char *what;
	struct met met[MET_MAX];
	const char *causes; /* what must be left, in the order of the report */
};

#define MET(at, id, ...)                                                                           \
	{                                                                                              \
		.where = (at), .cause = (id), .evidence = { __VA_ARGS__ }                                  \
	}
#define WARNS(at, id, ...)                                                                         \
	{                                                                                              \
		.where = (at), .cause = (id), .evidence = {__VA_ARGS__}, .warning = true                   \
	}
#define VIA(by, at, id, ...)                                                                       \
	{                                                                                              \
		.where = (at), .cause = (id), .evidence = {__VA_ARGS__}, .proxy = (by)                     \
	}
#define PASSES(at)                                                                                 \
	{                                                                                              \
		.where = (at)                                                                              \
	}

static const struct met *playing;

static const struct met *met_at(const char *where)
{
	for (size_t i = 0; i < MET_MAX && playing[i].where; i++)
		if (strcmp(playing[i].where, where) == 0)
			return &playing[i];
	return NULL;
}

static void add_evidence(struct evidence *evidence, const struct met *met)
{
	for (size_t i = 0; i + 1 < ARRAY_LEN(met->evidence) && met->evidence[i]; i += 2)
		evidence_add(evidence, met->evidence[i], "%s", met->evidence[i + 1]);
}

static int fake_walk(
	const struct dial_target *target, const struct dial_options *options, struct walk *walk)
{
	(void)options;
	const struct met *met = met_at(target->host);
	enum stage fails = met->cause && !met->warning ? cause_info(met->cause)->stage : STAGE_COUNT;
	*walk = (struct walk){.elapsed_ms = 1, .proxy = xstrdup(met->proxy)};
	fails = fails < STAGE_RESOLVE ? STAGE_CONNECT : fails;
	fails = fails == STAGE_TUNNEL && met->cause != CAUSE_PROXY_DENIED ? STAGE_CONNECT : fails;
	for (int stage = STAGE_RESOLVE; stage <= STAGE_HELLO && stage <= (int)fails; stage++)
		walk->stages[stage].status = stage == (int)fails ? STAGE_FAILED : STAGE_PASSED;
	if (!met->cause)
		return 0;
	struct finding *finding =
		met->warning ? &walk->warnings[walk->warning_count++] : &walk->failure;
	finding_set(finding, met->cause, met->warning ? STAGE_RESOLVE : fails, CONFIDENCE_LIKELY);
	add_evidence(&finding->evidence, met);
	evidence_add(&finding->evidence, "endpoint", "%s:443", target->host);
	if (met->proxy)
		evidence_add(&finding->evidence, "proxy", "%s", met->proxy);
	return met->warning ? 0 : -1;
}

static void fake_probe(const struct probe_question *question, struct probe_answer *answer)
{
	const struct met *met = met_at(question->requirement->id);
	if (!met || !met->cause)
		probe_pass(answer, NULL);
	else
		add_evidence(&probe_blame(answer, met->cause, CONFIDENCE_CERTAIN)->evidence, met);
}

static probe_run *fake_find(const char *id)
{
	(void)id;
	return fake_probe;
}

/* A profile of the hosts that the row names, with the requirements of this machine that it does. */
static struct profile *profile_for(const struct met *met)
{
	char path[] = "/tmp/sallyport-explain-XXXXXX.yaml";
	struct err err = {""};
	FILE *out = fdopen(mkstemps(path, 5), "w");
	fputs("profile: p\ntitle: P\nproxy: {inspection: allowed}\n", out);
	if (met_at("addressing.ipv4"))
		fputs("addressing: {ipv4: dhcp}\n", out);
	if (met_at("internet"))
		fputs("internet: required\n", out);
	fputs("endpoints:\n", out);
	for (size_t i = 0; i < MET_MAX && met[i].where; i++)
		if (strncmp(met[i].where, "addressing.", 11) != 0 && strcmp(met[i].where, "internet") != 0)
			fprintf(out, "  - {id: e%zu, host: %s, port: 443}\n", i, met[i].where);
	fclose(out);
	struct profile *profile = profile_load(path, &err);
	unlink(path);
	if (!profile)
		fail_msg("%s", err.text);
	return profile;
}

static struct {
	struct profile *profile;
	struct proxy_settings proxy;
	struct check_result result;
} run;

static void check(const struct met *met)
{
	playing = met;
	run.profile = profile_for(met);
	proxy_settings_none(&run.proxy);
	const struct check_options options = {
		.profile = run.profile,
		.proxy = &run.proxy,
		.host_name = "here",
		.host_os = "Test OS",
		.platform = "linux",
		.deadline_ms = 20000,
		.walk = fake_walk,
		.find_probe = fake_find,
	};
	check_run(&options, &run.result);
}

static void done(void)
{
	check_result_free(&run.result);
	profile_free(run.profile);
	proxy_settings_free(&run.proxy);
}

static const struct requirement *requirement(const char *id)
{
	for (size_t i = 0; i < run.result.requirement_count; i++)
		if (strcmp(run.result.requirements[i].id, id) == 0)
			return &run.result.requirements[i];
	fail_msg("there is no requirement %s", id);
	return NULL;
}

static const struct finding *cause(size_t at)
{
	return &run.result.causes[at].finding;
}

/* Every requirement that is not met points at a cause that says so, and the other way round. */
static void assert_consistent(const char *what)
{
	const struct check_result *result = &run.result;
	for (size_t i = 0; i < result->requirement_count; i++) {
		const struct requirement *each = &result->requirements[i];
		bool listed = false;
		if (each->cause == CHECK_NO_CAUSE) {
			if (each->status == REQUIREMENT_FAIL)
				fail_msg("%s: %s fails for no cause", what, each->id);
			continue;
		}
		assert_true(each->cause < result->cause_count);
		const struct check_cause *its = &result->causes[each->cause];
		for (size_t n = 0; n < its->affects_count; n++)
			listed = listed || its->affects[n] == i;
		if (!listed)
			fail_msg("%s: %s is not among what its cause affects", what, each->id);
		if (each->status == REQUIREMENT_FAIL && its->severity != SEVERITY_FAIL)
			fail_msg("%s: %s fails for a warning", what, each->id);
	}
	for (size_t i = 0; i < result->cause_count; i++)
		for (size_t n = 1; n < result->causes[i].affects_count; n++)
			assert_true(result->causes[i].affects[n - 1] < result->causes[i].affects[n]);
}

static void assert_causes(const char *what, const char *wanted)
{
	struct buf ids = {0};
	for (size_t i = 0; i < run.result.cause_count; i++)
		buf_printf(&ids, "%s%s", i ? " " : "", cause_info(cause(i)->cause)->id);
	if (strcmp(buf_text(&ids), wanted) != 0)
		fail_msg("%s: \"%s\" instead of \"%s\"", what, buf_text(&ids), wanted);
	buf_free(&ids);
	assert_consistent(what);
}

/* --- the rules ----------------------------------------------------------------------------------
 */

#define A "a.one.example"
#define B "b.one.example"
#define C "c.two.test"

static const struct row rows[] = {
	/* this machine's network */
	{"no lease, no way",
		{MET("addressing.ipv4", CAUSE_LEASE_LOST, "interface", "eth0"),
			MET(A, CAUSE_CONNECT_TIMEOUT, "port", "443"),
			MET(B, CAUSE_DNS_TIMEOUT, "resolver", "10.0.0.1")},
		"lease-lost"},
	{"the lease of another interface explains nothing that eth1 met",
		{MET("addressing.ipv4", CAUSE_LEASE_LOST, "interface", "eth0"),
			MET(A, CAUSE_CONNECT_TIMEOUT, "port", "443", "interface", "eth1")},
		"lease-lost connect-timeout"},
	{"a lost lease explains nothing while endpoints connect",
		{MET("addressing.ipv4", CAUSE_LEASE_LOST, "interface", "eth0"),
			MET(A, CAUSE_CONNECT_TIMEOUT, "port", "443"), PASSES(B)},
		"lease-lost connect-timeout"},
	{"no server, so no lease, so no route: one root",
		{MET("addressing.dhcp-server", CAUSE_DHCP_ABSENT, "interface", "eth0"),
			MET("addressing.ipv4", CAUSE_LEASE_LOST, "interface", "eth0"),
			MET(A, CAUSE_NO_ROUTE, NULL), MET(B, CAUSE_DNS_TIMEOUT, "resolver", "10.0.0.1")},
		"dhcp-absent"},
	{"the cable is out",
		{MET("addressing.dhcp-server", CAUSE_DHCP_ABSENT, "interface", "eth0"),
			MET("addressing.ipv4", CAUSE_LINK_DOWN, "interface", "eth0"),
			VIA(PROXY, A, CAUSE_PROXY_TIMEOUT, NULL)},
		"link-down"},
	{"IPv6 only", {MET(A, CAUSE_NO_IPV4, NULL), MET(B, CAUSE_NO_ROUTE, NULL)}, "no-ipv4"},
	{"this machine's firewall drops the port",
		{MET(A, CAUSE_LOCAL_FIREWALL, "port", "443"), MET(B, CAUSE_CONNECT_TIMEOUT, "port", "443")},
		"local-firewall"},
	{"this machine's firewall drops another port",
		{MET(A, CAUSE_LOCAL_FIREWALL, "port", "8443"),
			MET(B, CAUSE_CONNECT_TIMEOUT, "port", "443")},
		"local-firewall connect-timeout"},
	{"this machine's firewall drops DNS",
		{MET(A, CAUSE_LOCAL_FIREWALL, "port", "53"),
			MET(B, CAUSE_DNS_TIMEOUT, "resolver", "10.0.0.1")},
		"local-firewall"},
	{"a clock that is ahead explains what is valid in truth",
		{MET(A, CAUSE_CLOCK_AHEAD, "peer-time", "2026-03-01T00:00:00Z"),
			MET(B, CAUSE_CERT_EXPIRED, "not-after", "2026-12-01T00:00:00Z")},
		"clock-ahead"},
	{"a clock that is ahead does not explain what expired before",
		{MET(A, CAUSE_CLOCK_AHEAD, "peer-time", "2026-03-01T00:00:00Z"),
			MET(B, CAUSE_CERT_EXPIRED, "not-after", "2025-12-01T00:00:00Z")},
		"clock-ahead cert-expired"},
	{"a clock that is behind",
		{MET(A, CAUSE_CLOCK_BEHIND, NULL), MET(B, CAUSE_CERT_NOT_YET_VALID, NULL)}, "clock-behind"},
	{"a clock that is ahead makes nothing not yet valid",
		{MET(A, CAUSE_CLOCK_AHEAD, NULL), MET(B, CAUSE_CERT_NOT_YET_VALID, NULL)},
		"clock-ahead cert-not-yet-valid"},
	{"no CA at all",
		{MET(A, CAUSE_CA_BUNDLE_MISSING, NULL), MET(B, CAUSE_CERT_UNTRUSTED, "issuer", "Some CA")},
		"ca-bundle-missing"},
	{"the address in the hosts file is where nothing answers",
		{WARNS(A, CAUSE_HOSTS_FILE_STALE, "hosts-address", "192.0.2.9"),
			MET(B, CAUSE_CONNECT_TIMEOUT, "address", "192.0.2.9", "port", "443")},
		"hosts-file-stale"},
	{"the address in the hosts file is another",
		{WARNS(A, CAUSE_HOSTS_FILE_STALE, "hosts-address", "192.0.2.9"),
			MET(B, CAUSE_CONNECT_TIMEOUT, "address", "192.0.2.8", "port", "443")},
		"connect-timeout hosts-file-stale"},

	/* DNS */
	{"all servers are silent, the first among them",
		{MET(A, CAUSE_DNS_TIMEOUT, "resolver", "10.0.0.1, 10.0.0.2"),
			WARNS(B, CAUSE_DNS_FIRST_SERVER_DEAD, "dead-resolver", "10.0.0.1")},
		"dns-timeout"},
	{"one sick server",
		{MET(A, CAUSE_DNS_SERVFAIL, "resolver", "10.0.0.1"),
			MET(B, CAUSE_DNS_TIMEOUT, "resolver", "10.0.0.1, 10.0.0.2")},
		"dns-servfail"},
	{"two sick servers",
		{MET(A, CAUSE_DNS_SERVFAIL, "resolver", "10.0.0.1"),
			MET(B, CAUSE_DNS_TIMEOUT, "resolver", "10.0.0.3")},
		"dns-servfail dns-timeout"},

	/* somebody in between */
	{"one portal, met in four ways",
		{MET(A, CAUSE_CAPTIVE_PORTAL, "address", "10.77.1.80"),
			MET(B, CAUSE_CERT_NAME_MISMATCH, "address", "10.77.1.80"),
			MET(C, CAUSE_TLS_NOT_SPOKEN, "address", "10.77.1.80"),
			MET("d.two.test", CAUSE_DNS_HIJACK, "address", "10.77.1.80")},
		"captive-portal"},
	{"a portal that shows itself over plain HTTP alone",
		{MET("internet", CAUSE_CAPTIVE_PORTAL, "address", "192.0.2.1"),
			MET(A, CAUSE_CONNECT_TIMEOUT, "address", "203.0.113.1", "port", "443"),
			MET(B, CAUSE_TLS_RESET, "address", "203.0.113.2")},
		"captive-portal"},
	{"a portal somewhere does not explain what another address does while others get through",
		{MET("internet", CAUSE_CAPTIVE_PORTAL, "address", "192.0.2.1"), PASSES(A),
			MET(B, CAUSE_CERT_EXPIRED, "address", "203.0.113.2")},
		"captive-portal cert-expired"},
	{"one hijacked DNS",
		{MET(A, CAUSE_DNS_HIJACK, "address", "10.9.9.9"),
			MET(B, CAUSE_CERT_UNTRUSTED, "address", "10.9.9.9"),
			MET(C, CAUSE_CONNECT_REFUSED, "address", "10.9.9.9", "port", "443")},
		"dns-hijack"},
	{"a hijacked DNS and a certificate of another address",
		{MET(A, CAUSE_DNS_HIJACK, "address", "10.9.9.9"),
			MET(B, CAUSE_CERT_UNTRUSTED, "address", "203.0.113.9")},
		"dns-hijack cert-untrusted"},
	{"a block page before the certificates of its sender",
		{MET(A, CAUSE_BLOCK_PAGE, "address", "10.9.9.9"),
			MET(B, CAUSE_CERT_UNTRUSTED, "address", "10.9.9.9")},
		"block-page"},
	{"a box that takes every connection",
		{MET(A, CAUSE_CONNECT_INTERCEPTED, NULL), MET(B, CAUSE_TLS_STALLED, NULL),
			MET(C, CAUSE_CERT_UNTRUSTED, NULL)},
		"connect-intercepted"},
	{"an inspector explains what else its certificates break",
		{MET(A, CAUSE_TLS_INTERCEPTED, "issuer", "Corp CA"),
			MET(B, CAUSE_CERT_UNTRUSTED, "issuer", "Corp CA"),
			MET(C, CAUSE_CERT_EXPIRED, "issuer", "Honest CA")},
		"tls-intercepted cert-expired"},
	{"one unknown CA before unrelated names",
		{MET(A, CAUSE_CERT_UNTRUSTED, "issuer", "Box CA"),
			MET(C, CAUSE_CERT_UNTRUSTED, "issuer", "Box CA")},
		"tls-intercepted"},
	{"one unknown CA before names of one owner",
		{MET(A, CAUSE_CERT_UNTRUSTED, "issuer", "Own CA"),
			MET(B, CAUSE_CERT_UNTRUSTED, "issuer", "Own CA")},
		"cert-untrusted cert-untrusted"},

	/* the proxy */
	{"a proxy that stalls sometimes",
		{VIA(PROXY, A, CAUSE_PROXY_STALLED, NULL), VIA(PROXY, B, CAUSE_PROXY_TIMEOUT, NULL)},
		"proxy-stalled"},
	{"two proxies",
		{VIA(PROXY, A, CAUSE_PROXY_STALLED, NULL),
			VIA("http://10.0.0.8:3128", B, CAUSE_PROXY_TIMEOUT, NULL)},
		"proxy-stalled proxy-timeout"},

	/* the path */
	{"a black hole that one of two could be measured through",
		{MET(A, CAUSE_MTU_BLACK_HOLE, "direction", "to the endpoint"),
			MET(B, CAUSE_TLS_STALLED, NULL)},
		"mtu-black-hole"},
	{"a black hole past the proxy explains nothing behind it",
		{MET(A, CAUSE_MTU_BLACK_HOLE, "direction", "to the endpoint"),
			VIA(PROXY, B, CAUSE_TLS_STALLED, NULL)},
		"mtu-black-hole tls-stalled"},
	{"one rule that drops everything",
		{MET(A, CAUSE_CONNECT_TIMEOUT, "address", "192.0.2.1", "port", "443"),
			MET(B, CAUSE_CONNECT_TIMEOUT, "address", "192.0.2.2", "port", "8443")},
		"connect-timeout"},
	{"one rule that refuses everything",
		{MET(A, CAUSE_CONNECT_REFUSED, "address", "192.0.2.1", "port", "443"),
			MET(B, CAUSE_CONNECT_REFUSED, "address", "192.0.2.2", "port", "443")},
		"connect-refused"},
	{"two services that are down, while a third one is up",
		{MET(A, CAUSE_CONNECT_REFUSED, "address", "192.0.2.1", "port", "443"),
			MET(B, CAUSE_CONNECT_REFUSED, "address", "192.0.2.2", "port", "443"), PASSES(C)},
		"connect-refused connect-refused"},
	{"a rule for one port",
		{MET(A, CAUSE_CONNECT_TIMEOUT, "address", "192.0.2.1", "port", "443"),
			MET(B, CAUSE_CONNECT_TIMEOUT, "address", "192.0.2.2", "port", "8443"), PASSES(C)},
		"connect-timeout connect-timeout"},

	/* independent faults stay apart */
	{"an old certificate here, a name that does not exist there",
		{MET(A, CAUSE_CERT_EXPIRED, "address", "192.0.2.1"),
			MET(B, CAUSE_DNS_NXDOMAIN, "resolver", "10.0.0.1")},
		"cert-expired dns-nxdomain"},
	{"a proxy bypassed by mistake, and a dead DNS server",
		{MET(A, CAUSE_PROXY_WRONGLY_BYPASSED, "no-proxy-entry", ".one.example"),
			WARNS(B, CAUSE_DNS_FIRST_SERVER_DEAD, "dead-resolver", "10.0.0.1")},
		"proxy-wrongly-bypassed dns-first-server-dead"},
	{"a proxy that forbids one name, and another's server that is down",
		{VIA(PROXY, A, CAUSE_PROXY_DENIED, "status", "403"),
			VIA(PROXY, B, CAUSE_PROXY_UPSTREAM_CONNECT, "status", "503")},
		"proxy-denied proxy-upstream-connect"},
};

static void rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		check(rows[i].met);
		assert_causes(rows[i].what, rows[i].causes);
		done();
	}
}

/* It plays no part who found what first. */
static void order_plays_no_part(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct met turned[MET_MAX] = {{.where = NULL}};
		size_t count = 0, causes = 1;
		while (count < MET_MAX && rows[i].met[count].where)
			count++;
		for (size_t n = 0; n < count; n++)
			turned[n] = rows[i].met[count - 1 - n];
		for (const char *at = rows[i].causes; *at; at++)
			causes += *at == ' ';
		check(turned);
		if (run.result.cause_count != causes)
			fail_msg("%s, turned round: %zu causes", rows[i].what, run.result.cause_count);
		assert_consistent(rows[i].what);
		done();
	}
}

/* --- what the root says -------------------------------------------------------------------------
 */

static void the_root_affects_what_followed(void **state)
{
	(void)state;
	static const struct met met[MET_MAX] = {
		MET("addressing.ipv4", CAUSE_LEASE_LOST, "interface", "eth0"),
		MET(A, CAUSE_CONNECT_TIMEOUT, "port", "443"),
		MET(B, CAUSE_DNS_TIMEOUT, "resolver", "10.0.0.1")};
	check(met);
	assert_int_equal(run.result.cause_count, 1);
	assert_int_equal(run.result.causes[0].affects_count, 3);
	assert_int_equal(requirement("endpoint.e1")->cause, 0);
	assert_int_equal(requirement("endpoint.e1")->status, REQUIREMENT_FAIL);
	assert_string_equal(
		evidence_get(&cause(0)->evidence, "also-met-as"), "connect-timeout, dns-timeout");
	done();
}

/* A warning at the root of a failure is no warning any more. */
static void a_warning_that_explains_a_failure_fails(void **state)
{
	(void)state;
	static const struct met met[MET_MAX] = {
		WARNS(A, CAUSE_HOSTS_FILE_STALE, "hosts-address", "192.0.2.9"),
		MET(B, CAUSE_CONNECT_TIMEOUT, "address", "192.0.2.9", "port", "443")};
	check(met);
	assert_int_equal(run.result.causes[0].severity, SEVERITY_FAIL);
	assert_int_equal(requirement("endpoint.e0")->status, REQUIREMENT_WARN);
	assert_int_equal(requirement("endpoint.e1")->status, REQUIREMENT_FAIL);
	done();
}

static void one_for_all_says_so(void **state)
{
	(void)state;
	static const struct met all[MET_MAX] = {
		MET(A, CAUSE_CONNECT_TIMEOUT, "address", "192.0.2.1", "port", "443"),
		MET(B, CAUSE_CONNECT_TIMEOUT, "address", "192.0.2.2", "port", "443")};
	static const struct met one[MET_MAX] = {
		MET(A, CAUSE_CONNECT_REFUSED, "address", "192.0.2.1", "port", "443"), PASSES(B), PASSES(C)};
	check(all);
	assert_string_equal(evidence_get(&cause(0)->evidence, "siblings"),
		"none of the 2 endpoints that were tried connects");
	assert_string_equal(evidence_get(&cause(0)->evidence, "address"), "192.0.2.1, 192.0.2.2");
	cleanup(free_ptr) char *for_all = finding_sentence(cause(0));
	assert_non_null(strstr(for_all, "(none of the 2 endpoints connects)"));
	done();
	check(one);
	assert_string_equal(
		evidence_get(&cause(0)->evidence, "siblings"), "b.one.example, c.two.test connect");
	cleanup(free_ptr) char *for_one = finding_sentence(cause(0));
	assert_non_null(strstr(for_one, "while other endpoints connect"));
	done();
}

/* R24: one issuer before unrelated endpoints leaves no look-alike; an unknown CA leaves one. */
static void an_issuer_before_unrelated_endpoints(void **state)
{
	(void)state;
	static const struct met known[MET_MAX] = {MET(A, CAUSE_TLS_INTERCEPTED, "issuer", "Corp CA"),
		MET(C, CAUSE_TLS_INTERCEPTED, "issuer", "Corp CA")};
	static const struct met unknown[MET_MAX] = {MET(A, CAUSE_CERT_UNTRUSTED, "issuer", "Box CA"),
		MET(C, CAUSE_CERT_UNTRUSTED, "issuer", "Box CA")};
	check(known);
	assert_int_equal(cause(0)->confidence, CONFIDENCE_CERTAIN);
	done();
	check(unknown);
	assert_int_equal(cause(0)->confidence, CONFIDENCE_LIKELY);
	assert_string_equal(evidence_get(&cause(0)->evidence, "unrelated"), "c.two.test:443");
	done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules),
		cmocka_unit_test(order_plays_no_part),
		cmocka_unit_test(the_root_affects_what_followed),
		cmocka_unit_test(a_warning_that_explains_a_failure_fails),
		cmocka_unit_test(one_for_all_says_so),
		cmocka_unit_test(an_issuer_before_unrelated_endpoints),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
