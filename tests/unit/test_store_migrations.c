/*
 * Databases of every older schema, with rows in every table of it, opened by this release: nothing
 * is lost, and a migration that fails leaves the database as it was.
 *
 * Schema N is made of the first N files of src/store/schema, each followed by the rows that a hub
 * of that schema had: schema/N.sql beside this file. Whoever adds a schema adds its rows.
 */
#include "base/embed.h"
#include "base/file.h"
#include "store/store.h"
#include "temporary_root.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

extern const struct embedded_file store_schema[];

static char root[ROOT_SIZE];
static char path[ROOT_SIZE + 16];
static struct err err;

static int set_up(void **state)
{
	(void)state;
	if (root_make(root))
		return -1;
	snprintf(path, sizeof path, "%s/hub.db", root);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return root_remove(root);
}

static long known(void)
{
	long count = 0;
	while (store_schema[count].name)
		count++;
	return count;
}

static void run_sql(sqlite3 *db, const char *sql, const char *what)
{
	char *words = NULL;
	if (sqlite3_exec(db, sql, NULL, NULL, &words) != SQLITE_OK)
		fail_msg("%s: %s", what, words);
}

static void add_rows(sqlite3 *db, long number)
{
	cleanup(free_ptr) char *file = xasprintf(SOURCE_ROOT "/tests/unit/schema/%03ld.sql", number);
	cleanup(buf_free) struct buf text = {0};
	if (file_read(file, 65536, &text, &err))
		fail_msg("%s; every schema has a file of rows that such a hub had", err.text);
	run_sql(db, buf_text(&text), file);
}

static sqlite3 *make_database(long number)
{
	sqlite3 *db = NULL;
	char version[64];
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	for (long i = 1; i <= number; i++) {
		run_sql(db, (const char *)store_schema[i - 1].data, store_schema[i - 1].name);
		add_rows(db, i);
	}
	snprintf(version, sizeof version, "PRAGMA user_version = %ld", number);
	run_sql(db, version, version);
	return db;
}

static int64_t number_of(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *statement = NULL;
	int64_t number = -1;
	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
		return -1; /* there is no such table */
	if (sqlite3_step(statement) == SQLITE_ROW)
		number = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return number;
}

struct table {
	char name[64];
	int64_t rows;
};

static size_t count_tables(sqlite3 *db, struct table *tables, size_t most)
{
	sqlite3_stmt *statement = NULL;
	size_t count = 0;
	assert_int_equal(sqlite3_prepare_v2(db,
						 "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE "
						 "'sqlite_%'",
						 -1, &statement, NULL),
		SQLITE_OK);
	while (sqlite3_step(statement) == SQLITE_ROW) {
		assert_true(count < most);
		struct table *table = &tables[count++];
		snprintf(table->name, sizeof table->name, "%s", sqlite3_column_text(statement, 0));
		cleanup(free_ptr) char *sql = xasprintf("SELECT count(*) FROM \"%s\"", table->name);
		table->rows = number_of(db, sql);
	}
	sqlite3_finalize(statement);
	return count;
}

static void check_content(struct store *store)
{
	struct store_user user;
	struct store_server server;
	struct store_check_page page;
	cleanup(free_ptr) char *host = NULL;
	assert_int_equal(store->driver->users.find(store, "alice", &user, &err), STORE_OK);
	assert_string_equal(user.role, "administrator");
	store_user_free(&user);
	assert_int_equal(store->driver->meta.get(store, "host", &host, &err), STORE_OK);
	assert_string_equal(host, "hub.example.com");
	assert_int_equal(store->driver->servers.find(store, "s-one", &server, NULL, &err), STORE_OK);
	assert_string_equal(server.name, "web-1");
	assert_string_equal(server.location, "Bern");
	store_server_free(&server);
	assert_int_equal(store->driver->checks.list(store, "s-one", 10, 0, &page, &err), STORE_OK);
	assert_true(page.count >= 1);
	assert_string_equal(page.rows[page.count - 1].profile, "citrix-smart-tools");
	assert_string_equal(page.rows[page.count - 1].verdict, "fail");
	store_check_page_free(&page);
}

static void every_older_schema_is_brought_up(void **state)
{
	(void)state;
	for (long number = 1; number <= known(); number++) {
		struct table tables[64];
		sqlite3 *db = make_database(number);
		size_t count = count_tables(db, tables, ARRAY_LEN(tables));
		for (size_t i = 0; i < count; i++)
			if (tables[i].rows < 1)
				fail_msg("schema %ld: no row in %s; add one to its file", number, tables[i].name);
		sqlite3_close(db);

		struct store *store = sqlite_open(path, &err);
		if (!store) {
			fail_msg("schema %ld: %s", number, err.text);
			return;
		}
		check_content(store);
		store->driver->close(store);

		assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
		assert_int_equal(number_of(db, "PRAGMA user_version"), known());
		assert_int_equal(number_of(db, "SELECT count(*) FROM pragma_integrity_check WHERE "
									   "integrity_check <> 'ok'"),
			0);
		assert_int_equal(number_of(db, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
		for (size_t i = 0; i < count; i++) {
			cleanup(free_ptr) char *sql = xasprintf("SELECT count(*) FROM \"%s\"", tables[i].name);
			if (number_of(db, sql) < tables[i].rows)
				fail_msg("schema %ld: rows of %s are lost", number, tables[i].name);
		}
		sqlite3_close(db);
		unlink(path);
	}
}

/* Something of the next schema is there already: its migration fails in the middle. */
static void a_migration_that_fails_changes_nothing(void **state)
{
	(void)state;
	sqlite3 *db = make_database(1);
	run_sql(db, "CREATE INDEX checks_unfinished ON servers(name)", "index");
	sqlite3_close(db);
	assert_null(sqlite_open(path, &err));
	assert_non_null(strstr(err.text, "002-checks.sql"));
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(number_of(db, "PRAGMA user_version"), 1);
	assert_int_equal(number_of(db, "SELECT count(*) FROM checks"), -1);
	assert_int_equal(number_of(db, "SELECT count(*) FROM server_details WHERE check_at > 0"), 1);
	run_sql(db, "DROP INDEX checks_unfinished", "index");
	sqlite3_close(db);
	struct store *store = sqlite_open(path, &err);
	assert_non_null(store);
	check_content(store);
	store->driver->close(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_older_schema_is_brought_up, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_migration_that_fails_changes_nothing, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
