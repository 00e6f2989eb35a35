/*
 * What a proxy's answer to CONNECT means.
 *
 * The status decides; where one status has several reasons, the proxy's own words split them
 * (squid's X-Squid-Error, the pages of tinyproxy, mitmproxy, Apache, Privoxy and Blue Coat). Every
 * text is the proxy's: bounded here, made printable by evidence_add().
 */
#include "dial/transfer.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define MAX_HEADER 300 /* bytes kept of one header's value */
#define MAX_WORDS  200 /* bytes kept of a page's text */

/* The value of "Name: value CR LF" when it is that header, trimmed; NULL otherwise. */
static char *header_value(const char *line, size_t len, const char *name)
{
	size_t skip = strlen(name);
	if (len <= skip || strncasecmp(line, name, skip) != 0 || line[skip] != ':')
		return NULL;
	const char *at = line + skip + 1, *end = line + len;
	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	while (end > at && (unsigned char)end[-1] <= ' ')
		end--;
	size_t size = (size_t)(end - at);
	return xstrndup(at, size < MAX_HEADER ? size : MAX_HEADER);
}

static bool scheme_known(const struct buf *schemes, const char *scheme, size_t len)
{
	for (const char *at = buf_text(schemes); *at;) {
		size_t one = strcspn(at, ",");
		if (one == len && strncasecmp(at, scheme, len) == 0)
			return true;
		at += one;
		at += strspn(at, ", ");
	}
	return false;
}

/* RFC 9110 section 11.6.1: a list of challenges, each a scheme and then either one token68 or
 * parameters. A scheme is a word that no "=" follows; quoted strings may hold anything. */
