/*
 * The verdict on every kind of certificate chain, made here (rows R24, B5).
 */
#include "base/file.h"
#include "dial/chain.h"
#include "lib/certs.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#define HOST "svc.example"
#define SANS "DNS:" HOST ",IP:127.0.0.1"

/* --- a small world of CAs ------------------------------------------------------------------- */

enum who {
	NOBODY, /* self-signed */
	PUBLIC_ROOT,
	PUBLIC_CA,  /* an intermediate of it */
	LOCAL_ROOT, /* trusted on this machine, but no public one */
	CORP_ROOT,  /* the private CA that profiles declare */
	CORP_CA,
	CORP_TWIN, /* the same name as CORP_ROOT, another key */
	STRANGER,  /* nobody trusts it */
	BOX,       /* nobody trusts it, and its name is an inspecting product's */
	WHO_COUNT,
};

static struct world {
	struct cert certs[WHO_COUNT];
	char folder[64], roots[96], bundle[96];
	char *corp_pem;
} world;

static const struct {
	const char *cn, *org;
	enum who issuer;
} authorities[WHO_COUNT] = {
	[PUBLIC_ROOT] = {"Public Root R1", "Public Trust", NOBODY},
	[PUBLIC_CA] = {"Public CA 1", "Public Trust", PUBLIC_ROOT},
	[LOCAL_ROOT] = {"Gateway CA", "Example Networks", NOBODY},
	[CORP_ROOT] = {"Corp Root", "Example Corp", NOBODY},
	[CORP_CA] = {"Corp Issuing CA", "Example Corp", CORP_ROOT},
	[CORP_TWIN] = {"Corp Root", "Example Corp", NOBODY},
	[STRANGER] = {"Some CA", NULL, NOBODY},
	[BOX] = {"Zscaler Intermediate Root CA", "Zscaler Inc.", NOBODY},
};

static int make_world(void **state)
{
	(void)state;
	for (int i = PUBLIC_ROOT; i < WHO_COUNT; i++) {
		struct cert_spec spec = {.cn = authorities[i].cn, .org = authorities[i].org, .ca = true};
		if (authorities[i].issuer)
			spec.issuer = &world.certs[authorities[i].issuer];
		cert_make(&world.certs[i], &spec);
	}
	strcpy(world.folder, "/tmp/sallyport-secure-XXXXXX");
	assert_non_null(mkdtemp(world.folder));
	snprintf(world.roots, sizeof world.roots, "%s/roots", world.folder);
	snprintf(world.bundle, sizeof world.bundle, "%s/bundle.pem", world.folder);
	assert_int_equal(mkdir(world.roots, 0700), 0);
	cleanup(free_ptr) char *public = cert_pem(&world.certs[PUBLIC_ROOT]);
	cleanup(free_ptr) char *local = cert_pem(&world.certs[LOCAL_ROOT]);
	cleanup(free_ptr) char *both = xasprintf("%s%s", public, local);
	cleanup(free_ptr) char *root = xasprintf("%s/public.crt", world.roots);
	assert_int_equal(file_replace(root, public, strlen(public), 0600, NULL), 0);
	assert_int_equal(file_replace(world.bundle, both, strlen(both), 0600, NULL), 0);
	world.corp_pem = cert_pem(&world.certs[CORP_ROOT]);
	return 0;
}

static int end_world(void **state)
{
	(void)state;
	cleanup(free_ptr) char *root = xasprintf("%s/public.crt", world.roots);
	unlink(root);
	unlink(world.bundle);
	rmdir(world.roots);
	rmdir(world.folder);
	for (int i = PUBLIC_ROOT; i < WHO_COUNT; i++)
		cert_free(&world.certs[i]);
	free(world.corp_pem);
	return 0;
}

/* --- chains ----------------------------------------------------------------------------------- */

enum pin { NO_PIN, LEAF_PIN, ROOT_PIN, OTHER_PIN };

