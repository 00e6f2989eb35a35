-- A bundle that is there.
INSERT INTO bundles(id, server, state, reason, requested_by, requested, finished, size, hash, manifest)
	VALUES('b-one', 's-one', 2, '', 'alice', 1700000040, 1700000041, 5, zeroblob(32), '{}');
