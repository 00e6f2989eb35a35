/*
 * The SQLite driver on a real file: users, tokens, joining, presence, the list, checks, and a file
 * that is no database, damaged, of an older or a newer release. Proves S1 (what is known of a
 * server), S11 (paged lists).
 */
#include "base/embed.h"
#include "store/report_blob.h"
#include "store/store.h"
#include "temporary_root.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define NOW 1700000000

static char root[ROOT_SIZE];
static char path[ROOT_SIZE + 16];
static struct store *store;
static struct err err;

static int set_up(void **state)
{
	(void)state;
	if (root_make(root))
		return -1;
	snprintf(path, sizeof path, "%s/hub.db", root);
	store = sqlite_open(path, &err);
	return store ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	if (store)
		store->driver->close(store);
	store = NULL;
	return root_remove(root);
}

static void reopen(void)
{
	store->driver->close(store);
	store = sqlite_open(path, &err);
	assert_non_null(store);
}

/* --- users ------------------------------------------------------------------------------------ */

static enum store_status add_user(const char *name, bool first)
{
	struct store_user user = {
		.name = (char *)name,
		.password = (char *)"hash",
		.role = (char *)"administrator",
		.created = NOW,
	};
	return store->driver->users.add(store, &user, first, &err);
}

static void first_user_is_made_once(void **state)
{
	int64_t count = -1;
	(void)state;
	assert_int_equal(add_user("alice", true), STORE_OK);
	assert_int_equal(add_user("bob", true), STORE_EXISTS);
	assert_int_equal(add_user("bob", false), STORE_OK);
	assert_int_equal(add_user("ALICE", false), STORE_EXISTS);
	assert_int_equal(store->driver->users.count(store, &count, &err), STORE_OK);
	assert_int_equal(count, 2);
}

static void removing_a_user_signs_him_out(void **state)
{
	unsigned char cookie[STORE_HASH_BYTES] = {1};
	struct store_user user = {0};
	(void)state;
	add_user("alice", false);
	add_user("bob", false);
	assert_int_equal(
		store->driver->web_sessions.add(store, cookie, "alice", NOW, NOW + 10, &err), STORE_OK);
	assert_int_equal(store->driver->web_sessions.find(store, cookie, NOW, &user, &err), STORE_OK);
	assert_string_equal(user.name, "alice");
	assert_string_equal(user.role, "administrator");
	assert_string_equal(user.password, "");
	store_user_free(&user);
	assert_int_equal(
		store->driver->web_sessions.find(store, cookie, NOW + 10, &user, &err), STORE_NOT_FOUND);
	assert_int_equal(store->driver->users.remove(store, "alice", "administrator", &err), STORE_OK);
	assert_int_equal(
		store->driver->web_sessions.find(store, cookie, NOW, &user, &err), STORE_NOT_FOUND);
	assert_int_equal(
		store->driver->users.remove(store, "alice", "administrator", &err), STORE_NOT_FOUND);
}

static void meta_is_replaced(void **state)
{
	char *value = NULL;
	(void)state;
	assert_int_equal(store->driver->meta.get(store, "host", &value, &err), STORE_OK);
	assert_null(value);
	store->driver->meta.set(store, "host", "a", &err);
	store->driver->meta.set(store, "host", "b", &err);
	reopen();
	assert_int_equal(store->driver->meta.get(store, "host", &value, &err), STORE_OK);
	assert_string_equal(value, "b");
	free(value);
}

/* --- joining ---------------------------------------------------------------------------------- */

static void add_token(const char *id, unsigned char secret, int64_t expires, int64_t uses)
{
	struct store_token token = {.label = (char *)"lab",
		.created_by = (char *)"alice",
		.created = NOW,
		.expires = expires,
		.uses = uses};
	snprintf(token.id, sizeof token.id, "%s", id);
	memset(token.secret_hash, secret, sizeof token.secret_hash);
	assert_int_equal(store->driver->tokens.add(store, &token, &err), STORE_OK);
}

