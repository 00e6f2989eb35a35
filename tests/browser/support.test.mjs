// What a server's page has beside its overview (rows R27, R28, S13): activity, the live log, bundles.

import assert from "node:assert/strict";
import { test } from "node:test";
import { OPERATOR } from "./fake-access.mjs";
import { makeServer, OFFLINE } from "./fake-data.mjs";
import { READY } from "./fake-support.mjs";
import { address, listening, until, useBrowser, withHub } from "./lib.mjs";

const chromium = useBrowser();
const SERVER = makeServer(1).id;
const on = (section, arrange = () => {}, over = {}) => ({
	arrange: (hub) => {
		hub.fill(3, (i) => (i === 1 ? over : {}));
		arrange(hub);
	},
	path: `/#/servers/${SERVER}/${section}`,
	permissions: ["clipboard-read", "clipboard-write"],
});
const entry = (id, over) => ({
	kind: "run",
	id,
	job: "job1",
	title: id,
	state: "done",
	by: "admin",
	at: new Date().toISOString(),
	finished_at: null,
	...over,
});

/* --- activity ------------------------------------------------------------------------------- */

test("activity: nothing yet, then what waits and what is over, kept live", () =>
	withHub(chromium.browser, on("activity"), async (page, hub) => {
		await page.getByText("Nothing goes on, and nothing waits for it.").waitFor();
		await page.getByText("Nothing was done on it yet.").waitFor();
		await listening(hub);
		hub.support.upcoming = [entry("Patch it", { state: "queued" })];
		const job = hub.jobs.add([SERVER]);
		hub.jobs.turn(job, [SERVER], { state: "running" });
		const next = page.getByRole("region", { name: "Now and next" });
		await next.getByText("Patch it").waitFor();
		assert.match(await next.innerText(), /Queued\s+Job\s+Patch it.*by admin/s);
		hub.support.upcoming = [];
		hub.support.past = [
			entry("Patch it", { state: "failed" }),
			entry("c", { kind: "check", title: null, by: null }),
		];
		hub.jobs.turn(job, [SERVER], { state: "failed" });
		const past = page.getByRole("region", { name: "Past" });
		await past.getByText("The way to the hub").waitFor();
		assert.match(await past.innerText(), /by the machine itself/);
		await past.getByRole("link", { name: "Patch it" }).click();
		await until(() => address(page), new RegExp(`#/jobs/job1/${SERVER}$`));
		await page.getByRole("button", { name: "Copy the output" }).waitFor();
		await page.getByRole("heading", { level: 1, name: "db-01" }).waitFor();
	}));

test("activity: what is earlier is fetched when it is asked for", () =>
	withHub(
		chromium.browser,
		on("activity", (hub) => {
			hub.mute = true;
			hub.support.past = Array.from({ length: 70 }, (_, i) => entry(`Job ${i}`));
		}),
		async (page) => {
			await page.getByText("Job 49", { exact: true }).waitFor();
			assert.equal(await page.getByText("Job 50", { exact: true }).count(), 0);
			await page.getByRole("button", { name: "Show earlier" }).click();
			await page.getByText("Job 69", { exact: true }).waitFor();
			assert.equal(await page.getByRole("button", { name: "Show earlier" }).count(), 0);
		},
	));

/* --- the log -------------------------------------------------------------------------------- */

const lines = (page) => page.getByRole("region", { name: "Lines of the log" });

test("the log is followed, paused, narrowed and copied", () =>
	withHub(chromium.browser, on("log"), async (page, hub) => {
		await lines(page).getByText("session open").waitFor();
		await page.getByText("Live", { exact: true }).waitFor();
		hub.support.log(SERVER, ["a new line"]);
		await lines(page).getByText("a new line").waitFor();

		await page.getByRole("button", { name: "Pause" }).click();
		hub.support.log(SERVER, ["one that waits", "another"]);
		await page.getByText("Paused, 2 new lines").waitFor();
		assert.doesNotMatch(await lines(page).innerText(), /one that waits/);
		await page.getByRole("button", { name: "Go on" }).click();
		await lines(page).getByText("one that waits").waitFor();

		await page.getByLabel("Only lines with").fill("SESSION");
		await page.waitForFunction(() => !document.querySelector(".tail").innerText.includes("waits"));
		assert.equal(await lines(page).innerText(), hub.support.first[1]);
		await page.getByRole("button", { name: "Copy the lines that are shown" }).click();
		await page.getByText("Copied").waitFor();
		assert.equal(await page.evaluate(() => navigator.clipboard.readText()), hub.support.first[1]);
		await page.getByLabel("Only lines with").fill("no such word");
		await page.getByText("None of 5 lines has “no such word”.").waitFor();
	}));

test("a flood of lines stays bounded, and says what is not shown", () =>
	withHub(chromium.browser, on("log"), async (page, hub) => {
		await lines(page).getByText("session open").waitFor();
		for (let i = 0; i < 10; i++)
			hub.support.log(
				SERVER,
				Array.from({ length: 500 }, (_, j) => `line ${i * 500 + j}`),
				10,
			);
		await lines(page).getByText("line 4999").waitFor();
		await page.getByText("2,102 earlier lines are not shown.").waitFor();
		assert.equal((await lines(page).innerText()).split("\n").length, 3000);
	}));

