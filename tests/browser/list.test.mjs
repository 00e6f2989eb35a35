// The list of servers (row S1): empty, failing, filtered, sorted, by keyboard, and with ten thousand rows.

import assert from "node:assert/strict";
import { test } from "node:test";
import { OFFLINE } from "./fake-hub.mjs";
import { address, painted, settled, until, useBrowser, withHub } from "./lib.mjs";

const chromium = useBrowser();
const names = (page) => page.locator(".cell-name a").allInnerTexts();
const row = (page, name) =>
	page.getByRole("row").filter({ has: page.getByRole("link", { name, exact: true }) });
const oneOffline = (hub) => {
	hub.fill(30, (i) => (i === 17 ? OFFLINE : {}));
};

test("a hub without servers says how to add the first", () =>
	withHub(chromium.browser, {}, async (page) => {
		await page.getByRole("heading", { name: "No servers yet" }).waitFor();
		await page.getByRole("link", { name: "Add server" }).click();
		await page.getByRole("dialog", { name: "Add server" }).waitFor();
	}));

test("while it loads there are placeholders; an error says what to do, and trying again works", () =>
	withHub(
		chromium.browser,
		{
			arrange: (hub) => {
				oneOffline(hub);
				hub.mute = true;
				hub.failures.set("GET /v1/servers", {
					status: 503,
					title: "Unavailable",
					detail: "The disk of the hub is full.",
				});
			},
		},
		async (page, hub) => {
			await page.getByText("The disk of the hub is full.").waitFor();
			await page.getByText(/Its log says which/).waitFor();
			hub.failures.clear();
			await page.getByRole("button", { name: "Try again" }).click();
			await row(page, "cache-17").waitFor();
			const release = hub.hold();
			await page.reload({ waitUntil: "commit" });
			await page.locator(".bone").first().waitFor();
			release();
			await row(page, "cache-17").waitFor();
			assert.equal(await page.locator(".bone").count(), 0);
		},
	));

test("problems stand first, with since when, the reason and what to do", () =>
	withHub(chromium.browser, { arrange: oneOffline }, async (page) => {
		await row(page, "cache-17").waitFor();
		assert.equal((await names(page))[0], "cache-17");
		const text = await row(page, "cache-17").innerText();
		assert.match(text, /Offline\s+for 12 minutes/);
		assert.match(text, /The proxy http:\/\/10\.0\.0\.9:3128 rejects the credentials/);
		assert.match(text, /To do: Correct HTTPS_PROXY_USERNAME and HTTPS_PROXY_PASSWORD/);
		assert.match(text, /10\.0\.0\.17/);
		await until(() => page.title(), /1 offline/);
		assert.match(await row(page, "web-05").innerText(), /Online/);
	}));

test("how a session ended says little: what to do is to wait at first, then to ask the machine", () =>
	withHub(
		chromium.browser,
		{
			arrange: (hub) => {
				const ended = (minutes) => ({
					...OFFLINE,
					cause: "peer-closed",
					reason: "The connection was closed without a goodbye.",
					since: new Date(Date.now() - minutes * 60_000).toISOString(),
				});
				hub.fill(2, (i) => ended(i === 1 ? 1 : 10));
			},
		},
		async (page) => {
			await row(page, "db-01").waitFor();
			assert.match(
				await row(page, "db-01").innerText(),
				/To do: Give it two minutes: the agent connects again by itself/,
			);
			assert.match(
				await row(page, "cache-02").innerText(),
				/To do: See that the machine is on.*sudo sallyport status/,
			);
			await row(page, "cache-02").getByRole("link").click();
			await page.getByText("Ask the machine itself").waitFor();
			await page.getByText("sudo sallyport status", { exact: true }).last().waitFor();
		},
	));

test("a row says all that the list promises", () =>
	withHub(
		chromium.browser,
		{
			arrange: (hub) => {
				hub.fill(1);
			},
		},
		async (page) => {
			await row(page, "db-01").waitFor();
			const cells = await row(page, "db-01").getByRole("cell").allInnerTexts();
			assert.match(cells[1].replace(/\s+/g, " "), /^Online for 11 hours/);
			assert.deepEqual(cells.slice(2), [
				"db-01",
				"10.0.0.1",
				"Ubuntu 24.04.1 LTS",
				"Bern",
				"0.1.0",
				"now",
			]);
		},
	));

