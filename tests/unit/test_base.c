/* The pieces under everything: buffers, clocks, errors, files, JSON records. */
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "base/utf8.h"

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <signal.h>
#include <unistd.h>

#include <cmocka.h>

#include "temporary_root.h"

static char folder[ROOT_SIZE];

/* --- mem, buf, err -------------------------------------------------------------------------- */

static void memory_is_there(void **state)
{
	(void)state;
	cleanup(free_ptr) unsigned char *none = xcalloc(0, 0);
	assert_non_null(none);
	cleanup(free_ptr) unsigned char *zeroed = xcalloc(4, 4);
	for (size_t i = 0; i < 16; i++)
		assert_int_equal(zeroed[i], 0);
	assert_null(xstrdup(NULL));
	cleanup(free_ptr) char *part = xstrndup("hello", 3);
	assert_string_equal(part, "hel");
	cleanup(free_ptr) char *text = xasprintf("%s-%d", "a", 7);
	assert_string_equal(text, "a-7");
}

static void buffer_grows_to_its_bound(void **state)
{
	(void)state;
	struct buf buf = {0};
	assert_string_equal(buf_text(&buf), "");
	buf_consume(&buf, 5);
	assert_int_equal(buf_append(&buf, "", 0), 0);
	assert_string_equal(buf.data, "");
	for (int i = 0; i < 1000; i++)
		assert_int_equal(buf_printf(&buf, "%03d", i), 0);
	assert_int_equal(buf.len, 3000);
	assert_memory_equal(buf.data + 2997, "999", 4);
	buf_consume(&buf, 2994);
	assert_string_equal(buf_text(&buf), "998999");
	buf_consume(&buf, 99);
	assert_string_equal(buf_text(&buf), "");
	buf_free(&buf);
	assert_null(buf.data);

	buf.max = 5;
	assert_int_equal(buf_puts(&buf, "abc"), 0);
	assert_int_equal(buf_puts(&buf, "def"), -1);
	assert_string_equal(buf.data, "abc");
	assert_int_equal(buf_puts(&buf, "de"), 0);
	assert_int_equal(buf_puts(&buf, "f"), -1);
	assert_int_equal(buf_append(&buf, "x", SIZE_MAX), -1);
	assert_string_equal(buf.data, "abcde");
	assert_int_equal(buf_append(&buf, NULL, 0), 0);
	buf_free(&buf);
	assert_int_equal(buf_append(&buf, "a\0b", 3), 0);
	assert_int_equal(buf.len, 3);
	assert_memory_equal(buf.data, "a\0b", 4);
	buf_free(&buf);
}

static void errors_are_sentences(void **state)
{
	(void)state;
	struct err err = {.text = ""};
	assert_int_equal(err_set(NULL, "%s", "x"), -1);
	assert_int_equal(err_prefix(NULL, "%s", "x"), -1);
	assert_int_equal(err_set(&err, "no %s", "way"), -1);
	assert_string_equal(err.text, "no way");
	assert_int_equal(err_prefix(&err, "line %d", 3), -1);
	assert_string_equal(err.text, "line 3: no way");
	char longer[3 * sizeof err.text];
	memset(longer, 'a', sizeof longer - 1);
	longer[sizeof longer - 1] = '\0';
	err_set(&err, "%s", longer);
	assert_int_equal(strlen(err.text), sizeof err.text - 1);
	err_prefix(&err, "b");
	assert_memory_equal(err.text, "b: a", 4);
	assert_int_equal(strlen(err.text), sizeof err.text - 1);
	err_prefix(&err, "%s", longer);
	assert_int_equal(strlen(err.text), sizeof err.text - 1);
}

/* --- clock ---------------------------------------------------------------------------------- */

