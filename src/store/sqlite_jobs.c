/* Jobs: a row each, and their runs made with them. */
#include "store/sqlite.h"

#include "base/json.h"

#include <stdio.h>
#include <string.h>

#define PRUNE_RUNS 20 /* that one call removes: each may have megabytes of output */

/* In the order of read_job(); the texts that may be long come last. */
#define JOB_COLUMNS                                                                                \
	"seq, id, state, title, interpreter, user, cwd, timeout_s, output_limit, rerun, reboot, "      \
	"created_by, location, created, expires, finished, cancel, failed, undetermined, expired, "    \
	"cancelled, queued, delivered, running, rebooting, done"
#define COLUMN_COUNTS 17
#define COLUMN_SCRIPT (COLUMN_COUNTS + RUN_STATES)
#define LONG_COLUMNS  ", script, args, env"

/* What a newer release wrote and this one does not know is read as the first of its kind. */
static unsigned known(int found)
{
	return found < 0 ? 0 : (unsigned)found;
}

static const char *text_at(sqlite3_stmt *statement, int column)
{
	const unsigned char *text = sqlite3_column_text(statement, column);
	return text ? (const char *)text : "";
}

static void read_job(sqlite3_stmt *statement, struct store_job *job)
{
	*job = (struct store_job){
		.seq = sqlite3_column_int64(statement, 0),
		.state = (enum store_job_state)sqlite3_column_int(statement, 2),
		.title = sql_text(statement, 3),
		.interpreter = (enum job_interpreter)known(job_interpreter_find(text_at(statement, 4))),
		.user = sql_text(statement, 5),
		.cwd = sql_text(statement, 6),
		.timeout_s = sqlite3_column_int64(statement, 7),
		.output_limit = sqlite3_column_int64(statement, 8),
		.rerun = (enum job_rerun)known(job_rerun_find(text_at(statement, 9))),
		.reboot = (enum job_reboot)known(job_reboot_find(text_at(statement, 10))),
		.created_by = sql_text(statement, 11),
		.location = sql_text(statement, 12),
		.created = sqlite3_column_int64(statement, 13),
		.expires = sqlite3_column_int64(statement, 14),
		.finished = sqlite3_column_int64(statement, 15),
		.cancel = sqlite3_column_int(statement, 16) != 0,
	};
	snprintf(job->id, sizeof job->id, "%s", text_at(statement, 1));
	for (int i = 0; i < RUN_STATES; i++)
		job->counts[i] = sqlite3_column_int64(statement, COLUMN_COUNTS + i);
}

static void read_long(sqlite3_stmt *statement, struct store_job *job)
{
	job->script = sql_text(statement, COLUMN_SCRIPT);
	job->args = sql_text(statement, COLUMN_SCRIPT + 1);
	job->env = sql_text(statement, COLUMN_SCRIPT + 2);
}

/* --- making -------------------------------------------------------------------------------- */

static enum store_status insert_job(
	struct sqlite_store *sqlite, struct store_job *job, struct err *err)
{
	enum store_status status = sql_run(sqlite,
		sql_start(sqlite,
			"INSERT INTO jobs(id, state, title, interpreter, script, args, env, user, cwd, "
			"timeout_s, output_limit, rerun, reboot, created_by, location, created, expires, "
			"finished, cancel, failed, undetermined, expired, cancelled, queued, delivered, "
			"running, rebooting, done) VALUES(?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
			"0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)",
			"ttttttttiittttii", job->id, job->title, job_interpreter_name(job->interpreter),
			job->script, job->args, job->env, job->user, job->cwd, job->timeout_s,
			job->output_limit, job_rerun_name(job->rerun), job_reboot_name(job->reboot),
			job->created_by, job->location, job->created, job->expires),
		err);
	job->seq = sqlite3_last_insert_rowid(sqlite->db);
	return status;
}

/* One statement for all servers. Their numbers are given here and not by SQLite, because a run's id
 * ends in its number. A server that is online gets its run at once: nobody can tell later whether
 * it had left when the hub was killed. */
