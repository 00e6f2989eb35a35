// The built console: the same every time, complete in itself, and in step with the causes.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { readCauses } from "../../console/causes.mjs";

const run = promisify(execFile);
const top = fileURLToPath(new URL("../../", import.meta.url));

test("the same sources give the same bytes", async () => {
	const folder = await mkdtemp(path.join(os.tmpdir(), "sallyport-console-"));
	try {
		const build = path.join(top, "console", "build.mjs");
		// The types were checked when this build was made.
		const make = (cwd, ...to) => run(process.execPath, [build, "--unchecked", ...to], { cwd });
		await make(top, path.join(folder, "a"), path.join(folder, "deps"));
		await make(os.tmpdir(), path.join(folder, "b"));
		const names = (await readdir(path.join(folder, "a"))).sort();
		assert.deepEqual(names, ["app.css", "app.js", "index.html"]);
		for (const name of names) {
			const [a, b] = await Promise.all(
				["a", "b"].map((each) => readFile(path.join(folder, each, name), "utf8")),
			);
			assert.equal(a, b, name);
			assert.ok(!a.includes(top), `${name} names this machine's folders`);
			const elsewhere = a.match(/https?:\/\/(?!www\.w3\.org\/)[\w.-]+/g) ?? [];
			assert.deepEqual(
				elsewhere.filter((url) => !/HOST/.test(url)),
				[],
				`${name} names other hosts`,
			);
		}
		assert.match(
			await readFile(path.join(folder, "deps"), "utf8"),
			/console\/src\/main\.tsx.*causes\.def/s,
		);
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
});

test("the page has no inline script or style, and no source writes markup as text", async () => {
	const page = await readFile(path.join(top, "console", "src", "index.html"), "utf8");
	assert.doesNotMatch(page, /<style|<script(?![^>]*src=)|\sstyle=|\son\w+=/);
	for (const entry of await readdir(path.join(top, "console", "src"), { recursive: true })) {
		if (!/\.tsx?$/.test(entry)) continue;
		const source = await readFile(path.join(top, "console", "src", entry), "utf8");
		assert.doesNotMatch(source, /innerHTML|dangerouslySet|document\.write|\beval\(/, entry);
	}
});

test("every cause of the catalogue has a remedy and somebody to apply it", async () => {
	const source = await readFile(path.join(top, "src", "diagnosis", "causes.def"), "utf8");
	const causes = readCauses(source);
	const ids = [...source.matchAll(/^CAUSE\(\w+, "([\w-]+)"/gm)].map((match) => match[1]);
	assert.ok(ids.length > 40);
	assert.deepEqual(Object.keys(causes), ids);
	for (const [id, { stage, who, remedy }] of Object.entries(causes)) {
		assert.match(stage, /^(host|resolve|connect|tunnel|secure|hello|session)$/, id);
		assert.match(who, /administrator|operator/, id);
		assert.match(remedy, /^[^{}]{10,}$/, id);
	}
	assert.throws(() => readCauses('CAUSE(A, "a")'), /columns/);
});