static void deadlines_pass(void **state)
{
	(void)state;
	assert_int_equal(deadline_left_ms(deadline_never()), -1);
	assert_int_equal(deadline_left_ms(deadline_in_ms(0)), 0);
	assert_int_equal(deadline_left_ms(deadline_in_ms(-5000)), 0);
	assert_in_range(deadline_left_ms(deadline_in_ms(60000)), 50000, 60000);
	assert_int_equal(deadline_left_ms(deadline_in_ms(86400000LL * 365)), INT_MAX);
	struct deadline soon = deadline_in_ms(10), late = deadline_in_ms(100000);
	assert_true(deadline_sooner(soon, late).at_us == soon.at_us);
	assert_true(deadline_sooner(late, soon).at_us == soon.at_us);
	assert_true(deadline_sooner(deadline_never(), late).at_us == late.at_us);
	/* Rounded up: a poll for what is left does not wake before it has passed. */
	struct deadline part = {.at_us = clock_mono_us() + 50500};
	assert_in_range(deadline_left_ms(part), 1, 51);
	int64_t start = clock_mono_us();
	assert_true(clock_mono_us() >= start);
	assert_true(clock_ms_since(start) >= 0 && clock_ms_since(start) < 60000);
	assert_true(clock_ms_since(start - 2500000) >= 2500);
}

static const struct {
	const char *text;
	time_t when; /* -1: not a date */
} dates[] = {
	{"1970-01-01T00:00:00Z", 0},
	{"2026-01-02T03:04:05Z", 1767323045},
	{"2026-01-02t03:04:05z", 1767323045},
	{"2026-01-02 03:04:05Z", 1767323045},
	{"2026-01-02T03:04:05.999Z", 1767323045},
	{"2026-01-02T05:04:05+02:00", 1767323045},
	{"2026-01-01T22:34:05-04:30", 1767323045},
	{"2024-02-29T00:00:00Z", 1709164800},
	{"2016-12-31T23:59:60Z", 1483228799},
	{"2026-01-02T03:04:05", -1},
	{"2026-01-02T03:04Z", -1},
	{"2026-01-02T03:04:05Z ", -1},
	{"2026-01-02T03:04:05+2", -1},
	{"2026-01-02T03:04:05X", -1},
	{"2026-13-02T03:04:05Z", -1},
	{"2026-00-02T03:04:05Z", -1},
	{"2026-02-30T03:04:05Z", -1},
	{"2025-02-29T03:04:05Z", -1},
	{"2026-01-02T25:04:05Z", -1},
	{"2026-01-02T03:60:05Z", -1},
	{"2026-01-02T03:04:05+99:99", -1},
	{"2026-01-02T03:04:05+02:00 and more", -1},
	{"yesterday", -1},
	{"", -1},
};