static void add_schemes(struct proxy_answer *answer, const char *value)
{
	static const char token[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
								"ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	answer->schemes.max = ANSWER_MAX_SCHEMES;
	bool first = true; /* of an element of the list: only there a scheme can stand */
	for (const char *at = value; *at;) {
		size_t word = strspn(at, token);
		const char *after = at + word + strspn(at + word, " \t");
		bool scheme = word && first && *after != '=';
		if (scheme && !scheme_known(&answer->schemes, at, word))
			buf_printf(&answer->schemes, "%s%.*s", answer->schemes.len ? ", " : "", (int)word, at);
		if (scheme && word == 5 && strncasecmp(at, "Basic", 5) == 0)
			answer->offers_basic = true;
		first = first && !word;
		at += word;
		if (*at == '"') {
			for (at++; *at && *at != '"'; at++)
				if (*at == '\\' && at[1])
					at++;
			at += *at == '"';
		} else if (!word) {
			first = first || *at == ',';
			at++;
		}
	}
}

static int status_line(struct proxy_answer *answer, const char *line, size_t len)
{
	int status = 0;
	char text[64] = "";
	snprintf(text, sizeof text, "%.*s", (int)len, line);
	if (sscanf(text, "HTTP/%*1[12].%*1d %3d", &status) != 1 &&
		sscanf(text, "HTTP/%*1[12] %3d", &status) != 1) {
		buf_append(&answer->not_http, line, len < MAX_HEADER ? len : MAX_HEADER);
		return -1;
	}
	answer->status = status;
	answer->status_line = xstrndup(line, strcspn(text, "\r\n"));
	return 0;
}

int answer_line(struct proxy_answer *answer, const char *line, size_t len)
{
	if (!answer->status_line)
		return status_line(answer, line, len);
	if (len && (line[0] == '\r' || line[0] == '\n')) {
		answer->complete = true;
		return 0;
	}
	struct {
		const char *name;
		char **place;
	} kept[] = {
		{"Server", &answer->server},
		{"Via", &answer->via},
		{"Location", &answer->location},
		{"X-Squid-Error", &answer->error},
		{"Proxy-Status", &answer->error}, /* RFC 9209 */
		{"X-Proxy-Error", &answer->error},
	};
	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		if (!*kept[i].place)
			*kept[i].place = header_value(line, len, kept[i].name);
	cleanup(free_ptr) char *challenge = header_value(line, len, "Proxy-Authenticate");
	if (challenge)
		add_schemes(answer, challenge);
	return 0;
}

/* Words of proxies that split one status into its reasons. Squid 5 says CANNOT_FORWARD when it has
 * found no address to connect to, which for a name nearly always means that it did not resolve. */
static const struct reason {
	const char *words;
	enum cause cause;
	enum confidence confidence;
} reasons[] = {
	{"ERR_CANNOT_FORWARD", CAUSE_PROXY_UPSTREAM_DNS, CONFIDENCE_LIKELY},
	{"ERR_DNS_FAIL", CAUSE_PROXY_UPSTREAM_DNS, CONFIDENCE_CERTAIN},
	{"dns_error", CAUSE_PROXY_UPSTREAM_DNS, CONFIDENCE_CERTAIN},
	{"dns_timeout", CAUSE_PROXY_UPSTREAM_DNS, CONFIDENCE_CERTAIN},
	{"dns_unresolved_hostname", CAUSE_PROXY_UPSTREAM_DNS, CONFIDENCE_CERTAIN},
	{"dns_server_failure", CAUSE_PROXY_UPSTREAM_DNS, CONFIDENCE_CERTAIN},
	{"DNS lookup failure", CAUSE_PROXY_UPSTREAM_DNS, CONFIDENCE_CERTAIN},
	{"Could not resolve", CAUSE_PROXY_UPSTREAM_DNS, CONFIDENCE_CERTAIN},
	{"getaddrinfo", CAUSE_PROXY_UPSTREAM_DNS, CONFIDENCE_CERTAIN},
	{"Name or service not known", CAUSE_PROXY_UPSTREAM_DNS, CONFIDENCE_CERTAIN},
	{"Temporary failure in name resolution", CAUSE_PROXY_UPSTREAM_DNS, CONFIDENCE_CERTAIN},
	{"No address associated with hostname", CAUSE_PROXY_UPSTREAM_DNS, CONFIDENCE_CERTAIN},
	{"No such domain", CAUSE_PROXY_UPSTREAM_DNS, CONFIDENCE_CERTAIN},
	{"no such host", CAUSE_PROXY_UPSTREAM_DNS, CONFIDENCE_CERTAIN},
	{"ERR_CONNECT_FAIL", CAUSE_PROXY_UPSTREAM_CONNECT, CONFIDENCE_CERTAIN},
	{"ERR_READ_TIMEOUT", CAUSE_PROXY_UPSTREAM_CONNECT, CONFIDENCE_CERTAIN},
	{"connection_refused", CAUSE_PROXY_UPSTREAM_CONNECT, CONFIDENCE_CERTAIN},
	{"connection_timeout", CAUSE_PROXY_UPSTREAM_CONNECT, CONFIDENCE_CERTAIN},
	{"Connection refused", CAUSE_PROXY_UPSTREAM_CONNECT, CONFIDENCE_CERTAIN},
	{"Connection timed out", CAUSE_PROXY_UPSTREAM_CONNECT, CONFIDENCE_CERTAIN},
	{"No route to host", CAUSE_PROXY_UPSTREAM_CONNECT, CONFIDENCE_CERTAIN},
	{"HTTP request was sent to HTTPS port", CAUSE_PROXY_NOT_A_PROXY, CONFIDENCE_CERTAIN},
	{"plain HTTP to an SSL-enabled server port", CAUSE_PROXY_NOT_A_PROXY, CONFIDENCE_CERTAIN},
	{"HTTP request to an HTTPS server", CAUSE_PROXY_NOT_A_PROXY, CONFIDENCE_CERTAIN},
};

static const struct reason *by_words(const struct proxy_answer *answer)
{
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
		if (strcasestr(answer->error ? answer->error : "", reasons[i].words) ||
			strcasestr(answer->status_line ? answer->status_line : "", reasons[i].words) ||
			strcasestr(buf_text(&answer->body), reasons[i].words))
			return &reasons[i];
	return NULL;
}

static enum cause by_auth(const struct proxy_answer *answer, bool sent, enum confidence *confidence)
{
	*confidence = answer->schemes.len ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY;
	if (answer->schemes.len && !answer->offers_basic)
		return CAUSE_PROXY_AUTH_UNSUPPORTED;
	return sent ? CAUSE_PROXY_AUTH_REJECTED : CAUSE_PROXY_AUTH_REQUIRED;
}

enum cause answer_cause(
	const struct proxy_answer *answer, bool sent, bool by_name, enum confidence *confidence)
{
	int status = answer->status;
	*confidence = CONFIDENCE_CERTAIN;
	if (answer->not_http.len || !status)
		return CAUSE_PROXY_NOT_A_PROXY;
	if (status == 407)
		return by_auth(answer, sent, confidence);
	if (status == 401 && sent) /* tinyproxy's answer to wrong credentials */
		return CAUSE_PROXY_AUTH_REJECTED;
	const struct reason *reason = status == 403 ? NULL : by_words(answer);
	if (reason && (by_name || reason->cause != CAUSE_PROXY_UPSTREAM_DNS)) {
		*confidence = reason->confidence;
		return reason->cause;
	}
	*confidence =
		status == 403 || status == 502 || status == 504 ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY;
	if (status == 501) /* a web server that does not know the method */
		return CAUSE_PROXY_NOT_A_PROXY;
	return status >= 500 ? CAUSE_PROXY_UPSTREAM_CONNECT : CAUSE_PROXY_DENIED;
}

/* The end of a part of a page that holds no words for people; NULL when none begins here. */
static const char *skip_part(const char *at)
{
	static const struct {
		const char *begin, *end;
	} parts[] = {{"<head>", "</head>"}, {"<style", "</style>"}, {"<script", "</script>"},
		{"<!--", "-->"}, {"<", ">"}};
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		if (strncasecmp(at, parts[i].begin, strlen(parts[i].begin)) != 0)
			continue;
		const char *end = strcasestr(at, parts[i].end);
		return end ? end + strlen(parts[i].end) : at + strlen(at);
	}
	return NULL;
}

