/*
 * Which proxy, and why that one.
 *
 * Happy path: HTTPS_PROXY stands in the environment in one spelling, parses, and is taken. A value
 * is looked for in the environment first, then in the environment file, and in each by HTTPS_PROXY
 * before ALL_PROXY; an empty value is none. Of several spellings in one source all-lowercase wins,
 * then all-uppercase, then the first in byte order. Whatever loses with another value is named in a
 * warning.
 *
 * Failure modes: a value that cannot be used, and an environment file that cannot be read or
 * understood while nothing stronger names a proxy, are findings: going direct in their place would
 * be a silent change of the way out. A broken file that was not needed is a warning.
 */
#include "dial/proxy.h"

#include "base/file.h"
#include "dial/proxy_parts.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SYSTEM_FILE "/etc/environment" /* pam_env(7): logins read it, services do not */
#define MAX_NAME    32

enum { SOURCE_ENVIRONMENT, SOURCE_FILE, SOURCE_COUNT };

struct source {
	const char *label; /* as in "HTTPS_PROXY (environment)" */
	const char *place; /* as in "correct it in the environment" */
	char *const *list; /* NULL: nothing there */
};

/* One variable that was found; value is NULL where none was. */
struct setting {
	char name[MAX_NAME]; /* in the spelling in use */
	const char *value;   /* borrowed from the source */
	const struct source *source;
};

struct search {
	struct source sources[SOURCE_COUNT];
	struct proxy_settings *settings; /* takes the warnings */
};

static void warn(struct proxy_settings *settings, char *text)
{
	if (settings->warning_count < PROXY_MAX_WARNINGS)
		settings->warnings[settings->warning_count++] = text;
	else
		free(text);
}

static char *origin_of(const struct setting *setting)
{
	return xasprintf("%s (%s)", setting->name, setting->source->label);
}

static void warn_loser(
	struct proxy_settings *settings, const struct setting *loser, const struct setting *winner)
{
	cleanup(free_ptr) char *lost = origin_of(loser);
	cleanup(free_ptr) char *won = origin_of(winner);
	warn(settings, xasprintf("%s differs and loses to %s", lost, won));
}

/* The value of a "NAME=value" whose name is the wanted one in any letter case; NULL otherwise. */
static const char *match(const char *variable, const char *wanted, char name[MAX_NAME])
{
	size_t len = strlen(wanted);
	if (strncasecmp(variable, wanted, len) != 0 || variable[len] != '=' || !variable[len + 1])
		return NULL;
	memcpy(name, variable, len);
	name[len] = '\0';
	return variable + len + 1;
}

/* 0 for all-lowercase, 1 for all-uppercase, 2 for a mix. */
static int spelling_rank(const char *name)
{
	bool lower = false, upper = false;
	for (; *name; name++) {
		lower = lower || (*name >= 'a' && *name <= 'z');
		upper = upper || (*name >= 'A' && *name <= 'Z');
	}
	return !upper ? 0 : !lower ? 1 : 2;
}

static bool beats(const char *name, const char *other)
{
	int a = spelling_rank(name), b = spelling_rank(other);
	return a != b ? a < b : strcmp(name, other) < 0;
}

static bool find_in(const struct source *source, const char *wanted, struct setting *best)
{
	*best = (struct setting){.source = source};
	char name[MAX_NAME];
	for (char *const *at = source->list; at && *at; at++) {
		const char *value = match(*at, wanted, name);
		if (value && (!best->value || beats(name, best->name))) {
			best->value = value;
			memcpy(best->name, name, sizeof name);
		}
	}
	return best->value;
}

/* Names the spellings in one source whose value is not the winner's. */
static void warn_spellings(
	struct proxy_settings *settings, const struct source *source, const char *wanted)
{
	struct setting best, other = {.source = source};
	if (!find_in(source, wanted, &best))
		return;
	for (char *const *at = source->list; *at; at++) {
		const char *value = match(*at, wanted, other.name);
		if (value && strcmp(other.name, best.name) != 0 && strcmp(value, best.value) != 0)
			warn_loser(settings, &other, &best);
	}
}

/* The strongest setting under any of the names; the sources go before the names. */
static bool find(const struct search *search, const char *const *names, struct setting *found)
{
	*found = (struct setting){.value = NULL};
	for (size_t i = 0; i < SOURCE_COUNT; i++) {
		for (const char *const *name = names; *name; name++) {
			struct setting here;
			warn_spellings(search->settings, &search->sources[i], *name);
			if (!find_in(&search->sources[i], *name, &here))
				continue;
			if (!found->value)
				*found = here;
			else if (found->source != here.source && strcmp(found->value, here.value) != 0)
				warn_loser(search->settings, &here, found);
		}
	}
	return found->value;
}

