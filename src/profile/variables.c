/*
 * Variables: the part of a host that is another one for each customer or region. Their values are
 * put in when a profile is loaded and again when profile_set() changes them.
 */
#include "profile/schema.h"

#include "base/buf.h"
#include "base/hostname.h"

#include <string.h>

#define MAX_VALUE 200 /* characters; a whole name may be a value */

static struct profile_variable *find(const struct profile *profile, const char *name, size_t len)
{
	for (unsigned i = 0; i < profile->variables_count; i++) {
		struct profile_variable *variable = &profile->variables[i];
		if (strlen(variable->name) == len && strncmp(variable->name, name, len) == 0)
			return variable;
	}
	return NULL;
}

int profile_value_check(const char *value, struct err *err)
{
	size_t len = strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.");
	if (*value && !value[len] && len <= MAX_VALUE)
		return 0;
	return err_set(err,
		"a value is a part of a host name: at most %d letters, digits, \"-\" and \".\", not "
		"\"%.80s\"",
		MAX_VALUE, value);
}

/* *unset is the first variable without a value, or NULL. */
static char *expand(const struct profile *profile, const char *form,
	const struct profile_variable **unset, struct err *err)
{
	struct buf out = {0};
	*unset = NULL;
	buf_puts(&out, "");
	for (const char *at = form; *at;) {
		size_t len = strcspn(at, "{}");
		buf_append(&out, at, len);
		at += len;
		if (!*at)
			break;
		size_t name = strcspn(at + 1, "{}");
		const struct profile_variable *variable =
			*at == '{' && at[1 + name] == '}' ? find(profile, at + 1, name) : NULL;
		if (!variable) {
			err_set(err, "\"%.*s\" names no variable; declare it under `variables:`",
				(int)(name < 60 ? name + 1 + (at[1 + name] == '}') : 60), at);
			buf_free(&out);
			return NULL;
		}
		if (!variable->value && !*unset)
			*unset = variable;
		buf_puts(&out, variable->value ? variable->value : "x");
		at += name + 2;
	}
	return out.data;
}

char *profile_host_sample(const struct profile *profile, const char *host, struct err *err)
{
	const struct profile_variable *unset;
	return expand(profile, host, &unset, err);
}

/* Why an endpoint cannot be tried, owned by the caller; NULL when it can. */
static char *why_untested(
	const struct profile_endpoint *endpoint, const struct profile_variable *unset)
{
	cleanup(free_ptr) char *why = NULL;
	if (unset)
		why =
			xasprintf("say which with --set %s=...%s%s%s", unset->name, unset->purpose ? " (" : "",
				unset->purpose ? unset->purpose : "", unset->purpose ? ")" : "");
	else if (endpoint->wildcard)
		why = xstrdup("the name is a pattern, and no name that it stands for is known");
	else if (endpoint->protocol == PROFILE_UDP)
		why = xstrdup("over UDP only the service itself would answer");
	if (!why)
		return NULL;
	return xasprintf("not testable: %s%s%s", why, endpoint->remark ? "; " : "",
		endpoint->remark ? endpoint->remark : "");
}

static void fill_host(const struct profile *profile, struct profile_endpoint *endpoint)
{
	const struct profile_variable *unset = NULL;
	char *host = expand(profile, endpoint->host_form, &unset, NULL);
	if (!host || unset) {
		free(host);
		host = xstrdup(endpoint->host_form);
	}
	free(endpoint->host);
	free(endpoint->untested);
	endpoint->host = host;
	endpoint->wildcard = strchr(host, '*') != NULL;
	endpoint->untested = why_untested(endpoint, unset);
}

void profile_fill_hosts(struct profile *profile)
{
	for (unsigned i = 0; i < profile->endpoints_count; i++)
		fill_host(profile, &profile->endpoints[i]);
}

static int say_no_variable(const struct profile *profile, const char *name, struct err *err)
{
	struct buf names = {0};
	for (unsigned i = 0; i < profile->variables_count; i++)
		buf_printf(&names, "%s%s", i ? ", " : "", profile->variables[i].name);
	int rc = err_set(err, "the profile %s has no variable \"%.80s\"%s%s", profile->id, name,
		names.len ? "; it has " : "", buf_text(&names));
	buf_free(&names);
	return rc;
}

static int set_one(struct profile *profile, char *setting, struct err *err)
{
	char *equals = strchr(setting, '=');
	if (!equals)
		return err_set(err, "NAME=VALUE was expected, not \"%.80s\"", setting);
	*equals = '\0';
	struct profile_variable *variable = find(profile, setting, strlen(setting));
	if (!variable)
		return say_no_variable(profile, setting, err);
	if (profile_value_check(equals + 1, err))
		return -1;
	free(variable->value);
	variable->value = xstrdup(equals + 1);
	return 0;
}

int profile_set(struct profile *profile, const char *settings, struct err *err)
{
	cleanup(free_ptr) char *copy = xstrdup(settings);
	char *save = NULL;
	int rc = 0;
	for (char *at = strtok_r(copy, ",", &save); at && !rc; at = strtok_r(NULL, ",", &save))
		rc = set_one(profile, at, err);
	profile_fill_hosts(profile);
	for (unsigned i = 0; i < profile->endpoints_count && !rc; i++)
		if (!hostname_fits(profile->endpoints[i].host))
			rc = err_set(err, "\"%.80s\" is no host name then; look at the dots of what was set",
				profile->endpoints[i].host);
	return rc;
}
