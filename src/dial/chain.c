#include "dial/chain.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#define MAX_DECLARED 64 /* certificates of a private CA that are read */

enum fault {
	FAULT_EXPIRED = 1,
	FAULT_NOT_YET = 2,
	FAULT_SELF_SIGNED = 4, /* the leaf is its own issuer */
	FAULT_OTHER_ROOT = 8,  /* a root that is not trusted */
	FAULT_NO_ISSUER = 16,  /* the chain ends before a root */
	FAULT_BROKEN = 32,     /* nothing that a CA or a date could mend */
	FAULT_NO_STORE = 64,   /* there are no CAs to verify with */
	FAULT_DATES = FAULT_EXPIRED | FAULT_NOT_YET,
	FAULT_UNTRUSTED = FAULT_SELF_SIGNED | FAULT_OTHER_ROOT | FAULT_NO_ISSUER | FAULT_NO_STORE,
};

static const struct {
	int error;
	enum fault fault;
} faults[] = {
	{X509_V_ERR_CERT_HAS_EXPIRED, FAULT_EXPIRED},
	{X509_V_ERR_CERT_NOT_YET_VALID, FAULT_NOT_YET},
	{X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, FAULT_SELF_SIGNED},
	{X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, FAULT_OTHER_ROOT},
	{X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, FAULT_NO_ISSUER},
	{X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, FAULT_NO_ISSUER},
	{X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, FAULT_NO_ISSUER},
	{X509_V_ERR_CERT_UNTRUSTED, FAULT_OTHER_ROOT},
};

struct verification {
	unsigned faults;
	int broken_error;       /* of FAULT_BROKEN */
	X509 *dated;            /* owned; the first certificate whose dates are wrong */
	STACK_OF(X509) * chain; /* owned; from the leaf to where it ends; NULL before */
	X509_NAME *declared;    /* owned; subject of the first declared CA; NULL for none */
};

static enum fault fault_of(int error)
{
	for (size_t i = 0; i < ARRAY_LEN(faults); i++)
		if (faults[i].error == error)
			return faults[i].fault;
	return FAULT_BROKEN;
}

/* Notes what is wrong and goes on, so that nothing hides behind the first error. */
static int note_fault(int ok, X509_STORE_CTX *context)
{
	struct verification *seen = X509_STORE_CTX_get_app_data(context);
	if (ok)
		return 1;
	int error = X509_STORE_CTX_get_error(context);
	enum fault fault = fault_of(error);
	seen->faults |= fault;
	if (fault == FAULT_BROKEN)
		seen->broken_error = error;
	if ((fault & FAULT_DATES) && !seen->dated) {
		seen->dated = X509_STORE_CTX_get_current_cert(context);
		X509_up_ref(seen->dated);
	}
	return 1;
}

