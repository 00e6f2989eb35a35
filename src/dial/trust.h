/*
 * The CA certificates that this machine trusts, read once for many walks side by side.
 *
 * trust_open() begins to read on a thread of its own, while the walks still resolve and connect;
 * what asks for them waits until that is done; trust_close(). A walk that is given none reads for
 * itself and forgets it, as the agent does: it walks once in hours, and the hundred and forty
 * certificates are more than half of what it holds otherwise.
 */
#ifndef DIAL_TRUST_H
#define DIAL_TRUST_H

#include <openssl/x509.h>
#include <stdbool.h>

struct trust;

/* `bundle` is the PEM file of all that are trusted, `public_roots` the folder with a file for each
 * that came with the system; both are borrowed until trust_close() and may be NULL. Never NULL. */
struct trust *trust_open(const char *bundle, const char *public_roots);
/* From any thread: the store, to be freed by the caller (it counts references) and not to be
 * changed; NULL when there is no certificate to read. */
X509_STORE *trust_store(struct trust *trust);
/* From any thread: did this one come with the system? True as well when that is not known. */
bool trust_is_public(struct trust *trust, X509 *root);
void trust_close(struct trust *trust); /* NULL is fine */

/* The same for one caller, read here and now. */
X509_STORE *trust_load(const char *bundle);
bool trust_is_in(const char *public_roots, X509 *root);

#endif
