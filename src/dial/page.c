/*
 * Whose page is this? A portal or a filter answers in the service's place with a page of its own.
 * It gives itself away by the status made for it (511, RFC 6585), by sending the browser to another
 * host, or by its words; what it calls itself goes into the evidence. Pages are written for people,
 * so the words are a guess, and the confidence says so.
 */
#include "dial/hello.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LOOKED_AT 16384 /* bytes of a body in which words are looked for */

/* On the page or in the address that it sends to. `plain` ones no ordinary service uses. */
static const struct {
	const char *word;
	bool plain;
} portal_words[] = {
	{"WISPAccessGatewayParam", true},
	{"captive portal", true},
	{"captiveportal", true},
	{"captive-portal", true},
	{"hotspot", true},
	{"nodogsplash", true},
	{"coovachilli", true},
	{"guest network", false},
	{"guest access", false},
	{"guestportal", true},
	{"wi-fi access", false},
	{"wifi access", false},
	{"portal", false},
	{"sign in to the network", true},
	{"log in to the network", true},
	{"accept the terms", false},
	{"terms of use", false},
};

static const char *const block_words[] = {
	"blocked",
	"access denied",
	"access to this",
	"not allowed",
	"not permitted",
	"forbidden by",
	"web filter",
	"webfilter",
	"content filter",
	"url filter",
	"security policy",
	"company policy",
	"internet policy",
	"usage policy",
	"administrator",
	"cache access denied",
	"fortiguard",
	"zscaler",
	"umbrella",
	"forcepoint",
	"websense",
	"blue coat",
	"sophos",
	"squid",
	"barracuda",
};

/* Headers by which gateways name themselves. */
static const char *const sender_headers[] = {"via", "x-squid-error", "x-cache", "x-bluecoat-via",
	"x-zscaler-reason", "x-blocked-by", "x-block-reason", "x-proxy-error", "x-filter", "server"};

static const char *find_word(const char *text, const char *word)
{
	return strcasestr(text, word);
}

/* The text between <title> and </title>, one line of it. */
static void read_title(const char *html, char title[160])
{
	const char *start = find_word(html, "<title");
	start = start ? strchr(start, '>') : NULL;
	size_t len = 0;
	title[0] = '\0';
	if (!start)
		return;
	for (start += 1 + strspn(start + 1, " \t\r\n"); *start && *start != '<' && len < 159; start++)
		title[len++] = (char)(isspace((unsigned char)*start) ? ' ' : *start);
	while (len && title[len - 1] == ' ')
		len--;
	title[len] = '\0';
}

static bool is_html(const struct http_response *response)
{
	const char *type = http_response_header(response, "content-type");
	const char *body = buf_text(&response->body);
	body += strspn(body, " \t\r\n");
	return (type && find_word(type, "html")) || strncasecmp(body, "<!doctype html", 14) == 0 ||
		   strncasecmp(body, "<html", 5) == 0;
}

void page_describe(const struct http_response *response, struct evidence *evidence)
{
	const char *type = http_response_header(response, "content-type");
	const char *server = http_response_header(response, "server");
	char title[160] = "";
	evidence_add(evidence, "status", "%d", response->status);
	if (type)
		evidence_add(evidence, "content-type", "%s", type);
	if (server)
		evidence_add(evidence, "server", "%s", server);
	if (is_html(response))
		read_title(buf_text(&response->body), title);
	if (title[0])
		evidence_add(evidence, "title", "%s", title);
}

/* The host that a redirect leads to, "" when it stays; `shown` is the address without its query,
 * where portals put what they know about the client. */
static void redirect_host(
	const struct http_response *response, char host[TOKEN_MAX_HOST + 1], char shown[300])
{
	const char *location = http_response_header(response, "location");
	host[0] = shown[0] = '\0';
	if (!location || response->status < 300 || response->status > 399)
		return;
	snprintf(shown, 300, "%.*s", (int)strcspn(location, "?#"), location);
	const char *start = strstr(location, "//");
	if (!start || (start != location && start[-1] != ':'))
		return;
	start += 2;
	size_t authority = strcspn(start, "/?#");
	const char *user = memchr(start, '@', authority);
	if (user) {
		authority -= (size_t)(user + 1 - start);
		start = user + 1;
	}
	size_t len = strcspn(start, ":/?#");
	len = len < authority ? len : authority;
	snprintf(host, TOKEN_MAX_HOST + 1, "%.*s", (int)(len < TOKEN_MAX_HOST ? len : TOKEN_MAX_HOST),
		start);
}

/* The last two labels, a rough measure of who owns a name. An address has no owner but itself. */
static const char *owner(const char *host)
{
	const char *dots[2] = {NULL, NULL};
	bool name = false;
	for (const char *at = host; *at; at++) {
		name = name || isalpha((unsigned char)*at);
		if (*at == '.' && at[1]) {
			dots[0] = dots[1];
			dots[1] = at;
		}
	}
	return name && dots[0] ? dots[0] + 1 : host;
}

static bool says_portal(const char *text, bool plainly)
{
	for (size_t i = 0; i < ARRAY_LEN(portal_words); i++)
		if ((portal_words[i].plain || !plainly) && find_word(text, portal_words[i].word))
			return true;
	return false;
}

static bool says_blocked(const char *text)
{
	for (size_t i = 0; i < ARRAY_LEN(block_words); i++)
		if (find_word(text, block_words[i]))
			return true;
	return false;
}

static void name_sender(const struct http_response *response, struct evidence *evidence)
{
	struct buf out = {0};
	char title[160];
	read_title(buf_text(&response->body), title);
	if (title[0])
		buf_printf(&out, "\"%s\"", title);
	for (size_t i = 0; i < ARRAY_LEN(sender_headers); i++) {
		const char *value = http_response_header(response, sender_headers[i]);
		if (value && *value)
			buf_printf(&out, "%s%s: %.100s", out.len ? ", " : "", sender_headers[i], value);
	}
	if (out.len)
		evidence_add(evidence, "sender", "%s", out.data);
	buf_free(&out);
}

enum cause page_judge(const struct http_response *response, const char *host, bool plainly,
	struct evidence *evidence, enum confidence *confidence)
{
	char to[TOKEN_MAX_HOST + 1], shown[300];
	cleanup(free_ptr) char *body = xstrndup(buf_text(&response->body), LOOKED_AT);
	redirect_host(response, to, shown);
	bool elsewhere = to[0] && strcasecmp(owner(to), owner(host)) != 0;
	if (shown[0])
		evidence_add(evidence, "location", "%s", shown);
	*confidence = CONFIDENCE_CERTAIN;
	if (response->status == 511)
		return CAUSE_CAPTIVE_PORTAL;
	*confidence = CONFIDENCE_LIKELY;
	if (elsewhere && (!plainly || says_portal(shown, true)))
		return CAUSE_CAPTIVE_PORTAL;
	if (!is_html(response) || to[0])
		return CAUSE_NONE;
	if (says_portal(body, plainly))
		return CAUSE_CAPTIVE_PORTAL;
	bool refuses = response->status == 403 || response->status == 451;
	if (plainly || !(refuses || says_blocked(body)))
		return CAUSE_NONE;
	name_sender(response, evidence);
	return CAUSE_BLOCK_PAGE;
}
