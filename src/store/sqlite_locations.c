/* Locations, their connectors and confirmed host keys. */
#include "store/sqlite.h"

#include <stdio.h>
#include <string.h>

/* --- the locations -------------------------------------------------------------------------- */

#define LOCATION_ROWS                                                                              \
	"SELECT l.name, l.addressing = 'dhcp', l.created, count(s.id), coalesce(sum(s.online), 0), "   \
	"coalesce(sum(l.addressing = 'dhcp' AND s.addressing = 'static'), 0) "                         \
	"FROM locations l LEFT JOIN servers s ON s.location = l.name "

static void read_location(sqlite3_stmt *statement, struct store_location *location)
{
	*location = (struct store_location){
		.name = sql_text(statement, 0),
		.dhcp = sqlite3_column_int(statement, 1) != 0,
		.created = sqlite3_column_int64(statement, 2),
		.servers = sqlite3_column_int64(statement, 3),
		.online = sqlite3_column_int64(statement, 4),
		.breaking = sqlite3_column_int64(statement, 5),
	};
}

static const char *addressing_of(bool dhcp)
{
	return dhcp ? "dhcp" : "any";
}

enum store_status locations_add(
	struct store *store, const char *name, bool dhcp, int64_t now, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	return sql_run(sqlite,
		sql_start(sqlite, "INSERT INTO locations(name, addressing, created) VALUES(?, ?, ?)", "tti",
			name, addressing_of(dhcp), now),
		err);
}

enum store_status sql_location_appears(
	struct sqlite_store *sqlite, const char *name, int64_t now, struct err *err)
{
	if (!*name)
		return STORE_OK;
	return sql_run(sqlite,
		sql_start(
			sqlite, "INSERT OR IGNORE INTO locations(name, created) VALUES(?, ?)", "ti", name, now),
		err);
}

enum store_status locations_find(
	struct store *store, const char *name, struct store_location *location, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	sqlite3_stmt *statement =
		sql_start(sqlite, LOCATION_ROWS "WHERE l.name = ? GROUP BY l.name", "t", name);
	enum store_status status = sql_step(sqlite, statement, err);
	if (status == STORE_OK)
		read_location(statement, location);
	sql_done(statement);
	return status;
}

enum store_status locations_list(struct store *store,
	void (*each)(void *data, const struct store_location *location), void *data, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	enum store_status status;
	sqlite3_stmt *statement = sql_start(sqlite,
		LOCATION_ROWS "GROUP BY l.name ORDER BY l.name LIMIT ?", "i", (int64_t)STORE_MAX_LOCATIONS);
	while ((status = sql_step(sqlite, statement, err)) == STORE_OK) {
		struct store_location location;
		read_location(statement, &location);
		each(data, &location);
		store_location_free(&location);
	}
	sql_done(statement);
	return status == STORE_NOT_FOUND ? STORE_OK : status;
}

/* What the search looks at, with another location in it. */
#define SEARCH_WITH_PLACE                                                                          \
	"lower(name || char(10) || address || char(10) || mac || char(10) || os_name || char(10) || "  \
	"?2)"
#define RENAME_OF_SERVERS                                                                          \
	"UPDATE servers SET location = ?2, search = " SEARCH_WITH_PLACE " WHERE location = ?1"

/* Every table that carries the name of a location. */
static const char *const renames[] = {
	(RENAME_OF_SERVERS),
	"UPDATE keys SET location = ?2 WHERE location = ?1 COLLATE NOCASE",
	"UPDATE tokens SET location = ?2 WHERE location = ?1",
	"UPDATE jobs SET location = ?2 WHERE location = ?1",
	"UPDATE connectors SET location = ?2 WHERE location = ?1",
	"UPDATE host_keys SET location = ?2 WHERE location = ?1",
	"UPDATE installs SET location = ?2 WHERE location = ?1",
	"UPDATE install_targets SET location = ?2 WHERE location = ?1",
	/* A machine that says the old name itself shall not bring it back. */
	"UPDATE servers SET location_set = 1 WHERE location = ?2 AND ?1 <> ''",
};

enum store_status locations_change(
	struct store *store, const char *name, const char *to, bool dhcp, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	enum store_status status = sql_begin(sqlite, err);
	if (status != STORE_OK)
		return status;
	status = sql_run(sqlite,
		sql_start(sqlite, "UPDATE locations SET name = ?2, addressing = ?3 WHERE name = ?1", "ttt",
			name, to, addressing_of(dhcp)),
		err);
	if (status == STORE_OK && !sql_changes(sqlite))
		status = STORE_NOT_FOUND;
	for (size_t i = 0; strcmp(name, to) != 0 && i < ARRAY_LEN(renames) && status == STORE_OK; i++)
		status = sql_run(sqlite, sql_start(sqlite, renames[i], "tt", name, to), err);
	return sql_end(sqlite, status, err);
}