static enum enrol_result enrol(unsigned char secret, unsigned key, const char *inventory)
{
	struct store_enrolment enrolment = {.inventory = inventory, .now = NOW};
	enum enrol_result result = ENROL_OK;
	memset(enrolment.secret_hash, secret, sizeof enrolment.secret_hash);
	memcpy(enrolment.key, &key, sizeof key);
	assert_int_equal(store->driver->servers.enrol(store, &enrolment, &result, &err), STORE_OK);
	return result;
}

static const char *id_of(unsigned key)
{
	static char id[IDENTITY_ID_SIZE];
	unsigned char raw[IDENTITY_KEY_BYTES] = {0};
	memcpy(raw, &key, sizeof key);
	identity_id(raw, id);
	return id;
}

static void tokens_expire_and_are_used_up(void **state)
{
	(void)state;
	add_token("two", 1, NOW + 60, 2);
	add_token("old", 2, NOW, 2);
	assert_int_equal(enrol(9, 1, "{}"), ENROL_TOKEN_UNKNOWN);
	assert_int_equal(enrol(2, 1, "{}"), ENROL_TOKEN_EXPIRED);
	assert_int_equal(enrol(1, 1, "{}"), ENROL_OK);
	assert_int_equal(enrol(1, 2, "{}"), ENROL_OK);
	assert_int_equal(enrol(1, 3, "{}"), ENROL_TOKEN_USED_UP);
	/* The answer to the second was lost: it comes again with the token it had joined with. */
	assert_int_equal(enrol(1, 2, "{}"), ENROL_OK);
	assert_int_equal(store->driver->tokens.revoke(store, "two", &err), STORE_OK);
	assert_int_equal(enrol(1, 2, "{}"), ENROL_TOKEN_UNKNOWN);
	assert_int_equal(store->driver->tokens.revoke(store, "none", &err), STORE_NOT_FOUND);
}

static void removed_key_stays_out(void **state)
{
	enum server_standing standing;
	unsigned char key[IDENTITY_KEY_BYTES] = {1};
	(void)state;
	add_token("t", 1, NOW + 60, 9);
	enrol(1, 1, "{}");
	assert_int_equal(store->driver->servers.standing(store, key, &standing, &err), STORE_OK);
	assert_int_equal(standing, SERVER_KNOWN);
	assert_int_equal(store->driver->servers.remove(store, id_of(1), true, NOW, &err), STORE_OK);
	store->driver->servers.standing(store, key, &standing, &err);
	assert_int_equal(standing, SERVER_REVOKED);
	assert_int_equal(enrol(1, 1, "{}"), ENROL_KEY_REVOKED);
	assert_int_equal(
		store->driver->servers.remove(store, id_of(1), true, NOW, &err), STORE_NOT_FOUND);
}

static void server_that_left_may_come_back(void **state)
{
	enum server_standing standing;
	unsigned char key[IDENTITY_KEY_BYTES] = {1};
	(void)state;
	add_token("t", 1, NOW + 60, 9);
	enrol(1, 1, "{}");
	store->driver->servers.remove(store, id_of(1), false, NOW, &err);
	store->driver->servers.standing(store, key, &standing, &err);
	assert_int_equal(standing, SERVER_UNKNOWN);
	assert_int_equal(enrol(1, 1, "{}"), ENROL_OK);
}

/* --- what is known of a server ---------------------------------------------------------------- */

static const char inventory[] =
	"{\"name\":\"web-1\",\"platform\":\"linux\",\"os_name\":\"Debian GNU/Linux 12\","
	"\"agent_version\":\"0.1.0\",\"interfaces\":["
	"{\"name\":\"lo\",\"ipv4\":\"127.0.0.1/8\",\"up\":true},"
	"{\"name\":\"down0\",\"ipv4\":\"10.0.0.3/24\",\"up\":false},"
	"{\"name\":\"eth0\",\"ipv4\":\"10.0.0.9/24\",\"mac\":\"02:00:00:00:00:01\",\"up\":true}]}";

