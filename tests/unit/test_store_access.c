/*
 * What the SQLite driver keeps of who may do what: roles and the last administrator, API keys, the
 * audit trail and its bounds, answers that may be asked for again. Proves S10, S11.
 */
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
	store->driver->close(store);
	return root_remove(root);
}

/* Beside the driver, for what would take too long to bring about through it. */
static void sql(const char *statement)
{
	sqlite3 *raw = NULL;
	assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
	assert_int_equal(sqlite3_exec(raw, statement, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(raw);
}

static int count_rows(const char *what)
{
	sqlite3 *raw = NULL;
	sqlite3_stmt *statement = NULL;
	char text[200];
	snprintf(text, sizeof text, "SELECT count(*) FROM %s", what);
	assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(raw, text, -1, &statement, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	int count = sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(raw);
	return count;
}

/* --- users ------------------------------------------------------------------------------------ */

static void add_user(const char *name, const char *role)
{
	struct store_user user = {
		.name = (char *)name, .password = (char *)"hash", .role = (char *)role, .created = NOW};
	assert_int_equal(store->driver->users.add(store, &user, false, &err), STORE_OK);
}

static enum store_status change(const char *name, const char *role, const char *password)
{
	return store->driver->access.user_change(store, name, role, password, "administrator", &err);
}

static enum store_status remove_user(const char *name)
{
	return store->driver->users.remove(store, name, "administrator", &err);
}

static void the_last_administrator_stays(void **state)
{
	(void)state;
	add_user("alice", "administrator");
	add_user("bob", "operator");
	assert_int_equal(change("alice", "operator", NULL), STORE_LAST);
	assert_int_equal(remove_user("alice"), STORE_LAST);
	assert_int_equal(change("alice", "administrator", "new"), STORE_OK);
	assert_int_equal(change("bob", "administrator", NULL), STORE_OK);
	assert_int_equal(change("alice", "operator", NULL), STORE_OK);
	assert_int_equal(remove_user("BOB"), STORE_LAST);
	assert_int_equal(remove_user("alice"), STORE_OK);
	assert_int_equal(change("alice", "operator", NULL), STORE_NOT_FOUND);
}

static void a_new_password_ends_the_sessions(void **state)
{
	unsigned char cookie[STORE_HASH_BYTES] = {1};
	struct store_user user = {0};
	(void)state;
	add_user("alice", "administrator");
	store->driver->web_sessions.add(store, cookie, "alice", NOW, NOW + 10, &err);
	assert_int_equal(change("alice", "architect", NULL), STORE_LAST);
	add_user("bob", "administrator");
	assert_int_equal(change("alice", "architect", NULL), STORE_OK);
	assert_int_equal(store->driver->web_sessions.find(store, cookie, NOW, &user, &err), STORE_OK);
	assert_string_equal(user.role, "architect");
	store_user_free(&user);
	assert_int_equal(change("alice", NULL, "other"), STORE_OK);
	assert_int_equal(
		store->driver->web_sessions.find(store, cookie, NOW, &user, &err), STORE_NOT_FOUND);
	assert_int_equal(store->driver->access.user_signed_in(store, "alice", NOW + 5, &err), STORE_OK);
	assert_int_equal(store->driver->users.find(store, "alice", &user, &err), STORE_OK);
	assert_string_equal(user.password, "other");
	assert_int_equal(user.last_login, NOW + 5);
	store_user_free(&user);
}

/* --- keys ------------------------------------------------------------------------------------- */

static enum store_status add_key(const char *id, const char *maker, const char *parent)
{
	struct store_key key = {
		.name = (char *)"nightly",
		.permissions = (char *)"read,operate",
		.location = (char *)"hall 2",
		.maker = (char *)maker,
		.created_by = (char *)"alice",
		.created = NOW,
		.expires = NOW + 100,
	};
	snprintf(key.id, sizeof key.id, "%s", id);
	snprintf(key.parent, sizeof key.parent, "%s", parent);
	memset(key.hash, id[0], sizeof key.hash);
	return store->driver->access.key_add(store, &key, &err);
}

static bool is_revoked(const char *id)
{
	unsigned char hash[STORE_KEY_HASH];
	struct store_key key;
	memset(hash, id[0], sizeof hash);
	assert_int_equal(store->driver->access.key_find(store, hash, &key, &err), STORE_OK);
	bool revoked = key.revoked;
	store_key_free(&key);
	return revoked;
}

static void key_is_found_by_its_hash(void **state)
{
	unsigned char hash[STORE_KEY_HASH];
	struct store_key key;
	(void)state;
	assert_int_equal(add_key("a", "", ""), STORE_OK);
	assert_int_equal(add_key("a", "", ""), STORE_EXISTS);
	memset(hash, 'a', sizeof hash);
	assert_int_equal(store->driver->access.key_used(store, "a", NOW + 7, &err), STORE_OK);
	assert_int_equal(store->driver->access.key_find(store, hash, &key, &err), STORE_OK);
	assert_string_equal(key.id, "a");
	assert_string_equal(key.permissions, "read,operate");
	assert_string_equal(key.location, "hall 2");
	assert_int_equal(key.expires, NOW + 100);
	assert_int_equal(key.last_used, NOW + 7);
	store_key_free(&key);
	hash[0] ^= 1;
	assert_int_equal(store->driver->access.key_find(store, hash, &key, &err), STORE_NOT_FOUND);
}

static void revoking_takes_what_was_made_with_it(void **state)
{
	(void)state;
	add_key("a", "", "");
	add_key("b", "", "a");
	add_key("c", "", "b");
	add_key("d", "", "");
	assert_int_equal(store->driver->access.key_revoke(store, "none", &err), STORE_NOT_FOUND);
	assert_int_equal(store->driver->access.key_revoke(store, "a", &err), STORE_OK);
	assert_true(is_revoked("a") && is_revoked("b") && is_revoked("c"));
	assert_false(is_revoked("d"));
}

static void removing_a_user_revokes_his_keys(void **state)
{
	(void)state;
	add_user("alice", "administrator");
	add_user("bob", "administrator");
	add_key("a", "alice", "");
	add_key("b", "bob", "");
	add_key("c", "", "");
	assert_int_equal(remove_user("alice"), STORE_OK);
	assert_true(is_revoked("a"));
	assert_false(is_revoked("b") || is_revoked("c"));
}

static void keys_are_bounded(void **state)
{
	(void)state;
	sql("WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < 1000) "
		"INSERT INTO keys(id, hash, name, permissions, location, maker, created_by, parent, "
		"created, expires) SELECT 'k' || i, randomblob(32), '', 'read', '', '', '', '', "
		"1700000000, 1700000100 FROM n");
	assert_int_equal(add_key("a", "", ""), STORE_FULL);
	assert_non_null(strstr(err.text, "revoke some"));
	assert_int_equal(store->driver->access.key_revoke(store, "k7", &err), STORE_OK);
	assert_int_equal(add_key("a", "", ""), STORE_OK);
}

/* --- the audit trail -------------------------------------------------------------------------- */

static void add_audit(int64_t at, const char *actor, const char *action, bool refused)
{
	struct store_audit row = {
		.at = at,
		.actor = (char *)actor,
		.actor_kind = (char *)"user",
		.action = (char *)action,
		.target = (char *)"t",
		.detail = (char *)"d",
		.peer = (char *)"192.0.2.1",
		.refused = refused,
	};
	assert_int_equal(store->driver->access.audit_add(store, &row, &err), STORE_OK);
}

static void audit_is_paged_from_the_newest(void **state)
{
	struct store_audit_page page;
	struct store_audit_query query = {.limit = 2};
	int64_t last = INT64_MAX, seen = 0;
	(void)state;
	for (int i = 0; i < 5; i++)
		add_audit(NOW + i, i % 2 ? "alice" : "bob", "login", false);
	do {
		assert_int_equal(store->driver->access.audit_list(store, &query, &page, &err), STORE_OK);
		for (size_t i = 0; i < page.count; i++, seen++) {
			assert_true(page.rows[i].id < last);
			last = page.rows[i].id;
		}
		query.before = page.next;
		store_audit_page_free(&page);
	} while (query.before);
	assert_int_equal(seen, 5);
	query = (struct store_audit_query){.limit = 10, .actor = "alice", .action = "login"};
	assert_int_equal(store->driver->access.audit_list(store, &query, &page, &err), STORE_OK);
	assert_int_equal(page.count, 2);
	assert_string_equal(page.rows[0].peer, "192.0.2.1");
	store_audit_page_free(&page);
}

/* Adds rows until the trail is cut, which is not done at every one. */
static void add_some(int64_t at, bool refused)
{
	for (int i = 0; i < 64; i++)
		add_audit(at, "alice", "login", refused);
}

static void audit_forgets_what_is_old(void **state)
{
	(void)state;
	add_audit(NOW, "alice", "login", false);
	add_audit(NOW + 10, "alice", "login", false);
	add_some(NOW + 5 + STORE_AUDIT_S, false);
	assert_int_equal(count_rows("audit WHERE at = 1700000000"), 0);
	assert_int_equal(count_rows("audit WHERE at = 1700000010"), 1);
}

static void strangers_cannot_push_out_what_was_done(void **state)
{
	(void)state;
	add_audit(NOW, "alice", "server.remove", false);
	sql("WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < 30000) "
		"INSERT INTO audit(at, actor, actor_kind, action, target, detail, peer, refused) "
		"SELECT 1700000001, '', 'nobody', 'login.failed', '', '', '', 1 FROM n");
	add_some(NOW + 2, true);
	assert_in_range(count_rows("audit WHERE refused"), STORE_MAX_REFUSED, STORE_MAX_REFUSED + 64);
	assert_int_equal(count_rows("audit WHERE action = 'server.remove'"), 1);
}

static void audit_is_bounded(void **state)
{
	(void)state;
	add_audit(NOW, "alice", "server.remove", false);
	sql("UPDATE sqlite_sequence SET seq = seq + 1000000 WHERE name = 'audit'");
	add_some(NOW, false);
	assert_int_equal(count_rows("audit WHERE action = 'server.remove'"), 0);
	assert_int_equal(count_rows("audit"), 64);
}

/* --- answers that may be asked for again ------------------------------------------------------ */

static enum store_status begin(unsigned char id, int64_t at, struct store_replay *replay)
{
	*replay = (struct store_replay){.created = at};
	memset(replay->id, id, sizeof replay->id);
	memset(replay->body, id + 1, sizeof replay->body);
	return store->driver->access.replay_begin(store, replay, &err);
}

static void answer_is_kept_for_a_day(void **state)
{
	struct store_replay replay;
	(void)state;
	assert_int_equal(begin(1, NOW, &replay), STORE_OK);
	assert_int_equal(begin(1, NOW, &replay), STORE_EXISTS);
	assert_int_equal(replay.status, 0);
	assert_null(replay.answer);
	replay.status = 201;
	replay.answer = (char *)"sealed";
	replay.len = 6;
	assert_int_equal(store->driver->access.replay_end(store, &replay, &err), STORE_OK);
	assert_int_equal(begin(1, NOW + STORE_REPLAY_S - 1, &replay), STORE_EXISTS);
	assert_int_equal(replay.status, 201);
	assert_int_equal(replay.created, NOW);
	assert_int_equal(replay.len, 6);
	assert_memory_equal(replay.answer, "sealed", 6);
	free(replay.answer);
	assert_int_equal(begin(1, NOW + STORE_REPLAY_S, &replay), STORE_OK);
	assert_int_equal(store->driver->access.replay_drop(store, replay.id, &err), STORE_OK);
	assert_int_equal(begin(1, NOW + STORE_REPLAY_S, &replay), STORE_OK);
}

static void answers_are_bounded(void **state)
{
	struct store_replay replay;
	(void)state;
	sql("WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
		"INSERT INTO replays(id, body, created, status, len) "
		"SELECT randomblob(32), randomblob(32), 1700000000 + i, 201, 10 FROM n");
	assert_int_equal(begin(1, NOW + 20001, &replay), STORE_OK);
	assert_int_equal(count_rows("replays"), STORE_MAX_REPLAYS);
	sql("UPDATE replays SET len = 1048576 WHERE created > 1700010000");
	assert_int_equal(begin(2, NOW + 20002, &replay), STORE_OK);
	assert_int_equal(count_rows("replays"), STORE_REPLAY_BYTES / 1048576 + 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_last_administrator_stays),
		TEST(a_new_password_ends_the_sessions),
		TEST(key_is_found_by_its_hash),
		TEST(revoking_takes_what_was_made_with_it),
		TEST(removing_a_user_revokes_his_keys),
		TEST(keys_are_bounded),
		TEST(audit_is_paged_from_the_newest),
		TEST(audit_forgets_what_is_old),
		TEST(strangers_cannot_push_out_what_was_done),
		TEST(audit_is_bounded),
		TEST(answer_is_kept_for_a_day),
		TEST(answers_are_bounded),
	};
	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests_name("store_access", tests, NULL, NULL);
}
