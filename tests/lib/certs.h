/*
 * Certificates made while a test runs: P-256 keys, any dates, any issuer. No key is ever stored.
 */
#ifndef LIB_CERTS_H
#define LIB_CERTS_H

#include <openssl/x509.h>
#include <stdbool.h>

struct cert {
	X509 *x509;    /* owned */
	EVP_PKEY *key; /* owned */
};

struct cert_spec {
	const char *cn;
	const char *org;  /* NULL: none */
	const char *sans; /* "DNS:a,IP:127.0.0.1"; NULL: none */
	int from_days;    /* relative to now; both 0: from yesterday for 30 days */
	int to_days;
	bool ca;
	bool client_only;          /* extended key usage without servers */
	bool tells_issuer;         /* authority information access with caIssuers */
	int scts;                  /* signatures of so many transparency logs, which nobody made */
	const struct cert *issuer; /* NULL: self-signed */
};

void cert_make(struct cert *cert, const struct cert_spec *spec);
void cert_free(struct cert *cert);
char *cert_pem(const struct cert *cert); /* owned by the caller */
char *cert_pin(const struct cert *cert); /* "sha256/BASE64", owned by the caller */

#endif
