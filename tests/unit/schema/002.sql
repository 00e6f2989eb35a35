-- A check that was under way.
INSERT INTO checks(id, server, state, requested_by, profile, title, deep, requested, started, finished, repeats,
	verdict, causes, outcome, reason) VALUES('00000000000000aa', 's-one', 1, 'alice', '', '', 0, 1700000010, 1700000011,
	0, 1, '', '[]', '', '');