enum store_status locations_remove(
	struct store *store, const char *name, int64_t now, struct store_holds *holds, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	enum store_status status = sql_begin(sqlite, err);
	if (status != STORE_OK)
		return status;
	sqlite3_stmt *statement = sql_start(sqlite,
		"SELECT (SELECT count(*) FROM servers WHERE location = ?1), "
		"(SELECT count(*) FROM keys WHERE location = ?1 COLLATE NOCASE AND NOT revoked AND "
		"expires > ?2), "
		"(SELECT count(*) FROM tokens WHERE location = ?1 AND NOT revoked AND expires > ?2 AND "
		"used < uses), "
		"(SELECT count(*) FROM installs WHERE location = ?1 AND state < 3) "
		"FROM locations WHERE name = ?1",
		"ti", name, now);
	status = sql_step(sqlite, statement, err);
	if (status == STORE_OK)
		*holds = (struct store_holds){
			.servers = sqlite3_column_int64(statement, 0),
			.keys = sqlite3_column_int64(statement, 1),
			.tokens = sqlite3_column_int64(statement, 2),
			.installs = sqlite3_column_int64(statement, 3),
		};
	sql_done(statement);
	if (status == STORE_OK && (holds->servers || holds->keys || holds->tokens || holds->installs))
		status = STORE_LAST;
	if (status == STORE_OK)
		status = sql_run(
			sqlite, sql_start(sqlite, "DELETE FROM host_keys WHERE location = ?", "t", name), err);
	if (status == STORE_OK)
		status = sql_run(
			sqlite, sql_start(sqlite, "DELETE FROM locations WHERE name = ?", "t", name), err);
	return sql_end(sqlite, status, err);
}

/* --- where a server is ---------------------------------------------------------------------- */

static enum store_status any_row(
	struct sqlite_store *sqlite, sqlite3_stmt *statement, struct err *err)
{
	enum store_status status = sql_step(sqlite, statement, err);
	sql_done(statement);
	return status;
}

static enum store_status is_connector(
	struct sqlite_store *sqlite, const char *server, struct err *err)
{
	return any_row(
		sqlite, sql_start(sqlite, "SELECT 1 FROM connectors WHERE server = ?", "t", server), err);
}

/* The name of the location as it was made, owned by the caller. */
static enum store_status proper_name(
	struct sqlite_store *sqlite, const char *location, char **name, struct err *err)
{
	sqlite3_stmt *statement =
		sql_start(sqlite, "SELECT name FROM locations WHERE name = ?", "t", location);
	enum store_status status = sql_step(sqlite, statement, err);
	*name = status == STORE_OK ? sql_text(statement, 0) : NULL;
	sql_done(statement);
	return status;
}

enum store_status sql_server_place(
	struct sqlite_store *sqlite, const char *server, const char *location, struct err *err)
{
	enum store_status status = sql_run(sqlite,
		sql_start(sqlite,
			"UPDATE servers SET location = ?2, location_set = 1, search = " SEARCH_WITH_PLACE
			" WHERE id = ?1",
			"tt", server, location),
		err);
	return status == STORE_OK && !sql_changes(sqlite) ? STORE_NOT_FOUND : status;
}

enum store_status locations_place(
	struct store *store, const char *server, const char *location, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	char *name = NULL;
	enum store_status status = sql_begin(sqlite, err);
	if (status != STORE_OK)
		return status;
	status = is_connector(sqlite, server, err);
	if (status == STORE_OK)
		status = STORE_LAST;
	else if (status == STORE_NOT_FOUND)
		status = location ? proper_name(sqlite, location, &name, err)
						  : sql_server_says_again(sqlite, server, err);
	if (status == STORE_OK && location)
		status = sql_server_place(sqlite, server, name, err);
	free(name);
	return sql_end(sqlite, status, err);
}

/* --- connectors ----------------------------------------------------------------------------- */

enum store_status locations_promote(
	struct store *store, const char *server, int64_t now, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	enum store_status status = sql_begin(sqlite, err);
	if (status != STORE_OK)
		return status;
	sqlite3_stmt *statement = sql_start(sqlite,
		"SELECT location = '', (SELECT count(*) FROM connectors c WHERE c.location = s.location "
		"AND c.server <> s.id) FROM servers s WHERE id = ?",
		"t", server);
	status = sql_step(sqlite, statement, err);
	if (status == STORE_OK && sqlite3_column_int(statement, 0))
		status = STORE_LAST;
	else if (status == STORE_OK && sqlite3_column_int(statement, 1) >= STORE_MAX_CONNECTORS)
		status = STORE_EXISTS;
	sql_done(statement);
	if (status == STORE_OK)
		status = sql_run(sqlite,
			sql_start(sqlite,
				"INSERT OR IGNORE INTO connectors(server, location, since) "
				"SELECT id, location, ?2 FROM servers WHERE id = ?1",
				"ti", server, now),
			err);
	if (status == STORE_OK)
		status = sql_run(sqlite,
			sql_start(sqlite, "UPDATE servers SET location_set = 1 WHERE id = ?", "t", server),
			err);
	return sql_end(sqlite, status, err);
}

