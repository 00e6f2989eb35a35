/*
 * Support bundles at the hub, on the real database and real files: the states, the bounds, what is
 * given up, what goes with its server (R28, S2).
 */
#include "hub/support/bundles.h"
#include "temporary_root.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sodium.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#define A "0123456789abcdef0123456789abcdef"
#define B "fedcba9876543210fedcba9876543210"

static char root[ROOT_SIZE];
static struct store *store;
static struct bundles *bundles;
static uv_loop_t loop;
static struct err err;
static char server[IDENTITY_ID_SIZE], other[IDENTITY_ID_SIZE];
static int told;
static enum store_bundle_state told_state;
static int64_t now;

static void on_changed(void *data, const struct store_bundle *bundle, int64_t received)
{
	(void)data;
	(void)received;
	told++;
	told_state = bundle->state;
}

static void open_bundles(void)
{
	const struct bundles_hooks hooks = {on_changed, NULL};
	bundles = bundles_new(store, &loop, root, &hooks, &err);
	assert_non_null(bundles);
}

/* A machine that joins, by a token of its own. */
static void join(unsigned char number, char id[IDENTITY_ID_SIZE])
{
	struct store_token token = {.label = (char *)"",
		.created_by = (char *)"",
		.location = (char *)"",
		.uses = 1,
		.created = now,
		.expires = now + 1000};
	struct store_enrolment enrolment = {
		.inventory = "{\"name\":\"web\",\"location\":\"Bern\"}", .now = now};
	enum enrol_result result;
	snprintf(token.id, sizeof token.id, "token%d", number);
	token.secret_hash[0] = enrolment.secret_hash[0] = number;
	enrolment.key[0] = number;
	assert_int_equal(store->driver->tokens.add(store, &token, &err), STORE_OK);
	assert_int_equal(store->driver->servers.enrol(store, &enrolment, &result, &err), STORE_OK);
	assert_int_equal(result, ENROL_OK);
	identity_id(enrolment.key, id);
}

static int set_up(void **state)
{
	char path[ROOT_SIZE + 16];
	(void)state;
	now = time(NULL);
	assert_int_equal(root_make(root), 0);
	snprintf(path, sizeof path, "%s/hub.db", root);
	store = sqlite_open(path, &err);
	assert_non_null(store);
	uv_loop_init(&loop);
	join(1, server);
	join(2, other);
	open_bundles();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	bundles_free(bundles);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	store->driver->close(store);
	return root_remove(root);
}

/* --- what a machine does ------------------------------------------------------------------- */

static enum bundles_said create(const char *who, const char *id, const char *content)
{
	unsigned char hash[UPLOAD_HASH_BYTES];
	struct bundles_result result;
	crypto_hash_sha256(hash, (const unsigned char *)content, strlen(content));
	struct bundles_wish wish = {who, id, (int64_t)strlen(content), hash, "{}", now};
	bundles_create(bundles, &wish, &result);
	store_bundle_free(&result.bundle);
	return result.said;
}

static enum bundles_said done;

static void on_done(void *data, const struct bundles_result *result)
{
	(void)data;
	done = result->said;
}

/* A piece; with the last one, until the digest was compared. */
static enum bundles_said send_piece(
	const char *who, const char *id, int64_t offset, const char *text, bool last)
{
	struct bundles_piece piece = {who, id, offset, text, strlen(text), last, now};
	struct bundles_result result;
	bundles_append(bundles, &piece, &result);
	enum bundles_said said = result.said;
	if (said == BUNDLES_LAST) {
		bundles_verify(bundles, &result.bundle, on_done, NULL);
		struct bundles_result meanwhile;
		bundles_append(bundles, &piece, &meanwhile);
		assert_int_equal(meanwhile.said, BUNDLES_BUSY);
		uv_run(&loop, UV_RUN_DEFAULT);
		said = done;
	}
	store_bundle_free(&result.bundle);
	return said;
}

static enum store_bundle_state state_of(const char *id)
{
	struct store_bundle bundle;
	if (store->driver->uploads.find(store, id, &bundle, &err) != STORE_OK)
		return BUNDLE_STATES;
	enum store_bundle_state state = bundle.state;
	store_bundle_free(&bundle);
	return state;
}

static bool has_file(const char *id)
{
	char path[128];
	snprintf(path, sizeof path, "%s/bundles/%s", root, id);
	return access(path, F_OK) == 0;
}

