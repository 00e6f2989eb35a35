/* Installs and their targets. */
#include "store/sqlite.h"

#include <stdio.h>
#include <string.h>

/* In the order of read_install(). */
#define INSTALL_COLUMNS                                                                            \
	"i.seq, i.id, i.location, i.action, i.hosts, i.user, i.port, i.parallel, i.state, "            \
	"i.by_command, i.connector, coalesce(s.name, ''), i.reason, i.created_by, i.created, "         \
	"i.finished FROM installs i LEFT JOIN servers s ON s.id = i.connector"

static void copy_text(sqlite3_stmt *statement, int column, char *to, size_t size)
{
	snprintf(to, size, "%s", (const char *)sqlite3_column_text(statement, column));
}

static void read_install(sqlite3_stmt *statement, struct store_install *install)
{
	*install = (struct store_install){
		.seq = sqlite3_column_int64(statement, 0),
		.location = sql_text(statement, 2),
		.action = sql_text(statement, 3),
		.hosts = sql_text(statement, 4),
		.user = sql_text(statement, 5),
		.port = sqlite3_column_int64(statement, 6),
		.parallel = sqlite3_column_int64(statement, 7),
		.state = (enum store_install_state)sqlite3_column_int(statement, 8),
		.by_command = sqlite3_column_int(statement, 9) != 0,
		.connector_name = sql_text(statement, 11),
		.reason = sql_text(statement, 12),
		.created_by = sql_text(statement, 13),
		.created = sqlite3_column_int64(statement, 14),
		.finished = sqlite3_column_int64(statement, 15),
	};
	copy_text(statement, 1, install->id, sizeof install->id);
	copy_text(statement, 10, install->connector, sizeof install->connector);
}

static enum store_status read_counts(
	struct sqlite_store *sqlite, struct store_install *install, struct err *err)
{
	enum store_status status;
	sqlite3_stmt *statement = sql_start(sqlite,
		"SELECT state, count(*) FROM install_targets WHERE install = ? GROUP BY state", "i",
		install->seq);
	while ((status = sql_step(sqlite, statement, err)) == STORE_OK) {
		int state = sqlite3_column_int(statement, 0);
		if (state >= 0 && state < TARGET_STATES)
			install->counts[state] = sqlite3_column_int64(statement, 1);
	}
	sql_done(statement);
	return status == STORE_NOT_FOUND ? STORE_OK : status;
}

static enum store_status add_targets(struct sqlite_store *sqlite,
	const struct store_install *install, struct store_target *targets, size_t count,
	struct err *err)
{
	enum store_status status = STORE_OK;
	for (size_t i = 0; i < count && status == STORE_OK; i++) {
		struct store_target *target = &targets[i];
		status = sql_run(sqlite,
			sql_start(sqlite,
				"INSERT INTO install_targets(install, location, host, port, user, name, "
				"from_range, state, updated) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
				"ittittiii", install->seq, install->location, target->host, target->port,
				target->user, target->name, (int64_t)target->from_range, (int64_t)target->state,
				install->created),
			err);
		target->seq = sqlite3_last_insert_rowid(sqlite->db);
		target->install_seq = install->seq;
	}
	return status;
}

enum store_status installs_store_add(struct store *store, struct store_install *install,
	struct store_target *targets, size_t count, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	enum store_status status = sql_begin(sqlite, err);
	if (status != STORE_OK)
		return status;
	status = sql_run(sqlite,
		sql_start(sqlite,
			"INSERT INTO installs(id, location, action, hosts, user, port, parallel, state, "
			"by_command, connector, reason, created_by, created, finished) "
			"VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', ?, ?, 0)",
			"tttttiiiitti", install->id, install->location, install->action, install->hosts,
			install->user, install->port, install->parallel, (int64_t)install->state,
			(int64_t)install->by_command, install->connector, install->created_by,
			install->created),
		err);
	install->seq = sqlite3_last_insert_rowid(sqlite->db);
	if (status == STORE_OK)
		status = add_targets(sqlite, install, targets, count, err);
	return sql_end(sqlite, status, err);
}

enum store_status installs_store_find(
	struct store *store, const char *id, struct store_install *install, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	sqlite3_stmt *statement =
		sql_start(sqlite, "SELECT " INSTALL_COLUMNS " WHERE i.id = ?", "t", id);
	enum store_status status = sql_step(sqlite, statement, err);
	if (status == STORE_OK)
		read_install(statement, install);
	sql_done(statement);
	if (status != STORE_OK)
		return status;
	status = read_counts(sqlite, install, err);
	if (status != STORE_OK)
		store_install_free(install);
	return status;
}

