-- A key and what it did.
INSERT INTO keys(id, hash, name, permissions, location, maker, created_by, parent, created, expires)
	VALUES('k-one', x'dd', 'scripts', 'read', '', 'alice', 'alice', '', 1700000030, 1800000000);
INSERT INTO audit(at, actor, actor_kind, action, target, detail, peer, refused)
	VALUES(1700000031, 'alice', 'user', 'job.create', 'j-one', '', '10.0.0.9', 0);
INSERT INTO replays VALUES(x'ee', x'ff', 1700000031, 201, 2, x'7b7d');
