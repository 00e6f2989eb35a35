/*
 * connector.log (rows R26, R27, S13): lines, rotation, a full disk, what is told once, and that no
 * secret gets in.
 */
#include "agent/log.h"
#include "base/file.h"
#include "temporary_root.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static char root[ROOT_SIZE];
static struct agent_paths paths;

static int make_root(void **state)
{
	(void)state;
	assert_int_equal(root_make(root), 0);
	paths_init(&paths, root);
	return 0;
}

static int remove_root(void **state)
{
	(void)state;
	paths_free(&paths);
	return root_remove(root);
}

static char *content(const char *path)
{
	struct buf text = {0};
	struct err err;
	if (file_read(path, 16 << 20, &text, &err))
		fail_msg("%s", err.text);
	return text.data ? text.data : xstrdup("");
}

static unsigned count_of(const char *text, const char *word)
{
	unsigned count = 0;
	for (const char *at = text; (at = strstr(at, word)); at += strlen(word))
		count++;
	return count;
}

static void line_has_time_level_and_text(void **state)
{
	(void)state;
	struct agent_log log;
	agent_log_open(&log, &paths, false);
	logfile_line(log.file, LEVEL_WARN, "one\ntwo \x1b[31m");
	agent_log_close(&log);
	cleanup(free_ptr) char *text = content(paths.log);
	assert_int_equal(text[10], 'T');
	assert_int_equal(text[19], 'Z');
	assert_string_equal(text + 20, " WARN  one\\x0atwo \\x1b[31m\n");
	struct stat st;
	assert_int_equal(stat(paths.log, &st), 0);
	assert_int_equal(st.st_mode & 0007, 0);
}

static void rotates_by_size_and_keeps_the_newest(void **state)
{
	(void)state;
	struct logfile_options options = {.path = paths.status, .max_bytes = 1000, .keep = 2};
	assert_int_equal(file_make_dirs(paths.state_dir, 0700, NULL), 0);
	struct logfile *log = logfile_open(&options);
	for (int i = 0; i < 100; i++)
		logfile_line(log, LEVEL_INFO, "line number %d, which is neither short nor long", i);
	logfile_close(log);
	cleanup(free_ptr) char *newest = content(paths.status);
	cleanup(free_ptr) char *second = xasprintf("%s.2", paths.status);
	cleanup(free_ptr) char *third = xasprintf("%s.3", paths.status);
	struct stat st;
	assert_non_null(strstr(newest, "line number 99,"));
	assert_int_equal(stat(second, &st), 0);
	assert_in_range(st.st_size, 500, 1000);
	assert_int_equal(stat(third, &st), -1);
}

/* Row R27: what is copied while the agent writes is a log, whole lines from the beginning. */
static void may_be_moved_away_while_in_use(void **state)
{
	(void)state;
	struct agent_log log;
	agent_log_open(&log, &paths, false);
	logfile_line(log.file, LEVEL_INFO, "before");
	cleanup(free_ptr) char *aside = xasprintf("%s.aside", paths.log);
	assert_int_equal(rename(paths.log, aside), 0);
	logfile_line(log.file, LEVEL_INFO, "after");
	agent_log_close(&log);
	cleanup(free_ptr) char *text = content(paths.log);
	assert_non_null(strstr(text, "after"));
	assert_null(strstr(text, "before"));
}

/* A file-size limit stands for a full disk: a write stops short, and fails from there on. */
static void full_disk_loses_lines_and_says_so(void **state)
{
	(void)state;
	struct rlimit old;
	getrlimit(RLIMIT_FSIZE, &old);
	signal(SIGXFSZ, SIG_IGN);
	struct agent_log log;
	agent_log_open(&log, &paths, false);
	logfile_line(log.file, LEVEL_INFO, "fits");
	setrlimit(RLIMIT_FSIZE, &(struct rlimit){60, old.rlim_max});
	for (int i = 0; i < 3; i++)
		logfile_line(log.file, LEVEL_INFO, "lost line %d", i);
	cleanup(free_ptr) char *meanwhile = content(paths.log);
	setrlimit(RLIMIT_FSIZE, &old);
	logfile_line(log.file, LEVEL_INFO, "fits again");
	agent_log_close(&log);
	cleanup(free_ptr) char *text = content(paths.log);
	/* No torn line, also while the disk is full. */
	assert_int_equal(count_of(meanwhile, "\n"), 1);
	assert_int_equal(meanwhile[strlen(meanwhile) - 1], '\n');
	assert_null(strstr(text, "lost line"));
	assert_non_null(strstr(text, "WARN  3 lines since "));
	assert_non_null(strstr(text, " were lost: "));
	assert_non_null(strstr(text, "INFO  fits again\n"));
}

