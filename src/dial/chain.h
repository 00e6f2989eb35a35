/*
 * What a certificate chain says about the way to an endpoint. Private to dial/.
 *
 * secure lets every handshake complete and asks here afterwards, so that a chain which does not
 * verify still leaves its evidence. One verdict comes out, the first that applies:
 *
 *   1. a certificate that is broken (signature, key, purpose)         cert-untrusted
 *   2. no trusted CA at its end                                       see chain.c, untrusted()
 *   3. trusted here, but its root is no public one                    tls-intercepted
 *      (where the public ones are not known: a leaf in no public log, without an issuer's address)
 *   4. the pins disagree                                              tls-intercepted
 *   5. other names                                                    cert-name-mismatch
 *   6. the dates                                                      left to chain_fail_dates()
 */
#ifndef DIAL_CHAIN_H
#define DIAL_CHAIN_H

#include "dial/stage.h"
#include "dial/trust.h"

#include <openssl/x509.h>

struct chain_policy {
	const char *host;         /* the name or dotted IPv4 address that the certificate must carry */
	const char *ca_pem;       /* the endpoint's private CA; NULL: what the machine trusts */
	const char *const *pins;  /* "sha256/BASE64", NULL-terminated; NULL for none */
	const char *bundle;       /* PEM file of the CAs that the machine trusts; NULL for none */
	struct trust *trust;      /* both, read already; NULL: they are read for this call */
	const char *public_roots; /* folder of the public CAs among them; NULL when unknown */
	bool via_proxy;
};

/* `sent` is what the peer sent, the leaf first. Of what it reads nothing stays. */
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

/* How many certificate transparency logs have signed for it (RFC 6962 section 3.3), by its own
 * word: the signatures are not verified, for that takes the logs' keys. */
int certificate_scts(X509 *certificate);

/* roots.c: true when the bundle has no certificate for anybody; says why. NULL: there is none. */
#define CHAIN_PROBLEM_SIZE 128
bool chain_bundle_problem(const char *bundle, char problem[CHAIN_PROBLEM_SIZE]);
/* True when the public CAs can be told from others: the folder is there and not empty. */
bool chain_roots_known(const char *folder);
/* True when it has the signatures of as many logs as every public CA gets, and no other can get. */
bool certificate_is_logged(X509 *certificate);

/* skew.c: fails the running stage for the dates alone: the clock when the peer's own time, NULL
 * when it did not tell one, explains them; else the certificate. Returns -1. */
int chain_fail_dates(struct walker *walker, const time_t *peer_now);
/* Adds how this machine's clock stands to the peer's, as evidence "clock": "agrees" within two
 * minutes, else "2 years ahead" and the like. */
void clock_note(struct evidence *evidence, time_t peer_now);

#endif
