#include "lib/certs.h"

#include "base/mem.h"

#include <openssl/ct.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <string.h>

#define DAY 86400L

static void set_name(X509_NAME *name, const struct cert_spec *spec)
{
	X509_NAME_add_entry_by_txt(
		name, "CN", MBSTRING_UTF8, (const unsigned char *)spec->cn, -1, -1, 0);
	if (spec->org)
		X509_NAME_add_entry_by_txt(
			name, "O", MBSTRING_UTF8, (const unsigned char *)spec->org, -1, -1, 0);
}

static void add_extension(X509 *x509, const X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;
	X509V3_set_ctx(&context, (X509 *)issuer, x509, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	if (!extension || !X509_add_ext(x509, extension, -1))
		abort();
	X509_EXTENSION_free(extension);
}

static void add_scts(X509 *x509, int count)
{
	STACK_OF(SCT) *list = sk_SCT_new_null();
	for (int i = 0; i < count; i++) {
		unsigned char log[32] = {(unsigned char)i}, signature[64] = {0};
		SCT *sct = SCT_new();
		if (!sct || !SCT_set_version(sct, SCT_VERSION_V1) ||
			!SCT_set1_log_id(sct, log, sizeof log) ||
			!SCT_set_signature_nid(sct, NID_ecdsa_with_SHA256) ||
			!SCT_set1_signature(sct, signature, sizeof signature) || !sk_SCT_push(list, sct))
			abort();
		SCT_set_timestamp(sct, 1700000000000);
	}
	if (X509_add1_ext_i2d(x509, NID_ct_precert_scts, list, 0, 0) != 1)
		abort();
	SCT_LIST_free(list);
}

void cert_make(struct cert *cert, const struct cert_spec *spec)
{
	bool dated = spec->from_days || spec->to_days;
	X509 *x509 = X509_new();
	EVP_PKEY *key = EVP_EC_gen("P-256");
	const X509 *issuer = spec->issuer ? spec->issuer->x509 : x509;
	BIGNUM *serial = BN_new();
	BN_rand(serial, 64, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY);
	X509_set_version(x509, X509_VERSION_3);
	BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(x509));
	BN_free(serial);
	X509_gmtime_adj(X509_getm_notBefore(x509), (dated ? spec->from_days : -1L) * DAY);
	X509_gmtime_adj(X509_getm_notAfter(x509), (dated ? spec->to_days : 30L) * DAY);
	X509_set_pubkey(x509, key);
	set_name(X509_get_subject_name(x509), spec);
	X509_set_issuer_name(x509, X509_get_subject_name(issuer));
	add_extension(x509, issuer, NID_subject_key_identifier, "hash");
	if (spec->ca) {
		add_extension(x509, issuer, NID_basic_constraints, "critical,CA:TRUE");
		add_extension(x509, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
	} else {
		add_extension(
			x509, issuer, NID_ext_key_usage, spec->client_only ? "clientAuth" : "serverAuth");
	}
	if (spec->issuer)
		add_extension(x509, issuer, NID_authority_key_identifier, "keyid");
	if (spec->sans)
		add_extension(x509, issuer, NID_subject_alt_name, spec->sans);
	if (spec->tells_issuer)
		add_extension(x509, issuer, NID_info_access, "caIssuers;URI:http://ca.invalid/ca.crt");
	if (spec->scts)
		add_scts(x509, spec->scts);
	if (!X509_sign(x509, spec->issuer ? spec->issuer->key : key, EVP_sha256()))
		abort();
	*cert = (struct cert){x509, key};
}

void cert_free(struct cert *cert)
{
	X509_free(cert->x509);
	EVP_PKEY_free(cert->key);
	*cert = (struct cert){NULL, NULL};
}

char *cert_pem(const struct cert *cert)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data;
	PEM_write_bio_X509(bio, cert->x509);
	long len = BIO_get_mem_data(bio, &data);
	char *pem = xstrndup(data, (size_t)len);
	BIO_free(bio);
	return pem;
}

char *cert_pin(const struct cert *cert)
{
	unsigned char *key = NULL, hash[32], text[64];
	int len = i2d_PUBKEY(cert->key, &key);
	EVP_Digest(key, (size_t)len, hash, NULL, EVP_sha256(), NULL);
	EVP_EncodeBlock(text, hash, sizeof hash);
	OPENSSL_free(key);
	return xasprintf("sha256/%s", (char *)text);
}
