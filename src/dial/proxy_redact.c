/* The service's proxy.env as it may be shown: what is known to be no secret, and nothing else. */
#include "dial/proxy_parts.h"
#include "dial/proxy.h"

#include "base/file.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LEFT_OUT "(left out)"

#define LEAST_UNKNOWN 8 /* bytes of a value that is taken for a secret without a name to say so */

enum kind { KIND_ADDRESS, KIND_PLAIN, KIND_PASSWORD, KIND_UNKNOWN };

static enum kind kind_of(const char *name, size_t len)
{
	static const struct {
		const char *name;
		enum kind kind;
	} kinds[] = {
		{"HTTPS_PROXY", KIND_ADDRESS},
		{"HTTP_PROXY", KIND_ADDRESS},
		{"ALL_PROXY", KIND_ADDRESS},
		{"NO_PROXY", KIND_PLAIN},
		{"HTTPS_PROXY_USERNAME", KIND_PLAIN},
		{"HTTPS_PROXY_PASSWORD", KIND_PASSWORD},
	};
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strlen(kinds[i].name) == len && strncasecmp(kinds[i].name, name, len) == 0)
			return kinds[i].kind;
	return KIND_UNKNOWN;
}

static void show_address(const char *value, struct buf *out)
{
	struct proxy_parts parts;
	struct err problem = {.text = ""};
	if (!*value)
		return;
	if (proxy_parse(value, &parts, &problem))
		buf_printf(out, "(left out, for it cannot be read: %s)", problem.text);
	else
		buf_printf(out, "%s://%s%s:%u", parts.tls ? "https" : "http",
			parts.has_user ? "(user and password left out)@" : "", parts.host,
			(unsigned)parts.port);
	proxy_parts_wipe(&parts);
}

static void show(const char *assignment, struct buf *out)
{
	size_t len = strcspn(assignment, "=");
	const char *value = assignment + len + 1;
	buf_printf(out, "%.*s=", (int)len, assignment);
	switch (kind_of(assignment, len)) {
	case KIND_ADDRESS:
		show_address(value, out);
		break;
	case KIND_PLAIN:
		buf_puts(out, value);
		break;
	case KIND_PASSWORD:
	case KIND_UNKNOWN:
		buf_puts(out, LEFT_OUT);
		break;
	}
	buf_puts(out, "\n");
}

int proxy_file_redacted(const char *root, struct buf *out, struct err *err)
{
	cleanup(free_ptr) char *path = file_under(root, PROXY_ENV_FILE);
	struct proxy_env env;
	struct err problem = {.text = ""};
	if (proxy_env_read(path, &env, &problem))
		return err_set(err, "%s", errno == ENOENT ? "there is none" : problem.text);
	for (size_t i = 0; i < env.count; i++)
		show(env.list[i], out);
	proxy_env_wipe(&env);
	return 0;
}

struct telling {
	void (*each)(void *data, const char *secret);
	void *data;
	bool unknown; /* values of unknown variables too */
};

static void tell_address(const struct telling *telling, const char *value)
{
	struct proxy_parts parts;
	struct err problem = {.text = ""};
	if (proxy_parse(value, &parts, &problem) == 0 && parts.has_user) {
		char pair[sizeof parts.user + sizeof parts.password];
		snprintf(pair, sizeof pair, "%s:%s", parts.user, parts.password);
		telling->each(telling->data, parts.password);
		telling->each(telling->data, pair);
		sodium_memzero(pair, sizeof pair);
	} else if (strrchr(value, '@')) {
		telling->each(telling->data, value); /* it cannot be told where a password begins */
	}
	proxy_parts_wipe(&parts);
}

static void tell_of(const struct telling *telling, const char *assignment)
{
	size_t len = strcspn(assignment, "=");
	const char *value = assignment[len] ? assignment + len + 1 : "";
	enum kind kind = kind_of(assignment, len);
	if (kind == KIND_ADDRESS)
		tell_address(telling, value);
	else if (kind == KIND_PASSWORD ||
			 (kind == KIND_UNKNOWN && telling->unknown && strlen(value) >= LEAST_UNKNOWN))
		telling->each(telling->data, value);
}

void proxy_each_secret(char *const *environ_list, const char *root,
	void (*each)(void *data, const char *secret), void *data)
{
	cleanup(free_ptr) char *path = file_under(root, PROXY_ENV_FILE);
	struct telling telling = {each, data, false};
	struct proxy_env env;
	struct err problem;
	for (; environ_list && *environ_list; environ_list++)
		tell_of(&telling, *environ_list);
	if (proxy_env_read(path, &env, &problem))
		return;
	telling.unknown = true;
	for (size_t i = 0; i < env.count; i++)
		tell_of(&telling, env.list[i]);
	proxy_env_wipe(&env);
}