static void ask(char id[UPLOAD_ID_SIZE])
{
	struct bundles_result result;
	bundles_ask(bundles, server, "alice", now, &result);
	assert_int_equal(result.said, BUNDLES_CREATED);
	assert_string_equal(result.bundle.server_name, "web");
	memcpy(id, result.bundle.id, UPLOAD_ID_SIZE);
	store_bundle_free(&result.bundle);
}

/* --- the tests ----------------------------------------------------------------------------- */

static void asked_sent_and_ready(void **state)
{
	char id[UPLOAD_ID_SIZE];
	struct bundles_result result;
	(void)state;
	ask(id);
	bundles_ask(bundles, server, "bob", now, &result);
	assert_int_equal(result.said, BUNDLES_BUSY);
	assert_int_equal(create(other, id, "hello world"), BUNDLES_UNKNOWN);
	assert_int_equal(create(server, id, "hello world"), BUNDLES_CREATED);
	assert_int_equal(state_of(id), BUNDLE_UPLOADING);
	assert_int_equal(send_piece(server, id, 0, "hello ", false), BUNDLES_OK);
	assert_int_equal(send_piece(other, id, 6, "world", true), BUNDLES_UNKNOWN);
	/* The hub goes down and comes back; so does the machine. */
	bundles_free(bundles);
	open_bundles();
	assert_int_equal(create(server, id, "hello world"), BUNDLES_OK);
	bundles_look(bundles, server, id, &result);
	assert_int_equal(result.offset, 6);
	store_bundle_free(&result.bundle);
	assert_int_equal(send_piece(server, id, 5, "world", false), BUNDLES_OFFSET);
	assert_int_equal(send_piece(server, id, 6, "world and more", false), BUNDLES_LENGTH);
	assert_int_equal(send_piece(server, id, 6, "wor", true), BUNDLES_LENGTH);
	assert_int_equal(send_piece(server, id, 6, "world", true), BUNDLES_OK);
	assert_int_equal(state_of(id), BUNDLE_READY);
	assert_int_equal(told_state, BUNDLE_READY);
	/* Its answer was lost, and it says it again. */
	assert_int_equal(create(server, id, "hello world"), BUNDLES_OK);
	assert_int_equal(send_piece(server, id, 11, "", true), BUNDLES_OK);
	assert_int_equal(create(server, id, "other"), BUNDLES_ENDED);
	int fd = bundles_open(bundles, id);
	char text[16] = "";
	assert_int_equal(read(fd, text, sizeof text), 11);
	assert_string_equal(text, "hello world");
	close(fd);
	assert_int_equal(bundles_remove(bundles, id, &err), STORE_OK);
	assert_false(has_file(id));
}

static void what_was_announced_is_what_counts(void **state)
{
	(void)state;
	assert_int_equal(create(server, A, "the truth"), BUNDLES_CREATED);
	assert_int_equal(send_piece(server, A, 0, "not truth", true), BUNDLES_LENGTH);
	assert_int_equal(state_of(A), BUNDLE_FAILED);
	assert_false(has_file(A));
	/* It may try again with the same. */
	assert_int_equal(create(server, A, "the truth"), BUNDLES_CREATED);
	assert_int_equal(send_piece(server, A, 0, "the truth", true), BUNDLES_OK);
	assert_int_equal(state_of(A), BUNDLE_READY);
}

static void a_machine_is_bounded(void **state)
{
	char id[UPLOAD_ID_SIZE];
	(void)state;
	assert_int_equal(create(other, B, "x"), BUNDLES_CREATED);
	assert_int_equal(send_piece(other, B, 0, "x", true), BUNDLES_OK);
	for (int i = 0; i < 3 * BUNDLES_PER_SERVER; i++) {
		snprintf(id, sizeof id, "%032x", i);
		assert_int_equal(create(server, id, "content"), BUNDLES_CREATED);
		assert_int_equal(send_piece(server, id, 0, "content", true), BUNDLES_OK);
		assert_int_equal(create(server, A, "too soon"), BUNDLES_SOON);
		now += BUNDLES_PACE_S;
	}
	struct store_bundle_query query = {.server = server, .limit = 100};
	struct store_bundle_page page;
	assert_int_equal(store->driver->uploads.list(store, &query, &page, &err), STORE_OK);
	assert_int_equal(page.count, BUNDLES_PER_SERVER);
	store_bundle_page_free(&page);
	assert_int_equal(state_of(B), BUNDLE_READY); /* another's are its own */
	struct bundles_wish wish = {server, A, BUNDLES_MAX_TOTAL, (const unsigned char *)A, "{}", now};
	struct bundles_result result;
	bundles_create(bundles, &wish, &result);
	assert_int_equal(result.said, BUNDLES_FULL);
	/* An unfinished one of its own makes room for the next. */
	assert_int_equal(create(server, A, "begun"), BUNDLES_CREATED);
	assert_int_equal(send_piece(server, A, 0, "beg", false), BUNDLES_OK);
	now += BUNDLES_PACE_S;
	assert_int_equal(create(server, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "next"), BUNDLES_CREATED);
	assert_int_equal(state_of(A), BUNDLE_FAILED);
	assert_false(has_file(A));
}

