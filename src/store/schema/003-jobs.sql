-- Scripts that servers were asked to run. Rows outlive the servers, so that a job stays whole.

CREATE TABLE jobs (
	seq          INTEGER PRIMARY KEY AUTOINCREMENT,  -- the order in which they were asked for
	id           TEXT NOT NULL UNIQUE,
	state        INTEGER NOT NULL,       -- enum store_job_state
	title        TEXT NOT NULL,
	interpreter  TEXT NOT NULL,
	script       TEXT NOT NULL,
	args         TEXT NOT NULL,          -- JSON: a list of texts
	env          TEXT NOT NULL,          -- JSON: texts by name; null where the value is secret
	user         TEXT NOT NULL,          -- empty: the agent's own
	cwd          TEXT NOT NULL,          -- empty: the user's home
	timeout_s    INTEGER NOT NULL,
	output_limit INTEGER NOT NULL,
	rerun        TEXT NOT NULL,
	reboot       TEXT NOT NULL,
	created_by   TEXT NOT NULL,
	location     TEXT NOT NULL COLLATE NOCASE,  -- that its maker is bound to; empty: none
	created      INTEGER NOT NULL,
	expires      INTEGER NOT NULL,
	finished     INTEGER NOT NULL,
	cancel       INTEGER NOT NULL,       -- it was asked for
	-- how many runs are in each state
	failed       INTEGER NOT NULL,
	undetermined INTEGER NOT NULL,
	expired      INTEGER NOT NULL,
	cancelled    INTEGER NOT NULL,
	queued       INTEGER NOT NULL,
	delivered    INTEGER NOT NULL,
	running      INTEGER NOT NULL,
	rebooting    INTEGER NOT NULL,
	done         INTEGER NOT NULL
);
CREATE INDEX jobs_active ON jobs(state) WHERE state = 0;
CREATE INDEX jobs_by_age ON jobs(created);

-- The values that `env` does not show. A row goes as soon as no run waits for them.
CREATE TABLE job_secrets (
	job INTEGER PRIMARY KEY REFERENCES jobs(seq) ON DELETE CASCADE,
	env TEXT NOT NULL                    -- JSON: texts by name
);

CREATE TABLE job_runs (
	seq          INTEGER PRIMARY KEY AUTOINCREMENT,
	id           TEXT NOT NULL,          -- its last 12 digits are seq: it is found by them
	job          INTEGER NOT NULL REFERENCES jobs(seq),
	server       TEXT NOT NULL,
	server_name  TEXT NOT NULL COLLATE NOCASE,
	state        INTEGER NOT NULL,       -- enum store_run_state
	rank         INTEGER GENERATED ALWAYS AS (CASE WHEN state BETWEEN 4 AND 7 THEN 4 ELSE state END) VIRTUAL,
	sent         INTEGER NOT NULL,       -- it may have reached the machine
	cancel       INTEGER NOT NULL,       -- it was asked for
	attempt      INTEGER NOT NULL,
	exit_code    INTEGER NOT NULL,       -- -1: none
	signal       INTEGER NOT NULL,       -- 0: none
	reason       TEXT NOT NULL,
	output       INTEGER NOT NULL,       -- bytes that stand in job_output
	output_total INTEGER NOT NULL,       -- bytes that the machine keeps; -1: not told yet
	dropped      INTEGER NOT NULL,       -- bytes that it did not keep
	queued       INTEGER NOT NULL,
	delivered    INTEGER NOT NULL,
	started      INTEGER NOT NULL,
	finished     INTEGER NOT NULL
);
CREATE UNIQUE INDEX job_runs_by_server_of_job ON job_runs(job, server);
CREATE INDEX job_runs_by_rank ON job_runs(job, rank, server_name, server);
CREATE INDEX job_runs_by_server ON job_runs(server, seq);

CREATE TABLE job_output (
	run  INTEGER NOT NULL REFERENCES job_runs(seq) ON DELETE CASCADE,
	at   INTEGER NOT NULL,               -- bytes of output before this piece
	data BLOB NOT NULL,
	PRIMARY KEY (run, at)
);
