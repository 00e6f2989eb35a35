/* How many jobs the store keeps: by age, by number and by the size of the whole store. */
#include "base/json.h"
#include "lib/memory_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define NOW    1700000000
#define JOBS   6
#define OUTPUT 262144
#define NEVER  (INT64_C(1) << 60)

static struct memory_store *memory;
static struct store *store;
static struct err err;
static int64_t run_seq;

static void note_run(void *data, const struct store_run *run)
{
	(void)data;
	run_seq = run->seq;
}

static enum store_status add_output(void)
{
	cleanup(free_ptr) char *text = xcalloc(1, OUTPUT);
	return store->driver->runs.add_output(store, run_seq, 0, text, OUTPUT, &err);
}

/* Job number `number`, an hour after the one before, with one run and its output. */
static void add_job(int number, enum store_job_state state)
{
	const struct store_query any = {.online = STORE_NO_FILTER};
	const struct store_targets targets = {.filter = &any, .most = 1};
	struct store_job job = {.title = (char *)"t",
		.script = (char *)"echo",
		.args = (char *)"[]",
		.env = (char *)"{}",
		.user = (char *)"",
		.cwd = (char *)"",
		.timeout_s = 60,
		.output_limit = OUTPUT,
		.created_by = (char *)"alice",
		.location = (char *)"",
		.created = NOW + number * 3600,
		.expires = NOW + number * 3600 + 60};
	char id[sizeof job.id];
	snprintf(id, sizeof id, "%032d", number);
	memcpy(job.id, id, sizeof id);
	if (store->driver->jobs.add(store, &job, NULL, &targets, note_run, NULL, &err) != STORE_OK)
		fail_msg("%s", err.text);
	assert_int_equal(add_output(), STORE_OK);
	job.state = state;
	assert_int_equal(store->driver->jobs.change(store, &job, &err), STORE_OK);
}

static int set_up(void **state)
{
	(void)state;
	memory = memory_store_open();
	store = memory->store;
	memory_store_add(memory, 0, "{}");
	for (int number = 0; number < JOBS; number++)
		add_job(number, STORE_JOB_DONE);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	memory_store_close(memory);
	return 0;
}

/* Prunes until there is nothing more to do; how many jobs are left. */
static size_t pruned(const struct store_keep *keep)
{
	const struct store_job_query query = {.state = STORE_NO_FILTER, .limit = JOBS + 1};
	struct store_job_page page = {0};
	bool more = true;
	for (int step = 0; more; step++) {
		assert_in_range(step, 0, 2 * JOBS);
		assert_int_equal(store->driver->jobs.prune(store, keep, &more, &err), STORE_OK);
	}
	assert_int_equal(store->driver->jobs.list(store, &query, &page, &err), STORE_OK);
	size_t count = page.count;
	/* The oldest have gone. */
	for (size_t i = 0; i < count; i++)
		assert_int_equal(page.rows[i].created, NOW + (JOBS - 1 - (int64_t)i) * 3600);
	store_job_page_free(&page);
	return count;
}

static void nothing_goes_that_is_within_the_bounds(void **state)
{
	const struct store_keep keep = {NOW, JOBS, NEVER};
	(void)state;
	assert_int_equal(pruned(&keep), JOBS);
}

static void old_jobs_go(void **state)
{
	const struct store_keep keep = {NOW + 2 * 3600, NEVER, NEVER};
	(void)state;
	assert_int_equal(pruned(&keep), JOBS - 2);
}

static void the_newest_stay(void **state)
{
	const struct store_keep keep = {NOW, 3, NEVER};
	(void)state;
	assert_int_equal(pruned(&keep), 3);
}

static void much_output_lets_the_oldest_go(void **state)
{
	const struct store_keep keep = {NOW, NEVER, (JOBS - INT64_C(1)) * OUTPUT};
	(void)state;
	assert_in_range(pruned(&keep), 2, JOBS - 2);
}

static void what_is_not_done_stays(void **state)
{
	const struct store_keep keep = {NOW, NEVER, 1};
	(void)state;
	add_job(JOBS, STORE_JOB_ACTIVE);
	const struct store_job_query query = {.state = STORE_NO_FILTER, .limit = JOBS + 1};
	struct store_job_page page = {0};
	bool more = true;
	while (more)
		assert_int_equal(store->driver->jobs.prune(store, &keep, &more, &err), STORE_OK);
	assert_int_equal(store->driver->jobs.list(store, &query, &page, &err), STORE_OK);
	assert_int_equal(page.count, 1);
	assert_int_equal(page.rows[0].state, STORE_JOB_ACTIVE);
	store_job_page_free(&page);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_goes_that_is_within_the_bounds),
		TEST(old_jobs_go),
		TEST(the_newest_stay),
		TEST(much_output_lets_the_oldest_go),
		TEST(what_is_not_done_stays),
	};
	return cmocka_run_group_tests_name("store_jobs", tests, NULL, NULL);
}