static void what_is_overdue_is_given_up(void **state)
{
	char id[UPLOAD_ID_SIZE];
	(void)state;
	ask(id);
	assert_int_equal(create(other, B, "stalls"), BUNDLES_CREATED);
	assert_int_equal(send_piece(other, B, 0, "sta", false), BUNDLES_OK);
	bundles_sweep(bundles, now + BUNDLES_ANSWER_S - 5);
	assert_int_equal(state_of(id), BUNDLE_ASKED);
	bundles_sweep(bundles, now + BUNDLES_ANSWER_S + 5);
	assert_int_equal(state_of(id), BUNDLE_FAILED);
	assert_int_equal(state_of(B), BUNDLE_UPLOADING);
	bundles_sweep(bundles, now + BUNDLES_STALL_S + 5);
	assert_int_equal(state_of(B), BUNDLE_FAILED);
	assert_false(has_file(B));
	/* A machine that comes after all is let in. */
	assert_int_equal(create(server, id, "late"), BUNDLES_CREATED);
	assert_int_equal(send_piece(server, id, 0, "late", true), BUNDLES_OK);
	bundles_sweep(bundles, now + BUNDLES_AGE_S + 5);
	assert_int_equal(state_of(id), BUNDLE_STATES);
	assert_false(has_file(id));
}

static void the_machine_says_that_it_cannot(void **state)
{
	char id[UPLOAD_ID_SIZE];
	struct store_bundle bundle;
	(void)state;
	ask(id);
	assert_int_equal(bundles_failed(bundles, other, id, "not mine", now), -1);
	assert_int_equal(bundles_failed(bundles, server, id, "the disk is full", now), 0);
	assert_int_equal(store->driver->uploads.find(store, id, &bundle, &err), STORE_OK);
	assert_string_equal(bundle.reason, "the disk is full");
	store_bundle_free(&bundle);
	assert_int_equal(bundles_failed(bundles, server, A, "never asked", now), -1);
}

/* A server that is removed leaves no row at once, and no file after the next start or sweep. */
static void nothing_stays_of_a_removed_server(void **state)
{
	(void)state;
	assert_int_equal(create(server, A, "content"), BUNDLES_CREATED);
	assert_int_equal(send_piece(server, A, 0, "content", true), BUNDLES_OK);
	assert_int_equal(create(other, B, "content"), BUNDLES_CREATED);
	assert_int_equal(send_piece(other, B, 0, "content", true), BUNDLES_OK);
	assert_int_equal(store->driver->servers.remove(store, server, false, now, &err), STORE_OK);
	assert_int_equal(state_of(A), BUNDLE_STATES);
	assert_true(has_file(A));
	bundles_free(bundles);
	open_bundles();
	assert_false(has_file(A));
	assert_true(has_file(B));
}

/* Lists: by server, by location, by pages. */
static void lists_are_filtered(void **state)
{
	struct store_bundle_query query = {.location = "bern", .limit = 1};
	struct store_bundle_page page;
	(void)state;
	assert_int_equal(create(server, A, "content"), BUNDLES_CREATED);
	assert_int_equal(create(other, B, "content"), BUNDLES_CREATED);
	assert_int_equal(store->driver->uploads.list(store, &query, &page, &err), STORE_OK);
	assert_int_equal(page.count, 1);
	assert_string_equal(page.rows[0].id, B);
	query.before = page.next;
	store_bundle_page_free(&page);
	assert_int_equal(store->driver->uploads.list(store, &query, &page, &err), STORE_OK);
	assert_string_equal(page.rows[0].id, A);
	assert_int_equal(page.next, 0);
	store_bundle_page_free(&page);
	query = (struct store_bundle_query){.location = "Paris", .limit = 10};
	assert_int_equal(store->driver->uploads.list(store, &query, &page, &err), STORE_OK);
	assert_int_equal(page.count, 0);
	store_bundle_page_free(&page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(asked_sent_and_ready, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_was_announced_is_what_counts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_machine_is_bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_overdue_is_given_up, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_machine_says_that_it_cannot, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nothing_stays_of_a_removed_server, set_up, tear_down),
		cmocka_unit_test_setup_teardown(lists_are_filtered, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
