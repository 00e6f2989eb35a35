/* The way back of a setup, the texts for service managers, versions (rows R11, S3). */
#include "setup/parts.h"

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "temporary_root.h"

static char root[ROOT_SIZE];
static struct err err;

static int set_up(void **state)
{
	(void)state;
	return root_make(root);
}

static int tear_down(void **state)
{
	(void)state;
	return root_remove(root);
}

/* --- versions ----------------------------------------------------------------------------------
 */

static void test_versions(void **state)
{
	static const struct {
		const char *one, *other;
		int result;
	} rows[] = {{"0.1.0", "0.1.0", 0}, {"0.1.0", "0.1.1", -1}, {"0.9.0", "0.10.0", -1},
		{"1.0", "0.99.99", 1}, {"1.0", "1.0.0", 0}, {"1.0.1", "1.0", 1}, {"2", "10", -1}};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(version_compare(rows[i].one, rows[i].other), rows[i].result);
		assert_int_equal(version_compare(rows[i].other, rows[i].one), -rows[i].result);
	}
}

static void test_a_program_that_does_not_run_has_no_version(void **state)
{
	char version[32];
	cleanup(free_ptr) char *path = file_under(root, "/program");
	(void)state;
	assert_false(program_version(path, version));
	assert_int_equal(file_replace(path, "#!/bin/sh\necho sallyport 1.2.3\n", 31, 0755, &err), 0);
	assert_true(program_version(path, version));
	assert_string_equal(version, "1.2.3");
	assert_int_equal(file_replace(path, "#!/bin/sh\necho another 1.2.3\n", 29, 0755, &err), 0);
	assert_false(program_version(path, version));
}

/* --- service texts -----------------------------------------------------------------------------
 */

static void test_texts_of_services(void **state)
{
	static const struct {
		const char *manager;
		int version;
		const char *has[4], *has_not[4];
	} rows[] = {
		{"systemd", 252,
			{"\nExecStart=/opt/x/sallyport agent\n", "\nType=exec\n", "\nProtectSystem=strict\n",
				"\nSystemCallFilter=@system-service\n"},
			{"@bindir@"}},
		{"systemd", 0, {"\nSystemCallFilter=@system-service\n"}, {"@bindir@"}},
		/* Releases that know too little of it: RHEL 7, Debian 9, Ubuntu 18.04. */
		{"systemd", 219, {"\nType=simple\n", "\nProtectSystem=full\n"},
			{"SystemCallFilter", "SystemCallErrorNumber", "=strict", "Type=exec"}},
		{"systemd", 232, {"\nProtectSystem=full\n"}, {"SystemCallFilter"}},
		{"systemd", 237, {"\nProtectSystem=strict\n", "\nType=simple\n"}, {"SystemCallFilter"}},
		{"openrc", 0, {"\ncommand=\"/opt/x/sallyport\"\n"}, {"@bindir@"}},
		{"sysv", 0, {"\nprogram=/opt/x/sallyport\n", "# chkconfig: "}, {"@bindir@"}},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup(free_ptr) char *text =
			service_text(rows[i].manager, rows[i].version, "/opt/x/sallyport");
		for (size_t k = 0; k < 4 && rows[i].has[k]; k++)
			assert_non_null(strstr(text, rows[i].has[k]));
		for (size_t k = 0; k < 4 && rows[i].has_not[k]; k++)
			assert_null(strstr(text, rows[i].has_not[k]));
	}
	assert_null(service_text("none", 0, "/opt/x/sallyport"));
}

static void test_another_root_has_no_manager(void **state)
{
	const struct service_manager *manager = service_manager_here(root);
	(void)state;
	assert_string_equal(manager->id, "none");
	assert_null(service_file(manager, "sallyport", root));
	assert_false(service_is_enabled(manager, "sallyport", root));
	assert_int_equal(service_do(manager, SERVICE_START, "sallyport", NULL, &err), 0);
}

/* What enables a service is found below a root, for each manager. */
static void test_enabled(void **state)
{
	static const struct {
		const char *id, *link;
	} rows[] = {{"systemd", "/etc/systemd/system/multi-user.target.wants/x.service"},
		{"openrc", "/etc/runlevels/boot/x"}, {"sysv", "/etc/rc2.d/S05x"}};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct service_manager *manager;
		cleanup(free_ptr) char *link = file_under(root, rows[i].link);
		cleanup(free_ptr) char *folder = xstrdup(link);
		*strrchr(folder, '/') = '\0';
		for (size_t k = 0; (manager = service_manager_at(k)); k++)
			if (strcmp(manager->id, rows[i].id) == 0)
				break;
		assert_non_null(manager);
		assert_false(service_is_enabled(manager, "x", root));
		assert_int_equal(file_make_dirs(folder, 0755, &err), 0);
		assert_int_equal(symlink("/nowhere", link), 0);
		assert_true(service_is_enabled(manager, "x", root));
	}
}

/* --- the way back ------------------------------------------------------------------------------
 */

static struct buf acted;

static void act(void *data, enum undo_kind kind, const char *path)
{
	(void)data;
	if (kind == UNDO_AGENT_STOPPED)
		buf_puts(&acted, "start ");
	else if (kind == UNDO_AGENT_STARTED)
		buf_puts(&acted, "stop ");
	else if (kind == UNDO_JOINED)
		buf_printf(&acted, "leave:%s ", path);
}

static const struct undo_acts acts = {act, NULL};

static void put(const char *path, const char *text)
{
	assert_int_equal(file_replace(path, text, strlen(text), 0644, &err), 0);
}

