#include "dial/proxy_parts.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sodium.h>
#include <string.h>

#define DIGITS       "0123456789"
#define LETTERS      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define HEX          "0123456789abcdefABCDEF"
#define SCHEME_CHARS LETTERS DIGITS "+-."
#define HOST_CHARS   LETTERS DIGITS "-_."
#define MAX_LABEL    63

bool proxy_has_control(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return true;
	return false;
}

static unsigned hex_value(char digit)
{
	return (unsigned)(digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
}

/* Percent-decodes [from, end) into to[PROXY_MAX_CREDENTIAL + 1]. */
static int decode(const char *from, const char *end, char *to, struct err *problem)
{
	size_t len = 0;
	for (; from < end; len++) {
		if (len == PROXY_MAX_CREDENTIAL)
			return err_set(
				problem, "its user name or password is longer than %d bytes", PROXY_MAX_CREDENTIAL);
		if (*from != '%') {
			to[len] = *from++;
			continue;
		}
		if (end - from < 3 || !strchr(HEX, from[1]) || !strchr(HEX, from[2]))
			return err_set(problem,
				"a \"%%\" in its credentials is not followed by two hexadecimal "
				"digits (a percent sign itself is written %%25)");
		to[len] = (char)(hex_value(from[1]) << 4 | hex_value(from[2]));
		if (!to[len])
			return err_set(problem, "its credentials hold a NUL character (%%00)");
		from += 3;
	}
	to[len] = '\0';
	return 0;
}

int proxy_check_credentials(const char *user, const char *password, struct err *problem)
{
	if (!*user)
		return err_set(problem, "it has a password without a user name");
	if (strlen(user) > PROXY_MAX_CREDENTIAL || strlen(password) > PROXY_MAX_CREDENTIAL)
		return err_set(
			problem, "the user name or password is longer than %d bytes", PROXY_MAX_CREDENTIAL);
	if (strchr(user, ':'))
		return err_set(
			problem, "the user name holds a colon, which Basic authentication cannot carry");
	if (proxy_has_control(user) || proxy_has_control(password))
		return err_set(problem, "the user name or password holds a control character");
	return 0;
}

/* Takes "USER:PASSWORD@" off the front of the authority. */
static int parse_credentials(const char **authority, struct proxy_parts *parts, struct err *problem)
{
	const char *at = strrchr(*authority, '@');
	if (!at)
		return 0;
	const char *start = *authority;
	const char *colon = memchr(start, ':', (size_t)(at - start));
	*authority = at + 1;
	if (at == start)
		return 0;
	if (decode(start, colon ? colon : at, parts->user, problem) ||
		(colon && decode(colon + 1, at, parts->password, problem)))
		return -1;
	parts->has_user = true;
	return proxy_check_credentials(parts->user, parts->password, problem);
}

/* Letters, digits, "-", "_" in labels of 1 to 63 bytes; a name of digits and dots is an address. */
static int check_host(const char *host, struct err *problem)
{
	struct in_addr address;
	if (host[strspn(host, DIGITS ".")] == '\0') {
		if (inet_pton(AF_INET, host, &address) != 1)
			return err_set(problem, "its host is neither a name nor an IPv4 address");
		return 0;
	}
	if (host[strspn(host, HOST_CHARS)] != '\0')
		return err_set(problem,
			"its host holds a character that no host name has (an international name is written in "
			"its xn-- form)");
	for (const char *label = host;;) {
		size_t len = strcspn(label, ".");
		bool root = !len && !*label && label > host; /* "proxy.example." */
		if ((!len && !root) || len > MAX_LABEL)
			return err_set(problem, "its host name has a part that is empty or too long");
		if (!label[len])
			break;
		label += len + 1;
	}
	return 0;
}

static int parse_port(const char *text, uint16_t *port, struct err *problem)
{
	size_t digits = strspn(text, DIGITS);
	unsigned long value = digits && digits <= 5 ? strtoul(text, NULL, 10) : 0;
	if (text[digits] == '/' && text[digits + 1])
		return err_set(problem, "something follows its port, where only HOST:PORT is expected");
	if ((text[digits] && text[digits] != '/') || value < 1 || value > 65535)
		return err_set(problem, "its port is not a number from 1 to 65535");
	*port = (uint16_t)value;
	return 0;
}

static int parse_host_port(const char *text, struct proxy_parts *parts, struct err *problem)
{
	const char *colon = strchr(text, ':');
	if (*text == '[' || (colon && strchr(colon + 1, ':')))
		return err_set(problem,
			"it holds an IPv6 address or a colon too many; give the proxy as an "
			"IPv4 address or a name, and one port");
	size_t len = strcspn(text, ":/");
	if (!len)
		return err_set(problem, "it has no host");
	if (len >= sizeof parts->host)
		return err_set(problem, "its host name is longer than %zu bytes", sizeof parts->host - 1);
	memcpy(parts->host, text, len);
	parts->host[len] = '\0';
	if (check_host(parts->host, problem))
		return -1;
	if (text[len] != ':' || !text[len + 1] || text[len + 1] == '/')
		return err_set(problem, "it has no port");
	return parse_port(text + len + 1, &parts->port, problem);
}

/* Takes "SCHEME://" off the front; without one it is http. */
static int parse_scheme(const char **value, struct proxy_parts *parts, struct err *problem)
{
	size_t len = strspn(*value, SCHEME_CHARS);
	if (!len || strncmp(*value + len, "://", 3) != 0)
		return 0;
	if (len == 5 && strncasecmp(*value, "https", 5) == 0)
		parts->tls = true;
	else if (len != 4 || strncasecmp(*value, "http", 4) != 0)
		return err_set(problem,
			"its scheme is %.*s://, and only http:// and https:// proxies can be "
			"used",
			(int)(len > 16 ? 16 : len), *value);
	*value += len + 3;
	return 0;
}

int proxy_parse(const char *value, struct proxy_parts *parts, struct err *problem)
{
	*parts = (struct proxy_parts){.tls = false};
	value += strspn(value, " \t");
	size_t len = strlen(value);
	while (len && strchr(" \t", value[len - 1]))
		len--;
	if (len > PROXY_MAX_VALUE)
		return err_set(problem, "it is longer than %d bytes", PROXY_MAX_VALUE);
	char *text = xstrndup(value, len);
	const char *rest = text;
	int rc = -1;
	if (proxy_has_control(text))
		err_set(problem, "it holds a control character, such as a line break");
	else
		rc = parse_scheme(&rest, parts, problem) || parse_credentials(&rest, parts, problem) ||
					 parse_host_port(rest, parts, problem)
				 ? -1
				 : 0;
	sodium_memzero(text, len);
	free(text);
	if (rc)
		proxy_parts_wipe(parts);
	return rc;
}

void proxy_parts_wipe(struct proxy_parts *parts)
{
	sodium_memzero(parts, sizeof *parts);
}