/* One row more than asked for tells whether there is a next page. */
enum store_status installs_store_list(struct store *store, const struct store_install_query *query,
	struct store_install_page *page, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	size_t limit = (size_t)query->limit;
	enum store_status status;
	*page = (struct store_install_page){.rows = xcalloc(limit, sizeof *page->rows)};
	sqlite3_stmt *statement = sql_start(sqlite,
		"SELECT " INSTALL_COLUMNS " WHERE (?1 IS NULL OR i.location = ?1) "
		"AND (1 << i.state) & ?2 AND (?3 = 0 OR i.seq < ?3) ORDER BY i.seq DESC LIMIT ?4",
		"tiii", query->location, (int64_t)query->states, query->before, (int64_t)query->limit + 1);
	while ((status = sql_step(sqlite, statement, err)) == STORE_OK) {
		if (page->count == limit) {
			page->next = page->rows[limit - 1].seq;
			break;
		}
		read_install(statement, &page->rows[page->count++]);
	}
	sql_done(statement);
	status = status == STORE_NOT_FOUND ? STORE_OK : status;
	for (size_t i = 0; i < page->count && status == STORE_OK; i++)
		status = read_counts(sqlite, &page->rows[i], err);
	if (status != STORE_OK)
		store_install_page_free(page);
	return status;
}

enum store_status installs_store_change(
	struct store *store, const struct store_install *install, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	enum store_status status = sql_run(sqlite,
		sql_start(sqlite,
			"UPDATE installs SET state = ?2, connector = ?3, reason = ?4, finished = ?5 "
			"WHERE seq = ?1",
			"iitti", install->seq, (int64_t)install->state, install->connector,
			install->reason ? install->reason : "", install->finished),
		err);
	if (status != STORE_OK || install->state < STORE_INSTALL_DONE)
		return status;
	return sql_run(sqlite,
		sql_start(sqlite,
			"DELETE FROM tokens WHERE used = 0 AND target > 0 AND target IN "
			"(SELECT seq FROM install_targets WHERE install = ?)",
			"i", install->seq),
		err);
}

enum store_status installs_store_prune(
	struct store *store, int64_t before, int64_t keep, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	return sql_run(sqlite,
		sql_start(sqlite,
			"DELETE FROM installs WHERE state > 2 AND (finished < ?1 OR seq <= "
			"(SELECT coalesce(max(seq), 0) FROM installs) - ?2)",
			"ii", before, keep),
		err);
}

/* --- targets -------------------------------------------------------------------------------- */

/* In the order of read_target(). */
#define TARGET_COLUMNS                                                                             \
	"t.seq, t.install, i.id, t.location, i.action, t.host, t.user, t.name, t.port, t.from_range, " \
	"t.state, t.confirmed, t.stage, t.outcome, t.sentence, t.remedy, t.evidence, t.host_key, "     \
	"t.facts, t.server, t.sent, t.total, t.updated "                                               \
	"FROM install_targets t JOIN installs i ON i.seq = t.install "

static void read_target(sqlite3_stmt *statement, struct store_target *target)
{
	*target = (struct store_target){
		.seq = sqlite3_column_int64(statement, 0),
		.install_seq = sqlite3_column_int64(statement, 1),
		.location = sql_text(statement, 3),
		.action = sql_text(statement, 4),
		.host = sql_text(statement, 5),
		.user = sql_text(statement, 6),
		.name = sql_text(statement, 7),
		.port = sqlite3_column_int64(statement, 8),
		.from_range = sqlite3_column_int(statement, 9) != 0,
		.state = (enum store_target_state)sqlite3_column_int(statement, 10),
		.confirmed = sqlite3_column_int(statement, 11) != 0,
		.stage = sql_text(statement, 12),
		.outcome = sql_text(statement, 13),
		.sentence = sql_text(statement, 14),
		.remedy = sql_text(statement, 15),
		.evidence = sql_text(statement, 16),
		.host_key = sql_text(statement, 17),
		.facts = sql_text(statement, 18),
		.sent = sqlite3_column_int64(statement, 20),
		.total = sqlite3_column_int64(statement, 21),
		.updated = sqlite3_column_int64(statement, 22),
	};
	copy_text(statement, 2, target->install, sizeof target->install);
	copy_text(statement, 19, target->server, sizeof target->server);
}

/* A page of an install goes on behind the state and number of its last row, in one number. */
#define STATE_SHIFT 48
#define SEQ_MASK    ((INT64_C(1) << STATE_SHIFT) - 1)

static sqlite3_stmt *start_of_install(
	struct sqlite_store *sqlite, const struct store_target_query *query)
{
	return sql_start(sqlite,
		"SELECT " TARGET_COLUMNS "WHERE t.install = ?1 AND (1 << t.state) & ?2 "
		"AND (t.state, t.seq) > (?3, ?4) ORDER BY t.state, t.seq LIMIT ?5",
		"iiiii", query->install, (int64_t)query->states,
		query->after ? query->after >> STATE_SHIFT : -1, query->after & SEQ_MASK,
		(int64_t)query->limit + 1);
}