static void server_has_its_inventory_and_presence(void **state)
{
	struct store_server server;
	struct store_details details;
	struct store_change change = {.presence = true,
		.online = false,
		.cause = "peer-reset",
		.reason = "It was reset.",
		.since = NOW + 5,
		.last_seen = NOW + 4,
		.path = "{\"stages\":[]}",
		.now = NOW + 6};
	(void)state;
	add_token("t", 1, NOW + 60, 9);
	enrol(1, 1, inventory);
	assert_int_equal(store->driver->servers.change(store, id_of(1), &change, &err), STORE_OK);
	reopen();
	assert_int_equal(
		store->driver->servers.find(store, id_of(1), &server, &details, &err), STORE_OK);
	assert_string_equal(server.name, "web-1");
	assert_string_equal(server.address, "10.0.0.9");
	assert_string_equal(server.mac, "02:00:00:00:00:01");
	assert_string_equal(server.cause, "peer-reset");
	assert_int_equal(server.since, NOW + 5);
	assert_int_equal(server.last_seen, NOW + 4);
	assert_false(server.online);
	assert_string_equal(details.inventory, inventory);
	assert_string_equal(details.path, "{\"stages\":[]}");
	assert_int_equal(details.path_at, NOW + 6);
	assert_null(details.check);
	store_server_free(&server);
	store_details_free(&details);
	assert_int_equal(
		store->driver->servers.find(store, "none", &server, NULL, &err), STORE_NOT_FOUND);
}

static void changes_of_a_batch_come_together_or_not_at_all(void **state)
{
	struct store_server server;
	struct store_change change = {.presence = true, .online = true, .since = NOW};
	(void)state;
	add_token("t", 1, NOW + 60, 9);
	enrol(1, 1, "{}");
	assert_int_equal(store->driver->begin(store, false, &err), STORE_OK);
	store->driver->servers.change(store, id_of(1), &change, &err);
	store->driver->rollback(store);
	store->driver->servers.find(store, id_of(1), &server, NULL, &err);
	assert_false(server.online);
	store_server_free(&server);
	assert_int_equal(store->driver->begin(store, false, &err), STORE_OK);
	store->driver->servers.change(store, id_of(1), &change, &err);
	assert_int_equal(store->driver->commit(store, &err), STORE_OK);
	reopen();
	store->driver->servers.find(store, id_of(1), &server, NULL, &err);
	assert_true(server.online);
	store_server_free(&server);
	store->driver->servers.all_offline(store, "hub-restarting", "It was restarted.", NOW, &err);
	store->driver->servers.find(store, id_of(1), &server, NULL, &err);
	assert_false(server.online);
	assert_string_equal(server.cause, "hub-restarting");
	store_server_free(&server);
}

/* A text that is no inventory, and one with what belongs in no terminal. */
static void bad_inventories_leave_empty_texts(void **state)
{
	struct store_server server;
	(void)state;
	add_token("t", 1, NOW + 60, 9);
	enrol(1, 1, "[1,2]");
	store->driver->servers.find(store, id_of(1), &server, NULL, &err);
	assert_string_equal(server.name, "");
	store_server_free(&server);
	enrol(1, 2, "{\"name\":\"a\\u001b[31mb\",\"interfaces\":{\"x\":1},\"os_name\":7}");
	store->driver->servers.find(store, id_of(2), &server, NULL, &err);
	assert_string_equal(server.name, "a [31mb");
	store_server_free(&server);
}

/* --- the list --------------------------------------------------------------------------------- */

static void add_many(unsigned count)
{
	char text[400];
	store->driver->begin(store, false, &err);
	for (unsigned i = 0; i < count; i++) {
		snprintf(text, sizeof text,
			"{\"name\":\"host-%05u\",\"platform\":\"%s\",\"os_name\":\"OS %u\",\"agent_version\":"
			"\"0.%u\",\"interfaces\":[{\"name\":\"e\",\"ipv4\":\"10.%u.%u.%u/8\",\"up\":true}]}",
			i, i % 3 ? "linux" : "windows", i % 7, i % 2, i >> 16, i >> 8 & 255, i & 255);
		enrol(1, i + 1, text);
		if (i % 4 == 0) {
			struct store_change change = {
				.presence = true, .online = true, .since = NOW, .last_seen = NOW + i};
			store->driver->servers.change(store, id_of(i + 1), &change, &err);
		}
	}
	assert_int_equal(store->driver->commit(store, &err), STORE_OK);
}

