-- Resource locations, their connectors, and what these put on their neighbours.

CREATE TABLE locations (
	name       TEXT PRIMARY KEY COLLATE NOCASE,
	addressing TEXT NOT NULL DEFAULT 'any', -- what its machines have to have: any, dhcp
	created    INTEGER NOT NULL
) WITHOUT ROWID;
INSERT OR IGNORE INTO locations(name, created)
	SELECT min(location), min(created) FROM servers WHERE location != '' GROUP BY location;
INSERT OR IGNORE INTO locations(name, created)
	SELECT location, min(created) FROM keys WHERE location != '' GROUP BY location;
INSERT OR IGNORE INTO locations(name, created)
	SELECT min(location), min(created) FROM tokens WHERE location != '' GROUP BY location;

-- Set here, it is no longer the machine's to say.
ALTER TABLE servers ADD COLUMN location_set INTEGER NOT NULL DEFAULT 0;
ALTER TABLE servers ADD COLUMN addressing TEXT NOT NULL DEFAULT ''; -- of `address`: dhcp, static

CREATE TABLE connectors (
	server   TEXT PRIMARY KEY REFERENCES servers(id) ON DELETE CASCADE,
	location TEXT NOT NULL COLLATE NOCASE,
	since    INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX connectors_by_location ON connectors(location, server);

-- SSH host keys that a person has confirmed.
CREATE TABLE host_keys (
	seq          INTEGER PRIMARY KEY AUTOINCREMENT,
	location     TEXT NOT NULL COLLATE NOCASE,
	host         TEXT NOT NULL COLLATE NOCASE,
	port         INTEGER NOT NULL,
	fingerprint  TEXT NOT NULL,
	confirmed_by TEXT NOT NULL,
	confirmed    INTEGER NOT NULL,
	UNIQUE(location, host, port)
);

CREATE TABLE installs (
	seq        INTEGER PRIMARY KEY AUTOINCREMENT,
	id         TEXT NOT NULL UNIQUE,
	location   TEXT NOT NULL COLLATE NOCASE,
	action     TEXT NOT NULL,          -- install, remove
	hosts      TEXT NOT NULL,          -- as it was given
	user       TEXT NOT NULL,
	port       INTEGER NOT NULL,
	parallel   INTEGER NOT NULL,
	state      INTEGER NOT NULL,       -- enum store_install_state
	by_command INTEGER NOT NULL,       -- begun on the connector, which alone has the credentials
	connector  TEXT NOT NULL,          -- the server that works on it; empty: none
	reason     TEXT NOT NULL,          -- what last befell its connector
	created_by TEXT NOT NULL,
	created    INTEGER NOT NULL,
	finished   INTEGER NOT NULL
);
CREATE INDEX installs_live ON installs(state) WHERE state < 3;
CREATE INDEX installs_by_location ON installs(location, seq);
CREATE INDEX installs_by_age ON installs(created);

CREATE TABLE install_targets (
	seq        INTEGER PRIMARY KEY AUTOINCREMENT,
	install    INTEGER NOT NULL REFERENCES installs(seq) ON DELETE CASCADE,
	location   TEXT NOT NULL COLLATE NOCASE,
	host       TEXT NOT NULL COLLATE NOCASE,
	port       INTEGER NOT NULL,
	user       TEXT NOT NULL,
	name       TEXT NOT NULL,
	from_range INTEGER NOT NULL,
	state      INTEGER NOT NULL,       -- enum store_target_state: also the order in lists
	confirmed  INTEGER NOT NULL DEFAULT 0, -- a person has started it
	forgotten  INTEGER NOT NULL DEFAULT 0, -- nobody expects a server there any more
	stage      TEXT NOT NULL DEFAULT '',
	outcome    TEXT NOT NULL DEFAULT '', -- an id of outcomes.def
	sentence   TEXT NOT NULL DEFAULT '',
	remedy     TEXT NOT NULL DEFAULT '',
	evidence   TEXT NOT NULL DEFAULT '', -- JSON: a list of name and value
	host_key   TEXT NOT NULL DEFAULT '', -- JSON
	facts      TEXT NOT NULL DEFAULT '', -- JSON
	server     TEXT NOT NULL DEFAULT '', -- that it became
	sent       INTEGER NOT NULL DEFAULT -1,
	total      INTEGER NOT NULL DEFAULT -1,
	updated    INTEGER NOT NULL
);
CREATE INDEX install_targets_by_state ON install_targets(install, state, seq);
CREATE INDEX install_targets_by_place ON install_targets(location, host, port, seq);
CREATE INDEX install_targets_failed ON install_targets(seq) WHERE state = 0;

-- A token that was made for one target; 0: for whoever has it.
ALTER TABLE tokens ADD COLUMN target INTEGER NOT NULL DEFAULT 0;
CREATE INDEX tokens_by_target ON tokens(target) WHERE target > 0;
