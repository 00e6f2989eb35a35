/*
 * Happy path: asked (a row, queued) -> the machine agrees -> it starts -> its report comes -> done.
 * What goes wrong: the machine refuses, is too old to know the request, does not answer, ends its
 * session and comes back without it, never reports (each is a reason in the row); the store does
 * not take it (kept until it does); a machine speaks of a run that is not its own (a protocol
 * error).
 *
 * The list holds what is unfinished or unwritten. It is short: a bound for the former, a flush ten
 * times a second for the latter.
 */
#include "hub/checks.h"

#include "hub/check_report.h"
#include "hub/log.h"
#include "store/summary.h"

#include <sodium.h>
#include <string.h>

#define FLUSH_MS       100
#define MAX_WAITING    (32u << 20) /* bytes kept for a store that does not take them */
#define ROW_BYTES      1024        /* what a row without its report is reckoned at */
#define LOST_RESTARTED "The agent came back without it: it was stopped or restarted meanwhile."
#define TOO_LARGE      "The report is too large to be kept here."

struct run {
	struct run *next;
	struct store_check row; /* owned */
	int64_t deadline_ms;    /* of one that is unfinished */
	bool stored;            /* the row is in the store, if not like this */
	bool dirty;             /* to be written */
	bool orphan;            /* asked for in an earlier session */
	bool unfit;             /* the store does not take it, for ever */
};

struct checks {
	struct store *store;
	struct checks_hooks hooks;
	struct run *first;
	size_t unfinished;
	size_t waiting; /* bytes of what is dirty */
	bool any_dirty;
};

static bool is_unfinished(const struct run *run)
{
	return run->row.state == CHECK_QUEUED || run->row.state == CHECK_RUNNING;
}

static void set_text(char **at, const char *text)
{
	free(*at);
	*at = xstrdup(text);
}

/* --- the list ------------------------------------------------------------------------------ */

static struct run *add(struct checks *checks)
{
	struct run *run = xcalloc(1, sizeof *run);
	run->next = checks->first;
	checks->first = run;
	return run;
}

static void drop(struct checks *checks, struct run *run)
{
	struct run **at = &checks->first;
	while (*at != run)
		at = &(*at)->next;
	*at = run->next;
	if (is_unfinished(run))
		checks->unfinished--;
	store_check_free(&run->row);
	free(run);
}

static struct run *find_unfinished(const struct checks *checks, const char *server)
{
	struct run *run = checks->first;
	while (run && !(is_unfinished(run) && strcmp(run->row.server, server) == 0))
		run = run->next;
	return run;
}

static struct run *find_run(const struct checks *checks, const char *id)
{
	struct run *run = checks->first;
	while (run && strcmp(run->row.id, id) != 0)
		run = run->next;
	return run;
}

static void touch(struct checks *checks, struct run *run)
{
	if (!run->dirty)
		checks->waiting += ROW_BYTES;
	run->dirty = true;
	checks->any_dirty = true;
	checks->hooks.wake(checks->hooks.data, FLUSH_MS);
}

/* It will not be written. */
static void forget(struct checks *checks, struct run *run)
{
	if (run->dirty)
		checks->waiting -= ROW_BYTES + (run->row.report ? strlen(run->row.report) : 0);
	drop(checks, run);
}

static void new_id(char id[STORE_CHECK_ID_SIZE])
{
	unsigned char raw[(STORE_CHECK_ID_SIZE - 1) / 2];
	randombytes_buf(raw, sizeof raw);
	sodium_bin2hex(id, STORE_CHECK_ID_SIZE, raw, sizeof raw);
}

static void fill_row(
	struct store_check *row, const char *server, const char *user, const char *profile, int64_t now)
{
	*row = (struct store_check){
		.requested_by = xstrdup(user),
		.profile = xstrdup(profile),
		.title = xstrdup(""),
		.requested = now,
		.repeats = 1,
		.verdict = xstrdup(""),
		.causes = xstrdup("[]"),
		.outcome = xstrdup(""),
		.reason = xstrdup(""),
	};
	new_id(row->id);
	strncpy(row->server, server, sizeof row->server - 1);
}

static void copy_row(struct store_check *to, const struct store_check *from)
{
	*to = *from;
	char **const texts[] = {&to->requested_by, &to->profile, &to->title, &to->verdict, &to->causes,
		&to->outcome, &to->reason};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		*texts[i] = xstrdup(*texts[i]);
	to->report = NULL;
}

/* --- life ---------------------------------------------------------------------------------- */

struct checks *checks_new(struct store *store, const struct checks_hooks *hooks)
{
	struct checks *checks = xcalloc(1, sizeof *checks);
	checks->store = store;
	checks->hooks = *hooks;
	return checks;
}

