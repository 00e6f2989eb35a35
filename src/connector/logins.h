/*
 * How a connector gets into its targets: user names, passwords, keys (row B8).
 *
 * What was sealed for a connector (wire/credentials.h) is JSON:
 *
 *     {"v": 1, "hosts": TEXT, "port"?, "user", "password"?, "key"?, "passphrase"?,
 *      "sudo_password"?, "by_host": {"HOST" or "HOST:PORT": {the same members}}?}
 *
 * `hosts` is the list (wire/host_list.h) that the person saw, and `port` (22) holds where the list
 * tells none; a target that it does not name gets nothing, so that whoever carries the plan cannot
 * send a password elsewhere. Everything lives in guarded memory that is not swapped, and
 * logins_free() zeroes it; what the parser copied in between is wiped as it is freed. Errors never
 * repeat what was read.
 *
 * logins_read() or logins_make(), logins_find() as often as needed from any thread, logins_free().
 */
#ifndef CONNECTOR_LOGINS_H
#define CONNECTOR_LOGINS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOGINS_VERSION  1
#define LOGIN_MAX_USER  64    /* bytes */
#define LOGIN_MAX_WORD  1024  /* of a password or passphrase */
#define LOGIN_MAX_KEY   32768 /* of a private key */
#define LOGINS_MAX_HOST 256   /* hosts with a login of their own */

/* Texts are borrowed from the logins; NULL for what was not given. */
struct login {
	const char *user;
	const char *password;
	const char *key; /* OpenSSH or PEM */
	const char *passphrase;
	const char *sudo_password; /* where it is not given, the password */
	bool agent;                /* also the keys of the ssh-agent of SSH_AUTH_SOCK */
};

struct logins;

/* From now on what jansson frees in this process is wiped. */
void logins_wipe_json(void);
/* Text as above; the caller keeps and wipes it. Before the first thread starts: the parser's
 * allocations are process-wide. NULL with err. */
struct logins *logins_read(const char *text, size_t len, struct err *err);
/* One login for every target, copied. */
struct logins *logins_make(const struct login *login);
/* The login for this target; false when the logins do not name it. `user` of the target wins. */
bool logins_find(const struct logins *logins, const char *host, uint16_t port, const char *user,
	struct login *login);
/* True when the text is a private key that this passphrase (NULL: none) opens. */
bool login_key_opens(const char *key, const char *passphrase);
void logins_free(struct logins *logins); /* NULL is allowed */

#endif