static const struct row {
	const char *what;
	enum who issuer;
	enum who sent[2]; /* what the server sends behind its certificate */
	const char *sans; /* NULL: SANS */
	int from_days, to_days;
	bool client_only, tells_issuer;
	int scts;
	/* how it is looked at */
	bool declared, via_proxy, no_bundle, roots_unknown;
	enum pin pin;
	const char *host; /* NULL: HOST */
	/* and what comes out */
	enum cause cause;
	enum confidence confidence;
	enum cause date_cause;
	const char *evidence, *value;
} rows[] = {
	{"right", PUBLIC_CA, {PUBLIC_CA}, .host = HOST},
	{"right, by address", PUBLIC_CA, {PUBLIC_CA}, .host = "127.0.0.1"},
	{"right, by a wildcard", PUBLIC_CA, {PUBLIC_CA}, .sans = "DNS:*.svc.example",
		.host = "a.svc.example"},
	{"right, with a dot at the end", PUBLIC_CA, {PUBLIC_CA}, .host = HOST "."},
	{"right, with its root", PUBLIC_CA, {PUBLIC_CA, PUBLIC_ROOT}, .host = HOST},
	{"right, through a proxy", PUBLIC_CA, {PUBLIC_CA}, .via_proxy = true},
	{"expired", PUBLIC_CA, {PUBLIC_CA}, .from_days = -60, .to_days = -30,
		.cause = CAUSE_CERT_EXPIRED, .confidence = CONFIDENCE_LIKELY,
		.date_cause = CAUSE_CERT_EXPIRED},
	{"not yet valid", PUBLIC_CA, {PUBLIC_CA}, .from_days = 30, .to_days = 60,
		.cause = CAUSE_CERT_NOT_YET_VALID, .confidence = CONFIDENCE_LIKELY,
		.date_cause = CAUSE_CERT_NOT_YET_VALID},
	{"other names", PUBLIC_CA, {PUBLIC_CA}, .sans = "DNS:a.example,DNS:b.example",
		.cause = CAUSE_CERT_NAME_MISMATCH, .evidence = "names", .value = "a.example, b.example"},
	{"another address", PUBLIC_CA, {PUBLIC_CA}, .host = "127.0.0.2",
		.cause = CAUSE_CERT_NAME_MISMATCH},
	{"other names and expired", PUBLIC_CA, {PUBLIC_CA}, .sans = "DNS:a.example", .from_days = -60,
		.to_days = -30, .cause = CAUSE_CERT_NAME_MISMATCH, .date_cause = CAUSE_CERT_EXPIRED},
	{"self-signed", NOBODY, .cause = CAUSE_CERT_UNTRUSTED},
	{"self-signed, through a proxy", NOBODY, .via_proxy = true, .cause = CAUSE_CERT_UNTRUSTED},
	{"unknown CA", STRANGER, .cause = CAUSE_CERT_UNTRUSTED, .confidence = CONFIDENCE_LIKELY,
		.evidence = "issuer", .value = "CN=Some CA"},
	{"unknown CA and its root", STRANGER, {STRANGER}, .cause = CAUSE_CERT_UNTRUSTED,
		.confidence = CONFIDENCE_LIKELY},
	{"unknown CA through a proxy: R24", STRANGER, {STRANGER}, .via_proxy = true,
		.cause = CAUSE_TLS_INTERCEPTED, .confidence = CONFIDENCE_LIKELY},
	{"an inspecting product: R24", BOX, {BOX}, .cause = CAUSE_TLS_INTERCEPTED,
		.confidence = CONFIDENCE_LIKELY, .evidence = "inspector", .value = "Zscaler"},
	{"trusted here, no public root: R24", LOCAL_ROOT, .cause = CAUSE_TLS_INTERCEPTED,
		.confidence = CONFIDENCE_LIKELY, .evidence = "trusted-here", .value = "yes"},
	{"trusted here, expired", LOCAL_ROOT, .from_days = -60, .to_days = -30,
		.cause = CAUSE_TLS_INTERCEPTED, .confidence = CONFIDENCE_LIKELY,
		.date_cause = CAUSE_CERT_EXPIRED},
	{"intermediate missing", PUBLIC_CA, .tells_issuer = true, .cause = CAUSE_CERT_CHAIN_INCOMPLETE,
		.confidence = CONFIDENCE_LIKELY, .evidence = "issuer", .value = "CN=Public CA 1"},
	{"intermediate missing, through a proxy", PUBLIC_CA, .tells_issuer = true, .via_proxy = true,
		.cause = CAUSE_CERT_CHAIN_INCOMPLETE, .confidence = CONFIDENCE_LIKELY},
	{"no bundle here", PUBLIC_CA, {PUBLIC_CA}, .no_bundle = true, .cause = CAUSE_CA_BUNDLE_MISSING,
		.evidence = "bundle-problem", .value = "is missing"},
	{"no bundle here, self-signed", NOBODY, .no_bundle = true, .cause = CAUSE_CA_BUNDLE_MISSING},
	{"no bundle here, a declared CA", CORP_ROOT, .no_bundle = true, .declared = true},
	{"trusted here, no public root, in public logs", LOCAL_ROOT, .scts = 2},
	{"trusted here, no public root, one log", LOCAL_ROOT, .scts = 1, .cause = CAUSE_TLS_INTERCEPTED,
		.confidence = CONFIDENCE_LIKELY, .evidence = "scts", .value = "1"},
	{"trusted here, roots unknown, in no log: R24", LOCAL_ROOT, .roots_unknown = true,
		.cause = CAUSE_TLS_INTERCEPTED, .confidence = CONFIDENCE_LIKELY, .evidence = "scts",
		.value = "0"},
	{"trusted here, roots unknown, in a log", LOCAL_ROOT, .roots_unknown = true, .scts = 1},
	{"trusted here, roots unknown, tells its issuer", LOCAL_ROOT, .roots_unknown = true,
		.tells_issuer = true},
	{"unknown CA through a proxy, in public logs", STRANGER, {STRANGER}, .via_proxy = true,
		.scts = 2, .cause = CAUSE_CERT_UNTRUSTED, .confidence = CONFIDENCE_LIKELY},
	{"an inspecting product that copies logs: R24", BOX, {BOX}, .scts = 2,
		.cause = CAUSE_TLS_INTERCEPTED, .confidence = CONFIDENCE_LIKELY},
	{"not for servers", PUBLIC_CA, {PUBLIC_CA}, .client_only = true, .cause = CAUSE_CERT_UNTRUSTED,
		.evidence = "problem"},
	{"declared CA", CORP_ROOT, .declared = true},
	{"declared CA, not declared", CORP_ROOT, .cause = CAUSE_CERT_UNTRUSTED,
		.confidence = CONFIDENCE_LIKELY},
	{"declared CA through a proxy", CORP_CA, {CORP_CA}, .declared = true, .via_proxy = true},
	{"declared CA, intermediate missing", CORP_CA, .declared = true,
		.cause = CAUSE_CERT_CHAIN_INCOMPLETE, .confidence = CONFIDENCE_LIKELY},
	{"declared CA, another root: R24", STRANGER, {STRANGER}, .declared = true,
		.cause = CAUSE_TLS_INTERCEPTED, .evidence = "issuer", .value = "CN=Some CA"},
	{"declared CA, another issuer: R24", STRANGER, .declared = true, .cause = CAUSE_TLS_INTERCEPTED,
		.confidence = CONFIDENCE_LIKELY},
	{"declared CA, one trusted here: R24", LOCAL_ROOT, {LOCAL_ROOT}, .declared = true,
		.cause = CAUSE_TLS_INTERCEPTED},
	{"declared CA, a public one", PUBLIC_CA, {PUBLIC_CA}, .declared = true,
		.cause = CAUSE_CERT_UNTRUSTED, .evidence = "problem"},
	{"declared CA, its twin", CORP_TWIN, {CORP_TWIN}, .declared = true, .via_proxy = true,
		.cause = CAUSE_CERT_UNTRUSTED, .confidence = CONFIDENCE_LIKELY},
	{"declared CA, expired", CORP_ROOT, .declared = true, .from_days = -60, .to_days = -30,
		.cause = CAUSE_CERT_EXPIRED, .confidence = CONFIDENCE_LIKELY,
		.date_cause = CAUSE_CERT_EXPIRED},
	{"pin of the leaf", PUBLIC_CA, {PUBLIC_CA}, .pin = LEAF_PIN},
	{"pin of the root", PUBLIC_CA, {PUBLIC_CA}, .pin = ROOT_PIN},
	{"pins disagree: R24", PUBLIC_CA, {PUBLIC_CA}, .pin = OTHER_PIN,
		.cause = CAUSE_TLS_INTERCEPTED},
	{"pins disagree, unknown CA: R24", STRANGER, .pin = OTHER_PIN, .cause = CAUSE_TLS_INTERCEPTED},
	{"pin of a leaf that nobody trusts", STRANGER, .via_proxy = true, .pin = LEAF_PIN,
		.cause = CAUSE_CERT_UNTRUSTED},
};

