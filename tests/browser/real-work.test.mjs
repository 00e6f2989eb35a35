// The work that one does in the console, on the real hub with the real agent (rows R27, R28, S10, S11,
// S13): a job with its output, the live log, a bundle, a key, another user, and the trail of it all.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { field, findBarriers, until } from "./lib.mjs";
import { PASSWORD, run, useReal } from "./real-lib.mjs";

const real = useReal();
const { tell } = real;
const SECRET = "a-very-secret-value";
const WAIT = { timeout: 60_000 }; // for what a machine under load does in its own time
const onServer = async (page, section) => {
	await page.getByRole("link", { name: "Servers", exact: true }).first().click();
	await page.getByRole("heading", { level: 1, name: "Servers", exact: true }).waitFor();
	await page.getByRole("link", { name: os.hostname(), exact: true }).click();
	if (section) await page.getByRole("link", { name: section, exact: true }).click();
};

async function writeJob(page, title, script) {
	await page.getByRole("link", { name: "Jobs", exact: true }).first().click();
	await page.getByRole("link", { name: "New job" }).first().click();
	await page.getByRole("heading", { level: 1, name: "New job" }).waitFor();
	await field(page, "Title").fill(title);
	await field(page, "Run by").selectOption("sh");
	await field(page, "Script").fill(script);
	await page.getByText("Every server: 1 server. It is online.").waitFor();
}

async function sendJob(page, title) {
	await page.getByRole("button", { name: "Run on 1 server" }).click();
	await page.getByRole("heading", { level: 1, name: title }).waitFor();
}

tell("a machine joins", async () => {
	await real.enter();
	await real.addMachine("work");
	await real.page.getByRole("row").filter({ hasText: os.hostname() }).getByText("Online").waitFor();
});

tell("a job runs on it with its arguments and variables, and its output is seen", async (page) => {
	await page.getByRole("link", { name: "Jobs", exact: true }).click();
	await page.getByRole("heading", { name: "No jobs yet" }).waitFor();
	await writeJob(page, "Say it", 'printf "%s|" "$@"\necho "$GREETING"\necho "${#HIDDEN} characters"\n');
	await page.getByLabel("Arguments").fill("one\ntwo words");
	for (const [name, value, secret] of [
		["GREETING", "grüezi", false],
		["HIDDEN", SECRET, true],
	]) {
		await page.getByRole("button", { name: "Add variable" }).click();
		await page.getByLabel("Name of the variable").last().fill(name);
		await page.getByLabel(`Value of ${name}`).fill(value);
		if (secret) await page.getByLabel("Secret").last().check();
	}
	await sendJob(page, "Say it");
	await page.getByText("1 of 1", { exact: true }).waitFor(WAIT);
	await page.getByRole("row").filter({ hasText: os.hostname() }).getByText("Done").waitFor();
	await page.getByText("What runs").click();
	await page.getByText("secret", { exact: true }).waitFor();
	await page.getByRole("link", { name: os.hostname(), exact: true }).click();
	const output = page.getByRole("region", { name: "Text of the output" });
	await output.getByText(`${SECRET.length} characters`).waitFor(WAIT);
	await until(() => output.innerText(), `one|two words|grüezi\n${SECRET.length} characters\n`);
	const coming = page.waitForEvent("download");
	await page.getByRole("link", { name: "Download all" }).click();
	const file = await (await coming).path();
	assert.equal(await readFile(file, "utf8"), `one|two words|grüezi\n${SECRET.length} characters\n`);
	assert.deepEqual(await findBarriers(page), []);
});

tell("one that goes on is followed while it speaks, and is cancelled", async (page) => {
	const gate = path.join(real.root, "gate");
	await run("mkfifo", [gate]);
	await writeJob(page, "Wait for it", `echo begun\nread line < '${gate}'\necho "$line"\nexec sleep 600\n`);
	await sendJob(page, "Wait for it");
	await page.getByRole("link", { name: os.hostname(), exact: true }).click();
	const output = page.getByRole("region", { name: "Text of the output" });
	await output.getByText("begun").waitFor(WAIT);
	await run("/bin/sh", ["-c", `echo "the gate is open" > '${gate}'`]);
	await output.getByText("the gate is open").waitFor(WAIT);
	await page.getByRole("button", { name: "Cancel here" }).click();
	await page.getByRole("dialog").getByRole("button", { name: "Cancel it here" }).click();
	await page.getByText("Cancelled", { exact: true }).waitFor(WAIT);
});

tell("one that fails says so first, and is repeated", async (page) => {
	const marker = path.join(real.root, "marker");
	await writeJob(page, "Fail once", `[ -e '${marker}' ] || { touch '${marker}'; exit 3; }\n`);
	await sendJob(page, "Fail once");
	await page.getByText("Exit code 3.").or(page.getByText("exit code 3")).first().waitFor(WAIT);
	const first = page.url();
	await page.getByRole("button", { name: "Repeat where it did not work (1)" }).click();
	await page.waitForFunction((url) => location.href !== url, first);
	await page.getByRole("row").filter({ hasText: os.hostname() }).getByText("Done").waitFor(WAIT);
	await page.getByRole("link", { name: "Jobs", exact: true }).first().click();
	await page.getByText("With problems").waitFor();
	const titles = page.locator(".job-row .cell-name a");
	await until(() => titles.allInnerTexts(), ["Fail once", "Fail once", "Wait for it", "Say it"]);
});

