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
		free(fake->servers[i].check);
	}
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
	replace(&server->check, change->check);
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

static const struct store_driver driver = {
	.close = fake_close,
	.begin = fake_begin,
	.commit = fake_commit,
	.rollback = fake_rollback,
	.servers = {.enrol = fake_enrol,
		.standing = fake_standing,
		.change = fake_change,
		.remove = fake_remove},
};

struct store_fake *store_fake_new(void)
{
	struct store_fake *fake = xcalloc(1, sizeof *fake);
	fake->store.driver = &driver;
	return fake;
}
