/*
 * What the files of the SQLite driver share. Private to store/.
 *
 * A statement is prepared once and found again by the address of its text, so SQL stands where it
 * is used, as a string literal. sql_start() binds; then sql_step() until it returns
 * STORE_NOT_FOUND, or sql_run() where no rows are expected. sql_done() when the rows are no longer
 * needed.
 */
#ifndef STORE_SQLITE_H
#define STORE_SQLITE_H

#include "base/buf.h"
#include "store/store.h"

#include <jansson.h>
#include <sqlite3.h>

#define SQL_MAX_STATEMENTS 256

struct sqlite_store {
	struct store store;
	sqlite3 *db;
	char *path;
	struct {
		const char *sql; /* the literal */
		sqlite3_stmt *statement;
	} prepared[SQL_MAX_STATEMENTS];
	bool batch;                        /* between begin and commit */
	bool damaged;                      /* some page could not be read */
	int64_t busy_since_us, gave_up_us; /* monotonic; of somebody else's lock; 0: never */
};

static inline struct sqlite_store *sqlite_of(struct store *store)
{
	return (struct sqlite_store *)store;
}

struct sql_blob {
	const void *data; /* NULL binds NULL */
	size_t len;
};

/* A parameter each: 't' const char *, 'i' int64_t, 'b' const void * of STORE_HASH_BYTES, 'z'
 * const struct sql_blob *. NULL when it could not be prepared; sql_step() and sql_run()
 * then say why. */
sqlite3_stmt *sql_start(struct sqlite_store *sqlite, const char *sql, const char *types, ...);
/* STORE_OK with a row, STORE_NOT_FOUND after the last one. */
enum store_status sql_step(struct sqlite_store *sqlite, sqlite3_stmt *statement, struct err *err);
/* Runs a started statement to its end. */
enum store_status sql_run(struct sqlite_store *sqlite, sqlite3_stmt *statement, struct err *err);
void sql_done(sqlite3_stmt *statement);

/* A transaction of one driver call: inside a batch it is the batch's. */
enum store_status sql_begin(struct sqlite_store *sqlite, struct err *err);
enum store_status sql_end(struct sqlite_store *sqlite, enum store_status status, struct err *err);

char *sql_text(sqlite3_stmt *statement, int column); /* owned; never NULL */
void sql_blob(sqlite3_stmt *statement, int column, unsigned char *to, size_t len);
int sql_changes(const struct sqlite_store *sqlite);

/* SQL and its parameters, grown side by side. */
struct sql_select {
	struct buf sql;
	json_t *bindings; /* strings and integers */
};

void sql_select_bind(struct sql_select *select, json_t *value);
/* " WHERE ..." for the columns of servers. */
void sql_select_filters(struct sql_select *select, const struct store_query *query);
/* Owned by the caller: sqlite3_finalize(). */
sqlite3_stmt *sql_select_start(struct sqlite_store *sqlite, const struct sql_select *select);
void sql_select_free(struct sql_select *select);

/* The parts of the driver, a file each. */
enum store_status users_add(
	struct store *store, const struct store_user *user, bool first, struct err *err);
enum store_status users_find(
	struct store *store, const char *name, struct store_user *user, struct err *err);
enum store_status users_list(struct store *store,
	void (*each)(void *data, const struct store_user *user), void *data, struct err *err);
enum store_status users_count(struct store *store, int64_t *count, struct err *err);
enum store_status users_remove(
	struct store *store, const char *name, const char *keep_one, struct err *err);
enum store_status users_change(struct store *store, const char *name, const char *role,
	const char *password, const char *keep_one, struct err *err);
enum store_status users_signed_in(
	struct store *store, const char *name, int64_t now, struct err *err);
enum store_status web_sessions_add(struct store *store,
	const unsigned char cookie_hash[STORE_HASH_BYTES], const char *user, int64_t now,
	int64_t expires, struct err *err);
enum store_status web_sessions_find(struct store *store,
	const unsigned char cookie_hash[STORE_HASH_BYTES], int64_t now, struct store_user *user,
	struct err *err);
enum store_status web_sessions_remove(
	struct store *store, const unsigned char cookie_hash[STORE_HASH_BYTES], struct err *err);
enum store_status tokens_add(struct store *store, const struct store_token *token, struct err *err);
enum store_status tokens_list(struct store *store,
	void (*each)(void *data, const struct store_token *token), void *data, struct err *err);
