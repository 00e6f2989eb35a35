#include "lib/store_fake.h"

#include <stdio.h>
#include <string.h>

static struct store_fake *fake_of(struct store *store)
{
	return (struct store_fake *)store;
}

static enum store_status gate(struct store_fake *fake, struct err *err)
{
	if (fake->fail_with != STORE_OK)
		err_set(err, "the fake fails as it was told");
	return fake->fail_with;
}

struct fake_server *store_fake_find(struct store_fake *fake, const char *id)
{
	for (size_t i = 0; i < fake->count; i++)
		if (strcmp(fake->servers[i].id, id) == 0)
			return &fake->servers[i];
	return NULL;
}

struct fake_server *store_fake_add(
	struct store_fake *fake, const unsigned char key[IDENTITY_KEY_BYTES])
{
	char id[IDENTITY_ID_SIZE];
	identity_id(key, id);
	struct fake_server *server = store_fake_find(fake, id);
	if (!server) {
		if (fake->count == FAKE_MAX_SERVERS)
			abort();
		server = &fake->servers[fake->count++];
		memcpy(server->id, id, sizeof id);
		memcpy(server->key, key, sizeof server->key);
	}
	server->known = true;
	return server;
}

static void fake_close(struct store *store)
{
	struct store_fake *fake = fake_of(store);
	for (size_t i = 0; i < fake->count; i++) {
		free(fake->servers[i].inventory);
		free(fake->servers[i].path);
	}
	for (size_t i = 0; i < fake->check_count; i++)
		store_check_free(&fake->checks[i]);
	free(fake);
}

static enum store_status fake_begin(struct store *store, bool lasting, struct err *err)
{
	(void)lasting;
	fake_of(store)->batch = true;
	return gate(fake_of(store), err);
}

static enum store_status fake_commit(struct store *store, struct err *err)
{
	fake_of(store)->batch = false;
	fake_of(store)->commits++;
	return gate(fake_of(store), err);
}

static void fake_rollback(struct store *store)
{
	fake_of(store)->batch = false;
}

static enum store_status fake_enrol(struct store *store, struct store_enrolment *enrolment,
	enum enrol_result *result, struct err *err)
{
	struct store_fake *fake = fake_of(store);
	enum store_status status = gate(fake, err);
	if (status != STORE_OK)
		return status;
	bool known = memcmp(enrolment->secret_hash, fake->secret_hash, STORE_HASH_BYTES) == 0;
	*result = known ? fake->enrol_result : ENROL_TOKEN_UNKNOWN;
	enrolment->token_expires = 1000;
	if (*result == ENROL_OK)
		store_fake_add(fake, enrolment->key);
	return STORE_OK;
}

static enum store_status fake_standing(struct store *store,
	const unsigned char key[IDENTITY_KEY_BYTES], enum server_standing *standing, struct err *err)
{
	char id[IDENTITY_ID_SIZE];
	(void)err;
	identity_id(key, id);
	const struct fake_server *server = store_fake_find(fake_of(store), id);
	*standing = server && server->revoked ? SERVER_REVOKED
				: server && server->known ? SERVER_KNOWN
										  : SERVER_UNKNOWN;
	return STORE_OK;
}

static void replace(char **at, const char *text)
{
	if (!text)
		return;
	free(*at);
	*at = xstrdup(text);
}

static enum store_status fake_change(
	struct store *store, const char *id, const struct store_change *change, struct err *err)
{
	struct fake_server *server = store_fake_find(fake_of(store), id);
	enum store_status status = gate(fake_of(store), err);
	if (status != STORE_OK || !server)
		return status;
	if (change->presence) {
		server->online = change->online;
		snprintf(server->cause, sizeof server->cause, "%s", change->cause ? change->cause : "");
		snprintf(server->reason, sizeof server->reason, "%s", change->reason ? change->reason : "");
		server->since = change->since;
		server->last_seen = change->last_seen;
	}
	replace(&server->inventory, change->inventory);
	replace(&server->path, change->path);
	return STORE_OK;
}

static enum store_status fake_remove(
	struct store *store, const char *id, bool revoke, int64_t now, struct err *err)
{
	struct fake_server *server = store_fake_find(fake_of(store), id);
	enum store_status status = gate(fake_of(store), err);
	(void)now;
	if (status != STORE_OK || !server || !server->known)
		return status == STORE_OK ? STORE_NOT_FOUND : status;
	server->known = false;
	server->revoked = revoke;
	return STORE_OK;
}