static const struct {
	const char *text;
	time_t when;
} http_dates[] = {
	{"Fri, 02 Jan 2026 03:04:05 GMT", 1767323045},
	{"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
	{"Sun, 06 Nov 1994 08:49:37", -1},
	{"Sun, 06 Nov 1994 08:49:37 CET", -1},
	{"Sunday, 06-Nov-94 08:49:37 GMT", -1},
	{"Sun, 06 Xyz 1994 08:49:37 GMT", -1},
	{"Sun, 06 anF 1994 08:49:37 GMT", -1},
	{"Sun, 32 Nov 1994 08:49:37 GMT", -1},
	{"Sun, 06 Nov 1994 28:49:37 GMT", -1},
	{"", -1},
};

static void dates_are_read_and_written(void **state)
{
	(void)state;
	char text[CLOCK_TEXT_SIZE];
	time_t when;
	assert_string_equal(clock_rfc3339(1767323045, text), "2026-01-02T03:04:05Z");
	assert_string_equal(clock_rfc3339(0, text), "1970-01-01T00:00:00Z");
	assert_non_null(clock_rfc3339((time_t)INT64_MAX, text));
	for (size_t i = 0; i < ARRAY_LEN(dates); i++) {
		int rc = clock_parse_rfc3339(dates[i].text, &when);
		if (rc != (dates[i].when < 0 ? -1 : 0) || (!rc && when != dates[i].when))
			fail_msg("\"%s\": %d, %lld", dates[i].text, rc, (long long)when);
	}
	for (size_t i = 0; i < ARRAY_LEN(http_dates); i++) {
		int rc = clock_parse_http(http_dates[i].text, &when);
		if (rc != (http_dates[i].when < 0 ? -1 : 0) || (!rc && when != http_dates[i].when))
			fail_msg("\"%s\": %d, %lld", http_dates[i].text, rc, (long long)when);
	}
}

/* --- file ----------------------------------------------------------------------------------- */

static void files_are_read_with_a_bound(void **state)
{
	(void)state;
	cleanup(free_ptr) char *path = file_under(folder, "/a");
	struct err err;
	struct buf text = {0};
	assert_int_equal(file_read(path, 100, &text, &err), -1);
	assert_int_equal(errno, ENOENT);
	assert_non_null(strstr(err.text, path));
	assert_false(file_exists(path));
	static char big[10000];
	memset(big, 'x', sizeof big);
	assert_int_equal(file_replace(path, big, sizeof big, 0600, &err), 0);
	assert_int_equal(file_read(path, sizeof big, &text, &err), 0);
	assert_int_equal(text.len, sizeof big);
	buf_free(&text);
	assert_int_equal(file_read(path, sizeof big - 1, &text, &err), -1);
	assert_int_equal(errno, EFBIG);
	assert_non_null(strstr(err.text, "larger than 9999 bytes"));
	buf_free(&text);
	assert_int_equal(file_read(folder, 100, &text, &err), -1);
	assert_int_equal(errno, EISDIR);
	assert_true(file_exists(path));
	unlink(path);
}

static void files_are_replaced_whole(void **state)
{
	(void)state;
	cleanup(free_ptr) char *path = file_under(folder, "/b");
	struct err err;
	struct stat info;
	struct buf text = {0};
	mode_t mask = umask(0077);
	assert_int_equal(file_replace(path, "old", 3, 0640, &err), 0);
	umask(mask);
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(info.st_mode & 07777, 0640);
	assert_int_equal(file_replace(path, "", 0, 0600, &err), 0);
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(info.st_size, 0);
	assert_int_equal(info.st_mode & 07777, 0600);
	assert_int_equal(file_replace(path, "old", 3, 0600, &err), 0);

	/* A disk that is full in the middle of it, played by a limit on the size of files. */
	struct rlimit before, tight;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	tight = (struct rlimit){.rlim_cur = 4096, .rlim_max = before.rlim_max};
	void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
	static char big[10000];
	int rc = file_replace(path, big, sizeof big, 0600, &err);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, handler);
	assert_int_equal(rc, -1);
	assert_non_null(strstr(err.text, "the old content was kept"));
	assert_int_equal(file_read(path, 100, &text, &err), 0);
	assert_string_equal(text.data, "old");
	buf_free(&text);
	cleanup(free_ptr) char *beside = xasprintf("%s.new.%ld", path, (long)getpid());
	assert_false(file_exists(beside));

	assert_int_equal(file_replace("/nonexistent/x", "y", 1, 0600, &err), -1);
	assert_non_null(strstr(err.text, "/nonexistent/x"));
	unlink(path);
}