void checks_free(struct checks *checks)
{
	if (!checks)
		return;
	while (checks->first)
		drop(checks, checks->first);
	free(checks);
}

static int64_t run_ms(const struct store_check *row)
{
	return row->deep ? CHECKS_RUN_DEEP_MS : CHECKS_RUN_MS;
}

struct loading {
	struct checks *checks;
	int64_t now_ms;
};

static void load_one(void *data, const struct store_check *check)
{
	const struct loading *loading = data;
	struct run *run = add(loading->checks);
	copy_row(&run->row, check);
	run->stored = run->orphan = true;
	run->deadline_ms = loading->now_ms + run_ms(check);
	loading->checks->unfinished++;
}

enum store_status checks_load(struct checks *checks, int64_t now_ms, struct err *err)
{
	struct loading loading = {checks, now_ms};
	return checks->store->driver->checks.unfinished(checks->store, load_one, &loading, err);
}

enum checks_ask checks_ask(struct checks *checks, const struct checks_wish *wish,
	struct store_check *check, enum store_status *status, struct err *err)
{
	const struct run *already = find_unfinished(checks, wish->server);
	if (already) {
		copy_row(check, &already->row);
		return ASK_RUNS_ALREADY;
	}
	if (checks->unfinished >= CHECKS_MAX_UNFINISHED)
		return ASK_TOO_MANY;
	struct store_check row;
	fill_row(&row, wish->server, wish->user, wish->profile, wish->now);
	row.deep = wish->deep;
	set_text(&row.title, wish->title);
	*status = checks->store->driver->checks.add(checks->store, &row, err);
	if (*status != STORE_OK) {
		store_check_free(&row);
		return ASK_NOT_STORED;
	}
	struct run *run = add(checks);
	run->row = row;
	run->stored = true;
	run->deadline_ms = wish->now_ms + CHECKS_ANSWER_MS;
	checks->unfinished++;
	copy_row(check, &run->row);
	checks->hooks.changed(checks->hooks.data, check);
	return ASK_TAKEN;
}

/* It ends without a report. */
static void end(struct checks *checks, struct run *run, enum store_check_state state,
	const char *reason, int64_t now)
{
	run->row.state = state;
	run->row.finished = now;
	set_text(&run->row.reason, reason);
	checks->unfinished--;
	touch(checks, run);
}

/* --- what the machine says ----------------------------------------------------------------- */

void checks_answered(
	struct checks *checks, const char *run_id, const char *refusal, int64_t now, int64_t now_ms)
{
	struct run *run = find_run(checks, run_id);
	if (!run || run->row.state != CHECK_QUEUED)
		return; /* given up meanwhile, or begun already */
	if (refusal)
		end(checks, run, CHECK_FAILED, refusal, now);
	else
		run->deadline_ms = now_ms + CHECKS_TURN_MS;
}

static struct run *load_lost(struct checks *checks, const char *server, const char *id)
{
	struct store_check row;
	if (checks->store->driver->checks.find(checks->store, server, id, &row, NULL) != STORE_OK)
		return NULL;
	if (row.state != CHECK_LOST) {
		store_check_free(&row);
		return NULL;
	}
	struct run *run = add(checks);
	run->row = row;
	run->stored = true;
	return run;
}

/* The run of that name, unfinished, also when it was given up too early; NULL when this machine has
 * none. */
static struct run *run_of(struct checks *checks, const char *server, const char *id)
{
	struct run *run = find_run(checks, id);
	if (run && strcmp(run->row.server, server) != 0)
		return NULL;
	if (!run)
		run = load_lost(checks, server, id);
	if (run && run->row.state == CHECK_LOST) {
		run->row.state = CHECK_RUNNING;
		set_text(&run->row.reason, "");
		checks->unfinished++;
	}
	return run && is_unfinished(run) ? run : NULL;
}

int checks_started(
	struct checks *checks, const char *server, const char *run_id, int64_t now, int64_t now_ms)
{
	struct run *run = run_of(checks, server, run_id);
	if (!run)
		return -1;
	run->row.state = CHECK_RUNNING;
	run->row.started = now;
	run->deadline_ms = now_ms + run_ms(&run->row);
	touch(checks, run);
	return 0;
}

int checks_failed(
	struct checks *checks, const char *server, const char *run_id, const char *reason, int64_t now)
{
	char text[601];
	struct run *run = run_of(checks, server, run_id);
	if (!run)
		return -1;
	summary_take_text(text, sizeof text, reason);
	end(checks, run, CHECK_FAILED, text, now);
	return 0;
}

/* True when the report fits into what waits for the store. */
static bool has_room(struct checks *checks, const struct run *run)
{
	size_t len = strlen(run->row.report);
	if (checks->waiting + ROW_BYTES + len > MAX_WAITING)
		return false;
	checks->waiting += len;
	return true;
}