/* Walks all pages and returns how many rows there were; each page is in order and no id repeats. */
static size_t walk(struct store_query query,
	int (*compare)(const struct store_server *a, const struct store_server *b))
{
	struct store_page page;
	size_t seen = 0;
	char last[256] = "";
	cleanup(free_ptr) char *cursor = NULL;
	do {
		query.cursor = cursor;
		assert_int_equal(store->driver->servers.list(store, &query, &page, &err), STORE_OK);
		for (size_t i = 0; i < page.count; i++) {
			if (i > 0)
				assert_true(compare(&page.rows[i - 1], &page.rows[i]) <= 0);
			assert_string_not_equal(page.rows[i].id, last);
			snprintf(last, sizeof last, "%s", page.rows[i].id);
		}
		seen += page.count;
		assert_true(page.total >= (int64_t)seen);
		free(cursor);
		cursor = page.next_cursor ? xstrdup(page.next_cursor) : NULL;
		store_page_free(&page);
	} while (cursor);
	return seen;
}

static int by_name(const struct store_server *a, const struct store_server *b)
{
	return strcmp(a->name, b->name);
}

static int by_status_down(const struct store_server *a, const struct store_server *b)
{
	return (int)b->online - (int)a->online;
}

static int by_seen(const struct store_server *a, const struct store_server *b)
{
	return (a->last_seen > b->last_seen) - (a->last_seen < b->last_seen);
}

static int by_version(const struct store_server *a, const struct store_server *b)
{
	return strcmp(a->version, b->version);
}

static void pages_hold_every_row_once_in_order(void **state)
{
	static const struct {
		struct store_query query;
		int (*compare)(const struct store_server *a, const struct store_server *b);
		size_t rows;
	} rows[] = {
		{{NULL, -1, NULL, NULL, NULL, false, STORE_BY_NAME, false, 7, NULL}, by_name, 100},
		{{NULL, -1, NULL, NULL, NULL, false, STORE_BY_STATUS, true, 7, NULL}, by_status_down, 100},
		{{NULL, -1, NULL, NULL, NULL, false, STORE_BY_LAST_SEEN, false, 50, NULL}, by_seen, 100},
		{{NULL, -1, NULL, NULL, NULL, false, STORE_BY_VERSION, false, 1, NULL}, by_version, 100},
		{{"windows", -1, NULL, NULL, NULL, false, STORE_BY_NAME, false, 7, NULL}, by_name, 34},
		{{"linux", 1, NULL, NULL, NULL, false, STORE_BY_NAME, false, 7, NULL}, by_name, 16},
		{{NULL, 0, NULL, NULL, NULL, false, STORE_BY_NAME, false, 500, NULL}, by_name, 75},
		{{NULL, -1, "HOST-0000", NULL, NULL, false, STORE_BY_NAME, false, 3, NULL}, by_name, 10},
		{{NULL, -1, "10.0.0.9 os", NULL, NULL, false, STORE_BY_NAME, false, 3, NULL}, by_name, 11},
		{{NULL, -1, "100%", NULL, NULL, false, STORE_BY_NAME, false, 3, NULL}, by_name, 0},
		{{NULL, -1, "host_0000", NULL, NULL, false, STORE_BY_NAME, false, 3, NULL}, by_name, 0},
		{{"plan9", -1, NULL, NULL, NULL, false, STORE_BY_NAME, false, 3, NULL}, by_name, 0},
	};
	(void)state;
	add_token("t", 1, NOW + 60, 1000);
	add_many(100);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(walk(rows[i].query, rows[i].compare), rows[i].rows);
}

