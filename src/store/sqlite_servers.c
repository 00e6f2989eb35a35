/* Servers one at a time: joining, changing, leaving. The list is in sqlite_list.c. */
#include "store/sqlite.h"

#include "base/json.h"
#include "store/summary.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

struct token_row {
	char id[STORE_TOKEN_ID_SIZE];
	int64_t expires, uses, used;
	bool revoked;
	int64_t target;
	char location[STORE_MAX_LOCATION + 1]; /* of the target's install */
};

static enum store_status find_token(struct sqlite_store *sqlite,
	const unsigned char secret_hash[STORE_HASH_BYTES], struct token_row *token, struct err *err)
{
	sqlite3_stmt *statement = sql_start(sqlite,
		"SELECT id, expires, uses, used, revoked, target, (SELECT location FROM install_targets "
		"WHERE seq = target) FROM tokens WHERE secret_hash = ?",
		"b", secret_hash);
	enum store_status status = sql_step(sqlite, statement, err);
	if (status == STORE_OK) {
		snprintf(token->id, sizeof token->id, "%s", sqlite3_column_text(statement, 0));
		token->expires = sqlite3_column_int64(statement, 1);
		token->uses = sqlite3_column_int64(statement, 2);
		token->used = sqlite3_column_int64(statement, 3);
		token->revoked = sqlite3_column_int(statement, 4) != 0;
		token->target = sqlite3_column_int64(statement, 5);
		const unsigned char *location = sqlite3_column_text(statement, 6);
		snprintf(
			token->location, sizeof token->location, "%s", location ? (const char *)location : "");
	}
	sql_done(statement);
	return status;
}

/* STORE_OK when a row matches. */
static enum store_status any_row(
	struct sqlite_store *sqlite, sqlite3_stmt *statement, struct err *err)
{
	enum store_status status = sql_step(sqlite, statement, err);
	sql_done(statement);
	return status;
}

/* Decides with the token in hand; STORE_OK and *result, or an error. */
static enum store_status judge(struct sqlite_store *sqlite, struct store_enrolment *enrolment,
	struct token_row *token, bool *again, enum enrol_result *result, struct err *err)
{
	enum store_status status = any_row(sqlite,
		sql_start(sqlite, "SELECT 1 FROM revoked_keys WHERE key = ?", "b", enrolment->key), err);
	if (status == STORE_OK)
		return *result = ENROL_KEY_REVOKED, STORE_OK;
	if (status == STORE_NOT_FOUND)
		status = find_token(sqlite, enrolment->secret_hash, token, err);
	if (status == STORE_NOT_FOUND || (status == STORE_OK && token->revoked))
		return *result = ENROL_TOKEN_UNKNOWN, STORE_OK;
	if (status != STORE_OK)
		return status;
	status = any_row(sqlite,
		sql_start(sqlite, "SELECT 1 FROM servers WHERE key = ? AND token_id = ?", "bt",
			enrolment->key, token->id),
		err);
	*again = status == STORE_OK;
	enrolment->token_expires = token->expires;
	*result = *again                             ? ENROL_OK
			  : token->expires <= enrolment->now ? ENROL_TOKEN_EXPIRED
			  : token->used >= token->uses       ? ENROL_TOKEN_USED_UP
												 : ENROL_OK;
	return status == STORE_NOT_FOUND ? STORE_OK : status;
}

/* What the machine says of itself, but for the place that it was given here. The location is there
 * from now on. */
static enum store_status summarize(struct sqlite_store *sqlite, const char *id,
	const char *inventory, struct summary *summary, struct err *err)
{
	cleanup(json_drop) json_t *tree = json_parse(inventory, strlen(inventory), NULL);
	summary_of(tree, summary);
	sqlite3_stmt *statement =
		sql_start(sqlite, "SELECT location FROM servers WHERE id = ? AND location_set", "t", id);
	enum store_status status = sql_step(sqlite, statement, err);
	if (status == STORE_OK)
		summary_place(summary, (const char *)sqlite3_column_text(statement, 0));
	sql_done(statement);
	if (status != STORE_NOT_FOUND)
		return status;
	return sql_location_appears(sqlite, summary->location, time(NULL), err);
}

static enum store_status put_server(struct sqlite_store *sqlite, const char *id,
	const struct store_enrolment *enrolment, const char *token_id, struct err *err)
{
	struct summary s;
	enum store_status status = summarize(sqlite, id, enrolment->inventory, &s, err);
	if (status != STORE_OK)
		return status;
	status = sql_run(sqlite,
		sql_start(sqlite,
			"INSERT INTO servers(id, key, token_id, name, platform, os_name, address, address_key, "
			"mac, location, version, search, addressing, online, cause, reason, since, last_seen, "
			"created) "
			"VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?14, 0, '', '', ?13, ?13, ?13) "
			"ON CONFLICT(id) DO UPDATE SET token_id = excluded.token_id, name = excluded.name, "
			"platform = excluded.platform, os_name = excluded.os_name, address = excluded.address, "
			"address_key = excluded.address_key, mac = excluded.mac, location = excluded.location, "
			"version = excluded.version, search = excluded.search, addressing = "
			"excluded.addressing, last_seen = excluded.last_seen",
			"tbttttttttttit", id, enrolment->key, token_id, s.name, s.platform, s.os_name,
			s.address, s.address_key, s.mac, s.location, s.version, s.search, enrolment->now,
			s.addressing),
		err);
	if (status != STORE_OK)
		return status;
	return sql_run(sqlite,
		sql_start(sqlite,
			"INSERT INTO server_details(id, inventory) VALUES(?, ?) "
			"ON CONFLICT(id) DO UPDATE SET inventory = excluded.inventory",
			"tt", id, enrolment->inventory),
		err);
}