static const char *const proxy_names[] = {"HTTPS_PROXY", "ALL_PROXY", NULL};
static const char *const no_proxy_names[] = {"NO_PROXY", NULL};
static const char *const user_names[] = {"HTTPS_PROXY_USERNAME", NULL};
static const char *const password_names[] = {"HTTPS_PROXY_PASSWORD", NULL};
static const char *const http_names[] = {"HTTP_PROXY", NULL};

static int invalid_setting(
	struct finding *invalid, const char *variable, const char *problem, const char *place)
{
	finding_set(invalid, CAUSE_PROXY_SETTINGS_INVALID, STAGE_HOST, CONFIDENCE_CERTAIN);
	evidence_add(&invalid->evidence, "variable", "%s", variable);
	evidence_add(&invalid->evidence, "problem", "%s", problem);
	evidence_add(&invalid->evidence, "origin", "%s", place);
	return -1;
}

/* A password goes with the user of its own source: one from the file is not sent for another user
 * whom the environment names. */
static bool find_password(
	const struct search *search, const struct setting *user, struct setting *password)
{
	struct setting other;
	if (!find(search, password_names, password))
		return false;
	for (size_t i = 0; i < SOURCE_COUNT; i++) {
		const struct source *source = &search->sources[i];
		bool of_another =
			user->source && user->source != source && find_in(source, *user_names, &other);
		if (!of_another && find_in(source, *password_names, password))
			return true;
	}
	*password = (struct setting){.value = NULL};
	return false;
}

static int take_credentials(const struct search *search, const struct setting *proxy,
	struct proxy_parts *parts, struct finding *invalid)
{
	struct proxy_settings *settings = search->settings;
	struct setting user, password;
	const struct setting *named_by = proxy;
	bool has_user = find(search, user_names, &user);
	bool has_password = find_password(search, &user, &password);
	if (!has_user && !parts->has_user) {
		if (has_password)
			warn(settings,
				xasprintf("%s is set without HTTPS_PROXY_USERNAME and is not used", password.name));
		return 0;
	}
	const char *name = has_user ? user.value : parts->user;
	/* The password in the URL belongs to the user in the URL. */
	bool same = parts->has_user && strcmp(name, parts->user) == 0;
	const char *secret = has_password ? password.value : same ? parts->password : "";
	if (has_user || has_password)
		named_by = has_user ? &user : &password;
	struct err problem;
	if (proxy_check_credentials(name, secret, &problem))
		return invalid_setting(invalid, named_by->name, problem.text, named_by->source->place);
	settings->user = xstrdup(name);
	settings->password = xstrdup(secret);
	settings->credentials_origin = origin_of(named_by);
	return 0;
}

static int take_proxy(
	const struct search *search, const struct setting *proxy, struct finding *invalid)
{
	struct proxy_settings *settings = search->settings;
	struct proxy_parts parts;
	struct err problem;
	if (proxy_parse(proxy->value, &parts, &problem))
		return invalid_setting(invalid, proxy->name, problem.text, proxy->source->place);
	settings->set = true;
	settings->scheme = parts.tls ? PROXY_HTTPS : PROXY_HTTP;
	settings->host = xstrdup(parts.host);
	settings->port = parts.port;
	settings->origin = origin_of(proxy);
	int rc = take_credentials(search, proxy, &parts, invalid);
	proxy_parts_wipe(&parts);
	return rc;
}

static int take_no_proxy(const struct search *search, struct finding *invalid)
{
	struct proxy_settings *settings = search->settings;
	struct setting list;
	if (!find(search, no_proxy_names, &list))
		return 0;
	if (strlen(list.value) > PROXY_MAX_LIST)
		return invalid_setting(
			invalid, list.name, "it is longer than 16384 bytes", list.source->place);
	settings->no_proxy = xstrdup(list.value);
	settings->no_proxy_origin = origin_of(&list);
	char entry[256];
	for (const char *rest = list.value; (rest = proxy_next_entry(rest, entry));)
		if (!proxy_entry_valid(entry))
			warn(settings, xasprintf("the entry \"%s\" of %s is not understood and matches nothing",
							   proxy_has_control(entry) ? "?" : entry, settings->no_proxy_origin));
	return 0;
}

/* Everything, once the sources are open. `broken` says what is wrong with the file, or "". */
static int take_all(const struct search *search, const char *broken, struct finding *invalid)
{
	const struct source *file = &search->sources[SOURCE_FILE];
	struct setting proxy, http;
	bool found = find(search, proxy_names, &proxy);
	if (*broken && !found) {
		cleanup(free_ptr) char *variable = xasprintf("file %s", file->label);
		return invalid_setting(invalid, variable, broken, file->place);
	}
	if (*broken)
		warn(search->settings, xasprintf("%s was passed over: %s", file->label, broken));
	if (found && (take_proxy(search, &proxy, invalid) || take_no_proxy(search, invalid)))
		return -1;
	if (!found && find(search, http_names, &http))
		warn(search->settings, xasprintf("%s is not used: HTTPS goes by HTTPS_PROXY", http.name));
	return 0;
}

