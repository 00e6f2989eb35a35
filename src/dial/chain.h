/*
 * What a certificate chain says about the way to an endpoint. Private to dial/.
 *
 * secure lets every handshake complete and asks here afterwards, so that a chain which does not
 * verify still leaves its evidence. One verdict comes out, the first that applies:
 *
 *   1. a certificate that is broken (signature, key, purpose)         cert-untrusted
 *   2. no trusted CA at its end                                       see chain.c, untrusted()
 *   3. trusted here, but its root is no public one                    tls-intercepted
 *   4. the pins disagree                                              tls-intercepted
 *   5. other names                                                    cert-name-mismatch
 *   6. the dates                                                      left to chain_fail_dates()
 */
#ifndef DIAL_CHAIN_H
#define DIAL_CHAIN_H

#include "dial/stage.h"

#include <openssl/x509.h>

struct chain_policy {
	const char *host;         /* the name or dotted IPv4 address that the certificate must carry */
	const char *ca_pem;       /* the endpoint's private CA; NULL: what the machine trusts */
	const char *const *pins;  /* "sha256/BASE64", NULL-terminated; NULL for none */
	const char *bundle;       /* PEM file of the CAs that the machine trusts; NULL for none */
	const char *public_roots; /* folder of the public CAs among them; NULL when unknown */
	bool via_proxy;
};

/* `sent` is what the peer sent, the leaf first. The stores are loaded for the call alone. */
void chain_judge(X509 *leaf, STACK_OF(X509) * sent, const struct chain_policy *policy,
	struct chain_seen *seen, struct evidence *evidence);

/* certificate.c: subject, issuer, dates, names, fingerprint and the chain's names, for people. */
void certificate_describe(X509 *leaf, STACK_OF(X509) * sent, struct evidence *evidence);
/* "CN=..., O=..." in UTF-8, cut to size. */
#define CERTIFICATE_NAME_SIZE 256
const char *certificate_name(const X509_NAME *name, char text[CERTIFICATE_NAME_SIZE]);
time_t certificate_time(const ASN1_TIME *time);
/* The product that makes certificates under this name, NULL when it is none of the known ones. */
const char *certificate_inspector(const X509_NAME *name);
/* True when the two names have the same organisation. */
bool certificate_same_organisation(const X509_NAME *a, const X509_NAME *b);

/* skew.c: fails the running stage for the dates alone: the clock when the peer's own time, NULL
 * when it did not tell one, explains them; else the certificate. Returns -1. */
int chain_fail_dates(struct walker *walker, const time_t *peer_now);
/* Adds how this machine's clock stands to the peer's, as evidence "clock": "agrees" within two
 * minutes, else "2 years ahead" and the like. */
void clock_note(struct evidence *evidence, time_t peer_now);

#endif