/* The machine is what became of the target that its token was made for, and where that is. */
static enum store_status tie_target(
	struct sqlite_store *sqlite, const char *id, const struct token_row *token, struct err *err)
{
	if (!token->target)
		return STORE_OK;
	enum store_status status = sql_run(sqlite,
		sql_start(sqlite, "UPDATE install_targets SET server = ?2 WHERE seq = ?1", "it",
			token->target, id),
		err);
	if (status == STORE_OK)
		status = sql_run(sqlite,
			sql_start(
				sqlite, "DELETE FROM tokens WHERE target = ? AND used = 0", "i", token->target),
			err);
	if (status == STORE_OK && *token->location)
		status = sql_server_place(sqlite, id, token->location, err);
	return status;
}

enum store_status servers_enrol(struct store *store, struct store_enrolment *enrolment,
	enum enrol_result *result, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	struct token_row token = {0};
	bool again = false;
	char id[IDENTITY_ID_SIZE];
	identity_id(enrolment->key, id);
	enum store_status status = sql_begin(sqlite, err);
	if (status != STORE_OK)
		return status;
	status = judge(sqlite, enrolment, &token, &again, result, err);
	if (status == STORE_OK && *result == ENROL_OK && !again)
		status = sql_run(sqlite,
			sql_start(sqlite, "UPDATE tokens SET used = used + 1 WHERE id = ?", "t", token.id),
			err);
	if (status == STORE_OK && *result == ENROL_OK)
		status = put_server(sqlite, id, enrolment, token.id, err);
	if (status == STORE_OK && *result == ENROL_OK)
		status = tie_target(sqlite, id, &token, err);
	enrolment->target = token.target;
	if (status == STORE_OK && *result == ENROL_OK && !again && enrolment->note) {
		struct store_audit note = *enrolment->note;
		note.detail = token.id;
		status = audit_insert(sqlite, &note, err);
	}
	return sql_end(sqlite, status, err);
}

enum store_status servers_standing(struct store *store, const unsigned char key[IDENTITY_KEY_BYTES],
	enum server_standing *standing, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	sqlite3_stmt *statement = sql_start(sqlite,
		"SELECT EXISTS (SELECT 1 FROM revoked_keys WHERE key = ?1), "
		"EXISTS (SELECT 1 FROM servers WHERE key = ?1)",
		"b", key);
	enum store_status status = sql_step(sqlite, statement, err);
	if (status == STORE_OK)
		*standing = sqlite3_column_int(statement, 0)   ? SERVER_REVOKED
					: sqlite3_column_int(statement, 1) ? SERVER_KNOWN
													   : SERVER_UNKNOWN;
	sql_done(statement);
	return status;
}

static enum store_status change_presence(
	struct sqlite_store *sqlite, const char *id, const struct store_change *change, struct err *err)
{
	return sql_run(sqlite,
		sql_start(sqlite,
			"UPDATE servers SET online = ?2, cause = ?3, reason = ?4, since = ?5, last_seen = ?6 "
			"WHERE id = ?1",
			"tittii", id, (int64_t)change->online, change->cause ? change->cause : "",
			change->reason ? change->reason : "", change->since, change->last_seen),
		err);
}

/* The summary mostly stays as it was, and a change of it rewrites nearly every index. */
static enum store_status change_inventory(
	struct sqlite_store *sqlite, const char *id, const char *inventory, struct err *err)
{
	struct summary s;
	enum store_status status = summarize(sqlite, id, inventory, &s, err);
	if (status != STORE_OK)
		return status;
	status = sql_run(sqlite,
		sql_start(sqlite,
			"UPDATE servers SET name = ?2, platform = ?3, os_name = ?4, address = ?5, "
			"address_key = ?6, mac = ?7, location = ?8, version = ?9, search = ?10, "
			"addressing = ?11 WHERE id = ?1 AND (name, platform, os_name, address, "
			"address_key, mac, location, version, search, addressing) "
			"IS NOT (?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
			"ttttttttttt", id, s.name, s.platform, s.os_name, s.address, s.address_key, s.mac,
			s.location, s.version, s.search, s.addressing),
		err);
	if (status != STORE_OK)
		return status;
	return sql_run(sqlite,
		sql_start(
			sqlite, "UPDATE server_details SET inventory = ?2 WHERE id = ?1", "tt", id, inventory),
		err);
}

