-- What the hub remembers. Times are seconds since 1970 in UTC; empty texts stand for "not known".

CREATE TABLE meta (
	key   TEXT PRIMARY KEY,
	value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE users (
	name     TEXT PRIMARY KEY COLLATE NOCASE,
	password TEXT NOT NULL,             -- crypto_pwhash_str: argon2id with its salt and limits
	role     TEXT NOT NULL,
	created  INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE web_sessions (
	cookie_hash BLOB PRIMARY KEY,       -- SHA-256 of the cookie's bytes
	user        TEXT NOT NULL COLLATE NOCASE REFERENCES users(name) ON DELETE CASCADE,
	expires     INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX web_sessions_by_expiry ON web_sessions(expires);

CREATE TABLE tokens (
	id          TEXT PRIMARY KEY,
	secret_hash BLOB NOT NULL UNIQUE,   -- token_secret_hash()
	label       TEXT NOT NULL,
	created     INTEGER NOT NULL,
	created_by  TEXT NOT NULL,
	expires     INTEGER NOT NULL,
	uses        INTEGER NOT NULL,
	used        INTEGER NOT NULL DEFAULT 0,
	revoked     INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX tokens_by_age ON tokens(created);

-- The columns that the list shows, sorts and searches; what is big stands in server_details.
CREATE TABLE servers (
	id          TEXT PRIMARY KEY,
	key         BLOB NOT NULL UNIQUE,   -- Ed25519 public key
	token_id    TEXT NOT NULL,          -- the token that it joined with
	name        TEXT NOT NULL COLLATE NOCASE,
	platform    TEXT NOT NULL,
	os_name     TEXT NOT NULL COLLATE NOCASE,
	address     TEXT NOT NULL,
	address_key TEXT NOT NULL,          -- the address in a form that sorts as a number
	mac         TEXT NOT NULL,
	location    TEXT NOT NULL COLLATE NOCASE,
	version     TEXT NOT NULL,
	online      INTEGER NOT NULL,
	cause       TEXT NOT NULL,          -- why it is offline: an id of causes.def
	reason      TEXT NOT NULL,          -- the same as a sentence
	since       INTEGER NOT NULL,
	last_seen   INTEGER NOT NULL,
	created     INTEGER NOT NULL,
	search      TEXT NOT NULL           -- name, addresses, OS and location, in lower case
);
-- One index an order of the list; each ends in what makes the order total.
CREATE INDEX servers_by_status    ON servers(online, name, id);
CREATE INDEX servers_by_name      ON servers(name, id);
CREATE INDEX servers_by_address   ON servers(address_key, name, id);
CREATE INDEX servers_by_os        ON servers(os_name, name, id);
CREATE INDEX servers_by_version   ON servers(version, name, id);
CREATE INDEX servers_by_last_seen ON servers(last_seen, name, id);
CREATE INDEX servers_by_platform  ON servers(platform, online);

CREATE TABLE server_details (
	id           TEXT PRIMARY KEY REFERENCES servers(id) ON DELETE CASCADE,
	inventory    TEXT NOT NULL DEFAULT '',
	path         TEXT NOT NULL DEFAULT '',
	path_at      INTEGER NOT NULL DEFAULT 0,
	check_report TEXT NOT NULL DEFAULT '',
	check_at     INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE revoked_keys (
	key BLOB PRIMARY KEY,
	at  INTEGER NOT NULL
) WITHOUT ROWID;