/* The text of a page without its markup and white space, cut at MAX_WORDS. */
static void page_words(const char *page, struct buf *out)
{
	bool gap = false;
	out->max = MAX_WORDS;
	for (const char *at = page; *at && out->len < MAX_WORDS;) {
		const char *after = skip_part(at);
		if (after || (unsigned char)*at <= ' ') {
			at = after ? after : at + 1;
			gap = true;
			continue;
		}
		if (gap && out->len)
			buf_puts(out, " ");
		gap = false;
		buf_append(out, at++, 1);
	}
}

void answer_evidence(const struct proxy_answer *answer, struct evidence *evidence)
{
	const struct {
		const char *name, *value;
	} texts[] = {
		{"answer", answer->status_line},
		{"answer", answer->not_http.len ? buf_text(&answer->not_http) : NULL},
		{"schemes", answer->schemes.len ? buf_text(&answer->schemes) : NULL},
		{"proxy-authenticate", answer->schemes.len ? buf_text(&answer->schemes) : NULL},
		{"server", answer->server},
		{"via", answer->via},
		{"redirect", answer->location},
		{"proxy-error", answer->error},
	};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (texts[i].value && *texts[i].value)
			evidence_add(evidence, texts[i].name, "%s", texts[i].value);
	if (answer->status)
		evidence_add(evidence, "status", "%d", answer->status);
	cleanup(buf_free) struct buf words = {0};
	page_words(buf_text(&answer->body), &words);
	if (words.len)
		evidence_add(evidence, "proxy-says", "%s", buf_text(&words));
}

void answer_free(struct proxy_answer *answer)
{
	char **texts[] = {
		&answer->status_line, &answer->server, &answer->via, &answer->location, &answer->error};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		free(*texts[i]);
	buf_free(&answer->schemes);
	buf_free(&answer->body);
	buf_free(&answer->not_http);
	*answer = (struct proxy_answer){.status = 0};
}
