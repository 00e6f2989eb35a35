#include "lib/memory_store.h"

#include <string.h>

static struct memory_store the_one;

static enum store_status begin(struct store *store, bool lasting, struct err *err)
{
	if (the_one.fail_with == STORE_OK)
		return the_one.real_begin(store, lasting, err);
	err_set(err, "the store fails as it was told");
	return the_one.fail_with;
}

struct memory_store *memory_store_open(void)
{
	struct err err = {0};
	struct store *store = sqlite_open(":memory:", &err);
	struct store_token token = {.id = "0123456789abcdef",
		.label = (char *)"lab",
		.created_by = (char *)"alice",
		.created = 1,
		.expires = INT64_MAX,
		.uses = INT64_MAX};
	if (!store || store->driver->tokens.add(store, &token, &err) != STORE_OK)
		abort();
	the_one = (struct memory_store){
		.store = store, .driver = *store->driver, .real_begin = store->driver->begin};
	the_one.driver.begin = begin;
	store->driver = &the_one.driver;
	return &the_one;
}

void memory_store_close(struct memory_store *memory)
{
	memory->store->driver->close(memory->store);
}

static void key_of(unsigned number, unsigned char key[IDENTITY_KEY_BYTES])
{
	memset(key, 0, IDENTITY_KEY_BYTES);
	memcpy(key, &number, sizeof number);
}

const char *memory_store_id(unsigned number)
{
	static char id[IDENTITY_ID_SIZE];
	unsigned char key[IDENTITY_KEY_BYTES];
	key_of(number, key);
	identity_id(key, id);
	return id;
}

const char *memory_store_add(struct memory_store *memory, unsigned number, const char *inventory)
{
	struct store_enrolment enrolment = {.inventory = inventory, .now = 2};
	enum enrol_result result = ENROL_TOKEN_UNKNOWN;
	key_of(number, enrolment.key);
	if (memory->store->driver->servers.enrol(memory->store, &enrolment, &result, NULL) !=
			STORE_OK ||
		result != ENROL_OK)
		abort();
	return memory_store_id(number);
}