static void addresses_sort_as_numbers(void **state)
{
	struct store_query query = {
		NULL, -1, NULL, NULL, NULL, false, STORE_BY_ADDRESS, false, 12, NULL};
	struct store_page page;
	(void)state;
	add_token("t", 1, NOW + 60, 1000);
	add_many(12);
	assert_int_equal(store->driver->servers.list(store, &query, &page, &err), STORE_OK);
	assert_string_equal(page.rows[9].address, "10.0.0.9");
	assert_string_equal(page.rows[10].address, "10.0.0.10");
	store_page_free(&page);
}

static void cursor_of_another_list_is_refused(void **state)
{
	struct store_query query = {NULL, -1, NULL, NULL, NULL, false, STORE_BY_NAME, false, 5, NULL};
	struct store_page page, other;
	static const char *const bad[] = {"x", "bm90IGpzb24", "WzEsMiwzLDQsNV0", "W10"};
	(void)state;
	add_token("t", 1, NOW + 60, 1000);
	add_many(12);
	assert_int_equal(store->driver->servers.list(store, &query, &page, &err), STORE_OK);
	query.cursor = page.next_cursor;
	query.sort = STORE_BY_OS;
	assert_int_equal(store->driver->servers.list(store, &query, &other, &err), STORE_NOT_FOUND);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		query.cursor = bad[i];
		assert_int_equal(store->driver->servers.list(store, &query, &other, &err), STORE_NOT_FOUND);
	}
	store_page_free(&page);
}

/* --- checks ----------------------------------------------------------------------------------- */

static struct store_check a_check(const char *id, const char *user, const char *outcome)
{
	struct store_check check = {
		.state = *user ? CHECK_QUEUED : CHECK_DONE,
		.requested_by = (char *)user,
		.profile = (char *)"",
		.title = (char *)"The way to the hub",
		.requested = NOW,
		.finished = *user ? 0 : NOW + 1,
		.verdict = (char *)"fail",
		.causes = (char *)"[]",
		.outcome = (char *)outcome,
		.reason = (char *)"",
		.report = *user ? NULL : (char *)"{\"verdict\":\"fail\"}",
	};
	snprintf(check.id, sizeof check.id, "%s", id);
	snprintf(check.server, sizeof check.server, "%s", id_of(1));
	return check;
}

static enum store_status add_check(const char *id, const char *user, const char *outcome)
{
	struct store_check check = a_check(id, user, outcome);
	return store->driver->checks.add(store, &check, &err);
}

static struct store_check find_check(const char *id)
{
	struct store_check check;
	assert_int_equal(store->driver->checks.find(store, id_of(1), id, &check, &err), STORE_OK);
	return check;
}

static void count_one(void *data, const struct store_check *check)
{
	(void)check;
	++*(int *)data;
}