enum store_status tokens_revoke(struct store *store, const char *id, struct err *err);
enum store_status servers_enrol(struct store *store, struct store_enrolment *enrolment,
	enum enrol_result *result, struct err *err);
enum store_status servers_standing(struct store *store, const unsigned char key[IDENTITY_KEY_BYTES],
	enum server_standing *standing, struct err *err);
enum store_status servers_change(
	struct store *store, const char *id, const struct store_change *change, struct err *err);
enum store_status servers_find(struct store *store, const char *id, struct store_server *server,
	struct store_details *details, struct err *err);
enum store_status servers_list(
	struct store *store, const struct store_query *query, struct store_page *page, struct err *err);
enum store_status servers_counts(
	struct store *store, const char *location, struct store_counts *counts, struct err *err);
enum store_status servers_remove(
	struct store *store, const char *id, bool revoke, int64_t now, struct err *err);
enum store_status servers_all_offline(
	struct store *store, const char *cause, const char *reason, int64_t now, struct err *err);
enum store_status checks_add(struct store *store, struct store_check *check, struct err *err);
enum store_status checks_change(
	struct store *store, const struct store_check *check, struct err *err);
enum store_status checks_find(struct store *store, const char *server, const char *id,
	struct store_check *check, struct err *err);
enum store_status checks_list(struct store *store, const char *server, int limit, int64_t before,
	struct store_check_page *page, struct err *err);
enum store_status checks_unfinished(struct store *store,
	void (*each)(void *data, const struct store_check *check), void *data, struct err *err);
enum store_status keys_add(struct store *store, const struct store_key *key, struct err *err);
enum store_status keys_find(struct store *store, const unsigned char hash[STORE_KEY_HASH],
	struct store_key *key, struct err *err);
enum store_status keys_list(struct store *store,
	void (*each)(void *data, const struct store_key *key), void *data, struct err *err);
enum store_status keys_revoke(struct store *store, const char *id, struct err *err);
enum store_status keys_used(struct store *store, const char *id, int64_t now, struct err *err);
enum store_status audit_add(struct store *store, const struct store_audit *audit, struct err *err);
/* The same inside a transaction of somebody else's, who calls sql_end(). */
enum store_status audit_insert(
	struct sqlite_store *sqlite, const struct store_audit *audit, struct err *err);
enum store_status audit_list(struct store *store, const struct store_audit_query *query,
	struct store_audit_page *page, struct err *err);
enum store_status replays_begin(struct store *store, struct store_replay *replay, struct err *err);
enum store_status replays_end(
	struct store *store, const struct store_replay *replay, struct err *err);
enum store_status replays_drop(
	struct store *store, const unsigned char id[STORE_KEY_HASH], struct err *err);
/* The newest report of a server and its time; NULL and 0 when there is none. */
enum store_status checks_latest(
	struct sqlite_store *sqlite, const char *server, char **report, int64_t *at, struct err *err);

enum store_status sql_jobs_add(struct store *store, struct store_job *job, const char *env,
	const struct store_targets *targets, void (*each)(void *data, const struct store_run *run),
	void *data, struct err *err);
enum store_status sql_jobs_find(
	struct store *store, const char *id, struct store_job *job, struct err *err);
enum store_status sql_jobs_load(
	struct store *store, int64_t seq, struct store_job *job, char **secrets, struct err *err);
enum store_status sql_jobs_list(struct store *store, const struct store_job_query *query,
	struct store_job_page *page, struct err *err);
enum store_status sql_jobs_active(struct store *store,
	void (*each)(void *data, const struct store_job *job), void *data, struct err *err);
enum store_status sql_jobs_change(
	struct store *store, const struct store_job *job, struct err *err);
enum store_status sql_jobs_wipe_secrets(struct store *store, int64_t seq, struct err *err);
enum store_status sql_jobs_prune(
	struct store *store, const struct store_keep *keep, bool *more, struct err *err);
enum store_status sql_runs_live(struct store *store, int64_t job,
	void (*each)(void *data, const struct store_run *run), void *data, struct err *err);
enum store_status sql_runs_change(
	struct store *store, const struct store_run *run, struct err *err);
enum store_status sql_runs_find(
	struct store *store, int64_t seq, struct store_run *run, struct err *err);
enum store_status sql_runs_of_server(
	struct store *store, int64_t job, const char *server, struct store_run *run, struct err *err);
enum store_status sql_runs_list(struct store *store, const struct store_run_query *query,
	struct store_run_page *page, struct err *err);