static X509_STORE *load_declared(const char *pem, struct verification *seen)
{
	X509_STORE *store = X509_STORE_new();
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *certificate;
	int count = 0;
	while (count < MAX_DECLARED && (certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
		X509_STORE_add_cert(store, certificate);
		if (!seen->declared)
			seen->declared = X509_NAME_dup(X509_get_subject_name(certificate));
		X509_free(certificate);
		count++;
	}
	BIO_free(bio);
	ERR_clear_error();
	/* What was declared is trusted as it is, a root or not. */
	X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
	if (count)
		return store;
	X509_STORE_free(store);
	return NULL;
}

static void verify(
	X509 *leaf, STACK_OF(X509) * sent, const struct chain_policy *policy, struct verification *seen)
{
	X509_STORE *store = policy->ca_pem  ? load_declared(policy->ca_pem, seen)
						: policy->trust ? trust_store(policy->trust)
										: trust_load(policy->bundle);
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	if (!store)
		seen->faults |= FAULT_NO_STORE;
	store = store ? store : X509_STORE_new();
	if (!store || !context)
		abort();
	X509_STORE_CTX_init(context, store, leaf, sent);
	X509_STORE_CTX_set_default(context, "ssl_server");
	X509_STORE_CTX_set_app_data(context, seen);
	X509_STORE_CTX_set_verify_cb(context, note_fault);
	/* Other failures than those noted (no memory) end before the chain is built. */
	if (X509_verify_cert(context) <= 0 && !seen->faults) {
		seen->faults |= FAULT_BROKEN;
		seen->broken_error = X509_STORE_CTX_get_error(context);
	}
	seen->chain = X509_STORE_CTX_get1_chain(context);
	X509_STORE_CTX_free(context);
	X509_STORE_free(store);
	ERR_clear_error();
}

static void verification_free(struct verification *seen)
{
	X509_free(seen->dated);
	X509_NAME_free(seen->declared);
	sk_X509_pop_free(seen->chain, X509_free);
}

static X509 *top_of(const struct verification *seen, X509 *leaf)
{
	int count = seen->chain ? sk_X509_num(seen->chain) : 0;
	return count ? sk_X509_value(seen->chain, count - 1) : leaf;
}

static bool is_public_root(X509 *root, const struct chain_policy *policy)
{
	return policy->trust ? trust_is_public(policy->trust, root)
						 : trust_is_in(policy->public_roots, root);
}

/* RFC 7469 section 2.4: the hash of the public key as the certificate carries it. */
static bool is_pinned(X509 *certificate, const char *const *pins)
{
	unsigned char *key = NULL, hash[EVP_MAX_MD_SIZE], text[2 * EVP_MAX_MD_SIZE];
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &key);
	unsigned hash_len = 0;
	bool found = false;
	if (len > 0 && EVP_Digest(key, (size_t)len, hash, &hash_len, EVP_sha256(), NULL)) {
		EVP_EncodeBlock(text, hash, (int)hash_len);
		for (; *pins && !found; pins++)
			found = strncmp(*pins, "sha256/", 7) == 0 && strcmp(*pins + 7, (char *)text) == 0;
	}
	OPENSSL_free(key);
	return found;
}

static bool any_pinned(const struct verification *seen, const char *const *pins)
{
	for (int i = 0; i < (seen->chain ? sk_X509_num(seen->chain) : 0); i++)
		if (is_pinned(sk_X509_value(seen->chain, i), pins))
			return true;
	return false;
}

