-- A job whose one run was delivered, with some output and a secret.
INSERT INTO jobs(seq, id, state, title, interpreter, script, args, env, user, cwd, timeout_s, output_limit, rerun,
	reboot, created_by, location, created, expires, finished, cancel, failed, undetermined, expired, cancelled, queued,
	delivered, running, rebooting, done) VALUES(1, 'j-one', 0, 'Patch', 'sh', 'true', '[]', '{"A":null}', '', '', 60,
	65536, 'never', 'never', 'alice', '', 1700000020, 1800000000, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0);
INSERT INTO job_secrets VALUES(1, '{"A":"x"}');
INSERT INTO job_runs(seq, id, job, server, server_name, state, sent, cancel, attempt, exit_code, signal, reason, output,
	output_total, dropped, queued, delivered, started, finished) VALUES(1, 'r-000000000001', 1, 's-one', 'web-1', 5, 1, 0,
	1, -1, 0, '', 2, -1, 0, 1700000020, 1700000021, 0, 0);
INSERT INTO job_output VALUES(1, 0, x'6f6b');