static void folders_are_made(void **state)
{
	(void)state;
	cleanup(free_ptr) char *deep = file_under(folder, "/d/e/f");
	struct err err;
	struct stat info;
	assert_int_equal(file_make_dirs(deep, 0700, &err), 0);
	assert_int_equal(file_make_dirs(deep, 0700, &err), 0);
	assert_int_equal(stat(deep, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0700);
	assert_int_equal(file_make_dirs("/proc/no/such", 0700, &err), -1);
	assert_non_null(strstr(err.text, "/proc/no"));
	cleanup(free_ptr) char *bare = file_under(NULL, "/etc/x");
	cleanup(free_ptr) char *empty = file_under("", "/etc/x");
	cleanup(free_ptr) char *below = file_under("/r", "/etc/x");
	assert_string_equal(bare, "/etc/x");
	assert_string_equal(empty, "/etc/x");
	assert_string_equal(below, "/r/etc/x");
}

/* --- json ----------------------------------------------------------------------------------- */

struct record {
	char *name;
	int64_t age;
	bool on;
	unsigned char key[4];
	json_t *tree;
};

static const struct json_field fields[] = {
	{"name", JSON_FIELD_TEXT, offsetof(struct record, name), 5, true},
	{"age", JSON_FIELD_INT, offsetof(struct record, age), 150, false},
	{"on", JSON_FIELD_BOOL, offsetof(struct record, on), 0, false},
	{"key", JSON_FIELD_BYTES, offsetof(struct record, key), 4, false},
	{"tree", JSON_FIELD_TREE, offsetof(struct record, tree), 0, false},
};

static const struct {
	const char *text;
	const char *problem; /* NULL: it reads */
	const char *written; /* what it is as text again */
} records[] = {
	{"{\"name\":\"ann\"}", NULL, "{\"name\":\"ann\",\"age\":0,\"on\":false}"},
	{"{\"name\":\"ann\",\"age\":150,\"on\":true,\"key\":\"AQIDBA\",\"tree\":[1]}", NULL,
		"{\"name\":\"ann\",\"age\":150,\"on\":true,\"key\":\"AQIDBA\",\"tree\":[1]}"},
	{"{\"name\":\"\",\"more\":1}", NULL, "{\"name\":\"\",\"age\":0,\"on\":false}"},
	{"{\"name\":\"ann\",\"age\":null}", NULL, "{\"name\":\"ann\",\"age\":0,\"on\":false}"},
	{"{\"name\":\"abcde\"}", NULL, "{\"name\":\"abcde\",\"age\":0,\"on\":false}"},
	{"{\"name\":\"abcdef\"}", "name: a string (bytes, at most 5)", NULL},
	{"{\"name\":\"\xc3\xa4\xc3\xa4\xc3\xa4\"}", "name: a string", NULL},
	{"{\"name\":7}", "name: a string", NULL},
	{"{}", "name is missing", NULL},
	{"{\"name\":null}", "name is missing", NULL},
	{"{\"name\":\"a\",\"age\":151}", "age: a whole number (at most 150)", NULL},
	{"{\"name\":\"a\",\"age\":-1}", "age: a whole number", NULL},
	{"{\"name\":\"a\",\"age\":1.5}", "age: a whole number", NULL},
	{"{\"name\":\"a\",\"age\":\"1\"}", "age: a whole number", NULL},
	{"{\"name\":\"a\",\"on\":1}", "on: true or false", NULL},
	{"{\"name\":\"a\",\"key\":\"AQID\"}", "key: base64url", NULL},
	{"{\"name\":\"a\",\"key\":\"AQIDBAU\"}", "key: base64url", NULL},
	{"{\"name\":\"a\",\"key\":\"AQIDBA==\"}", "key: base64url", NULL},
	{"{\"name\":\"a\",\"key\":\"AQID+A\"}", "key: base64url", NULL},
	{"{\"name\":\"a\",\"tree\":\"x\"}", "tree: an object or a list", NULL},
	{"[1]", "an object was expected", NULL},
};

static void json_records_are_checked(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(records); i++) {
		struct err err = {.text = ""};
		cleanup(json_drop) json_t *value =
			json_parse(records[i].text, strlen(records[i].text), &err);
		assert_non_null(value);
		struct record record = {.name = NULL};
		int rc = json_record_read(value, fields, ARRAY_LEN(fields), &record, &err);
		if (rc != (records[i].problem ? -1 : 0) ||
			(records[i].problem && !strstr(err.text, records[i].problem)))
			fail_msg("%s: %s", records[i].text, err.text);
		if (rc) {
			assert_null(record.name);
			assert_null(record.tree);
			continue;
		}
		cleanup(json_drop) json_t *again = json_record_write(fields, ARRAY_LEN(fields), &record);
		cleanup(free_ptr) char *text = json_text(again);
		assert_string_equal(text, records[i].written);
		json_record_free(fields, ARRAY_LEN(fields), &record);
		assert_null(record.name);
	}
}

