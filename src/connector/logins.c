#include "connector/logins.h"

#include "base/json.h"
#include "wire/host_list.h"

#include <malloc.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* What one host, or every host, was given: texts in guarded memory, owned. */
struct kept {
	char host[HOST_LIST_MAX_HOST + 8]; /* "" for every host */
	char *texts[5];                    /* by the rows of `members` */
	bool agent;
};

struct logins {
	struct kept common;
	struct kept *own; /* owned */
	size_t own_count;
	struct host_list hosts;
	bool any_host; /* the hosts are the caller's own words, not somebody else's plan */
};

enum { USER, PASSWORD, KEY, PASSPHRASE, SUDO_PASSWORD };

static const struct {
	const char *name;
	size_t max; /* bytes */
} members[] = {
	[USER] = {"user", LOGIN_MAX_USER},
	[PASSWORD] = {"password", LOGIN_MAX_WORD},
	[KEY] = {"key", LOGIN_MAX_KEY},
	[PASSPHRASE] = {"passphrase", LOGIN_MAX_WORD},
	[SUDO_PASSWORD] = {"sudo_password", LOGIN_MAX_WORD},
};

static void wiping_free(void *memory)
{
	if (memory)
		explicit_bzero(memory, malloc_usable_size(memory));
	free(memory);
}

void logins_wipe_json(void)
{
	json_set_alloc_funcs(malloc, wiping_free);
}

static char *guard(const char *text)
{
	size_t size = text ? strlen(text) + 1 : 0;
	/* Guarded memory wants the library ready; that it is already costs nothing. */
	char *copy = text && sodium_init() >= 0 ? sodium_malloc(size) : NULL;
	if (text && !copy)
		abort();
	if (copy)
		memcpy(copy, text, size);
	return copy;
}

static int keep(const json_t *object, const char *host, struct kept *kept, struct err *err)
{
	if (!json_is_object(object))
		return err_set(err, "the credentials: an object was expected");
	snprintf(kept->host, sizeof kept->host, "%s", host);
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		const json_t *value = json_object_get(object, members[i].name);
		const char *text = json_string_value(value);
		if (value && !json_is_null(value) && !text)
			return err_set(err, "the credentials: %s is no text", members[i].name);
		if (text && strlen(text) > members[i].max)
			return err_set(err, "the credentials: %s is longer than %zu bytes", members[i].name,
				members[i].max);
		if (text && *text)
			kept->texts[i] = guard(text);
	}
	return 0;
}

static int keep_own(const json_t *by_host, struct logins *logins, struct err *err)
{
	const char *host;
	json_t *object;
	size_t count = json_object_size(by_host);
	if (by_host && !json_is_object(by_host) && !json_is_null(by_host))
		return err_set(err, "the credentials: by_host is no object");
	if (count > LOGINS_MAX_HOST)
		return err_set(
			err, "the credentials: at most %d hosts can have their own", LOGINS_MAX_HOST);
	logins->own = xcalloc(count + 1, sizeof *logins->own);
	json_object_foreach((json_t *)by_host, host, object)
	{
		if (keep(object, host, &logins->own[logins->own_count++], err))
			return -1;
	}
	return 0;
}

static int take(const json_t *object, struct logins *logins, struct err *err)
{
	const char *hosts = json_get_text(object, "hosts");
	if (json_get_int(object, "v", 0) != LOGINS_VERSION)
		return err_set(err, "the credentials: made for another version of the connector");
	if (!hosts || strlen(hosts) > HOST_LIST_MAX_TEXT)
		return err_set(err, "the credentials: they do not say which hosts they are for");
	int64_t port = json_get_int(object, "port", HOST_LIST_PORT);
	if (port < 1 || port > UINT16_MAX)
		return err_set(err, "the credentials: their port is none");
	if (host_list_read(hosts, (uint16_t)port, "", &logins->hosts, err))
		return err_prefix(err, "the credentials");
	if (keep(object, "", &logins->common, err))
		return -1;
	return keep_own(json_object_get(object, "by_host"), logins, err);
}

struct logins *logins_read(const char *text, size_t len, struct err *err)
{
	json_malloc_t usual_malloc;
	json_free_t usual_free;
	json_get_alloc_funcs(&usual_malloc, &usual_free);
	logins_wipe_json();
	struct logins *logins = xcalloc(1, sizeof *logins);
	/* The parser's own words could repeat a piece of what it read. */
	json_t *object = json_parse(text, len, NULL);
	int bad = object ? take(object, logins, err) : err_set(err, "the credentials: no JSON");
	json_decref(object);
	json_set_alloc_funcs(usual_malloc, usual_free);
	if (!bad)
		return logins;
	logins_free(logins);
	return NULL;
}

struct logins *logins_make(const struct login *login)
{
	struct logins *logins = xcalloc(1, sizeof *logins);
	const char *const texts[] = {
		login->user, login->password, login->key, login->passphrase, login->sudo_password};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		logins->common.texts[i] = guard(texts[i]);
	logins->common.agent = login->agent;
	logins->any_host = true;
	return logins;
}

static const struct kept *find_own(const struct logins *logins, const char *host, uint16_t port)
{
	char with_port[HOST_LIST_MAX_HOST + 8];
	snprintf(with_port, sizeof with_port, "%s:%u", host, (unsigned)port);
	for (size_t i = 0; i < logins->own_count; i++)
		if (strcasecmp(logins->own[i].host, host) == 0 ||
			strcasecmp(logins->own[i].host, with_port) == 0)
			return &logins->own[i];
	return NULL;
}

bool logins_find(const struct logins *logins, const char *host, uint16_t port, const char *user,
	struct login *login)
{
	const struct kept *own = find_own(logins, host, port), *common = &logins->common;
	const char *texts[ARRAY_LEN(members)];
	*login = (struct login){.user = NULL};
	if (!logins->any_host && !host_list_find(&logins->hosts, host, port))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		texts[i] = own && own->texts[i] ? own->texts[i] : common->texts[i];
	/* A password of its own is not for somebody else's key, nor the other way round. */
	if (own && (own->texts[PASSWORD] || own->texts[KEY])) {
		texts[PASSWORD] = own->texts[PASSWORD];
		texts[KEY] = own->texts[KEY];
		texts[PASSPHRASE] = own->texts[PASSPHRASE];
		texts[SUDO_PASSWORD] = own->texts[SUDO_PASSWORD];
	}
	const char *told = user && *user ? user : texts[USER];
	*login = (struct login){
		.user = told ? told : "root",
		.password = texts[PASSWORD],
		.key = texts[KEY],
		.passphrase = texts[PASSPHRASE],
		.sudo_password = texts[SUDO_PASSWORD] ? texts[SUDO_PASSWORD] : texts[PASSWORD],
		.agent = common->agent,
	};
	return true;
}

static void drop(struct kept *kept)
{
	for (size_t i = 0; i < ARRAY_LEN(kept->texts); i++)
		sodium_free(kept->texts[i]);
}

void logins_free(struct logins *logins)
{
	if (!logins)
		return;
	drop(&logins->common);
	for (size_t i = 0; i < logins->own_count; i++)
		drop(&logins->own[i]);
	free(logins->own);
	host_list_free(&logins->hosts);
	free(logins);
}
