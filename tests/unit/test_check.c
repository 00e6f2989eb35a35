/* The check over walks that were written here (rows B2, B3, R8, R18, R23, R24). */
#include "check/check.h"
#include "check/hub_url.h"
#include "check/probe.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

/* --- walks to order ------------------------------------------------------------------------- */

/* What a walk to a host ends with; the last row is for any other. */
struct script {
	const char *host;
	enum cause cause; /* CAUSE_NONE: it passes */
	enum stage stage;
	const char *evidence[6]; /* name, value, ... */
	enum cause warning;
};

static struct {
	const struct script *scripts;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	size_t walks, running, most_running, wait_for;
	bool cancel_all, walks_pass;
	struct dial_target last;
	char last_path[64], asked[400];
	const char *clock; /* what hello says of it; NULL: nothing */
} fake = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

/* Holds every walk until `wait_for` of them are under way at once. */
static void meet_the_others(void)
{
	pthread_mutex_lock(&fake.lock);
	fake.walks++;
	fake.running++;
	if (fake.running > fake.most_running)
		fake.most_running = fake.running;
	pthread_cond_broadcast(&fake.changed);
	while (fake.most_running < fake.wait_for)
		pthread_cond_wait(&fake.changed, &fake.lock);
	pthread_mutex_unlock(&fake.lock);
}

static void add_all(struct evidence *evidence, const char *const pairs[6], const char *host)
{
	for (size_t i = 0; i < 6 && pairs[i]; i += 2)
		evidence_add(evidence, pairs[i], "%s", pairs[i + 1]);
	evidence_add(evidence, "endpoint", "%s:443", host);
}

static void play(const struct script *script, const char *host, struct walk *walk)
{
	for (int stage = STAGE_RESOLVE; stage <= STAGE_HELLO; stage++) {
		struct stage_record *record = &walk->stages[stage];
		record->ms = 1.5;
		record->status = STAGE_PASSED;
		if (stage == STAGE_RESOLVE)
			evidence_add(&record->evidence, "source", "dns");
		if (stage == STAGE_HELLO && fake.clock)
			evidence_add(&record->evidence, "clock", "%s", fake.clock);
		if (script->cause && stage == (int)script->stage) {
			record->status = STAGE_FAILED;
			break;
		}
	}
	if (script->cause) {
		finding_set(&walk->failure, script->cause, script->stage, CONFIDENCE_LIKELY);
		add_all(&walk->failure.evidence, script->evidence, host);
	}
	if (script->warning) {
		struct finding *warning = &walk->warnings[walk->warning_count++];
		finding_set(warning, script->warning, STAGE_RESOLVE, CONFIDENCE_CERTAIN);
		add_all(&warning->evidence, script->evidence, host);
	}
}

static const struct script passing = {.host = NULL};

static int fake_walk(
	const struct dial_target *target, const struct dial_options *options, struct walk *walk)
{
	const struct script *script = fake.scripts;
	*walk = (struct walk){.elapsed_ms = 12};
	meet_the_others();
	while (script->host && strcmp(script->host, target->host) != 0)
		script++;
	pthread_mutex_lock(&fake.lock);
	fake.last = *target;
	snprintf(
		fake.last_path, sizeof fake.last_path, "%s", target->marker ? target->marker->path : "");
	fake.running--;
	pthread_mutex_unlock(&fake.lock);
	if (options->on_stage)
		options->on_stage(options->on_stage_data, STAGE_CONNECT);
	if (options->proxy->set)
		walk->proxy = proxy_url(options->proxy);
	walk->cancelled = fake.cancel_all;
	if (!walk->cancelled)
		play(fake.walks_pass ? &passing : script, target->host, walk);
	return walk->cancelled || walk->failure.cause ? -1 : 0;
}

/* What `dns.external` asks; a name of the scripts fails in resolve alone. */
static int fake_resolve(
	const struct dial_target *target, const struct dial_options *options, struct walk *walk)
{
	const struct script *script = fake.scripts;
	(void)options;
	*walk = (struct walk){.elapsed_ms = 1};
	while (script->host && strcmp(script->host, target->host) != 0)
		script++;
	pthread_mutex_lock(&fake.lock);
	snprintf(fake.asked + strlen(fake.asked), sizeof fake.asked - strlen(fake.asked), "%s ",
		target->host);
	pthread_mutex_unlock(&fake.lock);
	if (script->cause && script->stage == STAGE_RESOLVE)
		play(script, target->host, walk);
	else
		evidence_add(&walk->stages[STAGE_RESOLVE].evidence, "source", "dns");
	return walk->failure.cause ? -1 : 0;
}

/* The probes of check/ that only walk; none that looks at the machine of the test. */
static probe_run *find_walking_probe(const char *id)
{
	bool walks = strcmp(id, "dns.external") == 0 || strcmp(id, "internet") == 0;
	return walks ? probe_find(id) : NULL;
}