static void check_goes_from_asked_to_done(void **state)
{
	struct store_details details;
	struct store_server server;
	int unfinished = 0;
	(void)state;
	add_token("t", 1, NOW + 60, 9);
	enrol(1, 1, "{}");
	struct store_check check = a_check("one", "alice", "");
	check.deep = true;
	check.profile = (char *)"lab";
	assert_int_equal(store->driver->checks.add(store, &check, &err), STORE_OK);
	assert_int_equal(store->driver->checks.add(store, &check, &err), STORE_EXISTS);
	store->driver->checks.unfinished(store, count_one, &unfinished, &err);
	assert_int_equal(unfinished, 1);
	store->driver->servers.find(store, id_of(1), &server, &details, &err);
	assert_null(details.check);
	store_server_free(&server);
	store_details_free(&details);
	check.state = CHECK_DONE;
	check.started = NOW + 2;
	check.finished = NOW + 9;
	check.outcome = (char *)"fail x";
	check.report = (char *)"{\"verdict\":\"fail\"}";
	assert_int_equal(store->driver->checks.change(store, &check, &err), STORE_OK);
	reopen();
	struct store_check found = find_check("one");
	assert_int_equal(found.state, CHECK_DONE);
	assert_string_equal(found.requested_by, "alice");
	assert_string_equal(found.profile, "lab");
	assert_true(found.deep);
	assert_int_equal(found.started, NOW + 2);
	assert_int_equal(found.finished, NOW + 9);
	assert_string_equal(found.report, "{\"verdict\":\"fail\"}");
	store_check_free(&found);
	unfinished = 0;
	store->driver->checks.unfinished(store, count_one, &unfinished, &err);
	assert_int_equal(unfinished, 0);
	store->driver->servers.find(store, id_of(1), &server, &details, &err);
	assert_string_equal(details.check, "{\"verdict\":\"fail\"}");
	assert_int_equal(details.check_at, NOW + 9);
	store_server_free(&server);
	store_details_free(&details);
	/* Another server's, and one that is gone. */
	assert_int_equal(
		store->driver->checks.find(store, id_of(2), "one", &found, &err), STORE_NOT_FOUND);
	snprintf(check.server, sizeof check.server, "%s", id_of(2));
	snprintf(check.id, sizeof check.id, "two");
	assert_int_equal(store->driver->checks.add(store, &check, &err), STORE_NOT_FOUND);
	assert_int_equal(store->driver->checks.change(store, &check, &err), STORE_NOT_FOUND);
	store->driver->servers.remove(store, id_of(1), false, NOW, &err);
	assert_int_equal(
		store->driver->checks.find(store, id_of(1), "one", &found, &err), STORE_NOT_FOUND);
}

/* What a machine tells every hour stands once, until it says something else. */
static void own_checks_that_agree_are_one_row(void **state)
{
	struct store_check_page page;
	(void)state;
	add_token("t", 1, NOW + 60, 9);
	enrol(1, 1, "{}");
	assert_int_equal(add_check("a", "", "pass"), STORE_OK);
	struct store_check again = a_check("b", "", "pass");
	again.finished = NOW + 3600;
	again.report = (char *)"{\"verdict\":\"newer\"}";
	assert_int_equal(store->driver->checks.add(store, &again, &err), STORE_OK);
	assert_string_equal(again.id, "a");
	assert_int_equal(again.repeats, 2);
	assert_int_equal(add_check("c", "", "fail x"), STORE_OK);
	assert_int_equal(add_check("d", "", "pass"), STORE_OK);
	assert_int_equal(add_check("e", "alice", ""), STORE_OK); /* asked for: never joined */
	assert_int_equal(add_check("f", "", "pass"), STORE_OK);
	assert_int_equal(store->driver->checks.list(store, id_of(1), 50, 0, &page, &err), STORE_OK);
	const char *const ids[] = {"f", "e", "d", "c", "a"};
	assert_int_equal(page.count, ARRAY_LEN(ids));
	for (size_t i = 0; i < page.count; i++) {
		assert_string_equal(page.rows[i].id, ids[i]);
		assert_null(page.rows[i].report);
	}
	assert_int_equal(page.rows[4].repeats, 2);
	assert_int_equal(page.rows[4].requested, NOW);
	assert_int_equal(page.rows[4].finished, NOW + 3600);
	store_check_page_free(&page);
	struct store_check found = find_check("a");
	assert_string_equal(found.report, "{\"verdict\":\"newer\"}");
	store_check_free(&found);
}

static void history_is_bounded_and_paged(void **state)
{
	struct store_check_page page;
	char id[STORE_CHECK_ID_SIZE];
	int64_t cursor = 0;
	int next = STORE_MAX_CHECKS + 4, seen = 0;
	(void)state;
	add_token("t", 1, NOW + 60, 9);
	enrol(1, 1, "{}");
	for (int i = 0; i < STORE_MAX_CHECKS + 5; i++) {
		snprintf(id, sizeof id, "n%d", i);
		assert_int_equal(add_check(id, "alice", ""), STORE_OK);
	}
	do {
		assert_int_equal(
			store->driver->checks.list(store, id_of(1), 7, cursor, &page, &err), STORE_OK);
		for (size_t i = 0; i < page.count; i++, seen++) {
			snprintf(id, sizeof id, "n%d", next--);
			assert_string_equal(page.rows[i].id, id);
		}
		cursor = page.next_cursor;
		store_check_page_free(&page);
	} while (cursor);
	assert_int_equal(seen, STORE_MAX_CHECKS);
}