static char *pin_of(enum pin pin, const struct cert *leaf)
{
	const struct cert *certs[] = {NULL, leaf, &world.certs[PUBLIC_ROOT], &world.certs[STRANGER]};
	return pin == NO_PIN ? NULL : cert_pin(certs[pin]);
}

static void judge_row(const struct row *row, struct chain_seen *seen, struct evidence *evidence)
{
	struct cert leaf;
	struct cert_spec spec = {.cn = "svc",
		.sans = row->sans ? row->sans : SANS,
		.from_days = row->from_days,
		.to_days = row->to_days,
		.client_only = row->client_only,
		.tells_issuer = row->tells_issuer,
		.scts = row->scts,
		.issuer = row->issuer ? &world.certs[row->issuer] : NULL};
	cert_make(&leaf, &spec);
	STACK_OF(X509) *sent = sk_X509_new_null();
	sk_X509_push(sent, leaf.x509);
	for (size_t i = 0; i < ARRAY_LEN(row->sent) && row->sent[i]; i++)
		sk_X509_push(sent, world.certs[row->sent[i]].x509);
	cleanup(free_ptr) char *pin = pin_of(row->pin, &leaf);
	const char *pins[] = {pin, NULL};
	struct chain_policy policy = {
		.host = row->host ? row->host : HOST,
		.ca_pem = row->declared ? world.corp_pem : NULL,
		.pins = pin ? pins : NULL,
		.bundle = row->no_bundle ? NULL : world.bundle,
		.public_roots = row->roots_unknown ? NULL : world.roots,
		.via_proxy = row->via_proxy,
	};
	certificate_describe(leaf.x509, sent, evidence);
	chain_judge(leaf.x509, sent, &policy, seen, evidence);
	sk_X509_free(sent);
	cert_free(&leaf);
}

