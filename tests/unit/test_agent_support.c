/* The log's end, what is sent of it, and what goes into a support bundle (R26, R27, R28). */
#include "agent/support/archive.h"
#include "agent/support/bundle.h"
#include "agent/support/follow.h"
#include "agent/support/mask.h"
#include "base/file.h"
#include "base/json.h"

#include "temporary_root.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <zlib.h>
#include <cmocka.h>

static char root[ROOT_SIZE];
static struct agent_paths paths;

static int set_up(void **state)
{
	struct err err;
	(void)state;
	assert_int_equal(root_make(root), 0);
	paths_init(&paths, root);
	assert_int_equal(file_make_dirs(paths.log_dir, 0755, &err), 0);
	return file_make_dirs(paths.state_dir, 0700, &err);
}

static int tear_down(void **state)
{
	(void)state;
	paths_free(&paths);
	return root_remove(root);
}

static void append(const char *path, const char *text)
{
	FILE *file = fopen(path, "ae");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

/* --- mask ---------------------------------------------------------------------------------- */

static void secrets_are_masked_in_every_form(void **state)
{
	static const char *const forms[] = {"p@ss/\"word", "p%40ss%2F%22word", "p@ss/\\\"word",
		"cEBzcy8id29yZA", "704073732f22776f7264", "704073732F22776F7264"};
	struct mask mask = {.count = 0};
	(void)state;
	mask_add(&mask, "p@ss/\"word", 10);
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		struct buf text = {0};
		buf_printf(&text, "before %s and %s after", forms[i], forms[i]);
		if (mask_apply(&mask, &text) != 2 || strstr(text.data, forms[i]))
			fail_msg("%s: %s", forms[i], text.data);
		assert_true(strncmp(text.data, "before *", 8) == 0);
		assert_non_null(strstr(text.data, " after"));
		buf_free(&text);
	}
	static const unsigned char key[] = {0, 1, 0, 0, 200, 0};
	struct buf binary = {0};
	mask_add(&mask, key, sizeof key);
	buf_append(&binary, key, sizeof key);
	buf_puts(&binary, " 00010000c800");
	assert_int_equal(mask_apply(&mask, &binary), 2);
	assert_string_equal(binary.data, "****** ************");
	buf_free(&binary);
	struct buf nothing = {0};
	assert_int_equal(mask_apply(&mask, &nothing), 0);
	mask_free(&mask);
	mask_add(&mask, "abc", 3); /* too short to tell from words */
	assert_int_equal(mask.count, 0);
}

/* --- tail ---------------------------------------------------------------------------------- */

static int gather(void *data, const char *bytes, size_t len)
{
	return buf_append(data, bytes, len);
}

static void assert_read(struct tail *tail, const char *expected)
{
	struct buf text = {0};
	assert_int_equal(tail_read(tail, gather, &text), 0);
	assert_string_equal(buf_text(&text), expected);
	buf_free(&text);
}

static void the_last_lines_then_what_is_written(void **state)
{
	struct tail tail;
	struct err err;
	(void)state;
	append(paths.log, "one\ntwo\nthree\n");
	assert_int_equal(tail_open(&tail, &paths, 2, &err), 0);
	assert_read(&tail, "two\nthree\n");
	assert_read(&tail, "");
	append(paths.log, "four\n");
	assert_read(&tail, "four\n");
	cleanup(free_ptr) char *old = xasprintf("%s.1", paths.log);
	append(paths.log, "five\n");
	assert_int_equal(rename(paths.log, old), 0);
	append(paths.log, "six\n");
	assert_read(&tail, "five\nsix\n");
	tail_close(&tail);
	assert_int_equal(tail_fd(&tail), -1);
}

static void a_log_that_is_not_there_is_waited_for(void **state)
{
	struct tail tail;
	struct err err;
	(void)state;
	assert_int_equal(tail_open(&tail, &paths, 10, &err), 0);
	assert_read(&tail, "");
	append(paths.log, "first\n");
	assert_read(&tail, "first\n");
	tail_close(&tail);
	assert_int_equal(remove(paths.log), 0);
	assert_int_equal(rmdir(paths.log_dir), 0);
	assert_int_equal(tail_open(&tail, &paths, 10, &err), -1);
	assert_non_null(strstr(err.text, paths.log_dir));
}