static int take_report(struct checks *checks, struct run *run, const json_t *report, int64_t now)
{
	if (check_report_take(report, &run->row))
		return -1;
	if (!has_room(checks, run)) {
		free(run->row.report);
		run->row.report = NULL;
		end(checks, run, CHECK_FAILED, "The hub's disk was full when the report came.", now);
		return 0;
	}
	if (!run->row.started)
		run->row.started = now;
	end(checks, run, CHECK_DONE, "", now);
	return 0;
}

/* A check that the machine made by itself; unfinished until take_report() ends it. */
static struct run *add_own(struct checks *checks, const char *server, int64_t now)
{
	struct run *run = add(checks);
	fill_row(&run->row, server, "", "", now);
	checks->unfinished++;
	return run;
}

int checks_reported(struct checks *checks, const char *server, const char *run_id,
	const json_t *report, int64_t now)
{
	struct run *run = run_id ? run_of(checks, server, run_id) : add_own(checks, server, now);
	if (!run)
		return -1;
	int bad = take_report(checks, run, report, now);
	if (!run_id && run->row.state != CHECK_DONE) /* nobody waits for it */
		forget(checks, run);
	return bad;
}

/* --- sessions, time ------------------------------------------------------------------------ */

void checks_session_opened(struct checks *checks, const char *server)
{
	struct run *run = find_unfinished(checks, server);
	if (run)
		run->orphan = true;
}

void checks_session_told(struct checks *checks, const char *server, const char *run_id, int64_t now)
{
	struct run *run = find_unfinished(checks, server);
	if (!run || !run->orphan)
		return;
	run->orphan = false;
	if (!run_id || strcmp(run->row.id, run_id) != 0)
		end(checks, run, CHECK_LOST, LOST_RESTARTED, now);
}

void checks_forget(struct checks *checks, const char *server)
{
	for (struct run *run = checks->first, *next; run; run = next) {
		next = run->next;
		if (strcmp(run->row.server, server) == 0)
			forget(checks, run);
	}
}

void checks_sweep(struct checks *checks, int64_t now, int64_t now_ms)
{
	char reason[160];
	for (struct run *run = checks->first; run; run = run->next) {
		if (!is_unfinished(run) || now_ms < run->deadline_ms)
			continue;
		if (run->row.state == CHECK_RUNNING)
			snprintf(reason, sizeof reason, "No report came within %lld minutes.",
				(long long)run_ms(&run->row) / 60000);
		else
			snprintf(reason, sizeof reason, "The agent did not start it in time.");
		end(checks, run, CHECK_LOST, reason, now);
	}
}

/* --- to the store -------------------------------------------------------------------------- */

static enum store_status write_run(struct checks *checks, struct run *run, struct err *err)
{
	struct store *store = checks->store;
	enum store_status status = run->stored ? store->driver->checks.change(store, &run->row, err)
										   : store->driver->checks.add(store, &run->row, err);
	if (status == STORE_TOO_BIG && run->stored) {
		checks->waiting -= strlen(run->row.report);
		free(run->row.report);
		run->row.report = NULL;
		run->row.state = CHECK_FAILED;
		set_text(&run->row.reason, TOO_LARGE);
		status = store->driver->checks.change(store, &run->row, err);
	} else if (status == STORE_TOO_BIG) {
		log_line(LOG_NOTE, "server %s: a report that is too large was not kept", run->row.server);
		run->unfit = true;
		status = STORE_OK;
	}
	return status == STORE_NOT_FOUND ? STORE_OK : status; /* the server was removed meanwhile */
}

static enum store_status write_all(struct checks *checks, struct err *err)
{
	const struct store_driver *driver = checks->store->driver;
	enum store_status status = driver->begin(checks->store, false, err);
	if (status != STORE_OK)
		return status;
	for (struct run *run = checks->first; run && status == STORE_OK; run = run->next)
		if (run->dirty)
			status = write_run(checks, run, err);
	if (status == STORE_OK)
		return driver->commit(checks->store, err);
	driver->rollback(checks->store);
	return status;
}

enum store_status checks_flush(struct checks *checks, struct err *err)
{
	if (!checks->any_dirty)
		return STORE_OK;
	enum store_status status = write_all(checks, err);
	if (status != STORE_OK)
		return status;
	checks->any_dirty = false;
	checks->waiting = 0;
	for (struct run *run = checks->first, *next; run; run = next) {
		next = run->next;
		if (!run->dirty)
			continue;
		run->dirty = false;
		run->stored = true;
		free(run->row.report);
		run->row.report = NULL;
		if (!run->unfit)
			checks->hooks.changed(checks->hooks.data, &run->row);
		if (!is_unfinished(run))
			drop(checks, run);
	}
	return STORE_OK;
}