/* --- a check with them ---------------------------------------------------------------------- */

static struct profile *profile_of(const char *text)
{
	char path[] = "/tmp/sallyport-check-XXXXXX.yaml";
	struct err err = {""};
	int fd = mkstemps(path, 5);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	struct profile *profile = profile_load(path, &err);
	unlink(path);
	if (!profile)
		fail_msg("%s", err.text);
	return profile;
}

#define FOUR                                                                                       \
	"profile: four\ntitle: Four\nendpoints:\n"                                                     \
	"  - {id: a, host: a.one.example, port: 443}\n"                                                \
	"  - {id: b, host: b.one.example, port: 443}\n"                                                \
	"  - {id: c, host: c.two.test, port: 443}\n"                                                   \
	"  - {id: d, host: d.two.test, port: 443}\n"

/* One run; everything is freed by done(). */
static struct run {
	struct profile *profile;
	struct proxy_settings proxy;
	struct check_options options;
	struct check_result result;
} run;

static void prepare(const char *profile, const struct script *scripts)
{
	fake.scripts = scripts;
	fake.walks = fake.running = fake.most_running = fake.wait_for = 0;
	fake.cancel_all = fake.walks_pass = false;
	fake.asked[0] = '\0';
	fake.clock = NULL;
	run = (struct run){.profile = profile ? profile_of(profile) : NULL};
	proxy_settings_none(&run.proxy);
	run.options = (struct check_options){
		.profile = run.profile,
		.proxy = &run.proxy,
		.host_name = "here",
		.host_os = "Test OS",
		.platform = "linux",
		.deadline_ms = 20000,
		.walk = fake_walk,
		.resolve = fake_resolve,
		.find_probe = find_walking_probe,
	};
}