static enum store_status insert_runs(struct sqlite_store *sqlite, const struct store_job *job,
	const struct store_targets *targets, struct err *err)
{
	struct sql_select select = {.bindings = json_array()};
	buf_puts(&select.sql,
		"INSERT INTO job_runs(seq, id, job, server, server_name, state, sent, cancel, attempt, "
		"exit_code, signal, reason, output, output_total, dropped, queued, delivered, started, "
		"finished) SELECT base + n, printf('%s%012x', ?, base + n), ?, id, name, ?, online, 0, 0, "
		"-1, 0, '', 0, -1, 0, ?, 0, 0, 0 FROM (SELECT row_number() OVER (ORDER BY name, id) AS n, "
		"id, name, online FROM servers");
	sql_select_bind(&select, json_stringn(job->id, JOB_ID_SIZE - 1 - STORE_RUN_SEQ_DIGITS));
	sql_select_bind(&select, json_integer(job->seq));
	sql_select_bind(&select, json_integer(RUN_QUEUED));
	sql_select_bind(&select, json_integer(job->created));
	sql_select_filters(&select, targets->filter);
	if (targets->ids) {
		buf_puts(&select.sql, " AND id IN (SELECT value FROM json_each(?))");
		sql_select_bind(&select, json_string(targets->ids));
	}
	buf_puts(&select.sql,
		"), (SELECT coalesce(max(seq), 0) AS base FROM sqlite_sequence WHERE name = 'job_runs')");
	sqlite3_stmt *statement = sql_select_start(sqlite, &select);
	enum store_status status = sql_run(sqlite, statement, err);
	int64_t count = status == STORE_OK ? sql_changes(sqlite) : 0;
	sqlite3_finalize(statement);
	sql_select_free(&select);
	if (status == STORE_OK && !count)
		return STORE_NOT_FOUND;
	if (status == STORE_OK && count > targets->most)
		return STORE_TOO_BIG;
	return status == STORE_OK ? sql_run(sqlite,
									sql_start(sqlite, "UPDATE jobs SET queued = ?2 WHERE seq = ?1",
										"ii", job->seq, count),
									err)
							  : status;
}

enum store_status sql_jobs_add(struct store *store, struct store_job *job, const char *env,
	const struct store_targets *targets, void (*each)(void *data, const struct store_run *run),
	void *data, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	enum store_status status = sql_begin(sqlite, err);
	if (status != STORE_OK)
		return status;
	status = insert_job(sqlite, job, err);
	if (status == STORE_OK && env)
		status = sql_run(sqlite,
			sql_start(
				sqlite, "INSERT INTO job_secrets(job, env) VALUES(?, ?)", "it", job->seq, env),
			err);
	if (status == STORE_OK)
		status = insert_runs(sqlite, job, targets, err);
	status = sql_end(sqlite, status, err);
	return status == STORE_OK ? sql_runs_live(store, job->seq, each, data, err) : status;
}

/* --- reading ------------------------------------------------------------------------------- */

enum store_status sql_jobs_find(
	struct store *store, const char *id, struct store_job *job, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	sqlite3_stmt *statement =
		sql_start(sqlite, "SELECT " JOB_COLUMNS LONG_COLUMNS " FROM jobs WHERE id = ?", "t", id);
	enum store_status status = sql_step(sqlite, statement, err);
	if (status == STORE_OK) {
		read_job(statement, job);
		read_long(statement, job);
	}
	sql_done(statement);
	return status;
}

enum store_status sql_jobs_load(
	struct store *store, int64_t seq, struct store_job *job, char **secrets, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	sqlite3_stmt *statement = sql_start(sqlite,
		"SELECT " JOB_COLUMNS LONG_COLUMNS ", (SELECT s.env FROM job_secrets s WHERE job = seq) "
		"FROM jobs WHERE seq = ?",
		"i", seq);
	enum store_status status = sql_step(sqlite, statement, err);
	if (status == STORE_OK) {
		read_job(statement, job);
		read_long(statement, job);
		*secrets = sqlite3_column_type(statement, COLUMN_SCRIPT + 3) == SQLITE_NULL
					   ? NULL
					   : sql_text(statement, COLUMN_SCRIPT + 3);
	}
	sql_done(statement);
	return status;
}

static void add_conditions(struct sql_select *select, const struct store_job_query *query)
{
	buf_puts(&select->sql, " WHERE 1");
	if (query->state != STORE_NO_FILTER) {
		buf_puts(&select->sql, " AND state = ?");
		sql_select_bind(select, json_integer(query->state));
	}
	if (query->text) {
		buf_puts(&select->sql, " AND instr(lower(title), lower(?))");
		sql_select_bind(select, json_string(query->text));
	}
	if (query->location) {
		buf_puts(&select->sql, " AND location = ?");
		sql_select_bind(select, json_string(query->location));
	}
	if (query->before) {
		buf_puts(&select->sql, " AND seq < ?");
		sql_select_bind(select, json_integer(query->before));
	}
	buf_puts(&select->sql, " ORDER BY seq DESC LIMIT ?");
	sql_select_bind(select, json_integer(query->limit + 1));
}

