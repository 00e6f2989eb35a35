/*
 * Proxy settings, found once, with where each came from remembered (rows R18 to R23).
 *
 * Sources, the strongest first: the process's environment, then the service's environment file
 * (ROOT/etc/sallyport/proxy.env). Within one source the variables' names match in any letter case;
 * where several spellings differ in value, all-lowercase wins, then all-uppercase, and the loser
 * is named in a warning. HTTPS_PROXY beats ALL_PROXY. Credentials in HTTPS_PROXY_USERNAME and
 * HTTPS_PROXY_PASSWORD beat those in the URL. A setting that cannot be used is a finding
 * (proxy-settings-invalid); it never means "go direct".
 *
 * The password leaves this struct through CURLOPT_PROXYPASSWORD alone. proxy_url() is for people.
 */
#ifndef DIAL_PROXY_H
#define DIAL_PROXY_H

#include "base/buf.h"
#include "base/err.h"
#include "diagnosis/finding.h"

#include <netinet/in.h>
#include <stdint.h>

enum proxy_scheme {
	PROXY_HTTP,  /* plain to the proxy; the tunnel inside is TLS all the same */
	PROXY_HTTPS, /* TLS to the proxy as well */
};

#define PROXY_MAX_WARNINGS 8
#define PROXY_MAX_OTHERS   4

struct proxy_settings {
	bool set; /* false: no proxy is configured, go direct */
	enum proxy_scheme scheme;
	char *host; /* name or IPv4 address */
	uint16_t port;
	char *user;     /* decoded; NULL without credentials */
	char *password; /* decoded, secret; "" when only a user was given */
	char *origin;   /* "HTTPS_PROXY (environment)", "https_proxy (/etc/sallyport/proxy.env)" */
	char *credentials_origin;
	char *no_proxy;                     /* the winning list, NULL for none */
	char *no_proxy_origin;              /* "no_proxy (environment)" */
	char *warnings[PROXY_MAX_WARNINGS]; /* "HTTPS_PROXY differs and loses to https_proxy" */
	size_t warning_count;
};

/* environ_list is a NULL-terminated "NAME=value" list (the caller's environ). Returns -1 with
 * `invalid` filled when a proxy is configured that cannot be used. */
int proxy_settings_read(char *const *environ_list, const char *root,
	struct proxy_settings *settings, struct finding *invalid);
/* What the service has: its file alone, whatever this process's environment says. */
int proxy_settings_of_service(
	const char *root, struct proxy_settings *settings, struct finding *invalid);
/* The proxies that this machine names besides the one in use: a spelling that lost, HTTP_PROXY,
 * proxy.env, /etc/environment. For a second look after a failure; nothing ever goes out by them.
 * Returns how many of the list are filled; each is the caller's. */
size_t proxy_settings_others(char *const *environ_list, const char *root,
	const struct proxy_settings *in_use, struct proxy_settings list[PROXY_MAX_OTHERS]);
/* The service's file for people to see: its lines of NAME=value without user names in addresses,
 * passwords, and whatever is not known to be harmless. -1 with the reason when there is none, or
 * when it cannot be read. */
int proxy_file_redacted(const char *root, struct buf *out, struct err *err);
/* Every password that stands in the environment's or the file's proxy settings, used or not, and
 * what the file holds that is not known to be harmless. The callback borrows it for the call. */
void proxy_each_secret(char *const *environ_list, const char *root,
	void (*each)(void *data, const char *secret), void *data);
/* No proxy at all. */
void proxy_settings_none(struct proxy_settings *settings);
void proxy_settings_free(struct proxy_settings *settings); /* wipes the password */

/* The NO_PROXY entry that exempts the host, or NULL: names and suffixes ("example.com" matches the
 * name and everything below it, ".example.com" and "*.example.com" everything below), addresses,
 * CIDR ("10.0.0.0/8") and "*"; an entry may end in ":port". Copied into entry[256]. */
const char *proxy_bypass(
	const struct proxy_settings *settings, const char *host, uint16_t port, char entry[256]);

/* "http://10.0.0.9:3128": without user and password. Owned by the caller; NULL without proxy. */
char *proxy_url(const struct proxy_settings *settings);

#endif
