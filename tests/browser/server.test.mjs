// A server's page (rows R25, S13): how it is and why, its way to the hub, what it
// says of itself, removal. Its checks are in checks.test.mjs.

import assert from "node:assert/strict";
import { test } from "node:test";
import { makeCheck, makeServer, OFFLINE, STAGES } from "./fake-hub.mjs";
import { focusedText, listening, until, useBrowser, withHub } from "./lib.mjs";

const chromium = useBrowser();
const SERVER = makeServer(1).id;
const on = (detail, over = {}, checks = undefined) => ({
	arrange: (hub) => {
		hub.fill(3, (i) => (i === 1 ? over : {}));
		hub.detail = detail;
		hub.checks = checks ?? hub.checks;
	},
	path: `/#/servers/${SERVER}`,
});
const panel = (page, name) => page.getByRole("region", { name, exact: true });

test("the way through a proxy is drawn stage by stage, and a stage opens to its evidence", () =>
	withHub(chromium.browser, on({}), async (page) => {
		const way = panel(page, "Way to the hub");
		await way.waitFor();
		const stops = await way.getByRole("listitem").allInnerTexts();
		assert.deepEqual(
			stops.map((stop) => stop.replace(/\s+/g, " ")),
			[
				"this machine 10.0.0.1",
				"resolve 1.8 ms",
				"connect 0.6 ms",
				"proxy 10.0.0.9:3128",
				"tunnel 4.2 ms",
				"secure 22 ms",
				"hello 8.9 ms",
				"hub hub.example.net",
			],
		);
		const secure = way.getByRole("button", { name: /secure/ });
		assert.equal(await secure.getAttribute("aria-expanded"), "false");
		await secure.focus();
		await page.keyboard.press("Enter");
		assert.equal(await secure.getAttribute("aria-expanded"), "true");
		const evidence = await page.getByRole("region", { name: "What secure saw" }).innerText();
		assert.match(evidence, /TLSv1\.3/);
		assert.match(evidence, /Sallyport hub CA/);
	}));

test("the direct way shows the tunnel as not needed", () =>
	withHub(
		chromium.browser,
		on({
			path: {
				proxy: null,
				at: new Date().toISOString(),
				stages: STAGES.map((stage) =>
					stage.stage === "tunnel" ? { ...stage, status: "skipped", ms: 0 } : stage,
				),
			},
		}),
		async (page) => {
			const way = panel(page, "Way to the hub");
			await way.getByText("not needed").waitFor();
			assert.equal(await way.getByText("proxy", { exact: true }).count(), 0);
		},
	));

test("a way that failed shows where, opened to the evidence", () =>
	withHub(
		chromium.browser,
		on({
			path: {
				proxy: "http://10.0.0.9:3128",
				at: new Date().toISOString(),
				stages: [
					STAGES[0],
					STAGES[1],
					{ stage: "tunnel", status: "fail", ms: 3, evidence: { status: "407" } },
					{ stage: "secure", status: "not-reached", ms: 0 },
				],
			},
		}),
		async (page) => {
			await page.getByRole("region", { name: "What tunnel saw" }).getByText("407").waitFor();
			await panel(page, "Way to the hub").getByText("not reached").waitFor();
		},
	));

test("an offline server says why, since when, and what to do", () =>
	withHub(chromium.browser, on({}, OFFLINE), async (page) => {
		const why = page.getByRole("region", { name: OFFLINE.reason });
		const text = await why.innerText();
		assert.match(text, /Offline since (today|yesterday) \d\d:\d\d, for 12 minutes/);
		assert.match(text, /What to do: Correct HTTPS_PROXY_USERNAME/);
		assert.match(text, /For the administrator of this machine/);
		await why.getByText("Ask the machine itself").click();
		await why.getByText("sudo sallyport status").waitFor();
	}));

test("it comes online while being looked at", () =>
	withHub(chromium.browser, on({}, OFFLINE), async (page, hub) => {
		await page.getByText("What to do:").waitFor();
		await listening(hub);
		hub.put(makeServer(1));
		await page.getByText("What to do:").waitFor({ state: "detached" });
		await page.getByText("Online").waitFor();
	}));

