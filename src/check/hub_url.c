#include "check/hub_url.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define SCHEME "https://"

static int take_port(const char *text, struct hub_url *url, struct err *err)
{
	unsigned long port = 0;
	const char *at = text;
	while (isdigit((unsigned char)*at) && port <= UINT16_MAX)
		port = port * 10 + (unsigned long)(*at++ - '0');
	if (at == text || *at || !port || port > UINT16_MAX)
		return err_set(err, "the port is a number from 1 to 65535, as in https://hub.example:443/");
	url->port = (uint16_t)port;
	return 0;
}

static bool take_host(const char *text, size_t len, struct hub_url *url)
{
	if (!len || len > TOKEN_MAX_HOST)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!isalnum((unsigned char)text[i]) && !strchr("-._", text[i]))
			return false;
		url->host[i] = (char)tolower((unsigned char)text[i]);
	}
	url->host[len] = '\0';
	return true;
}

int hub_url_parse(const char *text, struct hub_url *url, struct err *err)
{
	*url = (struct hub_url){.port = 443};
	if (strncmp(text, "spj", 3) == 0)
		return err_set(err, "this is a join token, not an address; give it to `sallyport join`");
	if (strncasecmp(text, SCHEME, strlen(SCHEME)) == 0)
		text += strlen(SCHEME);
	else if (strstr(text, "://"))
		return err_set(err, "the hub speaks https; write https://HOST:PORT/");
	cleanup(free_ptr) char *authority = xstrndup(text, strcspn(text, "/?#"));
	char *colon = strrchr(authority, ':');
	if (strchr(authority, '@'))
		return err_set(err, "no user name or password belongs into the hub's address");
	if (colon && take_port(colon + 1, url, err))
		return -1;
	if (!take_host(authority, colon ? (size_t)(colon - authority) : strlen(authority), url))
		return err_set(
			err, "\"%.80s\" is no host name or IPv4 address; write https://HOST:PORT/", authority);
	return 0;
}
