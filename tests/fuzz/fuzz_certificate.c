/* A peer's certificates, one after the other in DER, the leaf first: described, and judged twice,
 * with nobody trusted and with the last of them declared as the private CA. */
#include "dial/chain.h"
#include "fuzz.h"

#include <openssl/pem.h>

#define MOST 6

static char *pem_of(X509 *certificate)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data;
	PEM_write_bio_X509(bio, certificate);
	long len = BIO_get_mem_data(bio, &data);
	char *pem = xstrndup(data, (size_t)len);
	BIO_free(bio);
	return pem;
}

static void judge(STACK_OF(X509) * sent, const char *ca_pem, bool via_proxy)
{
	static const char *const pins[] = {"sha256/AAAA", NULL};
	X509 *leaf = sk_X509_value(sent, 0);
	struct evidence evidence = {.count = 0};
	struct chain_seen seen;
	struct chain_policy policy = {.host = "svc.example",
		.ca_pem = ca_pem,
		.pins = ca_pem ? NULL : pins,
		.via_proxy = via_proxy};
	certificate_describe(leaf, sent, &evidence);
	chain_judge(leaf, sent, &policy, &seen, &evidence);
	assert(!seen.clock_only || seen.date_cause);
	assert(ca_pem || seen.cause != CAUSE_NONE); /* nothing passes where nobody is trusted */
	for (size_t i = 0; i < evidence.count; i++)
		assert(strlen(evidence.items[i].value) <= EVIDENCE_MAX_VALUE + 3);
	evidence_free(&evidence);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const unsigned char *at = data;
	const unsigned char *end = data + size;
	STACK_OF(X509) *sent = sk_X509_new_null();
	X509 *certificate;
	while (sk_X509_num(sent) < MOST && at < end && (certificate = d2i_X509(NULL, &at, end - at)))
		sk_X509_push(sent, certificate);
	if (sk_X509_num(sent)) {
		cleanup(free_ptr) char *ca = pem_of(sk_X509_value(sent, sk_X509_num(sent) - 1));
		judge(sent, NULL, size % 2);
		judge(sent, ca, size % 2);
	}
	sk_X509_pop_free(sent, X509_free);
	return 0;
}