/* --- checks ------------------------------------------------------------------------------- */

struct store_check *store_fake_check(struct store_fake *fake, size_t back)
{
	return back < fake->check_count ? &fake->checks[fake->check_count - 1 - back] : NULL;
}

static void copy_check(struct store_check *to, const struct store_check *from)
{
	*to = *from;
	char **const texts[] = {&to->requested_by, &to->profile, &to->title, &to->verdict, &to->causes,
		&to->outcome, &to->reason, &to->report};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		*texts[i] = xstrdup(*texts[i]);
}

static struct store_check *find_check(struct store_fake *fake, const char *id)
{
	for (size_t i = 0; i < fake->check_count; i++)
		if (strcmp(fake->checks[i].id, id) == 0)
			return &fake->checks[i];
	return NULL;
}

static enum store_status check_gate(
	struct store_fake *fake, const struct store_check *check, struct err *err)
{
	enum store_status status = gate(fake, err);
	return status == STORE_OK && check->report ? fake->report_fails_with : status;
}

static enum store_status fake_check_add(
	struct store *store, struct store_check *check, struct err *err)
{
	struct store_fake *fake = fake_of(store);
	enum store_status status = check_gate(fake, check, err);
	if (status != STORE_OK)
		return status;
	if (!store_fake_find(fake, check->server))
		return STORE_NOT_FOUND;
	if (fake->check_count == FAKE_MAX_CHECKS)
		abort();
	copy_check(&fake->checks[fake->check_count++], check);
	return STORE_OK;
}

static enum store_status fake_check_change(
	struct store *store, const struct store_check *check, struct err *err)
{
	struct store_fake *fake = fake_of(store);
	enum store_status status = check_gate(fake, check, err);
	struct store_check *stored = find_check(fake, check->id);
	if (status != STORE_OK || !stored)
		return status == STORE_OK ? STORE_NOT_FOUND : status;
	char *report = xstrdup(check->report ? check->report : stored->report);
	store_check_free(stored);
	copy_check(stored, check);
	free(stored->report);
	stored->report = report;
	return STORE_OK;
}

static enum store_status fake_check_find(struct store *store, const char *server, const char *id,
	struct store_check *check, struct err *err)
{
	(void)err;
	const struct store_check *stored = find_check(fake_of(store), id);
	if (!stored || strcmp(stored->server, server) != 0)
		return STORE_NOT_FOUND;
	copy_check(check, stored);
	return STORE_OK;
}

static enum store_status fake_check_unfinished(struct store *store,
	void (*each)(void *data, const struct store_check *check), void *data, struct err *err)
{
	struct store_fake *fake = fake_of(store);
	(void)err;
	for (size_t i = 0; i < fake->check_count; i++)
		if (fake->checks[i].state == CHECK_QUEUED || fake->checks[i].state == CHECK_RUNNING)
			each(data, &fake->checks[i]);
	return STORE_OK;
}

static enum store_status fake_server_find(struct store *store, const char *id,
	struct store_server *server, struct store_details *details, struct err *err)
{
	(void)details;
	const struct fake_server *stored = store_fake_find(fake_of(store), id);
	if (!stored) {
		err_set(err, "no such server");
		return STORE_NOT_FOUND;
	}
	*server = (struct store_server){.online = stored->online};
	char **const texts[] = {&server->name, &server->platform, &server->os_name, &server->address,
		&server->mac, &server->location, &server->version, &server->cause, &server->reason,
		&server->addressing};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		*texts[i] = xstrdup("");
	memcpy(server->id, stored->id, sizeof server->id);
	return STORE_OK;
}

static enum store_status fake_audit_add(
	struct store *store, const struct store_audit *audit, struct err *err)
{
	(void)audit;
	return gate(fake_of(store), err);
}

static const struct store_driver driver = {
	.close = fake_close,
	.begin = fake_begin,
	.commit = fake_commit,
	.rollback = fake_rollback,
	.servers = {.enrol = fake_enrol,
		.standing = fake_standing,
		.change = fake_change,
		.find = fake_server_find,
		.remove = fake_remove},
	.access = {.audit_add = fake_audit_add},
	.checks = {.add = fake_check_add,
		.change = fake_check_change,
		.find = fake_check_find,
		.unfinished = fake_check_unfinished},
};

struct store_fake *store_fake_new(void)
{
	struct store_fake *fake = xcalloc(1, sizeof *fake);
	fake->store.driver = &driver;
	return fake;
}