static void check(const char *profile, const struct script *scripts)
{
	prepare(profile, scripts);
	check_run(&run.options, &run.result);
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

static const char *cause_of(const char *id)
{
	size_t cause = requirement(id)->cause;
	if (cause == CHECK_NO_CAUSE)
		return "";
	return cause_info(run.result.causes[cause].finding.cause)->id;
}

static const struct script all_pass[] = {{.host = NULL}};

/* --- walks ---------------------------------------------------------------------------------- */

static void everything_passes(void **state)
{
	(void)state;
	check(FOUR, all_pass);
	assert_int_equal(run.result.verdict, VERDICT_PASS);
	assert_int_equal(check_exit_code(run.result.verdict), 0);
	assert_int_equal(run.result.cause_count, 0);
	assert_int_equal(requirement("endpoint.a")->status, REQUIREMENT_PASS);
	assert_int_equal(requirement("clock")->status, REQUIREMENT_PASS);
	done();
}

static void endpoints_are_walked_side_by_side(void **state)
{
	(void)state;
	prepare(FOUR, all_pass);
	fake.wait_for = 4; /* none ends before all four have begun */
	check_run(&run.options, &run.result);
	assert_int_equal(fake.walks, 4);
	assert_int_equal(fake.most_running, 4);
	done();
}

static void no_more_than_sixteen_threads(void **state)
{
	(void)state;
	struct buf text = {0};
	buf_puts(&text, "profile: many\ntitle: Many\nendpoints:\n");
	for (int i = 0; i < 40; i++)
		buf_printf(&text, "  - {id: e%d, host: h%d.example, port: 443}\n", i, i);
	prepare(text.data, all_pass);
	fake.wait_for = CHECK_MAX_THREADS;
	check_run(&run.options, &run.result);
	assert_int_equal(fake.walks, 40);
	assert_int_equal(fake.most_running, CHECK_MAX_THREADS);
	assert_int_equal(run.result.verdict, VERDICT_PASS);
	done();
	buf_free(&text);
}

static void a_target_is_what_the_profile_says(void **state)
{
	(void)state;
	check("profile: p\ntitle: P\nendpoints:\n  - {id: a, host: a.example, port: 8443, protocol: "
		  "https,\n     pins: [sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=],\n     marker: "
		  "{status: 204}}\n",
		all_pass);
	assert_int_equal(fake.last.port, 8443);
	assert_int_equal(fake.last.protocol, DIAL_HTTPS);
	assert_string_equal(fake.last_path, "/");
	done();
}

static void a_wildcard_is_not_testable(void **state)
{
	(void)state;
	check("profile: p\ntitle: P\nendpoints: [{id: a, host: '*.example', port: 443}]\n", all_pass);
	assert_int_equal(fake.walks, 0);
	assert_int_equal(requirement("endpoint.a")->status, REQUIREMENT_UNKNOWN);
	assert_non_null(strstr(requirement("endpoint.a")->reason, "not testable"));
	assert_int_equal(run.result.verdict, VERDICT_INCONCLUSIVE);
	assert_int_equal(check_exit_code(run.result.verdict), 3);
	assert_int_equal(requirement("clock")->status, REQUIREMENT_SKIPPED);
	done();
}

static void what_is_not_required_and_not_testable_is_skipped(void **state)
{
	(void)state;
	check("profile: p\ntitle: P\nendpoints:\n  - {id: a, host: a.example, port: 443}\n  - {id: b, "
		  "host: "
		  "b.example, port: 53, protocol: udp, required: false}\n",
		all_pass);
	assert_int_equal(fake.walks, 1);
	assert_int_equal(requirement("endpoint.b")->status, REQUIREMENT_SKIPPED);
	assert_non_null(strstr(requirement("endpoint.b")->reason, "not testable"));
	assert_int_equal(run.result.verdict, VERDICT_PASS);
	done();
}

static void a_passed_deadline_leaves_the_rest_unknown(void **state)
{
	(void)state;
	prepare(FOUR, all_pass);
	run.options.deadline_ms = 0;
	check_run(&run.options, &run.result);
	assert_int_equal(fake.walks, 0);
	assert_int_equal(run.result.verdict, VERDICT_INCONCLUSIVE);
	assert_non_null(strstr(requirement("endpoint.d")->reason, "the deadline passed"));
	done();
}

static void an_interrupted_check_reports_in_part(void **state)
{
	(void)state;
	struct cancel cancel;
	prepare(FOUR, all_pass);
	assert_int_equal(cancel_init(&cancel), 0);
	cancel_fire(&cancel);
	run.options.cancel = &cancel;
	check_run(&run.options, &run.result);
	assert_true(run.result.interrupted);
	assert_int_equal(run.result.verdict, VERDICT_INCONCLUSIVE);
	assert_non_null(strstr(requirement("endpoint.a")->reason, "interrupted"));
	done();
	cancel_fini(&cancel);
}

static void a_cancelled_walk_fails_nothing(void **state)
{
	(void)state;
	prepare(FOUR, all_pass);
	fake.cancel_all = true;
	check_run(&run.options, &run.result);
	assert_int_equal(run.result.cause_count, 0);
	assert_int_equal(requirement("endpoint.a")->status, REQUIREMENT_UNKNOWN);
	done();
}

static void count_progress(void *data, const struct check_progress *progress)
{
	size_t *most = data;
	assert_int_equal(progress->total, 4);
	if (progress->done > *most)
		*most = progress->done;
}

static void progress_reaches_the_end(void **state)
{
	(void)state;
	size_t most = 0;
	prepare(FOUR, all_pass);
	run.options.on_progress = count_progress;
	run.options.on_progress_data = &most;
	check_run(&run.options, &run.result);
	assert_int_equal(most, 4);
	done();
}

/* --- causes --------------------------------------------------------------------------------- */

/* B2: a proxy that fails is one cause, however many endpoints it fails. */
static void one_proxy_is_one_cause(void **state)
{
	(void)state;
	static const struct script scripts[] = {{NULL, CAUSE_PROXY_AUTH_UNSUPPORTED, STAGE_TUNNEL,
		{"proxy", "http://10.0.0.9:3128", "schemes", "NTLM"}, CAUSE_NONE}};
	check(FOUR "proxy: {auth: [none, basic], inspection: forbidden}\n", scripts);
	assert_int_equal(run.result.verdict, VERDICT_FAIL);
	assert_int_equal(run.result.cause_count, 1);
	assert_int_equal(run.result.causes[0].affects_count, 5); /* and the requirement `proxy` */
	assert_string_equal(cause_of("endpoint.c"), "proxy-auth-unsupported");
	assert_string_equal(cause_of("proxy"), "proxy-auth-unsupported");
	assert_int_equal(requirement("proxy")->status, REQUIREMENT_FAIL);
	cleanup(free_ptr) char *remedy = finding_remedy(&run.result.causes[0].finding);
	assert_non_null(strstr(remedy, "a.one.example:443"));
	assert_non_null(strstr(remedy, "d.two.test:443"));
	done();
}

static void two_resolvers_are_two_causes(void **state)
{
	(void)state;
	static const struct script scripts[] = {
		{"a.one.example", CAUSE_DNS_REFUSED, STAGE_RESOLVE, {"resolver", "10.0.0.1"}, CAUSE_NONE},
		{"b.one.example", CAUSE_DNS_REFUSED, STAGE_RESOLVE, {"resolver", "10.0.0.2"}, CAUSE_NONE},
		{"c.two.test", CAUSE_DNS_REFUSED, STAGE_RESOLVE, {"resolver", "10.0.0.2"}, CAUSE_NONE},
		{.host = NULL}};
	check(FOUR, scripts);
	assert_int_equal(run.result.cause_count, 2);
	assert_int_equal(run.result.causes[0].affects_count, 2); /* the wider one first */
	assert_string_equal(
		evidence_get(&run.result.causes[0].finding.evidence, "resolver"), "10.0.0.2");
	assert_int_equal(requirement("endpoint.a")->cause, 1);
	assert_int_equal(requirement("endpoint.b")->cause, 0);
	assert_int_equal(requirement("endpoint.d")->status, REQUIREMENT_PASS);
	done();
}

static void a_certificate_is_a_matter_of_its_endpoint(void **state)
{
	(void)state;
	static const struct script scripts[] = {
		{NULL, CAUSE_CERT_EXPIRED, STAGE_SECURE, {"not-after", "x"}, CAUSE_NONE}};
	check(FOUR, scripts);
	assert_int_equal(run.result.cause_count, 4);
	done();
}

/* R24: one issuer before endpoints of different owners leaves no look-alike. */
static void one_issuer_before_all_is_certain(void **state)
{
	(void)state;
	static const struct script related[] = {
		{"a.one.example", CAUSE_TLS_INTERCEPTED, STAGE_SECURE, {"issuer", "Corp CA"}, CAUSE_NONE},
		{"b.one.example", CAUSE_TLS_INTERCEPTED, STAGE_SECURE, {"issuer", "Corp CA"}, CAUSE_NONE},
		{.host = NULL}};
	static const struct script all[] = {
		{NULL, CAUSE_TLS_INTERCEPTED, STAGE_SECURE, {"issuer", "Corp CA"}, CAUSE_NONE}};
	check(FOUR, related);
	assert_int_equal(run.result.cause_count, 1);
	assert_int_equal(run.result.causes[0].finding.confidence, CONFIDENCE_LIKELY);
	done();
	check(FOUR "proxy: {inspection: forbidden}\n", all);
	assert_int_equal(run.result.causes[0].finding.confidence, CONFIDENCE_CERTAIN);
	assert_int_equal(requirement("proxy")->status, REQUIREMENT_FAIL);
	done();
}

static void an_optional_endpoint_only_warns(void **state)
{
	(void)state;
	static const struct script scripts[] = {
		{"b.example", CAUSE_CONNECT_TIMEOUT, STAGE_CONNECT, {"address", "192.0.2.1", "port", "443"},
			CAUSE_NONE},
		{.host = NULL}};
	check("profile: p\ntitle: P\nendpoints:\n  - {id: a, host: a.example, port: 443}\n"
		  "  - {id: b, host: b.example, port: 443, required: false}\n",
		scripts);
	assert_int_equal(run.result.verdict, VERDICT_DEGRADED);
	assert_int_equal(check_exit_code(run.result.verdict), 4);
	assert_int_equal(run.result.causes[0].severity, SEVERITY_WARN);
	assert_int_equal(requirement("endpoint.b")->status, REQUIREMENT_WARN);
	done();
}

static void a_warning_degrades(void **state)
{
	(void)state;
	static const struct script scripts[] = {
		{NULL, CAUSE_NONE, STAGE_HOST, {"dead-resolver", "10.0.0.1"}, CAUSE_DNS_FIRST_SERVER_DEAD}};
	check(FOUR, scripts);
	assert_int_equal(run.result.verdict, VERDICT_DEGRADED);
	assert_int_equal(run.result.cause_count, 1);
	assert_int_equal(run.result.causes[0].affects_count, 4);
	assert_int_equal(requirement("endpoint.a")->status, REQUIREMENT_WARN);
	done();
}

/* R23: a setting that cannot be used never means "go direct". */
static void unusable_proxy_settings_fail_everything_untried(void **state)
{
	(void)state;
	struct finding invalid = {.cause = CAUSE_NONE};
	finding_set(&invalid, CAUSE_PROXY_SETTINGS_INVALID, STAGE_HOST, CONFIDENCE_CERTAIN);
	evidence_add(&invalid.evidence, "variable", "HTTPS_PROXY");
	prepare(FOUR "proxy: {auth: [none, basic]}\n", all_pass);
	run.options.proxy_invalid = &invalid;
	check_run(&run.options, &run.result);
	assert_int_equal(fake.walks, 0);
	assert_int_equal(run.result.cause_count, 1);
	assert_string_equal(cause_of("endpoint.a"), "proxy-settings-invalid");
	assert_string_equal(cause_of("proxy"), "proxy-settings-invalid");
	assert_int_equal(check_exit_code(run.result.verdict), 1);
	finding_free(&invalid);
	done();
}

/* --- what is judged by what the walks saw --------------------------------------------------- */

static void set_proxy(const char *user)
{
	run.proxy.set = true;
	run.proxy.host = xstrdup("10.0.0.9");
	run.proxy.port = 3128;
	run.proxy.origin = xstrdup("HTTPS_PROXY (environment)");
	run.proxy.user = xstrdup(user);
	run.proxy.password = xstrdup(user);
}

/* R18 */
static void a_proxy_that_lets_all_through_passes(void **state)
{
	(void)state;
	prepare(FOUR "proxy: {auth: [none], inspection: forbidden}\n", all_pass);
	set_proxy(NULL);
	check_run(&run.options, &run.result);
	assert_int_equal(requirement("proxy")->status, REQUIREMENT_PASS);
	assert_int_equal(run.result.verdict, VERDICT_PASS);
	done();
}

static void credentials_that_the_service_cannot_send_fail(void **state)
{
	(void)state;
	prepare(FOUR "proxy: {auth: [none], inspection: forbidden}\n", all_pass);
	set_proxy("svc");
	check_run(&run.options, &run.result);
	assert_int_equal(requirement("proxy")->status, REQUIREMENT_FAIL);
	done();
}

static void inspection_is_unknown_where_tls_was_not_reached(void **state)
{
	(void)state;
	static const struct script scripts[] = {{"a.one.example", CAUSE_CONNECT_REFUSED, STAGE_CONNECT,
												{"address", "192.0.2.1"}, CAUSE_NONE},
		{.host = NULL}};
	check(FOUR "proxy: {inspection: forbidden}\n", scripts);
	assert_int_equal(requirement("proxy")->status, REQUIREMENT_UNKNOWN);
	assert_non_null(strstr(requirement("proxy")->reason, "3 of 4"));
	done();
}

/* R8 */
static void external_dns_is_asked_for(void **state)
{
	(void)state;
	static const struct script nothing[] = {
		{NULL, CAUSE_DNS_TIMEOUT, STAGE_RESOLVE, {"resolver", "10.0.0.1"}, CAUSE_NONE}};
	static const struct script one[] = {
		{"a.one.example", CAUSE_DNS_NXDOMAIN, STAGE_RESOLVE, {"resolver", "10.0.0.1"}, CAUSE_NONE},
		{.host = NULL}};
	static const struct script none_of_ours[] = {
		{"deb.debian.org", CAUSE_NONE, STAGE_HOST, {NULL}, CAUSE_NONE},
		{NULL, CAUSE_DNS_NXDOMAIN, STAGE_RESOLVE, {"resolver", "10.0.0.1"}, CAUSE_NONE}};
	check(FOUR "dns: {external: required}\n", all_pass);
	assert_int_equal(requirement("dns.external")->status, REQUIREMENT_PASS);
	assert_string_equal(fake.asked, "a.one.example "); /* one answer is enough */
	done();
	check(FOUR "dns: {external: required}\n", nothing);
	assert_int_equal(requirement("dns.external")->status, REQUIREMENT_FAIL);
	assert_string_equal(fake.asked, "a.one.example "); /* no server serves: not asked again */
	assert_int_equal(run.result.cause_count, 1);
	assert_int_equal(run.result.causes[0].affects_count, 5);
	done();
	check(FOUR "dns: {external: required}\n", one);
	assert_int_equal(requirement("dns.external")->status, REQUIREMENT_PASS);
	done();
	check(FOUR "dns: {external: required}\n", none_of_ours);
	assert_int_equal(requirement("dns.external")->status, REQUIREMENT_PASS);
	assert_non_null(strstr(fake.asked, "deb.debian.org"));
	done();
}

/* R8: behind a proxy this machine is asked all the same. */
static void dns_at_the_proxy_is_enough_only_where_the_profile_says_so(void **state)
{
	(void)state;
	static const struct script scripts[] = {
		{NULL, CAUSE_DNS_NXDOMAIN, STAGE_RESOLVE, {"resolver", "10.0.0.1"}, CAUSE_NONE}};
	static const struct {
		const char *external;
		bool proxy_works;
		enum requirement_status status;
		const char *cause;
	} rows[] = {
		{"proxy-is-enough", true, REQUIREMENT_WARN, "dns-only-at-proxy"},
		{"required", true, REQUIREMENT_FAIL, "dns-only-at-proxy"},
		{"proxy-is-enough", false, REQUIREMENT_UNKNOWN, ""},
		{"required", false, REQUIREMENT_FAIL, "dns-nxdomain"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup(free_ptr) char *text = xasprintf(FOUR "dns: {external: %s}\n", rows[i].external);
		prepare(text, scripts);
		fake.walks_pass = rows[i].proxy_works;
		set_proxy(NULL);
		check_run(&run.options, &run.result);
		assert_int_equal(requirement("dns.external")->status, rows[i].status);
		assert_string_equal(cause_of("dns.external"), rows[i].cause);
		assert_int_equal(requirement("endpoint.a")->status,
			rows[i].proxy_works ? REQUIREMENT_PASS : REQUIREMENT_FAIL);
		done();
	}
}

/* R6: one of the hosts is enough, and a portal shows itself over plain HTTP. */
static void the_internet_is_there_when_one_host_is(void **state)
{
	(void)state;
	static const struct script one[] = {
		{"deb.debian.org", CAUSE_CONNECT_TIMEOUT, STAGE_CONNECT, {"port", "443"}, CAUSE_NONE},
		{.host = NULL}};
	static const struct script none[] = {
		{"a.one.example", CAUSE_NONE, STAGE_HOST, {NULL}, CAUSE_NONE},
		{NULL, CAUSE_CONNECT_TIMEOUT, STAGE_CONNECT, {"port", "443"}, CAUSE_NONE}};
	static const struct script portal[] = {{"network-test.debian.org", CAUSE_MARKER_ABSENT,
											   STAGE_HELLO, {"status", "200"}, CAUSE_NONE},
		{NULL, CAUSE_CONNECT_TIMEOUT, STAGE_CONNECT, {"port", "443"}, CAUSE_NONE}};
	static const char profile[] = "profile: p\ntitle: P\ninternet: required\nendpoints: [{id: a, "
								  "host: a.one.example, port: 443}]\n";
	check(profile, one);
	assert_int_equal(requirement("internet")->status, REQUIREMENT_PASS);
	assert_int_equal(run.result.verdict, VERDICT_PASS);
	done();
	check(profile, none);
	assert_int_equal(requirement("internet")->status, REQUIREMENT_FAIL);
	assert_int_equal(requirement("endpoint.a")->status, REQUIREMENT_PASS);
	assert_string_equal(cause_of("internet"), "connect-timeout");
	assert_string_equal(evidence_get(&run.result.causes[0].finding.evidence, "endpoint"),
		"deb.debian.org:443, www.iana.org:443");
	done();
	check(profile, portal);
	assert_string_equal(cause_of("internet"), "captive-portal");
	assert_string_equal(cause_of("endpoint.a"), "captive-portal");
	assert_int_equal(run.result.cause_count, 1);
	done();
}

static void a_profile_names_its_own_hosts(void **state)
{
	(void)state;
	static const struct script scripts[] = {
		{"mirror.example", CAUSE_NONE, STAGE_HOST, {NULL}, CAUSE_NONE},
		{NULL, CAUSE_CONNECT_REFUSED, STAGE_CONNECT, {"port", "443"}, CAUSE_NONE}};
	check("profile: p\ntitle: P\ninternet: required\ninternet_hosts: [mirror.example]\n", scripts);
	assert_int_equal(requirement("internet")->status, REQUIREMENT_PASS);
	done();
}

/* Behind a proxy nothing is asked over plain HTTP directly (R23). */
static void behind_a_proxy_the_internet_is_asked_through_it(void **state)
{
	(void)state;
	prepare("profile: p\ntitle: P\ninternet: required\n", all_pass);
	set_proxy(NULL);
	check_run(&run.options, &run.result);
	assert_int_equal(requirement("internet")->status, REQUIREMENT_PASS);
	assert_int_equal(fake.walks, 2);
	assert_non_null(evidence_get(&requirement("internet")->answer.evidence, "proxy"));
	done();
}

static void a_wrong_clock_is_the_clocks_fault(void **state)
{
	(void)state;
	static const struct script scripts[] = {
		{NULL, CAUSE_CLOCK_AHEAD, STAGE_SECURE, {"skew", "2 years"}, CAUSE_NONE}};
	check(FOUR, scripts);
	assert_int_equal(run.result.cause_count, 1);
	assert_string_equal(cause_of("clock"), "clock-ahead");
	assert_int_equal(requirement("clock")->status, REQUIREMENT_FAIL);
	done();
}

/* What is not probed is never passed: without the probes of this machine the page of the vendor
 * ends inconclusive. */
static void the_vendors_page_is_inconclusive_at_best(void **state)
{
	(void)state;
	static const char *const unknown[] = {"addressing.ipv4", "addressing.dns",
		"addressing.dhcp-server", "addressing.ipv6", "inbound.22"};
	static const char *const skipped[] = {
		"inbound.3389", "inbound.135", "service.TermService", "account.Administrator"};
	struct err err;
	prepare(NULL, all_pass);
	run.profile = profile_load(SOURCE_ROOT "/profiles/citrix-smart-tools.yaml", &err);
	run.options.profile = run.profile;
	check_run(&run.options, &run.result);
	assert_int_equal(check_exit_code(run.result.verdict), 3);
	for (size_t i = 0; i < ARRAY_LEN(unknown); i++) {
		assert_int_equal(requirement(unknown[i])->status, REQUIREMENT_UNKNOWN);
		assert_non_null(strstr(requirement(unknown[i])->reason, "not probed"));
	}
	for (size_t i = 0; i < ARRAY_LEN(skipped); i++)
		assert_int_equal(requirement(skipped[i])->status, REQUIREMENT_SKIPPED);
	assert_int_equal(requirement("dns.external")->status, REQUIREMENT_PASS);
	assert_string_equal(requirement("endpoint.console")->section, "Port requirements");
	assert_string_equal(requirement("inbound.22")->row, "R11, R12, R14");
	done();
}

/* What the Date headers said stands beside the clock that passes. */
static void the_clock_is_compared_with_those_that_answer(void **state)
{
	(void)state;
	prepare(FOUR, all_pass);
	fake.clock = "agrees";
	check_run(&run.options, &run.result);
	assert_int_equal(requirement("clock")->status, REQUIREMENT_PASS);
	assert_string_equal(
		requirement("clock")->reason, "4 of those that answered tell the same time");
	done();
	prepare(FOUR, all_pass);
	fake.clock = "3 hours ahead";
	check_run(&run.options, &run.result);
	assert_int_equal(requirement("clock")->status, REQUIREMENT_PASS);
	assert_string_equal(requirement("clock")->reason,
		"it is 3 hours ahead of the clock of a.one.example; certificates still fit");
	done();
}

/* R19, R22: what was tried here is not what the service has. */
static void a_split_is_a_warning_about_the_proxy(void **state)
{
	(void)state;
	const struct check_hub hub = {.host = "hub.example", .port = 8443};
	struct finding split = {.cause = CAUSE_NONE};
	finding_set(&split, CAUSE_PROXY_SETTINGS_SPLIT, STAGE_HOST, CONFIDENCE_CERTAIN);
	prepare(FOUR, all_pass);
	run.options.proxy_split = &split;
	check_run(&run.options, &run.result);
	assert_int_equal(requirement("proxy")->status, REQUIREMENT_WARN);
	assert_string_equal(cause_of("proxy"), "proxy-settings-split");
	assert_int_equal(check_exit_code(run.result.verdict), 4);
	done();
	prepare(NULL, all_pass);
	run.options.hub = &hub;
	run.options.proxy_split = &split;
	check_run(&run.options, &run.result);
	assert_int_equal(requirement("endpoint.hub")->status, REQUIREMENT_PASS);
	assert_string_equal(cause_of("proxy"), "proxy-settings-split");
	done();
	finding_free(&split);
}

/* A failure of the proxy stays a failure; the split stands beside it. */
static void a_split_hides_no_failure(void **state)
{
	(void)state;
	static const struct script scripts[] = {
		{NULL, CAUSE_PROXY_REFUSED, STAGE_CONNECT, {"proxy", "http://10.0.0.9:3128"}, CAUSE_NONE}};
	struct finding split = {.cause = CAUSE_NONE};
	finding_set(&split, CAUSE_PROXY_SETTINGS_SPLIT, STAGE_HOST, CONFIDENCE_CERTAIN);
	prepare(FOUR, scripts);
	set_proxy(NULL);
	run.options.proxy_split = &split;
	check_run(&run.options, &run.result);
	assert_int_equal(requirement("proxy")->status, REQUIREMENT_FAIL);
	assert_string_equal(cause_of("proxy"), "proxy-refused");
	assert_int_equal(run.result.cause_count, 2);
	done();
	finding_free(&split);
}

static void settings_that_only_root_can_read_are_unknown(void **state)
{
	(void)state;
	prepare(FOUR "proxy: {inspection: forbidden}\n", all_pass);
	run.options.service_proxy_hidden = true;
	check_run(&run.options, &run.result);
	assert_int_equal(requirement("proxy")->status, REQUIREMENT_UNKNOWN);
	assert_non_null(strstr(requirement("proxy")->reason, "root"));
	done();
}

/* --- the hub -------------------------------------------------------------------------------- */

static void the_hub_alone_passes_or_fails(void **state)
{
	(void)state;
	static const struct script scripts[] = {
		{NULL, CAUSE_UPGRADE_FILTERED, STAGE_HELLO, {"status", "403"}, CAUSE_NONE}};
	const struct check_hub hub = {.host = "hub.example", .port = 8443};
	prepare(NULL, all_pass);
	run.options.hub = &hub;
	check_run(&run.options, &run.result);
	assert_int_equal(run.result.requirement_count, 1);
	assert_int_equal(check_exit_code(run.result.verdict), 0);
	assert_int_equal(fake.last.protocol, DIAL_HUB);
	assert_true(fake.last.hub.check_only);
	done();
	prepare(NULL, scripts);
	run.options.hub = &hub;
	check_run(&run.options, &run.result);
	assert_string_equal(cause_of("endpoint.hub"), "upgrade-filtered");
	assert_int_equal(check_exit_code(run.result.verdict), 1);
	done();
}

/* Row S6: each place of the hub is tried by itself, with a session where sessions are. */
static void each_place_of_the_hub_is_tried(void **state)
{
	static const struct script scripts[] = {
		{"up.example", CAUSE_CONNECT_REFUSED, STAGE_CONNECT, {"port", "443"}, CAUSE_NONE},
		{.host = NULL}};
	const struct check_hub hub = {.host = "hub.example", .port = 443};
	struct check_hub places[ENDPOINT_COUNT];
	struct endpoints endpoints;
	(void)state;
	endpoints_at(&endpoints, "hub.example", 443);
	prepare(NULL, all_pass);
	run.options.hub = check_hub_places(&hub, &endpoints, places);
	check_run(&run.options, &run.result);
	assert_int_equal(run.result.requirement_count, 1);
	assert_string_equal(run.result.requirements[0].id, "endpoint.hub");
	done();
	snprintf(endpoints.places[ENDPOINT_UPLOAD].host, sizeof endpoints.places[0].host, "up.example");
	endpoints.places[ENDPOINT_CONSOLE].port = 8443;
	prepare(NULL, scripts);
	run.options.hub = check_hub_places(&hub, &endpoints, places);
	check_run(&run.options, &run.result);
	assert_int_equal(run.result.requirement_count, 3);
	assert_int_equal(requirement("endpoint.session")->status, REQUIREMENT_PASS);
	assert_string_equal(requirement("endpoint.session")->title,
		"Sallyport hub, session and discovery (hub.example:443)");
	assert_int_equal(requirement("endpoint.console")->status, REQUIREMENT_PASS);
	assert_string_equal(cause_of("endpoint.upload"), "connect-refused");
	assert_false(requirement("endpoint.session")->hub->plain);
	assert_true(requirement("endpoint.console")->hub->plain);
	done();
}

static void the_address_of_a_hub_is_read(void **state)
{
	(void)state;
	static const struct {
		const char *text, *host; /* NULL: refused */
		uint16_t port;
		const char *words;
	} rows[] = {
		{"https://Hub.Example/", "hub.example", 443, NULL},
		{"https://hub.example:8443/path?x#y", "hub.example", 8443, NULL},
		{"hub.example", "hub.example", 443, NULL},
		{"10.0.0.1:8443", "10.0.0.1", 8443, NULL},
		{"http://hub.example", NULL, 0, "the hub speaks https"},
		{"https://user:secret@hub.example/", NULL, 0, "no user name or password"},
		{"https://hub.example:0/", NULL, 0, "from 1 to 65535"},
		{"https://hub.example:65536/", NULL, 0, "from 1 to 65535"},
		{"https://hub.example:x/", NULL, 0, "from 1 to 65535"},
		{"https:///", NULL, 0, "no host name"},
		{"", NULL, 0, "no host name"},
		{"hub example", NULL, 0, "no host name"},
		{"spj1.secret", NULL, 0, "`sallyport join`"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct hub_url url;
		struct err err = {""};
		int rc = hub_url_parse(rows[i].text, &url, &err);
		if (rows[i].host) {
			assert_int_equal(rc, 0);
			assert_string_equal(url.host, rows[i].host);
			assert_int_equal(url.port, rows[i].port);
		} else {
			assert_int_equal(rc, -1);
			assert_non_null(strstr(err.text, rows[i].words));
			assert_null(strstr(err.text, "secret"));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_passes),
		cmocka_unit_test(endpoints_are_walked_side_by_side),
		cmocka_unit_test(no_more_than_sixteen_threads),
		cmocka_unit_test(a_target_is_what_the_profile_says),
		cmocka_unit_test(a_wildcard_is_not_testable),
		cmocka_unit_test(what_is_not_required_and_not_testable_is_skipped),
		cmocka_unit_test(a_passed_deadline_leaves_the_rest_unknown),
		cmocka_unit_test(an_interrupted_check_reports_in_part),
		cmocka_unit_test(a_cancelled_walk_fails_nothing),
		cmocka_unit_test(progress_reaches_the_end),
		cmocka_unit_test(one_proxy_is_one_cause),
		cmocka_unit_test(two_resolvers_are_two_causes),
		cmocka_unit_test(a_certificate_is_a_matter_of_its_endpoint),
		cmocka_unit_test(one_issuer_before_all_is_certain),
		cmocka_unit_test(an_optional_endpoint_only_warns),
		cmocka_unit_test(a_warning_degrades),
		cmocka_unit_test(unusable_proxy_settings_fail_everything_untried),
		cmocka_unit_test(a_proxy_that_lets_all_through_passes),
		cmocka_unit_test(credentials_that_the_service_cannot_send_fail),
		cmocka_unit_test(inspection_is_unknown_where_tls_was_not_reached),
		cmocka_unit_test(external_dns_is_asked_for),
		cmocka_unit_test(dns_at_the_proxy_is_enough_only_where_the_profile_says_so),
		cmocka_unit_test(the_internet_is_there_when_one_host_is),
		cmocka_unit_test(a_profile_names_its_own_hosts),
		cmocka_unit_test(behind_a_proxy_the_internet_is_asked_through_it),
		cmocka_unit_test(a_wrong_clock_is_the_clocks_fault),
		cmocka_unit_test(the_vendors_page_is_inconclusive_at_best),
		cmocka_unit_test(the_clock_is_compared_with_those_that_answer),
		cmocka_unit_test(a_split_is_a_warning_about_the_proxy),
		cmocka_unit_test(a_split_hides_no_failure),
		cmocka_unit_test(settings_that_only_root_can_read_are_unknown),
		cmocka_unit_test(the_hub_alone_passes_or_fails),
		cmocka_unit_test(each_place_of_the_hub_is_tried),
		cmocka_unit_test(the_address_of_a_hub_is_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
