/*
 * What proves the hub: its identity key, its private CA and its certificate.
 *
 * All of it is made at the first start, below /var/lib/sallyport-hub, mode 0600. The identity key
 * is what agents pin; it lives as long as the hub. The certificate lasts 825 days and is made again
 * when it nears its end or the hub's names change. With an administrator's own certificate there is
 * no private CA.
 */
#ifndef HUB_KEYS_H
#define HUB_KEYS_H

#include "base/err.h"
#include "wire/identity.h"

#include <stdbool.h>

#define HUB_STATE_DIR  "/var/lib/sallyport-hub"
#define KEYS_MAX_NAMES 24

/* Loads DIR/identity.key; with `make`, makes it when missing. */
int keys_identity(const char *dir, bool make, struct identity *identity, struct err *err);

struct keys_names {
	const char *names[KEYS_MAX_NAMES]; /* host names and addresses; borrowed */
	size_t count;
};

struct keys_certificate {
	char *chain_file; /* PEM, the leaf first */
	char *key_file;
	char *ca_pem; /* the private CA; NULL with an administrator's own certificate */
};

/* DIR/{ca.key,ca.pem,server.key,server.pem}, made or made again where needed. */
int keys_certificate(const char *dir, const struct keys_names *names,
	struct keys_certificate *certificate, struct err *err);
/* An administrator's files: checks that they can be read, fit together and have not expired. */
int keys_certificate_given(const char *chain_file, const char *key_file,
	struct keys_certificate *certificate, struct err *err);
void keys_certificate_free(struct keys_certificate *certificate);

#endif