static void reports_are_compressed_and_bounded(void **state)
{
	(void)state;
	add_token("t", 1, NOW + 60, 9);
	enrol(1, 1, "{}");
	struct store_check check = a_check("a", "", "pass");
	size_t len = 900000;
	check.report = xcalloc(len + 1, 1);
	memset(check.report, 'x', len);
	assert_int_equal(store->driver->checks.add(store, &check, &err), STORE_OK);
	struct store_check found = find_check("a");
	assert_string_equal(found.report, check.report);
	store_check_free(&found);
	for (size_t i = 0; i < len; i++) /* what no compression helps against */
		check.report[i] = (char)('0' + randombytes_uniform(64));
	snprintf(check.id, sizeof check.id, "b");
	check.outcome = (char *)"other";
	assert_int_equal(store->driver->checks.add(store, &check, &err), STORE_TOO_BIG);
	assert_int_equal(
		store->driver->checks.find(store, id_of(1), "b", &found, &err), STORE_NOT_FOUND);
	free(check.report);
	/* Bytes that are no report do no harm. */
	assert_null(report_unpack("garbage", 7));
	assert_null(report_unpack("", 0));
	char *zeros = xcalloc(REPORT_MAX_TEXT + 2, 1);
	memset(zeros, ' ', REPORT_MAX_TEXT + 1);
	unsigned char *packed = report_pack(zeros, &len);
	assert_null(report_unpack(packed, len));
	free(packed);
	free(zeros);
}

/* --- older releases --------------------------------------------------------------------------- */

extern const struct embedded_file store_schema[];

#define OLD_REPORT                                                                                 \
	"{\"schema\":\"sallyport.check/1\",\"profile\":{\"id\":\"hub\",\"title\":\"The way\"},"        \
	"\"verdict\":\"fail\",\"causes\":[{\"id\":\"dns-nxdomain\",\"severity\":\"fail\","             \
	"\"sentence\":\"No such name.\",\"who\":\"x\"},7]}"

