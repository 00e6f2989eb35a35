-- A location with a connector, a confirmed host key, and an install that was under way.
INSERT INTO locations VALUES('Thun', 'dhcp', 1700000050);
UPDATE servers SET location_set = 1, addressing = 'dhcp' WHERE id = 's-one';
INSERT INTO connectors VALUES('s-one', 'Bern', 1700000051);
INSERT INTO host_keys(location, host, port, fingerprint, confirmed_by, confirmed)
	VALUES('Bern', '10.0.0.9', 22, 'SHA256:x', 'alice', 1700000052);
INSERT INTO installs(seq, id, location, action, hosts, user, port, parallel, state, by_command, connector, reason,
	created_by, created, finished) VALUES(1, 'i-one', 'Bern', 'install', '10.0.0.9', 'root', 22, 16, 1, 0, 's-one', '',
	'alice', 1700000053, 0);
INSERT INTO install_targets(install, location, host, port, user, name, from_range, state, updated)
	VALUES(1, 'Bern', '10.0.0.9', 22, 'root', '', 0, 1, 1700000054);
UPDATE tokens SET target = 1 WHERE id = 'none';