enum store_status sql_runs_add_output(
	struct store *store, int64_t run, int64_t at, const void *data, size_t len, struct err *err);
enum store_status sql_runs_output(
	struct store *store, int64_t run, int64_t from, size_t most, struct buf *data, struct err *err);
enum store_status sql_runs_activity(struct store *store, const char *server, bool live, int limit,
	const char *cursor, struct store_activity_page *page, struct err *err);

enum store_status uploads_add(
	struct store *store, const struct store_bundle *bundle, struct err *err);
enum store_status uploads_change(
	struct store *store, const struct store_bundle *bundle, struct err *err);
enum store_status uploads_find(
	struct store *store, const char *id, struct store_bundle *bundle, struct err *err);
enum store_status uploads_list(struct store *store, const struct store_bundle_query *query,
	struct store_bundle_page *page, struct err *err);
enum store_status uploads_each(struct store *store, enum store_bundle_state state,
	void (*each)(void *data, const struct store_bundle *bundle), void *data, struct err *err);
enum store_status uploads_remove(struct store *store, const char *id, struct err *err);

enum store_status locations_add(
	struct store *store, const char *name, bool dhcp, int64_t now, struct err *err);
enum store_status locations_find(
	struct store *store, const char *name, struct store_location *location, struct err *err);
enum store_status locations_list(struct store *store,
	void (*each)(void *data, const struct store_location *location), void *data, struct err *err);
enum store_status locations_change(
	struct store *store, const char *name, const char *to, bool dhcp, struct err *err);
enum store_status locations_remove(
	struct store *store, const char *name, int64_t now, struct store_holds *holds, struct err *err);
enum store_status locations_place(
	struct store *store, const char *server, const char *location, struct err *err);
enum store_status locations_promote(
	struct store *store, const char *server, int64_t now, struct err *err);
enum store_status locations_demote(struct store *store, const char *server, struct err *err);
enum store_status locations_connectors(struct store *store, const char *location,
	void (*each)(void *data, const struct store_connector *connector), void *data, struct err *err);
enum store_status locations_pin(
	struct store *store, const char *location, const struct store_host_key *key, struct err *err);
enum store_status locations_pinned(struct store *store, const char *location, const char *host,
	int64_t port, char **fingerprint, struct err *err);
enum store_status locations_host_keys(struct store *store, const char *location, int limit,
	int64_t before, struct store_host_key_page *page, struct err *err);
enum store_status locations_unpin(
	struct store *store, const char *location, int64_t seq, struct err *err);
/* A machine, or a token, names it: it is there from now on. */
enum store_status sql_location_appears(
	struct sqlite_store *sqlite, const char *name, int64_t now, struct err *err);
/* From now on the server is there, whatever it says; or where it last said. */
enum store_status sql_server_place(
	struct sqlite_store *sqlite, const char *server, const char *location, struct err *err);
enum store_status sql_server_says_again(
	struct sqlite_store *sqlite, const char *server, struct err *err);

enum store_status installs_store_add(struct store *store, struct store_install *install,
	struct store_target *targets, size_t count, struct err *err);
enum store_status installs_store_find(
	struct store *store, const char *id, struct store_install *install, struct err *err);
enum store_status installs_store_list(struct store *store, const struct store_install_query *query,
	struct store_install_page *page, struct err *err);
enum store_status installs_store_change(
	struct store *store, const struct store_install *install, struct err *err);
enum store_status installs_store_prune(
	struct store *store, int64_t before, int64_t keep, struct err *err);
enum store_status installs_store_targets(struct store *store,
	const struct store_target_query *query, struct store_target_page *page, struct err *err);
enum store_status installs_store_target(
	struct store *store, int64_t seq, struct store_target *target, struct err *err);
enum store_status installs_store_target_change(
	struct store *store, const struct store_target *target, struct err *err);
enum store_status installs_store_forget(struct store *store, int64_t seq, struct err *err);
enum store_status installs_store_drop_tokens(struct store *store, int64_t target, struct err *err);

/* The columns of struct store_server in the order that read_server() takes them. */
#define SERVER_COLUMNS                                                                             \
	"id, key, name, platform, os_name, address, mac, location, version, online, cause, reason, "   \
	"since, last_seen, created, addressing, EXISTS (SELECT 1 FROM connectors WHERE server = id)"
#define SERVER_COLUMN_COUNT 17
void sql_read_server(sqlite3_stmt *statement, struct store_server *server);

#endif
