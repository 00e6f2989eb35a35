/*
 * The pieces that proxy settings are read from: one value, one environment file, one NO_PROXY list.
 * Private to the proxy_*.c files.
 *
 * Problems are told in words that never repeat a value, which may hold a password.
 */
#ifndef DIAL_PROXY_PARTS_H
#define DIAL_PROXY_PARTS_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define PROXY_ENV_FILE       "/etc/sallyport/proxy.env" /* of the service, below --root */
#define PROXY_MAX_VALUE      4096                       /* bytes of any variable but NO_PROXY */
#define PROXY_MAX_LIST       16384                      /* bytes of NO_PROXY */
#define PROXY_MAX_CREDENTIAL 1024 /* bytes of a user name, and of a password, decoded */

/* A taken-apart HTTPS_PROXY. Wiped with proxy_parts_wipe(). */
struct proxy_parts {
	bool tls;       /* an https:// proxy */
	char host[254]; /* name or IPv4 address */
	uint16_t port;
	bool has_user;
	char user[PROXY_MAX_CREDENTIAL + 1]; /* decoded */
	char password[PROXY_MAX_CREDENTIAL + 1];
};

/*
 * [SCHEME://][USER[:PASSWORD]@]HOST:PORT[/] with SCHEME http or https. The credentials end at the
 * last "@", so that a password pasted raw may hold "@", ":" and "/"; a "%" in it must be the start
 * of a percent-escape (RFC 3986 section 2.1).
 */
int proxy_parse(const char *value, struct proxy_parts *parts, struct err *problem);
void proxy_parts_wipe(struct proxy_parts *parts);
/* What Basic (RFC 7617) cannot carry: a colon in the user name, control characters, too much. */
int proxy_check_credentials(const char *user, const char *password, struct err *problem);
bool proxy_has_control(const char *text);

/* "NAME=value" strings, NULL-terminated; both levels owned, and wiped by proxy_env_wipe(). */
struct proxy_env {
	char **list;
	size_t count;
};

/*
 * Reads a file in the syntax of systemd.exec(5), EnvironmentFile=: NAME=value lines; "#" and ";"
 * start a comment only at the start of a line; single quotes are literal, double quotes know
 * \" \\ \$ and \`; outside of quotes a backslash takes the next character as it is; a backslash at
 * the end of a line continues it. "export " before a name is passed over. Unlike systemd, which
 * skips a line that it does not understand, this is an error with the number of the line, and so is
 * a quote that is not closed on its line. A later assignment to a name replaces the earlier one.
 * errno is ENOENT when there is no such file.
 */
int proxy_env_read(const char *path, struct proxy_env *env, struct err *problem);
int proxy_env_parse(const char *text, struct proxy_env *env, struct err *problem);
void proxy_env_wipe(struct proxy_env *env);

/* Walks a NO_PROXY list: the next entry into entry[256], the rest returned, NULL at the end. */
const char *proxy_next_entry(const char *list, char entry[256]);
/* False for an entry that can never match, because it is not understood. */
bool proxy_entry_valid(const char *entry);
bool proxy_entry_matches(const char *entry, const char *host, uint16_t port);

#endif
