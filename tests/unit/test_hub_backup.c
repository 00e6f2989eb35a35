/* A hub's state in one file and back: also beside a writer, never half, never over a running hub.
 */
#include "base/file.h"
#include "hub/backup.h"
#include "hub/hub.h"
#include "hub/keys.h"
#include "hub/state_dir.h"
#include "store/backup.h"
#include "store/store.h"
#include "temporary_root.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static char root[ROOT_SIZE], other[ROOT_SIZE];
static char file[ROOT_SIZE + 16];
static struct err err;

static char *state_file(const char *top, const char *name)
{
	cleanup(free_ptr) char *dir = hub_state_dir(top);
	return xasprintf("%s/%s", dir, name);
}

/* A hub that has been started once, with a word in its database. */
static void make_hub(const char *top, const char *word)
{
	struct identity identity;
	struct store *store = hub_open_store(top, true, &err);
	cleanup(free_ptr) char *dir = hub_state_dir(top);
	assert_non_null(store);
	assert_int_equal(store->driver->meta.set(store, "word", word, &err), STORE_OK);
	store->driver->close(store);
	assert_int_equal(keys_identity(dir, true, &identity, &err), 0);
	identity_wipe(&identity);
}

static int set_up(void **state)
{
	(void)state;
	if (root_make(root) || root_make(other))
		return -1;
	snprintf(file, sizeof file, "%s/backup", root);
	make_hub(root, "first");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return root_remove(root) || root_remove(other) ? -1 : 0;
}

static void expect_word(const char *top, const char *word)
{
	cleanup(free_ptr) char *found = NULL;
	struct store *store = hub_open_store(top, false, &err);
	if (!store) {
		fail_msg("%s", err.text);
		return;
	}
	assert_int_equal(store->driver->meta.get(store, "word", &found, &err), STORE_OK);
	assert_string_equal(found, word);
	store->driver->close(store);
}

static void expect_same_identity(void)
{
	struct identity one, two;
	cleanup(free_ptr) char *first = hub_state_dir(root);
	cleanup(free_ptr) char *second = hub_state_dir(other);
	assert_int_equal(keys_identity(first, false, &one, &err), 0);
	assert_int_equal(keys_identity(second, false, &two, &err), 0);
	assert_memory_equal(one.public_key, two.public_key, sizeof one.public_key);
}

static int restore(const char *top, char **kept)
{
	int64_t made;
	return hub_restore(top, file, kept, &made, &err);
}

static mode_t mode_of(const char *path)
{
	struct stat info;
	assert_int_equal(stat(path, &info), 0);
	return info.st_mode & 07777;
}

static void back_on_a_new_machine(void **state)
{
	cleanup(free_ptr) char *kept = NULL;
	(void)state;
	assert_int_equal(hub_backup(root, file, &err), 0);
	assert_int_equal(mode_of(file), 0600);
	if (restore(other, &kept))
		fail_msg("%s", err.text);
	assert_null(kept);
	expect_word(other, "first");
	expect_same_identity();
	cleanup(free_ptr) char *database = state_file(other, "hub.db");
	cleanup(free_ptr) char *identity = state_file(other, "identity.key");
	assert_int_equal(mode_of(database), 0600);
	assert_int_equal(mode_of(identity), 0600);
	/* The keys stand in the backup alone, not in the database that is in use. */
	cleanup(buf_free) struct buf key = {0}, content = {0};
	assert_int_equal(file_read(identity, 4096, &key, &err), 0);
	assert_int_equal(file_read(database, 1 << 24, &content, &err), 0);
	assert_null(memmem(content.data, content.len, key.data + 26, 40));
}

static void what_was_there_is_kept(void **state)
{
	cleanup(free_ptr) char *kept = NULL;
	cleanup(free_ptr) char *again = NULL;
	(void)state;
	make_hub(other, "second");
	assert_int_equal(hub_backup(root, file, &err), 0);
	assert_int_equal(restore(other, &kept), 0);
	expect_word(other, "first");
	expect_same_identity();
	assert_non_null(kept);
	cleanup(free_ptr) char *database = xasprintf("%s/hub.db", kept);
	cleanup(free_ptr) char *identity = xasprintf("%s/identity.key", kept);
	assert_true(file_exists(database) && file_exists(identity));
	/* At once again: what the first has kept is not covered. */
	assert_int_equal(restore(other, &again), 0);
	assert_string_not_equal(kept, again);
	assert_true(file_exists(database));
}

/* A writer in the middle of its transaction holds nobody up, and nothing of it is in the backup. */
static void beside_a_writer(void **state)
{
	cleanup(free_ptr) char *kept = NULL;
	struct store *writer = hub_open_store(root, false, &err);
	(void)state;
	assert_int_equal(writer->driver->begin(writer, true, &err), STORE_OK);
	assert_int_equal(writer->driver->meta.set(writer, "word", "half", &err), STORE_OK);
	assert_int_equal(hub_backup(root, file, &err), 0);
	assert_int_equal(writer->driver->commit(writer, &err), STORE_OK);
	writer->driver->close(writer);
	assert_int_equal(restore(other, &kept), 0);
	expect_word(other, "first");
	expect_word(root, "half");
}