static bool name_fits(X509 *leaf, const char *host)
{
	struct in_addr address;
	if (inet_pton(AF_INET, host, &address) == 1)
		return X509_check_ip_asc(leaf, host, 0) == 1;
	size_t len = strlen(host);
	len -= len && host[len - 1] == '.';
	return X509_check_host(leaf, host, len, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1;
}

/* A certificate that tells where its issuer's can be had was made by a CA, not on the way: what
 * inspects copies names and dates, and leaves this out. */
static bool tells_issuer(X509 *certificate)
{
	AUTHORITY_INFO_ACCESS *access = X509_get_ext_d2i(certificate, NID_info_access, NULL, NULL);
	bool found = false;
	for (int i = 0; access && i < sk_ACCESS_DESCRIPTION_num(access); i++)
		found = found ||
				OBJ_obj2nid(sk_ACCESS_DESCRIPTION_value(access, i)->method) == NID_ad_ca_issuers;
	AUTHORITY_INFO_ACCESS_free(access);
	return found;
}

static const char *inspector_of(const struct verification *seen)
{
	for (int i = 0; i < (seen->chain ? sk_X509_num(seen->chain) : 0); i++) {
		const char *name =
			certificate_inspector(X509_get_issuer_name(sk_X509_value(seen->chain, i)));
		if (name)
			return name;
	}
	return NULL;
}

static void verdict(struct chain_seen *seen, enum cause cause, enum confidence confidence)
{
	seen->cause = cause;
	seen->confidence = confidence;
}

/* The endpoint has a certificate of a public CA where a private one was declared: nobody who only
 * sits in between could have got that. */
static bool good_in_public(X509 *leaf, STACK_OF(X509) * sent, const struct chain_policy *policy)
{
	struct chain_policy public = *policy;
	struct verification seen = {0};
	public.ca_pem = NULL;
	if (!policy->bundle || !policy->public_roots || !name_fits(leaf, policy->host))
		return false;
	verify(leaf, sent, &public, &seen);
	bool good =
		!(seen.faults & ~(unsigned)FAULT_DATES) && is_public_root(top_of(&seen, leaf), policy);
	verification_free(&seen);
	return good;
}

static void no_store(
	const struct chain_policy *policy, struct chain_seen *seen, struct evidence *evidence)
{
	char problem[CHAIN_PROBLEM_SIZE];
	if (policy->ca_pem) {
		evidence_add(evidence, "problem", "the declared CA cannot be read");
		verdict(seen, CAUSE_CERT_UNTRUSTED, CONFIDENCE_CERTAIN);
		return;
	}
	if (policy->bundle)
		evidence_add(evidence, "bundle", "%s", policy->bundle);
	evidence_add(evidence, "bundle-problem", "%s",
		chain_bundle_problem(policy->bundle, problem) ? problem : "cannot be parsed");
	verdict(seen, CAUSE_CA_BUNDLE_MISSING, CONFIDENCE_CERTAIN);
}

/* Trusted on this machine because somebody added its CA to the bundle. A CA that is not among those
 * that came with the system may still be a public one that is newer; its certificates are in public
 * logs then. Where it is not known what came with the system, a certificate that no log knows and
 * that does not say where its issuer's is to be had is not from a public CA, which has to do both.
 */
static bool from_added_ca(X509 *leaf, X509 *top, const struct chain_policy *policy)
{
	if (policy->ca_pem)
		return false;
	if (policy->public_roots && !is_public_root(top, policy))
		return !certificate_is_logged(leaf);
	return !certificate_scts(leaf) && !tells_issuer(leaf) &&
		   !chain_roots_known(policy->public_roots);
}

/*
 * No trusted CA at the end of the chain. Who made the certificate?
 *
 *   self-signed leaf                        an endpoint with a certificate of its own making
 *   issued by a known inspecting product    intercepted, likely
 *   ends before a root, and its last certificate says where the issuer's is to be had, or has the
 *   organisation of the declared CA         an intermediate is missing, likely
 *   another root than the declared CA       intercepted: certain when its root is there to be seen
 *                                           and another name's, else likely
 *   behind a proxy                          intercepted, likely, unless public logs know the leaf:
 *                                           then it is from a public CA that this machine lacks
 *   anything else                           untrusted, likely
 */
static void untrusted(X509 *leaf, STACK_OF(X509) * sent, const struct chain_policy *policy,
	const struct verification *found, struct chain_seen *seen, struct evidence *evidence)
{
	X509 *top = top_of(found, leaf);
	const X509_NAME *issuer = X509_get_issuer_name(top);
	const char *inspector = inspector_of(found);
	char name[CERTIFICATE_NAME_SIZE];
	bool same_name = found->declared && X509_NAME_cmp(issuer, found->declared) == 0;
	if (inspector)
		evidence_add(evidence, "inspector", "%s", inspector);

	if (found->faults & FAULT_NO_STORE) {
		no_store(policy, seen, evidence);
	} else if (policy->pins && is_pinned(leaf, policy->pins)) {
		verdict(seen, CAUSE_CERT_UNTRUSTED, CONFIDENCE_CERTAIN); /* it is the endpoint's own key */
	} else if (inspector) {
		verdict(seen, CAUSE_TLS_INTERCEPTED, CONFIDENCE_LIKELY);
	} else if (found->faults & FAULT_SELF_SIGNED) {
		verdict(seen, CAUSE_CERT_UNTRUSTED, CONFIDENCE_CERTAIN);
	} else if ((found->faults & FAULT_NO_ISSUER) &&
			   (tells_issuer(top) ||
				   (found->declared && certificate_same_organisation(issuer, found->declared)))) {
		evidence_add(evidence, "issuer", "%s", certificate_name(issuer, name));
		verdict(seen, CAUSE_CERT_CHAIN_INCOMPLETE, CONFIDENCE_LIKELY);
	} else if (policy->ca_pem && good_in_public(leaf, sent, policy)) {
		evidence_add(evidence, "problem", "it is from a public CA, not from the declared one");
		verdict(seen, CAUSE_CERT_UNTRUSTED, CONFIDENCE_CERTAIN);
	} else if (policy->ca_pem && !same_name) {
		verdict(seen, CAUSE_TLS_INTERCEPTED,
			found->faults & FAULT_OTHER_ROOT ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY);
	} else if (policy->pins) {
		verdict(seen, CAUSE_TLS_INTERCEPTED, CONFIDENCE_CERTAIN);
	} else {
		bool on_the_way = policy->via_proxy && !policy->ca_pem && !certificate_is_logged(leaf);
		verdict(seen, on_the_way ? CAUSE_TLS_INTERCEPTED : CAUSE_CERT_UNTRUSTED, CONFIDENCE_LIKELY);
	}
}

/* When every certificate of the chain is valid, and which one is not now. */
static void judge_dates(
	const struct verification *found, struct chain_seen *seen, struct evidence *evidence)
{
	char text[CLOCK_TEXT_SIZE], name[CERTIFICATE_NAME_SIZE];
	for (int i = 0; i < (found->chain ? sk_X509_num(found->chain) : 0); i++) {
		const X509 *certificate = sk_X509_value(found->chain, i);
		time_t from = certificate_time(X509_get0_notBefore(certificate));
		time_t to = certificate_time(X509_get0_notAfter(certificate));
		seen->not_before = !i || from > seen->not_before ? from : seen->not_before;
		seen->not_after = !i || to < seen->not_after ? to : seen->not_after;
	}
	if (!found->dated)
		return;
	seen->date_cause =
		found->faults & FAULT_EXPIRED ? CAUSE_CERT_EXPIRED : CAUSE_CERT_NOT_YET_VALID;
	evidence_add(
		evidence, "dated", "%s", certificate_name(X509_get_subject_name(found->dated), name));
	evidence_add(evidence, "not-before", "%s",
		clock_rfc3339(certificate_time(X509_get0_notBefore(found->dated)), text));
	evidence_add(evidence, "not-after", "%s",
		clock_rfc3339(certificate_time(X509_get0_notAfter(found->dated)), text));
}

void chain_judge(X509 *leaf, STACK_OF(X509) * sent, const struct chain_policy *policy,
	struct chain_seen *seen, struct evidence *evidence)
{
	struct verification found = {0};
	*seen = (struct chain_seen){.cause = CAUSE_NONE};
	verify(leaf, sent, policy, &found);
	judge_dates(&found, seen, evidence);
	X509 *top = top_of(&found, leaf);
	if (found.faults & FAULT_BROKEN) {
		evidence_add(evidence, "problem", "%s", X509_verify_cert_error_string(found.broken_error));
		verdict(seen, CAUSE_CERT_UNTRUSTED, CONFIDENCE_CERTAIN);
	} else if (found.faults & FAULT_UNTRUSTED) {
		untrusted(leaf, sent, policy, &found, seen, evidence);
	} else if (from_added_ca(leaf, top, policy)) {
		char name[CERTIFICATE_NAME_SIZE];
		const char *inspector = inspector_of(&found);
		evidence_add(evidence, "issuer", "%s", certificate_name(X509_get_subject_name(top), name));
		evidence_add(evidence, "trusted-here", "yes");
		if (inspector)
			evidence_add(evidence, "inspector", "%s", inspector);
		verdict(seen, CAUSE_TLS_INTERCEPTED, CONFIDENCE_LIKELY);
	} else if (policy->pins && !any_pinned(&found, policy->pins)) {
		verdict(seen, CAUSE_TLS_INTERCEPTED, CONFIDENCE_CERTAIN);
	} else if (!name_fits(leaf, policy->host)) {
		verdict(seen, CAUSE_CERT_NAME_MISMATCH, CONFIDENCE_CERTAIN);
	} else if (seen->date_cause) {
		verdict(seen, seen->date_cause, CONFIDENCE_LIKELY);
		seen->clock_only = true;
	}
	verification_free(&found);
}