/* A database as the first schema made it, with servers and what they had reported. */
static void make_old_database(void)
{
	static const char *const details[] = {OLD_REPORT, "", "no JSON", "{\"causes\":{}}"};
	sqlite3 *raw = NULL;
	assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(raw, (const char *)store_schema[0].data, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_exec(raw, "PRAGMA user_version = 1", NULL, NULL, NULL);
	for (unsigned i = 0; i < ARRAY_LEN(details); i++) {
		char *sql = sqlite3_mprintf("INSERT INTO servers VALUES('%s', x'%02x', 't', 'n', 'linux', "
									"'', '', '', '', '', '', 0, "
									"'', '', 1, 1, 1, ''); INSERT INTO server_details VALUES('%s', "
									"'{\"a\":1}', '{}', 5, %Q, "
									"%d)",
			id_of(i + 1), i, id_of(i + 1), details[i], NOW);
		assert_int_equal(sqlite3_exec(raw, sql, NULL, NULL, NULL), SQLITE_OK);
		sqlite3_free(sql);
	}
	sqlite3_close(raw);
}

static void database_of_the_first_release_is_brought_up_to_date(void **state)
{
	struct store_server server;
	struct store_details details;
	struct store_check_page page;
	(void)state;
	store->driver->close(store);
	remove(path);
	make_old_database();
	store = sqlite_open(path, &err);
	assert_non_null(store);
	store->driver->servers.find(store, id_of(1), &server, &details, &err);
	assert_string_equal(details.check, OLD_REPORT);
	assert_int_equal(details.check_at, NOW);
	assert_string_equal(details.inventory, "{\"a\":1}");
	assert_int_equal(details.path_at, 5);
	store_server_free(&server);
	store_details_free(&details);
	store->driver->checks.list(store, id_of(1), 50, 0, &page, &err);
	assert_int_equal(page.count, 1);
	assert_int_equal(page.rows[0].state, CHECK_DONE);
	assert_string_equal(page.rows[0].profile, "");
	assert_string_equal(page.rows[0].title, "The way");
	assert_string_equal(page.rows[0].verdict, "fail");
	assert_string_equal(page.rows[0].causes,
		"[{\"id\":\"dns-nxdomain\",\"severity\":\"fail\",\"sentence\":\"No such name.\"}]");
	assert_int_equal(strlen(page.rows[0].id), STORE_CHECK_ID_SIZE - 1);
	store_check_page_free(&page);
	for (unsigned i = 2; i <= 4; i++) {
		store->driver->servers.find(store, id_of(i), &server, &details, &err);
		assert_int_equal(details.check != NULL, i == 4);
		store_server_free(&server);
		store_details_free(&details);
	}
	assert_int_equal(add_check("next", "", "fail dns-nxdomain"), STORE_OK);
	reopen(); /* and is not brought up again */
}

/* --- bad files -------------------------------------------------------------------------------- */

static void overwrite(long offset, const char *with, size_t len)
{
	FILE *file = fopen(path, "r+");
	assert_non_null(file);
	fseek(file, offset, SEEK_SET);
	fwrite(with, 1, len, file);
	fclose(file);
}

static void expect_refusal(const char *words)
{
	store = sqlite_open(path, &err);
	assert_null(store);
	assert_non_null(strstr(err.text, path));
	assert_non_null(strstr(err.text, words));
}

static void file_that_is_no_database_is_refused(void **state)
{
	(void)state;
	store->driver->close(store);
	overwrite(0, "this is a text and no database at all", 37);
	expect_refusal("damaged");
	assert_non_null(strstr(err.text, "backup"));
}

static void damaged_database_is_refused(void **state)
{
	char garbage[4096];
	(void)state;
	add_token("t", 1, NOW + 60, 1000);
	add_many(100);
	store->driver->close(store);
	memset(garbage, 0xa5, sizeof garbage);
	for (long page = 3; page < 12; page++)
		overwrite(page * 4096, garbage, sizeof garbage);
	expect_refusal("damaged");
}

static void database_of_a_newer_release_is_refused(void **state)
{
	sqlite3 *raw = NULL;
	(void)state;
	store->driver->close(store);
	store = NULL;
	assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
	sqlite3_exec(raw, "PRAGMA user_version = 99", NULL, NULL, NULL);
	sqlite3_close(raw);
	expect_refusal("newer release");
}

static void second_program_may_write_beside(void **state)
{
	struct err other_err = {0};
	struct store *other = sqlite_open(path, &other_err);
	(void)state;
	assert_non_null(other);
	assert_int_equal(other->driver->meta.set(other, "a", "b", &other_err), STORE_OK);
	char *value = NULL;
	assert_int_equal(store->driver->meta.get(store, "a", &value, &err), STORE_OK);
	assert_string_equal(value, "b");
	free(value);
	other->driver->close(other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(first_user_is_made_once),
		TEST(removing_a_user_signs_him_out),
		TEST(meta_is_replaced),
		TEST(tokens_expire_and_are_used_up),
		TEST(removed_key_stays_out),
		TEST(server_that_left_may_come_back),
		TEST(server_has_its_inventory_and_presence),
		TEST(changes_of_a_batch_come_together_or_not_at_all),
		TEST(bad_inventories_leave_empty_texts),
		TEST(pages_hold_every_row_once_in_order),
		TEST(addresses_sort_as_numbers),
		TEST(cursor_of_another_list_is_refused),
		TEST(check_goes_from_asked_to_done),
		TEST(own_checks_that_agree_are_one_row),
		TEST(history_is_bounded_and_paged),
		TEST(reports_are_compressed_and_bounded),
		TEST(database_of_the_first_release_is_brought_up_to_date),
		TEST(file_that_is_no_database_is_refused),
		TEST(damaged_database_is_refused),
		TEST(database_of_a_newer_release_is_refused),
		TEST(second_program_may_write_beside),
	};
	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