test("search, status and platform narrow the list, stand in the address, and can be undone", () =>
	withHub(chromium.browser, { arrange: oneOffline }, async (page, hub) => {
		await row(page, "cache-17").waitFor();
		await page.keyboard.press("/");
		await page.keyboard.type("web-1");
		await page.getByText("2 servers match.").waitFor();
		assert.deepEqual((await names(page)).sort(), ["web-10", "web-15"]);
		assert.match(await address(page), /q=web-1/);
		await page.reload();
		await page.getByText("2 servers match.").waitFor();
		assert.equal(await page.getByLabel("Search servers").inputValue(), "web-1");
		await page.getByLabel("Search servers").press("Escape");
		await row(page, "cache-17").waitFor();

		await page.getByRole("button", { name: /^Offline/ }).click();
		await page.waitForFunction(() => document.querySelectorAll(".row").length === 1);
		await page.getByRole("button", { name: /^All/ }).click();
		await page.getByLabel("Platform").selectOption("windows");
		await page.getByText("7 servers match.").waitFor();
		await page.getByLabel("Search servers").fill("nothing like it");
		await page.getByRole("heading", { name: "No server matches" }).waitFor();
		await page.getByRole("button", { name: "Show all 30 servers" }).click();
		await row(page, "cache-17").waitFor();
		assert.ok(hub.requests.some((request) => request.includes("platform=windows")));
	}));

test("an address with filters that do not exist shows the whole list", () =>
	withHub(
		chromium.browser,
		{ arrange: oneOffline, path: "/#/?sort=colour&status=asleep&platform=%2500" },
		async (page) => {
			await row(page, "cache-17").waitFor();
			assert.equal(await page.getByRole("table").getAttribute("aria-rowcount"), "31");
		},
	));

test("a column head sorts, and sorts the other way", () =>
	withHub(chromium.browser, { arrange: oneOffline }, async (page) => {
		await row(page, "cache-17").waitFor();
		const head = page.getByRole("columnheader", { name: "Name" });
		await head.getByRole("button").click();
		await page.waitForFunction(() => document.querySelector(".cell-name a")?.textContent === "build-03");
		assert.equal(await head.getAttribute("aria-sort"), "ascending");
		await head.getByRole("button").click();
		await page.waitForFunction(() => document.querySelector(".cell-name a")?.textContent === "web-30");
		assert.equal(await head.getAttribute("aria-sort"), "descending");
	}));

test("the keyboard walks the rows, opens one and comes back to the same place", () =>
	withHub(
		chromium.browser,
		{
			arrange: (hub) => {
				hub.fill(200);
			},
			path: "/#/?sort=name",
		},
		async (page) => {
			await row(page, "build-03").waitFor();
			const focused = () => page.evaluate(() => document.activeElement.textContent);
			await page.keyboard.press("/");
			await page.keyboard.press("ArrowDown");
			assert.equal(await focused(), "build-03");
			await page.keyboard.press("ArrowDown");
			await page.keyboard.press("ArrowDown");
			assert.equal(await focused(), "build-103");
			await page.keyboard.press("End");
			await page.waitForFunction(() => document.activeElement.textContent === "web-95");
			assert.equal(
				await page.evaluate(() => {
					const box = document.activeElement.getBoundingClientRect();
					return box.top > 0 && box.bottom < innerHeight;
				}),
				true,
			);
			await painted(page);
			const before = await page.evaluate(() => scrollY);
			assert.ok(before > 1000, `scrolled to ${before}`);
			await page.keyboard.press("Enter");
			await page.getByRole("heading", { name: "web-95" }).waitFor();
			await page.goBack();
			await row(page, "web-95").waitFor();
			await until(() => page.evaluate(() => scrollY), before);
			await until(focused, "web-95");
			await page.keyboard.press("ArrowUp");
			assert.equal(await focused(), "web-90");
		},
	));