const EVIL = "<img src=x onerror=alert(1)><script>alert(2)</script>";
test("what a machine says of itself stays text, however it lies", () =>
	withHub(
		chromium.browser,
		on(
			{
				inventory: {
					name: EVIL,
					cpu: "not a tree",
					memory: { total: "much", free: [] },
					interfaces: [1, null, { name: EVIL, ipv4: { a: 1 } }],
					disks: "none",
					profiles: { [EVIL]: EVIL },
					os_name: EVIL.repeat(200),
				},
				path: {
					proxy: EVIL,
					at: "never",
					stages: [
						{ stage: "secure", status: EVIL, ms: "soon", evidence: { [EVIL]: EVIL } },
						null,
						7,
					],
				},
			},
			{ name: EVIL, reason: EVIL, cause: "__proto__", status: "offline" },
			[
				makeCheck("evil", {
					verdict: EVIL,
					causes: [{ id: {}, sentence: EVIL }, null, 7],
					profile: { id: EVIL, title: EVIL },
					report: {
						verdict: EVIL,
						causes: [{ sentence: EVIL, remedy: 5, evidence: "x", affects: {} }, null],
						requirements: Array.from({ length: 5000 }, () => ({
							title: EVIL,
							reason: EVIL,
							status: "__proto__",
							stages: [{ stage: EVIL, status: EVIL, evidence: { [EVIL]: EVIL } }],
						})),
					},
				}),
			],
		),
		async (page) => {
			await page.getByRole("heading", { level: 1 }).waitFor();
			await page.getByText("The report has no verdict").waitFor();
			assert.equal(await page.getByRole("heading", { level: 1 }).innerText(), EVIL);
			assert.equal(await page.locator("img").count(), 0);
			assert.equal(await page.locator("body script").count(), 0);
			assert.ok((await page.locator(".req").count()) <= 300);
		},
	));

test("removing asks first, starts on the harmless button, and closes on Escape", () =>
	withHub(chromium.browser, on({}), async (page, hub) => {
		const open = page.getByRole("button", { name: "Remove server" });
		await open.click();
		await page.getByRole("dialog", { name: "Remove db-01?" }).waitFor();
		await until(() => focusedText(page), "Cancel");
		await page.keyboard.press("Escape");
		await page.getByRole("dialog").waitFor({ state: "detached" });
		await until(() => focusedText(page), "Remove server");
		assert.ok(hub.servers.has(SERVER));
		await open.click();
		await page.getByRole("dialog").getByRole("button", { name: "Remove server" }).click();
		await page.getByRole("heading", { name: "Servers" }).waitFor();
		await page.getByRole("link", { name: "cache-02" }).waitFor();
		assert.equal(await page.getByRole("link", { name: "db-01" }).count(), 0);
		assert.equal(hub.servers.has(SERVER), false);
	}));

test("a removal that fails says so in the dialog", () =>
	withHub(chromium.browser, on({}), async (page, hub) => {
		hub.failures.set(`DELETE /v1/servers/${SERVER}`, {
			status: 503,
			title: "Unavailable",
			detail: "The database cannot be written.",
		});
		await page.getByRole("button", { name: "Remove server" }).click();
		await page.getByRole("dialog").getByRole("button", { name: "Remove server" }).click();
		await page.getByRole("dialog").getByText("The database cannot be written.").waitFor();
	}));

test("removed by somebody else, unknown, or failing: each says what to do", () =>
	withHub(chromium.browser, on({}), async (page, hub) => {
		await panel(page, "Identity").waitFor();
		await listening(hub);
		hub.remove(SERVER);
		await page.getByRole("heading", { name: "db-01 was removed" }).waitFor();
		await page.goto(`${hub.url}/#/servers/nobody`);
		await page.getByRole("heading", { name: "There is no such server" }).waitFor();
		hub.failures.set(`GET /v1/servers/${makeServer(2).id}`, { status: 500, title: "Internal error" });
		await page.goto(`${hub.url}/#/servers/${makeServer(2).id}`);
		await page.getByText("Internal error").waitFor();
		hub.failures.clear();
		await page.getByRole("button", { name: "Try again" }).click();
		await panel(page, "Identity").waitFor();
		assert.equal(await page.getByRole("heading", { level: 1 }).innerText(), "cache-02");
	}));