enum store_status locations_demote(struct store *store, const char *server, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	return sql_run(
		sqlite, sql_start(sqlite, "DELETE FROM connectors WHERE server = ?", "t", server), err);
}

enum store_status locations_connectors(struct store *store, const char *location,
	void (*each)(void *data, const struct store_connector *connector), void *data, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	enum store_status status;
	sqlite3_stmt *statement = sql_start(sqlite,
		"SELECT c.location, s.name, s.id, s.key, c.since FROM connectors c "
		"JOIN servers s ON s.id = c.server WHERE ?1 IS NULL OR c.location = ?1 "
		"ORDER BY c.location, s.name, s.id LIMIT ?2",
		"ti", location, (int64_t)STORE_MAX_LOCATIONS);
	while ((status = sql_step(sqlite, statement, err)) == STORE_OK) {
		struct store_connector connector = {
			.location = sql_text(statement, 0),
			.name = sql_text(statement, 1),
			.since = sqlite3_column_int64(statement, 4),
		};
		snprintf(connector.id, sizeof connector.id, "%s", sqlite3_column_text(statement, 2));
		sql_blob(statement, 3, connector.key, sizeof connector.key);
		each(data, &connector);
		free(connector.location);
		free(connector.name);
	}
	sql_done(statement);
	return status == STORE_NOT_FOUND ? STORE_OK : status;
}

/* --- host keys ------------------------------------------------------------------------------ */

enum store_status locations_pin(
	struct store *store, const char *location, const struct store_host_key *key, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	return sql_run(sqlite,
		sql_start(sqlite,
			"INSERT OR REPLACE INTO host_keys(location, host, port, fingerprint, confirmed_by, "
			"confirmed) VALUES(?, ?, ?, ?, ?, ?)",
			"ttitti", location, key->host, key->port, key->fingerprint, key->confirmed_by,
			key->confirmed),
		err);
}

enum store_status locations_pinned(struct store *store, const char *location, const char *host,
	int64_t port, char **fingerprint, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	sqlite3_stmt *statement = sql_start(sqlite,
		"SELECT fingerprint FROM host_keys WHERE location = ? AND host = ? AND port = ?", "tti",
		location, host, port);
	enum store_status status = sql_step(sqlite, statement, err);
	*fingerprint = status == STORE_OK ? sql_text(statement, 0) : NULL;
	sql_done(statement);
	return status == STORE_NOT_FOUND ? STORE_OK : status;
}

/* One row more than asked for tells whether there is a next page. */
enum store_status locations_host_keys(struct store *store, const char *location, int limit,
	int64_t before, struct store_host_key_page *page, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	enum store_status status;
	*page = (struct store_host_key_page){.rows = xcalloc((size_t)limit, sizeof *page->rows)};
	sqlite3_stmt *statement = sql_start(sqlite,
		"SELECT seq, host, port, fingerprint, confirmed_by, confirmed FROM host_keys "
		"WHERE location = ?1 AND (?2 = 0 OR seq < ?2) ORDER BY seq DESC LIMIT ?3",
		"tii", location, before, (int64_t)limit + 1);
	while ((status = sql_step(sqlite, statement, err)) == STORE_OK) {
		if (page->count == (size_t)limit) {
			page->next = page->rows[limit - 1].seq;
			break;
		}
		page->rows[page->count++] = (struct store_host_key){
			.seq = sqlite3_column_int64(statement, 0),
			.host = sql_text(statement, 1),
			.port = sqlite3_column_int64(statement, 2),
			.fingerprint = sql_text(statement, 3),
			.confirmed_by = sql_text(statement, 4),
			.confirmed = sqlite3_column_int64(statement, 5),
		};
	}
	sql_done(statement);
	if (status == STORE_OK || status == STORE_NOT_FOUND)
		return STORE_OK;
	store_host_key_page_free(page);
	return status;
}

enum store_status locations_unpin(
	struct store *store, const char *location, int64_t seq, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	enum store_status status = sql_run(sqlite,
		sql_start(
			sqlite, "DELETE FROM host_keys WHERE location = ? AND seq = ?", "ti", location, seq),
		err);
	return status == STORE_OK && !sql_changes(sqlite) ? STORE_NOT_FOUND : status;
}

void store_location_free(struct store_location *location)
{
	free(location->name);
	*location = (struct store_location){0};
}

void store_host_key_page_free(struct store_host_key_page *page)
{
	for (size_t i = 0; i < page->count; i++) {
		free(page->rows[i].host);
		free(page->rows[i].fingerprint);
		free(page->rows[i].confirmed_by);
	}
	free(page->rows);
	*page = (struct store_host_key_page){0};
}
