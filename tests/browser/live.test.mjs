// What changes at the hub changes on the page, without a reload and without asking again (row S1).

import assert from "node:assert/strict";
import { test } from "node:test";
import { makeServer, OFFLINE } from "./fake-hub.mjs";
import { settled as settledOn, until, useBrowser, withHub } from "./lib.mjs";

const chromium = useBrowser();
const names = (page) => page.locator(".cell-name a").allInnerTexts();
const listRequests = (hub) => hub.requests.filter((request) => request.startsWith("GET /v1/servers?")).length;

// The rows are there, the event stream is open, and the list was fetched once more after that.
async function settled(page, hub) {
	await page.locator(".row-grid .cell-name a").first().waitFor();
	await settledOn(hub, "GET /v1/servers?");
}

test("a new server takes its place, a changed one moves, a removed one goes: all pushed", () =>
	withHub(
		chromium.browser,
		{
			arrange: (hub) => {
				hub.fill(5);
			},
		},
		async (page, hub) => {
			await settled(page, hub);
			assert.deepEqual(await names(page), ["build-03", "cache-02", "db-01", "mail-04", "web-05"]);
			const asked = listRequests(hub);

			hub.put(makeServer(77, { name: "cache-77" }));
			await page.getByRole("link", { name: "cache-77" }).waitFor();
			assert.deepEqual(await names(page), [
				"build-03",
				"cache-02",
				"cache-77",
				"db-01",
				"mail-04",
				"web-05",
			]);
			await page.getByRole("button", { name: "All 6" }).waitFor();

			hub.put(makeServer(4, OFFLINE));
			await page.getByText("rejects the credentials").waitFor();
			assert.deepEqual((await names(page))[0], "mail-04");
			await page.getByRole("button", { name: "Offline 1" }).waitFor();

			hub.put(makeServer(4, { since: new Date().toISOString() }));
			await page.getByText("rejects the credentials").waitFor({ state: "detached" });
			assert.equal((await names(page))[0], "build-03");

			hub.remove(makeServer(1).id);
			await page.getByRole("link", { name: "db-01" }).waitFor({ state: "detached" });
			assert.equal(listRequests(hub), asked, "the list was fetched again");
		},
	));

test("a pushed row that does not match the filter stays out", () =>
	withHub(
		chromium.browser,
		{
			arrange: (hub) => {
				hub.fill(5);
			},
			path: "/#/?q=web",
		},
		async (page, hub) => {
			await settled(page, hub);
			hub.put(makeServer(78, { name: "mail-78" }));
			hub.put(makeServer(79, { name: "web-79" }));
			await page.getByRole("link", { name: "web-79" }).waitFor();
			assert.deepEqual(await names(page), ["web-05", "web-79"]);
			await page.getByText("2 servers match.").waitFor();
		},
	));

test("a lost hub is said at once; when it is back, what was missed is there", () =>
	withHub(
		chromium.browser,
		{
			arrange: (hub) => {
				hub.fill(3);
			},
		},
		async (page, hub) => {
			await settled(page, hub);
			// From here on the hub is silent: what asked it by itself would wait for long.
			hub.mute = true;
			hub.dropStreams();
			await page.getByText("The connection to the hub is lost.").waitFor();
			assert.match(
				await page.getByRole("alert").innerText(),
				/You see what was known at \d\d:\d\d:\d\d/,
			);
			hub.servers.set("missed", makeServer(88, { id: "missed", name: "web-88" }));
			await until(() => hub.requests.filter((each) => each === "GET /v1/events").length, 2);
			hub.mute = false;
			await page.getByRole("button", { name: "Try now" }).click();
			await page.getByRole("link", { name: "web-88" }).waitFor();
			await page.getByText("The connection to the hub is lost.").waitFor({ state: "detached" });
		},
	));

test("it comes back by itself", () =>
	withHub(
		chromium.browser,
		{
			arrange: (hub) => {
				hub.fill(3);
			},
		},
		async (page, hub) => {
			await settled(page, hub);
			hub.failures.set("GET /v1/events", { status: 503, title: "Restarting" });
			hub.dropStreams();
			await page.getByText("The connection to the hub is lost.").waitFor();
			hub.failures.clear();
			await page.getByText("The connection to the hub is lost.").waitFor({ state: "detached" });
			await until(() => hub.listeners, 1);
		},
	));

test("a connection that died silently is noticed", () =>
	withHub(
		chromium.browser,
		{
			arrange: (hub) => {
				hub.fill(3);
			},
		},
		async (page, hub) => {
			// From here on the page's time stands still unless this test moves it.
			const start = new Date();
			await page.clock.install({ time: start });
			await page.reload();
			await settled(page, hub);
			await page.clock.pauseAt(new Date(start.getTime() + 3_600_000));
			// The jump of an hour was a silence too: the page comes back, and is then told something.
			const lost = page.getByText("The connection to the hub is lost.");
			const passTime = async (until, step = 10) => {
				let passed = 0;
				for (; passed < 60_000 && !(await until()); passed += step) {
					await page.clock.runFor(step);
					// What the page waits for comes over a real connection, in real time.
					await new Promise((resolve) => setTimeout(resolve, 20));
				}
				return passed;
			};
			await passTime(async () => hub.listeners === 1 && (await lost.count()) === 0);
			const news = page.getByRole("link", { name: "web-88" });
			hub.put(makeServer(88, { name: "web-88" }));
			const passed = await passTime(async () => (await news.count()) === 1);
			assert.ok(passed < 30_000, `it took ${passed} ms of the page's time to show a pushed row`);

			await page.clock.runFor(39_000 - passed);
			assert.equal(await lost.count(), 0);
			// In small steps: a long one would also bring the page back before anybody looks.
			const waited = await passTime(async () => (await lost.count()) === 1, 100);
			// 40 s after the last thing heard, which is what came within `passed`.
			assert.ok(waited <= 1200 + passed, `it took ${waited} ms more to notice`);
		},
	));

test("ten thousand servers that all come back at once leave the page usable", () =>
	withHub(
		chromium.browser,
		{
			arrange: (hub) => {
				hub.fill(10_000, () => OFFLINE);
			},
		},
		async (page, hub) => {
			await settled(page, hub);
			for (let i = 1; i <= 10_000; i++) {
				hub.servers.set(makeServer(i).id, makeServer(i));
				hub.emit("server", makeServer(i));
			}
			hub.emit("counts", hub.counts());
			await page.getByRole("button", { name: "Online 10,000" }).waitFor();
			await page.waitForFunction(() => document.querySelectorAll(".row-offline").length === 0);
			// It still answers to a person.
			await page.keyboard.press("/");
			await page.keyboard.type("web-9995");
			await page.getByRole("link", { name: "web-9995", exact: true }).waitFor();
		},
	));

test("time goes on: how long it has been so is kept true", () =>
	withHub(
		chromium.browser,
		{
			arrange: (hub) => {
				hub.fill(1, () => ({ since: new Date(Date.now() - 59 * 60_000).toISOString() }));
			},
		},
		async (page, hub) => {
			await page.clock.install();
			await page.reload();
			await settled(page, hub);
			await page.getByText("for 59 minutes").waitFor();
			await page.clock.fastForward(36_000);
			await page.clock.fastForward(36_000);
			await page.getByText("for 1 hour").waitFor();
		},
	));
