-- Support bundles of machines; the files stand beside the database.

CREATE TABLE bundles (
	seq          INTEGER PRIMARY KEY AUTOINCREMENT,  -- the order in which they came up
	id           TEXT NOT NULL UNIQUE,
	server       TEXT NOT NULL REFERENCES servers(id) ON DELETE CASCADE,
	state        INTEGER NOT NULL,       -- enum store_bundle_state
	reason       TEXT NOT NULL,          -- why it failed
	requested_by TEXT NOT NULL,          -- empty: the machine sent it by itself
	requested    INTEGER NOT NULL,
	finished     INTEGER NOT NULL,
	size         INTEGER NOT NULL,       -- bytes, as the machine said
	hash         BLOB NOT NULL,          -- SHA-256, likewise
	manifest     TEXT NOT NULL           -- JSON: what is in it; empty: not told yet
);
CREATE INDEX bundles_by_server ON bundles(server, seq);
CREATE INDEX bundles_by_state ON bundles(state, seq);