enum store_status sql_server_says_again(
	struct sqlite_store *sqlite, const char *server, struct err *err)
{
	enum store_status status = sql_run(sqlite,
		sql_start(sqlite, "UPDATE servers SET location_set = 0 WHERE id = ?", "t", server), err);
	if (status == STORE_OK && !sql_changes(sqlite))
		return STORE_NOT_FOUND;
	sqlite3_stmt *statement =
		sql_start(sqlite, "SELECT inventory FROM server_details WHERE id = ?", "t", server);
	if (status == STORE_OK)
		status = sql_step(sqlite, statement, err);
	cleanup(free_ptr) char *inventory = status == STORE_OK ? sql_text(statement, 0) : NULL;
	sql_done(statement);
	return status == STORE_OK ? change_inventory(sqlite, server, inventory, err) : status;
}

enum store_status servers_change(
	struct store *store, const char *id, const struct store_change *change, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	enum store_status status = sql_begin(sqlite, err);
	if (status != STORE_OK)
		return status;
	if (change->presence)
		status = change_presence(sqlite, id, change, err);
	if (status == STORE_OK && change->inventory)
		status = change_inventory(sqlite, id, change->inventory, err);
	if (status == STORE_OK && change->path)
		status = sql_run(sqlite,
			sql_start(sqlite, "UPDATE server_details SET path = ?2, path_at = ?3 WHERE id = ?1",
				"tti", id, change->path, change->now),
			err);
	return sql_end(sqlite, status, err);
}

void sql_read_server(sqlite3_stmt *statement, struct store_server *server)
{
	*server = (struct store_server){
		.name = sql_text(statement, 2),
		.platform = sql_text(statement, 3),
		.os_name = sql_text(statement, 4),
		.address = sql_text(statement, 5),
		.mac = sql_text(statement, 6),
		.location = sql_text(statement, 7),
		.version = sql_text(statement, 8),
		.online = sqlite3_column_int(statement, 9) != 0,
		.cause = sql_text(statement, 10),
		.reason = sql_text(statement, 11),
		.since = sqlite3_column_int64(statement, 12),
		.last_seen = sqlite3_column_int64(statement, 13),
		.created = sqlite3_column_int64(statement, 14),
		.addressing = sql_text(statement, 15),
		.connector = sqlite3_column_int(statement, 16) != 0,
	};
	snprintf(server->id, sizeof server->id, "%s", sqlite3_column_text(statement, 0));
	sql_blob(statement, 1, server->key, sizeof server->key);
}

static char *text_or_null(sqlite3_stmt *statement, int column)
{
	return sqlite3_column_bytes(statement, column) ? sql_text(statement, column) : NULL;
}

enum store_status servers_find(struct store *store, const char *id, struct store_server *server,
	struct store_details *details, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	sqlite3_stmt *statement =
		sql_start(sqlite, "SELECT " SERVER_COLUMNS " FROM servers WHERE id = ?", "t", id);
	enum store_status status = sql_step(sqlite, statement, err);
	if (status == STORE_OK)
		sql_read_server(statement, server);
	sql_done(statement);
	if (status != STORE_OK || !details)
		return status;
	statement = sql_start(
		sqlite, "SELECT inventory, path, path_at FROM server_details WHERE id = ?", "t", id);
	status = sql_step(sqlite, statement, err);
	if (status == STORE_OK)
		*details = (struct store_details){
			.inventory = text_or_null(statement, 0),
			.path = text_or_null(statement, 1),
			.path_at = sqlite3_column_int64(statement, 2),
		};
	sql_done(statement);
	if (status != STORE_OK) {
		store_server_free(server);
		return status;
	}
	status = checks_latest(sqlite, id, &details->check, &details->check_at, err);
	if (status != STORE_OK) {
		store_server_free(server);
		store_details_free(details);
	}
	return status;
}

enum store_status servers_remove(
	struct store *store, const char *id, bool revoke, int64_t now, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	enum store_status status = sql_begin(sqlite, err);
	if (status != STORE_OK)
		return status;
	if (revoke)
		status = sql_run(sqlite,
			sql_start(sqlite,
				"INSERT OR IGNORE INTO revoked_keys(key, at) "
				"SELECT key, ?2 FROM servers WHERE id = ?1",
				"ti", id, now),
			err);
	if (status == STORE_OK)
		status =
			sql_run(sqlite, sql_start(sqlite, "DELETE FROM servers WHERE id = ?", "t", id), err);
	if (status == STORE_OK && !sql_changes(sqlite))
		status = STORE_NOT_FOUND;
	return sql_end(sqlite, status, err);
}

enum store_status servers_all_offline(
	struct store *store, const char *cause, const char *reason, int64_t now, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	return sql_run(sqlite,
		sql_start(sqlite,
			"UPDATE servers SET online = 0, cause = ?, reason = ?, since = ? WHERE online = 1",
			"tti", cause, reason, now),
		err);
}