static sqlite3_stmt *start_of_missing(
	struct sqlite_store *sqlite, const struct store_target_query *query)
{
	return sql_start(sqlite,
		"SELECT " TARGET_COLUMNS "WHERE t.state = 0 AND NOT t.forgotten AND i.action = 'install' "
		"AND (?1 IS NULL OR t.location = ?1) AND (?2 = 0 OR t.seq < ?2) "
		"AND NOT EXISTS (SELECT 1 FROM install_targets n WHERE n.location = t.location "
		"AND n.host = t.host AND n.port = t.port AND n.seq > t.seq) "
		"AND NOT EXISTS (SELECT 1 FROM servers s WHERE s.id = t.server AND s.online) "
		"AND NOT EXISTS (SELECT 1 FROM servers s WHERE s.location = t.location "
		"AND s.id <> t.server AND (s.address = t.host OR s.name = t.host)) "
		"ORDER BY t.seq DESC LIMIT ?3",
		"tii", query->location, query->after, (int64_t)query->limit + 1);
}

enum store_status installs_store_targets(struct store *store,
	const struct store_target_query *query, struct store_target_page *page, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	size_t limit = (size_t)query->limit;
	enum store_status status;
	*page = (struct store_target_page){.rows = xcalloc(limit, sizeof *page->rows)};
	sqlite3_stmt *statement =
		query->install ? start_of_install(sqlite, query) : start_of_missing(sqlite, query);
	while ((status = sql_step(sqlite, statement, err)) == STORE_OK) {
		if (page->count == limit) {
			const struct store_target *last = &page->rows[limit - 1];
			page->next = (query->install ? (int64_t)last->state << STATE_SHIFT : 0) | last->seq;
			break;
		}
		read_target(statement, &page->rows[page->count++]);
	}
	sql_done(statement);
	if (status == STORE_OK || status == STORE_NOT_FOUND)
		return STORE_OK;
	store_target_page_free(page);
	return status;
}

enum store_status installs_store_target(
	struct store *store, int64_t seq, struct store_target *target, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	sqlite3_stmt *statement =
		sql_start(sqlite, "SELECT " TARGET_COLUMNS "WHERE t.seq = ?", "i", seq);
	enum store_status status = sql_step(sqlite, statement, err);
	if (status == STORE_OK)
		read_target(statement, target);
	sql_done(statement);
	return status;
}

enum store_status installs_store_target_change(
	struct store *store, const struct store_target *target, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	return sql_run(sqlite,
		sql_start(sqlite,
			"UPDATE install_targets SET state = ?2, confirmed = ?3, stage = coalesce(?4, stage), "
			"outcome = coalesce(?5, outcome), sentence = coalesce(?6, sentence), "
			"remedy = coalesce(?7, remedy), evidence = coalesce(?8, evidence), "
			"host_key = coalesce(?9, host_key), facts = coalesce(?10, facts), server = ?11, "
			"sent = ?12, total = ?13, updated = ?14 WHERE seq = ?1",
			"iiitttttttt"
			"iii",
			target->seq, (int64_t)target->state, (int64_t)target->confirmed, target->stage,
			target->outcome, target->sentence, target->remedy, target->evidence, target->host_key,
			target->facts, target->server, target->sent, target->total, target->updated),
		err);
}

enum store_status installs_store_forget(struct store *store, int64_t seq, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	return sql_run(sqlite,
		sql_start(sqlite, "UPDATE install_targets SET forgotten = 1 WHERE seq = ?", "i", seq), err);
}

enum store_status installs_store_drop_tokens(struct store *store, int64_t target, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	return sql_run(sqlite,
		sql_start(
			sqlite, "DELETE FROM tokens WHERE target = ? AND target > 0 AND used = 0", "i", target),
		err);
}

/* --- records -------------------------------------------------------------------------------- */

void store_install_free(struct store_install *install)
{
	char *const texts[] = {install->location, install->action, install->hosts, install->user,
		install->connector_name, install->reason, install->created_by};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		free(texts[i]);
	*install = (struct store_install){0};
}

void store_install_page_free(struct store_install_page *page)
{
	for (size_t i = 0; i < page->count; i++)
		store_install_free(&page->rows[i]);
	free(page->rows);
	*page = (struct store_install_page){0};
}

void store_target_free(struct store_target *target)
{
	char *const texts[] = {target->location, target->action, target->host, target->user,
		target->name, target->stage, target->outcome, target->sentence, target->remedy,
		target->evidence, target->host_key, target->facts};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		free(texts[i]);
	*target = (struct store_target){0};
}

void store_target_page_free(struct store_target_page *page)
{
	for (size_t i = 0; i < page->count; i++)
		store_target_free(&page->rows[i]);
	free(page->rows);
	*page = (struct store_target_page){0};
}
