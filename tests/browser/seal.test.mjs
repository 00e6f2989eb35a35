// What the console does by itself before anything is sent: sealing credentials (row B8), reading lists of
// hosts (rows R12, S5). Its sources run here as they run in the browser.

import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import * as esbuild from "esbuild";
import { makeKey, openBox } from "./fake-installs.mjs";

globalThis.crypto ??= webcrypto; // which every browser has, and Node only from 19 on
const top = fileURLToPath(new URL("../../", import.meta.url));
const bytes = (text) => Buffer.from(text, "base64url");
let folder, seal, hostList;

before(async () => {
	folder = await mkdtemp(path.join(os.tmpdir(), "sallyport-seal-"));
	await esbuild.build({
		absWorkingDir: top,
		entryPoints: ["seal", "host-list"].map((name) => path.join(top, "console", "src", `${name}.ts`)),
		outdir: folder,
		outExtension: { ".js": ".mjs" },
		bundle: true,
		format: "esm",
	});
	const load = (name) => import(pathToFileURL(path.join(folder, name)).href);
	[seal, hostList] = await Promise.all([load("seal.mjs"), load("host-list.mjs")]);
});
after(() => rm(folder, { recursive: true, force: true }));

test("the known answer of libsodium's crypto_box_seal", async () => {
	const known = JSON.parse(await readFile(path.join(top, "tests", "unit", "credentials.json"), "utf8"));
	const box = seal.sealTo(bytes(known.key), Buffer.from(known.plain), bytes(known.once));
	assert.equal(Buffer.from(box).toString("base64url"), known.box);
});

test("each connector opens its own box with libsodium, and no other", async () => {
	const [one, two] = [makeKey(1), makeKey(2)];
	const credentials = { user: "admin", password: "corréct horse", key: "k".repeat(3000) };
	const connectors = [one, two].map(({ id, key }, i) => ({ id, key, name: `jump-${i}` }));
	const list = { hosts: "web-1\n10.0.0.0/28", port: 2222 };
	const boxes = seal.sealCredentials(connectors, list, credentials);
	assert.deepEqual(Object.keys(boxes), [one.id, two.id]);
	assert.match(boxes[one.id], /^[\w-]+$/);
	for (const { id, seed } of [one, two])
		assert.deepEqual(await openBox(seed, boxes[id]), {
			v: 1,
			...list,
			...credentials,
		});
	await assert.rejects(openBox(one.seed, boxes[two.id]), /cannot be opened/);
	const again = seal.sealCredentials(connectors, list, credentials);
	assert.notEqual(again[one.id], boxes[one.id]);
});

test("a key that is not the connector's own gets nothing", () => {
	const [one, two] = [makeKey(1), makeKey(2)];
	for (const key of [two.key, "", "AAAA", "not base64!", one.key.slice(1)])
		assert.throws(
			() => seal.sealCredentials([{ id: one.id, name: "jump", key }], { hosts: "a", port: 22 }, { user: "u" }),
			({ message, advice }) =>
				/connector jump is not its own/.test(message) && /Nothing was sent/.test(advice),
			key,
		);
});

const hostsOf = (text) => hostList.readHosts(text, 22, "root");
const words = ({ user, host, port }) => `${user}@${host}:${port}`;

test("lists of hosts are read as the hub reads them", () => {
	for (const [text, hosts] of [
		["web-1\nWEB-2.Example.net.", ["root@web-1:22", "root@web-2.example.net:22"]],
		["a b\tc # d\n# e\n\n", ["root@a:22", "root@b:22", "root@c:22"]],
		["me@there.net@10.0.0.5:2222", ["me@there.net@10.0.0.5:2222"]],
		["10.0.0.5-7 10.0.0.8/30", [5, 6, 7, 9, 10].map((i) => `root@10.0.0.${i}:22`)],
		["10.0.0.255-10.0.1.1", ["root@10.0.0.255:22", "root@10.0.1.0:22", "root@10.0.1.1:22"]],
		["10.0.0.4/31 10.0.0.9/32", [4, 5, 9].map((i) => `root@10.0.0.${i}:22`)],
		["[2001:DB8:0::1]:22 fe80::2", ["root@2001:db8::1:22", "root@fe80::2:22"]],
		["10.0.0.1-2 you@10.0.0.2", ["root@10.0.0.1:22", "you@10.0.0.2:22"]],
		[
			"\ufeffHost;User;name\r\nweb-1;;The first\r\n10.0.0.1-2;me\r\n",
			["root@web-1:22", "me@10.0.0.1:22", "me@10.0.0.2:22"],
		],
		['name,host,port\n"a, ""b""",web-1,2200\n', ["root@web-1:2200"]],
		["host\tport\nweb-1\t23", ["root@web-1:23"]],
	]) {
		const { hosts: read, wrongs } = hostsOf(text);
		assert.deepEqual(wrongs, [], text);
		assert.deepEqual(read.map(words), hosts, text);
	}
	const [, ranged] = hostsOf("web-1\n10.0.0.5-5").hosts;
	assert.equal(ranged.fromRange, true);
	assert.equal(hostsOf('name,host\n"a, ""b""",web-1').hosts[0].name, 'a, "b"');
	assert.equal(hostsOf("10.0.0.0/22").hosts.length, 1022);
});

test("what is wrong with a list is told by its line", () => {
	for (const [text, line, why] of [
		["a\n10.0.0.0/8", 2, /at most 1024 addresses/],
		["10.0.0.9-5", 1, /ends before it begins/],
		["10.0.0.0/x", 1, /a range is written like/],
		["10.0.0.1-x", 1, /a range is written like/],
		["10.0.0.300", 1, /that is no IPv4 address/],
		["a..b", 1, /that is no name of a host/],
		["web_1 -a", 1, /that is no name of a host/],
		["web:0", 1, /a port is a number/],
		["@web", 1, /a user's name is missing/],
		["root@", 1, /a host is missing/],
		["me@web you@web", 1, /twice, with different users/],
		["host,colour\na,b", 1, /column is not known/],
		["host,host\na,b", 1, /column is there twice/],
		["port,user\n1,b", 1, /No column is called host/],
		["host,port\na,22,c", 2, /more fields than/],
		['host,name\na,"b', 2, /quotes are not closed/],
		["host,name\n,b", 2, /column host is empty/],
		["10.0.0.0/22\n10.1.0.1-4", 2, /more than 1024 hosts/],
		["x".repeat(66_000), 0, /longer than 64 KiB/],
	]) {
		const { wrongs } = hostsOf(text);
		assert.equal(wrongs.length, 1, text.slice(0, 40));
		assert.equal(wrongs[0].line, line, text.slice(0, 40));
		assert.match(wrongs[0].words, why);
	}
	assert.deepEqual(
		hostsOf("a\n10.0.0.0/8\nb\nc:x").wrongs.map(({ line }) => line),
		[2, 4],
	);
});