/* --- follow -------------------------------------------------------------------------------- */

struct sent {
	int messages;
	size_t lines;
	int64_t skipped;
	struct buf last;
};

static int take(void *data, const char *text, size_t len)
{
	struct sent *sent = data;
	struct rpc rpc;
	assert_int_equal(rpc_parse(text, len, &rpc, NULL), 0);
	assert_string_equal(rpc.method, "log.lines");
	const json_t *lines = json_object_get(rpc.body, "lines");
	assert_true(json_array_size(lines) >= 1 && json_array_size(lines) <= FOLLOW_LINES);
	sent->messages++;
	sent->lines += json_array_size(lines);
	sent->skipped += json_get_int(rpc.body, "skipped", 0);
	buf_consume(&sent->last, sent->last.len);
	buf_puts(&sent->last, json_string_value(json_array_get(lines, json_array_size(lines) - 1)));
	rpc_free(&rpc);
	return 0;
}

static void lines_are_paced_and_those_left_out_counted(void **state)
{
	struct session_params params;
	struct session session;
	struct sent sent = {0};
	struct follow follow;
	(void)state;
	session_params_default(&params);
	session_open(&session, &params, take, &sent, 0, 0);
	follow_init(&follow, &paths);
	assert_int_equal(follow_fd(&follow), -1);
	for (int i = 0; i < 250; i++)
		append(paths.log, "a line of before\n");
	assert_int_equal(follow_start(&follow, "s1", 240), REFUSAL_NONE);
	follow_step(&follow, &session);
	assert_int_equal(sent.messages, 3); /* at once, as they were there */
	assert_int_equal(sent.lines, 240);
	append(paths.log, "half a ");
	follow_step(&follow, &session);
	struct deadline due;
	assert_false(follow_deadline(&follow, &due)); /* it is no line yet */
	append(paths.log, "line\n");
	for (int i = 0; i < 1300; i++)
		append(paths.log, "more than fits\n");
	append(paths.log, "the last one\n");
	follow_step(&follow, &session);
	assert_true(follow_deadline(&follow, &due));
	assert_int_equal(sent.messages, 3); /* not before its time */
	follow.next = deadline_in_ms(0);    /* time passes */
	follow_step(&follow, &session);
	assert_int_equal(sent.messages, 4);
	assert_int_equal(sent.skipped, 302);
	while (follow_deadline(&follow, &due)) {
		follow.next = deadline_in_ms(0);
		follow_step(&follow, &session);
	}
	assert_string_equal(buf_text(&sent.last), "the last one");
	assert_int_equal(sent.lines, 240 + TAIL_MAX_LINES);
	follow_stop(&follow, "another");
	assert_true(follow_fd(&follow) >= 0);
	follow_stop(&follow, "s1");
	assert_int_equal(follow_fd(&follow), -1);
	follow_free(&follow);
	session_free(&session);
	buf_free(&sent.last);
}

/* --- the bundle ---------------------------------------------------------------------------- */

static void make_bundle(const char *path, json_t **manifest)
{
	const struct bundle_source source = {root, &paths, NULL, NULL};
	struct err err;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (bundle_write(fd, &source, manifest, &err))
		fail_msg("%s", err.text);
}

static void read_whole(const char *path, struct buf *text)
{
	char chunk[4096];
	gzFile file = gzopen(path, "rbe");
	assert_non_null(file);
	for (int got; (got = gzread(file, chunk, sizeof chunk)) > 0;)
		buf_append(text, chunk, (size_t)got);
	assert_int_equal(gzclose(file), Z_OK);
}

static const json_t *entry_of(
	const json_t *manifest, const char *list, const char *key, const char *name)
{
	size_t i;
	const json_t *entry;
	json_array_foreach(json_object_get(manifest, list), i,
		entry) if (strcmp(json_get_text(entry, key), name) == 0) return entry;
	return NULL;
}