static void test_chains(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *row = &rows[i];
		struct evidence evidence = {.count = 0};
		struct chain_seen seen;
		judge_row(row, &seen, &evidence);
		print_message("%s: %s\n", row->what, cause_info(seen.cause)->id);
		assert_int_equal(seen.cause, row->cause);
		assert_int_equal(seen.date_cause, row->date_cause);
		assert_int_equal(seen.clock_only, row->cause && row->cause == row->date_cause);
		if (row->cause)
			assert_int_equal(seen.confidence, row->confidence);
		assert_non_null(evidence_get(&evidence, "not-after"));
		assert_non_null(evidence_get(&evidence, "fingerprint"));
		if (row->evidence) {
			const char *value = evidence_get(&evidence, row->evidence);
			assert_non_null(value);
			assert_non_null(strstr(value, row->value ? row->value : ""));
		}
		evidence_free(&evidence);
	}
}

/* An empty folder of public roots says as much as none: nothing. */
static void test_public_roots_empty(void **state)
{
	(void)state;
	const struct row rows_then[] = {
		{.issuer = LOCAL_ROOT, .scts = 1}, {.issuer = LOCAL_ROOT, .cause = CAUSE_TLS_INTERCEPTED}};
	strcpy(world.roots + strlen(world.folder), "/empty");
	assert_int_equal(mkdir(world.roots, 0700), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows_then); i++) {
		struct evidence evidence = {.count = 0};
		struct chain_seen seen;
		judge_row(&rows_then[i], &seen, &evidence);
		assert_int_equal(seen.cause, rows_then[i].cause);
		evidence_free(&evidence);
	}
	rmdir(world.roots);
	strcpy(world.roots + strlen(world.folder), "/roots");
}

/* What is wrong with a bundle, in words; the paths of real systems have links in them. */
static void test_bundles(void **state)
{
	(void)state;
	static const struct {
		const char *content; /* NULL: no file */
		const char *problem; /* NULL: none */
	} bundles[] = {
		{NULL, "is missing"},
		{"", "is empty"},
		{"# nothing here\n", "holds no certificate"},
		{"-----BEGIN PUBLIC KEY-----\n", "holds no certificate"},
		{"# Some CA\n-----BEGIN CERTIFICATE-----\nMII\n", NULL},
		{"-----BEGIN TRUSTED CERTIFICATE-----\nMII\n", NULL},
	};
	char problem[CHAIN_PROBLEM_SIZE];
	cleanup(free_ptr) char *path = xasprintf("%s/other.pem", world.folder);
	for (size_t i = 0; i < ARRAY_LEN(bundles); i++) {
		const char *content = bundles[i].content;
		if (content)
			assert_int_equal(file_replace(path, content, strlen(content), 0600, NULL), 0);
		assert_int_equal(chain_bundle_problem(path, problem), bundles[i].problem != NULL);
		assert_string_equal(problem, bundles[i].problem ? bundles[i].problem : "");
	}
	unlink(path);
	assert_true(chain_bundle_problem(NULL, problem));
	assert_string_equal(problem, "is missing");
	assert_int_equal(symlink(path, path), 0); /* a link to itself */
	assert_true(chain_bundle_problem(path, problem));
	assert_non_null(strstr(problem, "cannot be read ("));
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chains),
		cmocka_unit_test(test_public_roots_empty),
		cmocka_unit_test(test_bundles),
	};
	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, make_world, end_world);
}