int proxy_settings_read(char *const *environ_list, const char *root,
	struct proxy_settings *settings, struct finding *invalid)
{
	proxy_settings_none(settings);
	cleanup(free_ptr) char *path = file_under(root, PROXY_ENV_FILE);
	struct proxy_env env;
	struct err broken = {.text = ""};
	if (proxy_env_read(path, &env, &broken) && (errno == ENOENT || errno == ENOTDIR))
		broken.text[0] = '\0';
	struct search search = {
		.sources =
			{
				[SOURCE_ENVIRONMENT] = {"environment", "the environment", environ_list},
				[SOURCE_FILE] = {path, path, env.list},
			},
		.settings = settings,
	};
	int rc = take_all(&search, broken.text, invalid);
	proxy_env_wipe(&env);
	if (rc)
		proxy_settings_free(settings);
	return rc;
}

int proxy_settings_of_service(
	const char *root, struct proxy_settings *settings, struct finding *invalid)
{
	char *nothing[] = {NULL};
	return proxy_settings_read(nothing, root, settings, invalid);
}

/* --- proxies that are named besides the one in use ---------------------------------------------
 */

static bool same_proxy(const struct proxy_settings *a, const struct proxy_settings *b)
{
	return a->set && b->set && a->scheme == b->scheme && a->port == b->port &&
		   strcasecmp(a->host, b->host) == 0 &&
		   strcmp(a->user ? a->user : "", b->user ? b->user : "") == 0 &&
		   strcmp(a->password ? a->password : "", b->password ? b->password : "") == 0;
}

struct others {
	const struct proxy_settings *in_use;
	struct proxy_settings *list;
	size_t count;
};

/* Keeps what one variable names, unless it is known already or cannot be used. */
static void keep_other(
	const struct source *source, const struct setting *proxy, struct others *others)
{
	struct proxy_settings *other = &others->list[others->count];
	struct finding invalid = {.cause = CAUSE_NONE};
	const struct search search = {.sources = {[SOURCE_ENVIRONMENT] = *source}, .settings = other};
	proxy_settings_none(other);
	bool known = take_proxy(&search, proxy, &invalid) || take_no_proxy(&search, &invalid) ||
				 same_proxy(other, others->in_use);
	for (size_t i = 0; i < others->count && !known; i++)
		known = same_proxy(other, &others->list[i]);
	if (known)
		proxy_settings_free(other);
	else
		others->count++;
	finding_free(&invalid);
}

static void find_others(const struct source *source, struct others *others)
{
	const char *const names[] = {*proxy_names, proxy_names[1], *http_names};
	for (size_t n = 0; n < ARRAY_LEN(names); n++) {
		for (char *const *at = source->list; at && *at; at++) {
			struct setting proxy = {.source = source};
			proxy.value = match(*at, names[n], proxy.name);
			if (proxy.value && others->count < PROXY_MAX_OTHERS)
				keep_other(source, &proxy, others);
		}
	}
}

size_t proxy_settings_others(char *const *environ_list, const char *root,
	const struct proxy_settings *in_use, struct proxy_settings list[PROXY_MAX_OTHERS])
{
	static const char *const files[] = {PROXY_ENV_FILE, SYSTEM_FILE};
	struct others others = {.in_use = in_use, .list = list};
	find_others(&(const struct source){"environment", "the environment", environ_list}, &others);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		cleanup(free_ptr) char *path = file_under(root, files[i]);
		struct proxy_env env;
		struct err broken;
		if (proxy_env_read(path, &env, &broken) == 0)
			find_others(&(const struct source){path, path, env.list}, &others);
		proxy_env_wipe(&env);
	}
	return others.count;
}

void proxy_settings_none(struct proxy_settings *settings)
{
	*settings = (struct proxy_settings){.set = false};
}

void proxy_settings_free(struct proxy_settings *settings)
{
	if (settings->user)
		sodium_memzero(settings->user, strlen(settings->user));
	if (settings->password)
		sodium_memzero(settings->password, strlen(settings->password));
	char *const owned[] = {settings->host, settings->user, settings->password, settings->origin,
		settings->credentials_origin, settings->no_proxy, settings->no_proxy_origin};
	for (size_t i = 0; i < ARRAY_LEN(owned); i++)
		free(owned[i]);
	for (size_t i = 0; i < settings->warning_count; i++)
		free(settings->warnings[i]);
	proxy_settings_none(settings);
}

char *proxy_url(const struct proxy_settings *settings)
{
	if (!settings->set)
		return NULL;
	return xasprintf("%s://%s:%u", settings->scheme == PROXY_HTTPS ? "https" : "http",
		settings->host, settings->port);
}