/* Row R27: what an administrator wrote into proxy.env is nowhere, not even where it was logged. */
static void a_bundle_holds_no_secret(void **state)
{
	cleanup(free_ptr) char *path = xasprintf("%s/bundle.tar.gz", root);
	cleanup(free_ptr) char *etc = xasprintf("%s/etc/sallyport", root);
	cleanup(free_ptr) char *env = xasprintf("%s/proxy.env", etc);
	cleanup(json_drop) json_t *manifest = NULL;
	struct buf all = {0};
	struct err err;
	(void)state;
	assert_int_equal(file_make_dirs(etc, 0755, &err), 0);
	append(env, "HTTPS_PROXY=http://svc:first-secret@10.0.0.9:3128\nhttps_proxy=10.0.0.9:3128\n"
				"HTTPS_PROXY_PASSWORD=second-secret\nNO_PROXY=10.0.0.0/8\nTOKEN=third-secret\n");
	append(paths.log,
		"it said first-secret, second-secret, third-secret and c3ZjOmZpcnN0LXNlY3JldA\n");
	append(paths.status, "{\"a\": \"second-secret\"}");
	make_bundle(path, &manifest);
	read_whole(path, &all);
	assert_int_equal(all.len % 512, 0);
	assert_null(memmem(buf_text(&all), all.len, "-secret", 7));
	assert_null(memmem(buf_text(&all), all.len, "c3ZjOm", 6));
	assert_non_null(memmem(buf_text(&all), all.len, "NO_PROXY=10.0.0.0/8", 19));
	assert_int_equal(
		json_get_int(entry_of(manifest, "members", "name", "log/connector.log"), "masked", 0), 4);
	assert_int_equal(
		json_get_int(entry_of(manifest, "members", "name", "status.json"), "masked", 0), 1);
	assert_string_equal(json_get_text(entry_of(manifest, "left_out", "what", "check.json"), "why"),
		"there is none");
	assert_null(entry_of(manifest, "left_out", "what", "log/connector.log.3"));
	assert_non_null(memmem(buf_text(&all), all.len, "sallyport.bundle/1", 18));
	buf_free(&all);
}

static void a_long_file_keeps_its_end(void **state)
{
	cleanup(free_ptr) char *path = xasprintf("%s/bundle.tar.gz", root);
	cleanup(free_ptr) char *noise = xcalloc(2200000, 1);
	cleanup(json_drop) json_t *manifest = NULL;
	struct buf all = {0};
	(void)state;
	memset(noise, 'x', 2199999);
	append(paths.log, "the beginning\n");
	append(paths.log, noise);
	append(paths.log, "\nthe end\n");
	make_bundle(path, &manifest);
	read_whole(path, &all);
	assert_null(memmem(buf_text(&all), all.len, "the beginning", 13));
	assert_non_null(memmem(buf_text(&all), all.len, "the end", 7));
	const json_t *entry = entry_of(manifest, "members", "name", "log/connector.log");
	assert_int_equal(json_get_int(entry, "cut", 0) + json_get_int(entry, "size", 0), 2199999 + 23);
	buf_free(&all);
}

/* A full disk is the caller's error, not half a bundle that looks whole. */
static void a_full_disk_is_told(void **state)
{
	const struct bundle_source source = {root, &paths, NULL, NULL};
	json_t *manifest = NULL;
	struct err err = {""};
	(void)state;
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	assert_int_equal(bundle_write(fd, &source, &manifest, &err), -1);
	assert_null(manifest);
	assert_non_null(strstr(err.text, "No space left"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(secrets_are_masked_in_every_form),
		cmocka_unit_test_setup_teardown(the_last_lines_then_what_is_written, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_log_that_is_not_there_is_waited_for, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			lines_are_paced_and_those_left_out_counted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_bundle_holds_no_secret, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_long_file_keeps_its_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_full_disk_is_told, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
