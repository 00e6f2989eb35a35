// How the pages look, as far as a program can tell: enough contrast, names for every control, no
// sideways scrolling, both themes, at a desk's width and a phone's.

import assert from "node:assert/strict";
import { test } from "node:test";
import { makeCheck, makeServer, OFFLINE } from "./fake-hub.mjs";
import { lowContrast, nameless, paintIn, useBrowser, withHub } from "./lib.mjs";

const chromium = useBrowser();
const fleet = (hub) => {
	hub.fill(40, (i) => (i % 8 === 1 ? OFFLINE : {}));
	const token = {
		created_at: new Date().toISOString(),
		created_by: "admin",
		expires_at: new Date(Date.now() + 7.2e6).toISOString(),
		uses: 2,
		used: 1,
	};
	hub.tokens = ["valid", "expired", "used-up", "revoked"].map((state) => ({
		...token,
		id: state,
		label: `a token that is ${state}`,
		state,
	}));
};

const PAGES = [
	{
		name: "sign in",
		path: "/",
		arrange: (hub) => {
			hub.signedIn = false;
		},
		see: "Forgot the password?",
	},
	{
		name: "set-up",
		path: "/#/setup/x",
		arrange: (hub) => {
			hub.signedIn = false;
			hub.needsSetup = true;
		},
		see: "This link works once.",
	},
	{ name: "no servers", path: "/", arrange: () => {}, see: "No servers yet" },
	{ name: "servers", path: "/", arrange: fleet, see: "rejects the credentials" },
	{
		name: "a failed list",
		path: "/",
		arrange: (hub) => {
			hub.failures.set("GET /v1/servers", { status: 503, title: "Unavailable" });
		},
		see: "Try again",
	},
	{
		name: "a lost hub",
		path: "/",
		arrange: (hub) => {
			fleet(hub);
			hub.failures.set("GET /v1/events", { status: 503, title: "Unavailable" });
		},
		see: "The connection to the hub is lost.",
	},
	{
		name: "an offline server",
		path: `/#/servers/${makeServer(1).id}`,
		arrange: fleet,
		see: "The proxy http://10.0.0.9:3128 forbids",
		act: async (page) => {
			await page.getByRole("button", { name: /secure/ }).click();
		},
	},
	{
		name: "a server that is being checked",
		path: `/#/servers/${makeServer(3).id}`,
		arrange: (hub) => {
			fleet(hub);
			const running = { state: "running", requested_by: "admin", finished_at: null, report: null };
			hub.checks = [
				makeCheck("now", running),
				makeCheck("lost", { state: "lost", reason: "No report came.", report: null }),
				...hub.checks,
			];
		},
		see: "Checking",
		act: async (page) => {
			await page.getByText("Evidence").first().click();
			await page.getByText("requirements pass").click();
		},
	},
	{ name: "add server", path: "/#/add", arrange: fleet, see: "A join token lets" },
	{
		name: "the commands",
		path: "/#/add",
		arrange: fleet,
		see: "Make token",
		act: async (page) => {
			await page.getByRole("button", { name: "Make token" }).click();
			await page.getByText("Waiting for the server").waitFor();
		},
	},
	{ name: "tokens", path: "/#/tokens", arrange: fleet, see: "a token that is valid" },
	{ name: "nowhere", path: "/#/no/such/page", arrange: fleet, see: "There is no such page" },
];

for (const { name, path, arrange, see, act } of PAGES) {
	for (const width of [1280, 390]) {
		test(`${name} at ${width} px`, () =>
			withHub(chromium.browser, { arrange, path, width, reducedMotion: "reduce" }, async (page) => {
				await page.getByText(see).first().waitFor();
				await act?.(page);
				for (const colorScheme of ["light", "dark"]) {
					await paintIn(page, colorScheme);
					assert.deepEqual(await page.evaluate(lowContrast), [], `contrast, ${colorScheme}`);
				}
				assert.deepEqual(await page.evaluate(nameless), []);
				const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
				assert.ok(overflow <= 0, `${overflow} px too wide`);
			}));
	}
}

test("the theme follows the system until one is chosen, and the choice is kept", () =>
	withHub(chromium.browser, { colorScheme: "dark" }, async (page) => {
		const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
		const press = () => page.getByRole("button", { name: /^Colours/ }).click();
		await page.getByRole("button", { name: "Colours: as the system" }).waitFor();
		const dark = await paper();
		await press();
		const light = await paper();
		assert.notEqual(dark, light);
		await page.reload();
		await page.getByRole("button", { name: "Colours: light" }).waitFor();
		assert.equal(await paper(), light);
		await press();
		assert.equal(await paper(), dark);
		await press();
		assert.deepEqual(await page.evaluate(() => Object.keys(localStorage)), []);
	}));

test("with reduced motion nothing moves", () =>
	withHub(
		chromium.browser,
		{
			arrange: (hub) => {
				hub.fill(2);
			},
			path: "/#/add",
			reducedMotion: "reduce",
		},
		async (page) => {
			await page.getByRole("button", { name: "Make token" }).click();
			await page.locator(".pulse").waitFor();
			const moving = await page.evaluate(() => document.getAnimations().length);
			assert.equal(moving, 0);
		},
	));

test("rows are tall enough for what they say", async () => {
	for (const width of [1280, 760, 390]) {
		await withHub(chromium.browser, { arrange: fleet, width }, async (page) => {
			await page.getByText("rejects the credentials").first().waitFor();
			await page.evaluate(
				() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))),
			);
			const cut = await page.evaluate(
				() =>
					[...document.querySelectorAll(".row-why")].filter((why) => {
						const row = why.closest(".row").getBoundingClientRect();
						const last = why.lastElementChild;
						return (
							last.getBoundingClientRect().bottom > row.bottom ||
							last.scrollHeight > last.clientHeight + 1
						);
					}).length,
			);
			assert.equal(cut, 0, `${cut} rows are cut at ${width} px`);
		});
	}
});