test("a log that ends says why, and is followed again when asked; leaving the page ends it", () =>
	withHub(chromium.browser, on("log"), async (page, hub) => {
		await lines(page).getByText("session open").waitFor();
		hub.support.endLog(SERVER, "The session of the server ended.");
		await page.getByText("The session of the server ended.").waitFor();
		await page.getByRole("button", { name: "Follow it again" }).click();
		await page.getByText("Live", { exact: true }).waitFor();
		await until(() => hub.support.followers(SERVER), 1);
		await page.getByRole("link", { name: "Overview" }).click();
		await page.getByRole("region", { name: "Identity" }).waitFor();
		await until(() => hub.support.followers(SERVER), 0);
	}));

test("a log that is refused says why; of an offline server it says how to get it", () =>
	withHub(
		chromium.browser,
		on("log", (hub) => {
			hub.failures.set(`GET /v1/servers/${SERVER}/log`, {
				status: 409,
				title: "Conflict",
				detail: "Three people follow this log already.",
			});
		}),
		async (page, hub) => {
			await page.getByText("Three people follow this log already.").waitFor();
			hub.failures.clear();
			await page.getByRole("button", { name: "Try again" }).click();
			await lines(page).getByText("session open").waitFor();
			await page.goto(`${hub.url}/#/servers/${makeServer(2).id}/log`);
			await page.getByRole("heading", { level: 1, name: "cache-02" }).waitFor();
			await lines(page).getByText("session open").waitFor();
			await listening(hub);
			hub.put(makeServer(2, OFFLINE));
			hub.support.endLog(makeServer(2).id, "The server went offline.");
			await page.reload();
			await page.getByText("sudo sallyport logs", { exact: true }).waitFor();
		},
	));

const EVIL = "<img src=x onerror=alert(1)>";
test("what stands in a log, a manifest or an activity stays text", () =>
	withHub(
		chromium.browser,
		on("log", (hub) => {
			hub.support.first = [EVIL, { a: 1 }, null, 7, "x".repeat(5000)];
			hub.support.addBundle(SERVER, {
				...READY,
				reason: EVIL,
				requested_by: EVIL,
				manifest: { members: [{ name: EVIL, size: "big" }, null], left_out: "none" },
			});
			hub.support.past = [entry(EVIL, { by: EVIL, state: EVIL, kind: EVIL })];
		}),
		async (page) => {
			await lines(page).getByText(EVIL).waitFor();
			await page.getByRole("link", { name: "Bundles" }).click();
			await page.getByText("What it holds").click();
			await page.getByText(EVIL).first().waitFor();
			await page.getByRole("link", { name: "Activity" }).click();
			await page.getByRole("heading", { level: 2, name: "Now and next" }).waitFor();
			await page.getByText(EVIL).first().waitFor();
			assert.equal(await page.locator("img").count(), 0);
		},
	));

/* --- bundles -------------------------------------------------------------------------------- */

test("a bundle is asked for, comes piece by piece, says what it holds, is fetched and removed", () =>
	withHub(chromium.browser, on("bundles"), async (page, hub) => {
		await page.getByText("There is none yet.").waitFor();
		await listening(hub);
		await page.getByRole("button", { name: "Ask for a bundle" }).click();
		await page.getByText("Waiting for the machine").waitFor();
		const [bundle] = hub.support.bundles;
		hub.support.turnBundle(bundle, { state: "uploading", size: 202_752, received: 65_536 });
		await page.getByText("64.0 KiB of 198 KiB").waitFor();
		assert.equal(await page.getByRole("progressbar").evaluate((bar) => bar.value), 65_536);
		hub.support.turnBundle(bundle, READY);
		await page.getByText("What it holds").click();
		await page.getByText("left out: a private key never leaves the machine").waitFor();
		const coming = page.waitForEvent("download");
		await page.getByRole("link", { name: "Download" }).click();
		assert.equal((await coming).suggestedFilename(), "bundle1.tar.gz");
		await page.getByRole("button", { name: /^Remove the bundle/ }).click();
		await page.getByRole("dialog").getByRole("button", { name: "Remove bundle" }).click();
		await page.getByText("There is none yet.").waitFor();
		assert.equal(hub.support.bundles.length, 0);
	}));

test("a bundle that fails says why; one that cannot be asked for too", () =>
	withHub(chromium.browser, on("bundles"), async (page, hub) => {
		await page.getByText("There is none yet.").waitFor();
		await listening(hub);
		hub.failures.set(`POST /v1/servers/${SERVER}/bundles`, {
			status: 409,
			title: "Conflict",
			detail: "One is on its way already.",
		});
		await page.getByRole("button", { name: "Ask for a bundle" }).click();
		await page.getByText("One is on its way already.").waitFor();
		const bundle = hub.support.addBundle(SERVER);
		hub.support.turnBundle(bundle, { state: "failed", reason: "The machine has no room for it." });
		await page.getByText("The machine has no room for it.").waitFor();
		assert.equal(await page.getByRole("link", { name: "Download" }).count(), 0);
	}));

test("an operator may ask for a bundle but not remove one; an offline server sends it itself", () =>
	withHub(
		chromium.browser,
		on(
			"bundles",
			(hub) => {
				hub.access.permissions = OPERATOR;
				hub.support.addBundle(SERVER, READY);
			},
			OFFLINE,
		),
		async (page) => {
			await page.getByText("sudo sallyport logs send", { exact: true }).waitFor();
			await page.getByRole("link", { name: "Download" }).waitFor();
			assert.equal(await page.getByRole("button", { name: /Remove|Ask for/ }).count(), 0);
		},
	));