/* One row more than asked for tells whether there is a next page. */
enum store_status sql_jobs_list(struct store *store, const struct store_job_query *query,
	struct store_job_page *page, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	struct sql_select select = {.bindings = json_array()};
	enum store_status status;
	*page = (struct store_job_page){.rows = xcalloc((size_t)query->limit, sizeof *page->rows)};
	buf_puts(&select.sql, "SELECT " JOB_COLUMNS " FROM jobs");
	add_conditions(&select, query);
	sqlite3_stmt *statement = sql_select_start(sqlite, &select);
	while ((status = sql_step(sqlite, statement, err)) == STORE_OK) {
		if (page->count == (size_t)query->limit) {
			page->next_cursor = page->rows[page->count - 1].seq;
			break;
		}
		read_job(statement, &page->rows[page->count++]);
	}
	sqlite3_finalize(statement);
	sql_select_free(&select);
	if (status == STORE_OK || status == STORE_NOT_FOUND)
		return STORE_OK;
	store_job_page_free(page);
	return status;
}

enum store_status sql_jobs_active(struct store *store,
	void (*each)(void *data, const struct store_job *job), void *data, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	enum store_status status;
	sqlite3_stmt *statement =
		sql_start(sqlite, "SELECT " JOB_COLUMNS " FROM jobs WHERE state = 0", "");
	while ((status = sql_step(sqlite, statement, err)) == STORE_OK) {
		struct store_job job;
		read_job(statement, &job);
		each(data, &job);
		store_job_free(&job);
	}
	sql_done(statement);
	return status == STORE_NOT_FOUND ? STORE_OK : status;
}

/* --- changing ------------------------------------------------------------------------------ */

enum store_status sql_jobs_change(struct store *store, const struct store_job *job, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	const int64_t *counts = job->counts;
	enum store_status status = sql_run(sqlite,
		sql_start(sqlite,
			"UPDATE jobs SET state = ?2, finished = ?3, cancel = ?4, failed = ?5, "
			"undetermined = ?6, expired = ?7, cancelled = ?8, queued = ?9, delivered = ?10, "
			"running = ?11, rebooting = ?12, done = ?13 WHERE seq = ?1",
			"iiiiiiiiiiiii", job->seq, (int64_t)job->state, job->finished, (int64_t)job->cancel,
			counts[RUN_FAILED], counts[RUN_UNDETERMINED], counts[RUN_EXPIRED],
			counts[RUN_CANCELLED], counts[RUN_QUEUED], counts[RUN_DELIVERED], counts[RUN_RUNNING],
			counts[RUN_REBOOTING], counts[RUN_DONE]),
		err);
	return status == STORE_OK && !sql_changes(sqlite) ? STORE_NOT_FOUND : status;
}

enum store_status sql_jobs_wipe_secrets(struct store *store, int64_t seq, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	return sql_run(
		sqlite, sql_start(sqlite, "DELETE FROM job_secrets WHERE job = ?", "i", seq), err);
}

static enum store_status prune_one(struct sqlite_store *sqlite, int64_t seq, struct err *err)
{
	enum store_status status = sql_run(sqlite,
		sql_start(sqlite,
			"DELETE FROM job_runs WHERE seq IN (SELECT seq FROM job_runs WHERE job = ? LIMIT ?)",
			"ii", seq, (int64_t)PRUNE_RUNS),
		err);
	if (status == STORE_OK && sql_changes(sqlite) < PRUNE_RUNS)
		status =
			sql_run(sqlite, sql_start(sqlite, "DELETE FROM jobs WHERE seq = ?", "i", seq), err);
	return status;
}

enum store_status sql_jobs_prune(
	struct store *store, const struct store_keep *keep, bool *more, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	sqlite3_stmt *statement = sql_start(sqlite,
		"SELECT seq FROM jobs WHERE state <> 0 AND (created < ?1 OR seq <= "
		"(SELECT seq FROM jobs ORDER BY seq DESC LIMIT 1 OFFSET ?2) OR ?3 < (SELECT "
		"(pages.page_count - free.freelist_count) * size.page_size FROM pragma_page_count pages, "
		"pragma_freelist_count free, pragma_page_size size)) ORDER BY seq LIMIT 1",
		"iii", keep->since, keep->count, keep->bytes);
	enum store_status status = sql_step(sqlite, statement, err);
	int64_t seq = status == STORE_OK ? sqlite3_column_int64(statement, 0) : 0;
	sql_done(statement);
	*more = status == STORE_OK;
	if (status != STORE_OK)
		return status == STORE_NOT_FOUND ? STORE_OK : status;
	status = sql_begin(sqlite, err);
	if (status == STORE_OK)
		status = sql_end(sqlite, prune_one(sqlite, seq, err), err);
	return status;
}