test("in the middle of a long list the tab key reaches a row in view", () =>
	withHub(
		chromium.browser,
		{
			arrange: (hub) => {
				hub.fill(100);
			},
			path: "/#/?sort=name",
		},
		async (page) => {
			await row(page, "build-03").waitFor();
			await page.evaluate(() => scrollTo(0, 2000));
			await page.waitForFunction(() => {
				const top = document.querySelector(".rows a[tabindex='0']")?.getBoundingClientRect().top;
				return top > 0 && top < 400;
			});
			assert.equal(await page.locator(".rows a[tabindex='0']").count(), 1);
			assert.ok((await page.evaluate(() => scrollY)) > 1500);
		},
	));

test("every control is reached with the tab key, and its focus is seen", () =>
	withHub(chromium.browser, { arrange: oneOffline }, async (page) => {
		await row(page, "cache-17").waitFor();
		await page.getByLabel("Location", { exact: true }).waitFor();
		const seen = [];
		for (let i = 0; i < 40; i++) {
			await page.keyboard.press("Tab");
			seen.push(
				await page.evaluate(() => {
					const at = document.activeElement;
					const ring = [at, at.closest(".row")].some(
						(each) => each && getComputedStyle(each).outlineStyle === "solid",
					);
					return `${at.getAttribute("aria-label") ?? at.textContent.trim()}${ring ? "" : " UNSEEN"}`;
				}),
			);
			if (seen.at(-1).startsWith("cache-17")) break;
		}
		assert.deepEqual(
			seen.filter((each) => each.endsWith("UNSEEN")),
			[],
		);
		const order = [
			"Skip to the content",
			"Sallyport: servers",
			"Servers",
			"Jobs",
			"Join tokens",
			"Audit trail",
			"Users",
			"API keys",
			"Sign out",
			"All 30",
			"Search servers",
			"Platform",
			"Location",
			"Add server",
			"Name",
			"Pick cache-17",
			"cache-17",
		];
		assert.deepEqual(
			order.filter((name) => seen.some((each) => each.startsWith(name))),
			order,
		);
	}));

test("ten thousand servers: few elements, and all of them can be reached", () =>
	withHub(
		chromium.browser,
		{
			arrange: (hub) => {
				hub.fill(10_000, (i) => (i % 1000 === 1 ? OFFLINE : {}));
			},
			path: "/#/?sort=name",
		},
		async (page, hub) => {
			await row(page, "build-03").waitFor();
			assert.equal(await page.getByRole("table").getAttribute("aria-rowcount"), "10001");
			const elements = () => page.evaluate(() => document.querySelectorAll("*").length);
			assert.ok((await elements()) < 1500, `${await elements()} elements`);

			// To the very end: pages come by cursor.
			await settled(hub, "GET /v1/servers?");
			await page.keyboard.press("/");
			await page.keyboard.press("ArrowDown");
			await page.keyboard.press("End");
			await page.waitForFunction(() => document.activeElement.textContent === "web-9995");
			assert.ok((await elements()) < 1500, `${await elements()} elements at the end`);
			const pages = hub.requests.filter((request) => request.includes("cursor=")).length;
			assert.ok(pages >= 20 && pages < 30, `${pages} pages`);

			// Wherever one stops on the way, rows are drawn, and only those around it.
			const stops = await page.evaluate(async () => {
				const seen = [];
				for (let part = 0; part < 60; part++) {
					scrollTo(0, (document.body.scrollHeight * part) / 60);
					await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
					seen.push(document.querySelectorAll("*").length);
				}
				return seen;
			});
			assert.ok(Math.max(...stops) < 1500 && Math.min(...stops) > 100, `elements: ${stops.join(" ")}`);
		},
	));

test("a page that fails on the way says so and can be had again", () =>
	withHub(
		chromium.browser,
		{
			arrange: (hub) => {
				hub.fill(900);
				hub.mute = true;
			},
			path: "/#/?sort=name",
		},
		async (page, hub) => {
			await row(page, "build-03").waitFor();
			await page.waitForFunction(() => document.querySelectorAll(".row-bone").length === 0);
			hub.failures.set("GET /v1/servers", { status: 500, title: "Internal error" });
			await page.evaluate(() => scrollTo(0, 1e6));
			await page.getByText("Internal error").waitFor();
			hub.failures.clear();
			await page.getByRole("button", { name: "Try again" }).click();
			await page.getByText("Internal error").waitFor({ state: "detached" });
			await page.keyboard.press("/");
			await page.keyboard.press("ArrowDown");
			await page.keyboard.press("End");
			await row(page, "web-95").waitFor();
		},
	));
