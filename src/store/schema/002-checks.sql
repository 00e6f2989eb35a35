-- The checks of each machine, the newest some of them; before, the latest report alone was kept.

CREATE TABLE checks (
	seq          INTEGER PRIMARY KEY AUTOINCREMENT,  -- the order in which they were asked for
	id           TEXT NOT NULL UNIQUE,
	server       TEXT NOT NULL REFERENCES servers(id) ON DELETE CASCADE,
	state        INTEGER NOT NULL,       -- enum store_check_state
	requested_by TEXT NOT NULL,          -- a user; empty: the machine checked by itself
	profile      TEXT NOT NULL,          -- its id; empty: the way to the hub
	title        TEXT NOT NULL,          -- of the profile
	deep         INTEGER NOT NULL,
	requested    INTEGER NOT NULL,
	started      INTEGER NOT NULL,
	finished     INTEGER NOT NULL,
	repeats      INTEGER NOT NULL,       -- how often in a row it came out the same
	verdict      TEXT NOT NULL,
	causes       TEXT NOT NULL,          -- JSON: [{"id", "severity", "sentence"}]
	outcome      TEXT NOT NULL,          -- verdict and causes in a form that two checks share or not
	reason       TEXT NOT NULL,          -- why there is no report
	report       BLOB                    -- JSON: a TEXT as it is, a BLOB compressed (RFC 1950)
);
CREATE INDEX checks_by_server ON checks(server, seq);
CREATE INDEX checks_unfinished ON checks(state) WHERE state < 2;

INSERT INTO checks(id, server, state, requested_by, profile, title, deep, requested, started,
	finished, repeats, verdict, causes, outcome, reason, report)
SELECT lower(hex(randomblob(8))), id, 2, '',
	CASE coalesce(json_extract(check_report, '$.profile.id'), 'hub')
		WHEN 'hub' THEN '' ELSE json_extract(check_report, '$.profile.id') END,
	coalesce(json_extract(check_report, '$.profile.title'), ''),
	0, check_at, check_at, check_at, 1,
	coalesce(json_extract(check_report, '$.verdict'), ''),
	(SELECT json_group_array(json_object(
			'id', json_extract(value, '$.id'),
			'severity', json_extract(value, '$.severity'),
			'sentence', json_extract(value, '$.sentence')))
		FROM json_each(CASE json_type(check_report, '$.causes') WHEN 'array'
			THEN json_extract(check_report, '$.causes') ELSE '[]' END)
		WHERE type = 'object'),
	'', '', check_report
FROM server_details WHERE json_valid(check_report);

ALTER TABLE server_details DROP COLUMN check_report;
ALTER TABLE server_details DROP COLUMN check_at;