static void assert_holds(const char *path, const char *text)
{
	cleanup(buf_free) struct buf content = {0};
	assert_int_equal(file_read(path, 1000, &content, &err), 0);
	assert_string_equal(buf_text(&content), text);
}

struct ground {
	char *folder, *old, *fresh, *tree, *in_tree, *deep;
};

static void ground_make(struct ground *place)
{
	*place = (struct ground){
		.folder = file_under(root, "/var/lib"),
		.old = file_under(root, "/program"),
		.fresh = file_under(root, "/made/by/it/file"),
		.tree = file_under(root, "/state"),
		.in_tree = file_under(root, "/state/kept"),
		.deep = file_under(root, "/made/by/it"),
	};
	put(place->old, "old");
}

static void ground_free(struct ground *place)
{
	free(place->folder);
	free(place->old);
	free(place->fresh);
	free(place->tree);
	free(place->in_tree);
	free(place->deep);
}

static void change_all(struct undo *undo, const struct ground *place, const char *text)
{
	assert_int_equal(undo_note(undo, UNDO_AGENT_STOPPED, NULL, &err), 0);
	assert_int_equal(undo_make_folder(undo, place->deep, UNDO_FOLDER_MADE, 0755, &err), 0);
	assert_int_equal(undo_make_folder(undo, place->tree, UNDO_TREE_MADE, 0700, &err), 0);
	put(place->in_tree, "identity");
	assert_int_equal(undo_note_file(undo, place->old, &err), 0);
	put(place->old, text);
	assert_int_equal(undo_note_file(undo, place->fresh, &err), 0);
	put(place->fresh, text);
	assert_int_equal(undo_note(undo, UNDO_JOINED, "before", &err), 0);
	assert_int_equal(undo_note(undo, UNDO_AGENT_STARTED, NULL, &err), 0);
}

static void assert_as_before(const struct ground *place)
{
	cleanup(free_ptr) char *made = file_under(root, "/made");
	cleanup(free_ptr) char *var = file_under(root, "/var");
	cleanup(free_ptr) char *kept = file_under(root, "/.program.before");
	assert_holds(place->old, "old");
	assert_false(
		file_exists(made) || file_exists(var) || file_exists(place->tree) || file_exists(kept));
	assert_string_equal(buf_text(&acted), "stop leave:before start ");
	buf_free(&acted);
}

static void test_rolled_back_the_latest_first(void **state)
{
	struct undo undo = {.fd = -1};
	struct ground place;
	(void)state;
	ground_make(&place);
	assert_int_equal(undo_open(&undo, place.folder, &err), 0);
	change_all(&undo, &place, "new");
	assert_int_equal(undo_roll_back(&undo, &acts, &err), 0);
	undo_free(&undo);
	assert_as_before(&place);
	ground_free(&place);
}

/* Killed once, killed again, and the third one fails: what stood before the first comes back. */
static void test_continued_by_the_next(void **state)
{
	struct ground place;
	(void)state;
	ground_make(&place);
	for (int round = 0; round < 3; round++) {
		struct undo undo = {.fd = -1};
		assert_int_equal(undo_open(&undo, place.folder, &err), 0);
		assert_int_equal(undo_has(&undo, UNDO_FILE_CHANGED, place.old), round > 0);
		change_all(&undo, &place, round ? "newer" : "new");
		if (round == 2)
			assert_int_equal(undo_roll_back(&undo, &acts, &err), 0);
		undo_free(&undo);
	}
	assert_as_before(&place);
	ground_free(&place);
}

/* Killed between the note and the change, and with a last line that is cut. */
static void test_a_note_without_its_change(void **state)
{
	struct undo undo = {.fd = -1};
	struct ground place;
	(void)state;
	ground_make(&place);
	assert_int_equal(undo_open(&undo, place.folder, &err), 0);
	assert_int_equal(undo_note(&undo, UNDO_FILE_CHANGED, place.old, &err), 0);
	assert_int_equal(undo_note(&undo, UNDO_FILE_MADE, place.fresh, &err), 0);
	assert_true(write(undo.fd, "file-ma", 7) == 7);
	undo_free(&undo);
	assert_int_equal(undo_open(&undo, place.folder, &err), 0);
	assert_int_equal(undo_roll_back(&undo, &acts, &err), 0);
	undo_free(&undo);
	assert_holds(place.old, "old");
	ground_free(&place);
}

static void test_committed(void **state)
{
	struct undo undo = {.fd = -1};
	struct ground place;
	(void)state;
	ground_make(&place);
	assert_int_equal(undo_open(&undo, place.folder, &err), 0);
	change_all(&undo, &place, "new");
	undo_commit(&undo);
	undo_free(&undo);
	assert_holds(place.old, "new");
	assert_holds(place.fresh, "new");
	cleanup(free_ptr) char *kept = file_under(root, "/.program.before");
	cleanup(free_ptr) char *journal = file_under(root, "/var/lib/sallyport-setup.journal");
	assert_false(file_exists(kept) || file_exists(journal));
	undo_continue(&undo, place.folder);
	assert_int_equal(undo.count, 0);
	undo_free(&undo);
	ground_free(&place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_versions),
		cmocka_unit_test_setup_teardown(
			test_a_program_that_does_not_run_has_no_version, set_up, tear_down),
		cmocka_unit_test(test_texts_of_services),
		cmocka_unit_test_setup_teardown(test_another_root_has_no_manager, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_enabled, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rolled_back_the_latest_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_continued_by_the_next, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_note_without_its_change, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_committed, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