tell("the server's activity names them all", async (page) => {
	await onServer(page, "Activity");
	const past = page.getByRole("region", { name: "Past" });
	await past.getByRole("link", { name: "Wait for it" }).waitFor();
	const text = await past.innerText();
	for (const each of [/Failed\s+Job\s+Fail once/, /Cancelled\s+Job\s+Wait for it/, /Done\s+Job\s+Say it/])
		assert.match(text, each);
});

tell("its log is followed live, and holds no secret", async (page) => {
	await onServer(page, "Log");
	const lines = page.getByRole("region", { name: "Lines of the log" });
	await page.getByText("Live", { exact: true }).waitFor(WAIT);
	await lines.getByText("online at 127.0.0.1").waitFor(WAIT);
	// Something to write about, asked for without leaving the page.
	await page.evaluate(() =>
		fetch("/v1/jobs", {
			method: "POST",
			headers: { "Content-Type": "application/json", "X-Sallyport": "1" },
			body: JSON.stringify({ title: "Another", interpreter: "sh", script: "true", filter: {} }),
		}),
	);
	await lines.getByText('is taken: "Another" (sh)').waitFor(WAIT);
	assert.doesNotMatch(await lines.innerText(), new RegExp(SECRET));
});

tell("a bundle is asked for, comes, and is downloaded", async (page) => {
	await onServer(page, "Bundles");
	await page.getByText("There is none yet.").waitFor();
	await page.getByRole("button", { name: "Ask for a bundle" }).click();
	await page.getByText("Ready", { exact: true }).waitFor(WAIT);
	await page.getByText("What it holds").click();
	await page.getByText("connector.log").waitFor();
	const coming = page.waitForEvent("download");
	await page.getByRole("link", { name: "Download" }).click();
	const file = await (await coming).path();
	const { stdout } = await run("tar", ["-tf", file]);
	assert.match(stdout, /manifest\.json/);
	assert.match(stdout, /connector\.log/);
});

// What the API answers to that key; asked from outside the console's page.
async function status(key) {
	const answer = await real.opened.session.request.get(`${real.origin}/v1/jobs`, {
		headers: { Authorization: `Bearer ${key}`, Cookie: "" },
	});
	return answer.status();
}

tell("a key made here reads the API, and not once it is revoked", async (page) => {
	await page.getByRole("link", { name: "API keys" }).click();
	await page.getByRole("button", { name: "Make key" }).click();
	await page.getByRole("dialog").getByLabel("Name").fill("reader");
	await page.getByRole("dialog").getByRole("button", { name: "Make key" }).click();
	const key = await page.getByRole("dialog").getByLabel("the key", { exact: true }).innerText();
	assert.match(key, /^spk_[\w-]{43}$/);
	await page.getByRole("button", { name: "I have it" }).click();
	assert.equal(await status(key), 200);
	await page.getByRole("button", { name: "Revoke reader" }).click();
	await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
	await page.getByRole("row").filter({ hasText: "reader" }).getByText("Revoked").waitFor();
	assert.equal(await status(key), 401);
});

tell("an operator sees what he may use, and no more", async (page) => {
	await page.getByRole("link", { name: "Users" }).click();
	await page.getByRole("button", { name: "Add user" }).click();
	await page.getByLabel("Name").fill("nina");
	await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
	await page.getByRole("dialog").getByRole("button", { name: "Add user" }).click();
	await page.getByRole("row").filter({ hasText: "nina" }).getByText("operator").waitFor();
	const hers = await real.open(real.origin);
	await hers.page.getByLabel("Name").fill("nina");
	await hers.page.getByLabel("Password", { exact: true }).fill(PASSWORD);
	await hers.page.keyboard.press("Enter");
	await hers.page.getByRole("link", { name: os.hostname(), exact: true }).waitFor();
	const links = hers.page.getByRole("navigation", { name: "Pages" }).getByRole("link");
	assert.deepEqual(await links.allInnerTexts(), ["Servers", "Locations", "Jobs", "Join tokens"]);
	await hers.close();
});

tell("the audit trail has it all, and no secret", async (page) => {
	await page.getByRole("link", { name: "Audit trail" }).click();
	await page.getByRole("table", { name: "Audit trail" }).getByText("job.create").first().waitFor();
	const text = await page.getByRole("table", { name: "Audit trail" }).innerText();
	for (const action of ["user.add", "key.add", "key.revoke", "job.cancel", "bundle.ask", "log.follow"])
		assert.ok(text.includes(action), `${action} in ${text}`);
	assert.doesNotMatch(text, new RegExp(SECRET));
	await page.getByLabel("What was done").fill("user.add");
	await page.waitForFunction(() => {
		const cells = [...document.querySelectorAll(".cell-action")];
		return cells.length > 0 && cells.every((cell) => cell.textContent === "user.add");
	});
});