static void json_is_parsed_strictly(void **state)
{
	(void)state;
	static const char *const bad[] = {"", "{", "{\"a\":1} x", "{\"a\":1,\"a\":2}",
		"{\"a\":\"\xff\"}", "{a:1}", "{\"a\":NaN}", "[1,]", "{\"a\":\"\\u0000\"}"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct err err = {.text = ""};
		assert_null(json_parse(bad[i], strlen(bad[i]), &err));
		assert_memory_equal(err.text, "line 1, column", 14);
	}
	cleanup(buf_free) struct buf deep = {0};
	for (int i = 0; i < 100000; i++)
		buf_puts(&deep, "[");
	struct err err;
	assert_null(json_parse(deep.data, deep.len, &err));
	static const char two_lines[] = "{\"a\":1,\n\"b\":}";
	assert_null(json_parse(two_lines, sizeof two_lines - 1, &err));
	assert_memory_equal(err.text, "line 2", 6);

	static const char good[] = "{\"a\":\"x\",\"n\":7,\"big\":99999999999}";
	cleanup(json_drop) json_t *value = json_parse(good, sizeof good - 1, &err);
	assert_string_equal(json_get_text(value, "a"), "x");
	assert_null(json_get_text(value, "n"));
	assert_null(json_get_text(value, "none"));
	assert_null(json_get_text(NULL, "none"));
	assert_int_equal(json_get_int(value, "n", -1), 7);
	assert_int_equal(json_get_int(value, "a", -1), -1);
	assert_true(json_get_int(value, "big", 0) == 99999999999);
	cleanup(free_ptr) char *null_text = json_text(NULL);
	assert_string_equal(null_text, "null");
}

static int make_folder(void **state)
{
	(void)state;
	return root_make(folder);
}

static int remove_folder(void **state)
{
	(void)state;
	return root_remove(folder);
}

static void bytes_become_characters(void **state)
{
	static const struct {
		const char *bytes, *text;
		size_t unfinished;
	} rows[] = {
		{"", "", 0},
		{"plain\n", "plain\n", 0},
		{"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 0},
		{"a\xff"
		 "b",
			"a\xef\xbf\xbd"
			"b",
			0},
		{"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd", 0},                 /* overlong */
		{"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", 0}, /* a surrogate */
		{"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", 0},
		{"a\xc3", "a\xef\xbf\xbd", 1},
		{"a\xe2\x82", "a\xef\xbf\xbd\xef\xbf\xbd", 2},
		{"\xf0\x9f\x98", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", 3},
		{"\x80\x80\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", 0},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf text = {0};
		utf8_append(&text, rows[i].bytes, strlen(rows[i].bytes));
		assert_string_equal(buf_text(&text), rows[i].text);
		assert_int_equal(utf8_unfinished(rows[i].bytes, strlen(rows[i].bytes)), rows[i].unfinished);
		buf_free(&text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_there),
		cmocka_unit_test(bytes_become_characters),
		cmocka_unit_test(buffer_grows_to_its_bound),
		cmocka_unit_test(errors_are_sentences),
		cmocka_unit_test(deadlines_pass),
		cmocka_unit_test(dates_are_read_and_written),
		cmocka_unit_test(files_are_read_with_a_bound),
		cmocka_unit_test(files_are_replaced_whole),
		cmocka_unit_test(folders_are_made),
		cmocka_unit_test(json_records_are_checked),
		cmocka_unit_test(json_is_parsed_strictly),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