static void unusable_folder_is_tried_again(void **state)
{
	(void)state;
	struct agent_log log;
	assert_int_equal(file_make_dirs(paths.state_dir, 0700, NULL), 0);
	cleanup(free_ptr) char *var_log = xasprintf("%s/var/log", root);
	assert_int_equal(file_replace(var_log, "in the way", 10, 0600, NULL), 0);
	agent_log_open(&log, &paths, false);
	logfile_line(log.file, LEVEL_INFO, "lost");
	assert_int_equal(unlink(var_log), 0);
	assert_int_equal(file_make_dirs(paths.log_dir, 0755, NULL), 0);
	logfile_line(log.file, LEVEL_INFO, "kept");
	agent_log_close(&log);
	cleanup(free_ptr) char *text = content(paths.log);
	assert_non_null(strstr(text, "1 line since"));
	assert_non_null(strstr(text, "kept"));
}

static void set_denied(struct finding *finding, const char *status, const char *ms)
{
	finding_free(finding);
	finding_set(finding, CAUSE_PROXY_DENIED, STAGE_TUNNEL, CONFIDENCE_CERTAIN);
	evidence_add(&finding->evidence, "proxy", "http://10.0.0.9:3128");
	evidence_add(&finding->evidence, "endpoint", "hub.example:443");
	evidence_add(&finding->evidence, "status", "%s", status);
	evidence_add(&finding->evidence, "elapsed", "%s", ms);
}

/* Issue of a flooded log: cause, evidence and remedy once, and again only when they differ. */
static void failure_is_told_once_until_it_changes(void **state)
{
	(void)state;
	struct agent_log log;
	struct finding finding = {0};
	struct walk walk = {.proxy = NULL};
	agent_log_open(&log, &paths, false);
	set_denied(&finding, "403", "12 ms");
	assert_true(agent_log_failure(&log, "hub.example:443", &finding, true));
	set_denied(&finding, "403", "99 ms");
	assert_false(agent_log_failure(&log, "hub.example:443", &finding, true));
	set_denied(&finding, "405", "12 ms");
	assert_true(agent_log_failure(&log, "hub.example:443", &finding, true));
	finding_free(&finding);
	finding_set(&finding, CAUSE_PROXY_TIMEOUT, STAGE_TUNNEL, CONFIDENCE_CERTAIN);
	assert_true(agent_log_failure(&log, "hub.example:443", &finding, true));
	walk.stages[STAGE_RESOLVE].status = STAGE_PASSED;
	walk.stages[STAGE_RESOLVE].ms = 1.25;
	agent_log_online(&log, "hub.example:443", &walk);
	assert_true(agent_log_failure(&log, "hub.example:443", &finding, true));
	agent_log_online(&log, "hub.example:443", &walk);
	agent_log_close(&log);
	finding_free(&finding);

	cleanup(free_ptr) char *text = content(paths.log);
	assert_int_equal(count_of(text, "cause: proxy-denied (stage tunnel, certain)"), 2);
	assert_int_equal(
		count_of(text, "evidence: proxy=http://10.0.0.9:3128, endpoint=hub.example:443, "
					   "status=403, elapsed=12 ms\n"),
		1);
	assert_int_equal(
		count_of(text, "remedy (proxy administrator): Allow CONNECT to hub.example:443"), 2);
	assert_int_equal(count_of(text, "cause: proxy-timeout"), 2);
	assert_non_null(strstr(text, "online at hub.example:443 (resolve 1.2 ms); after "));
	assert_non_null(strstr(text, " and 4 failures\n"));
	assert_non_null(strstr(text, "; again, after "));
}

/* Being asked to wait is told once in an outage, and never as a failure. */
static void busy_hub_is_no_failure(void **state)
{
	(void)state;
	struct agent_log log;
	struct walk walk = {.failure = {0}};
	agent_log_open(&log, &paths, false);
	assert_true(agent_log_busy(&log, "hub.example:443", 7000));
	assert_false(agent_log_busy(&log, "hub.example:443", 9000));
	agent_log_online(&log, "hub.example:443", &walk);
	assert_true(agent_log_busy(&log, "hub.example:443", 2000));
	agent_log_close(&log);
	cleanup(free_ptr) char *text = content(paths.log);
	assert_int_equal(count_of(text, "is busy and asks to come back in "), 2);
	assert_int_equal(count_of(text, "ERROR"), 0);
	assert_int_equal(count_of(text, "cause:"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(busy_hub_is_no_failure, make_root, remove_root),
		cmocka_unit_test_setup_teardown(line_has_time_level_and_text, make_root, remove_root),
		cmocka_unit_test_setup_teardown(
			rotates_by_size_and_keeps_the_newest, make_root, remove_root),
		cmocka_unit_test_setup_teardown(may_be_moved_away_while_in_use, make_root, remove_root),
		cmocka_unit_test_setup_teardown(full_disk_loses_lines_and_says_so, make_root, remove_root),
		cmocka_unit_test_setup_teardown(unusable_folder_is_tried_again, make_root, remove_root),
		cmocka_unit_test_setup_teardown(
			failure_is_told_once_until_it_changes, make_root, remove_root),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
