-- Roles, API keys, the audit trail, and answers that a program may ask for again.

-- Until now everybody who could sign in was an administrator, and the column said so.
ALTER TABLE users ADD COLUMN last_login INTEGER NOT NULL DEFAULT 0;

-- What a key that is limited to a location has made is there for that location.
ALTER TABLE tokens ADD COLUMN location TEXT NOT NULL DEFAULT '' COLLATE NOCASE;

CREATE INDEX servers_by_location ON servers(location, name, id);

CREATE TABLE keys (
	id          TEXT PRIMARY KEY,
	hash        BLOB NOT NULL UNIQUE,   -- SHA-256 of the key's text
	name        TEXT NOT NULL,
	permissions TEXT NOT NULL,          -- names between commas
	location    TEXT NOT NULL,          -- empty: all
	maker       TEXT NOT NULL COLLATE NOCASE, -- a user; empty: the command line
	created_by  TEXT NOT NULL,
	parent      TEXT NOT NULL,          -- the key that made it, or empty
	created     INTEGER NOT NULL,
	expires     INTEGER NOT NULL,
	last_used   INTEGER NOT NULL DEFAULT 0,
	revoked     INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX keys_by_age ON keys(created);

CREATE TABLE audit (
	id         INTEGER PRIMARY KEY AUTOINCREMENT,
	at         INTEGER NOT NULL,
	actor      TEXT NOT NULL,
	actor_kind TEXT NOT NULL,
	action     TEXT NOT NULL,
	target     TEXT NOT NULL,
	detail     TEXT NOT NULL,
	peer       TEXT NOT NULL,
	refused    INTEGER NOT NULL          -- caused by somebody who was not let in
);
CREATE INDEX audit_by_age    ON audit(at);
CREATE INDEX audit_by_actor  ON audit(actor, id);
CREATE INDEX audit_by_action ON audit(action, id);
CREATE INDEX audit_by_target ON audit(target, id);
CREATE INDEX audit_refused   ON audit(id) WHERE refused;

CREATE TABLE replays (
	id      BLOB PRIMARY KEY,            -- hash of actor, route and the program's key
	body    BLOB NOT NULL,               -- keyed hash of the request's body
	created INTEGER NOT NULL,
	status  INTEGER NOT NULL,            -- 0: begun, and nothing is known of its end
	len     INTEGER NOT NULL,            -- of the answer
	answer  BLOB                         -- sealed with a key that is not in this database
);
CREATE INDEX replays_by_age ON replays(created, len);