static void an_older_backup_is_replaced_or_kept(void **state)
{
	cleanup(free_ptr) char *part = xasprintf("%s.part", file);
	cleanup(free_ptr) char *database = state_file(root, "hub.db");
	struct stat before, after;
	(void)state;
	assert_int_equal(hub_backup(root, file, &err), 0);
	assert_int_equal(hub_backup(root, file, &err), 0);
	assert_int_equal(stat(file, &before), 0);
	assert_int_equal(truncate(database, 6000), 0);
	assert_int_equal(hub_backup(root, file, &err), -1);
	assert_non_null(strstr(err.text, "damaged"));
	assert_false(file_exists(part));
	assert_int_equal(stat(file, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
}

/* Whatever refuses leaves what is there as it is, without a trace. */
static void expect_refusal(const char *words)
{
	cleanup(free_ptr) char *kept = NULL;
	cleanup(free_ptr) char *dir = hub_state_dir(other);
	assert_int_equal(restore(other, &kept), -1);
	if (!strstr(err.text, words))
		fail_msg("%s", err.text);
	expect_word(other, "second");
	DIR *folder = opendir(dir);
	for (struct dirent *entry; (entry = readdir(folder));)
		assert_true(
			strncmp(entry->d_name, "before", 6) != 0 && strncmp(entry->d_name, "restor", 6) != 0);
	closedir(folder);
}

static void flip(long offset, long len)
{
	FILE *to = fopen(file, "r+");
	assert_non_null(to);
	for (long i = 0; i < len; i++) {
		fseek(to, offset + i, SEEK_SET);
		int byte = fgetc(to);
		fseek(to, offset + i, SEEK_SET);
		fputc(byte ^ 0x55, to);
	}
	fclose(to);
}

static void change_backup(const char *sql)
{
	sqlite3 *db = NULL;
	assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void what_is_no_good_backup_is_refused(void **state)
{
	(void)state;
	make_hub(other, "second");
	expect_refusal("No such file");
	assert_int_equal(file_replace(file, "text", 4, 0600, &err), 0);
	expect_refusal("no database");
	cleanup(free_ptr) char *database = state_file(root, "hub.db");
	assert_int_equal(rename(database, file), 0);
	expect_refusal("no backup of a hub");
	assert_int_equal(rename(file, database), 0);

	assert_int_equal(hub_backup(root, file, &err), 0);
	assert_int_equal(truncate(file, 8192), 0);
	expect_refusal("damaged");
	assert_int_equal(hub_backup(root, file, &err), 0);
	flip(8192, 100);
	expect_refusal("damaged");
	assert_int_equal(hub_backup(root, file, &err), 0);
	change_backup("PRAGMA user_version = 99");
	expect_refusal("newer release");
	assert_int_equal(hub_backup(root, file, &err), 0);
	change_backup("DELETE FROM backup_items WHERE name = 'identity.key'");
	expect_refusal("identity.key");
	assert_int_equal(hub_backup(root, file, &err), 0);
	change_backup("UPDATE backup_items SET name = '../identity.key'");
	expect_refusal("what no backup of a hub does");
}

static void a_running_hub_is_left_alone(void **state)
{
	cleanup(free_ptr) char *dir = hub_state_dir(other);
	(void)state;
	make_hub(other, "second");
	assert_int_equal(hub_backup(root, file, &err), 0);
	int lock = state_dir_lock(dir, &err);
	assert_true(lock >= 0);
	expect_refusal("stop it first");
	close(lock);
}

static void one_that_was_cut_short_is_run_again(void **state)
{
	cleanup(free_ptr) char *kept = NULL;
	cleanup(free_ptr) char *mark = state_file(other, STATE_DIR_RESTORING);
	cleanup(free_ptr) char *identity = state_file(other, "identity.key");
	(void)state;
	make_hub(other, "second");
	assert_int_equal(hub_backup(root, file, &err), 0);
	/* As a kill leaves it: the old identity has moved, the new one is not there yet. */
	assert_int_equal(file_replace(mark, "", 0, 0600, &err), 0);
	assert_int_equal(unlink(identity), 0);
	assert_null(hub_open_store(other, true, &err));
	assert_non_null(strstr(err.text, "run it again: sallyport-hub restore"));
	assert_int_equal(hub_backup(other, "/tmp/never", &err), -1);
	assert_int_equal(restore(other, &kept), 0);
	assert_false(file_exists(mark));
	expect_word(other, "first");
	expect_same_identity();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(back_on_a_new_machine),
		TEST(what_was_there_is_kept),
		TEST(beside_a_writer),
		TEST(an_older_backup_is_replaced_or_kept),
		TEST(what_is_no_good_backup_is_refused),
		TEST(a_running_hub_is_left_alone),
		TEST(one_that_was_cut_short_is_run_again),
	};
	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
