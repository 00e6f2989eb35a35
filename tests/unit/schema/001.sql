-- What a hub of schema 1 held: two machines, one with a report and one that never had any.
INSERT INTO meta VALUES('host', 'hub.example.com'), ('port', '443');
INSERT INTO users VALUES('alice', '$argon2id$x', 'administrator', 1700000000);
INSERT INTO web_sessions VALUES(zeroblob(32), 'alice', 4000000000);
INSERT INTO tokens VALUES('0123456789abcdef', x'aa', 'web servers', 1700000000, 'alice', 1800000000, 5, 1, 0);
INSERT INTO servers VALUES('s-one', zeroblob(32), '0123456789abcdef', 'web-1', 'linux', 'Debian 12', '10.0.0.1',
	'000a000000001', '02:00:00:00:00:01', 'Bern', '0.1.0', 1, '', '', 1700000001, 1700000002, 1700000000, 'web-1 bern');
INSERT INTO servers VALUES('s-two', x'bb', '0123456789abcdef', 'web-2', 'linux', 'Debian 12', '10.0.0.2',
	'000a000000002', '02:00:00:00:00:02', '', '0.1.0', 0, 'no-route', 'gone', 1700000001, 1700000002, 1700000000, 'web-2');
INSERT INTO server_details VALUES('s-one', '{"os":{}}', '[]', 1700000002,
	'{"profile":{"id":"citrix-smart-tools","title":"Citrix"},"verdict":"fail","causes":[{"id":"no-route","severity":"fail","sentence":"x"}]}',
	1700000003);
INSERT INTO server_details(id, check_report) VALUES('s-two', 'cut sho');
INSERT INTO revoked_keys VALUES(x'cc', 1700000000);
