// Who may do what (rows S10, S11): users, API keys, the audit trail, one's own account; and that what one
// may not do is not offered.

import assert from "node:assert/strict";
import { test } from "node:test";
import { OPERATOR } from "./fake-access.mjs";
import { makeServer, PASSWORD } from "./fake-data.mjs";
import { address, focusedId, until, useBrowser, withHub } from "./lib.mjs";

const chromium = useBrowser();
const as = (permissions) => (hub) => {
	hub.fill(3);
	hub.tokens = [];
	hub.access.permissions = permissions;
};
const pages = (page) => page.getByRole("navigation", { name: "Pages" }).getByRole("link").allInnerTexts();

test("the pages are those that one may see, and the others are not there", () =>
	withHub(chromium.browser, { arrange: as(OPERATOR) }, async (page, hub) => {
		await page.getByRole("link", { name: "db-01" }).waitFor();
		assert.deepEqual(await pages(page), ["Servers", "Locations", "Jobs", "Join tokens"]);
		for (const path of ["audit", "users", "keys"]) {
			await page.goto(`${hub.url}/#/${path}`);
			await page.getByRole("heading", { name: "There is no such page" }).waitFor();
			await page.goto(`${hub.url}/#/account`);
			await page.getByRole("heading", { name: "Account" }).waitFor();
		}
		await page.goto(`${hub.url}/#/servers/${makeServer(1).id}`);
		await page.getByRole("button", { name: "Run check now" }).waitFor();
		assert.equal(await page.getByRole("button", { name: "Remove server" }).count(), 0);
		assert.deepEqual(
			hub.requests.filter((each) => /\/v1\/(audit|users|keys)/.test(each)),
			[],
		);
	}));

test("who may only read is offered no check, no token, no removal", () =>
	withHub(chromium.browser, { arrange: as(["read"]) }, async (page, hub) => {
		await page.getByRole("link", { name: "db-01" }).waitFor();
		assert.deepEqual(await pages(page), ["Servers", "Locations", "Jobs"]);
		assert.equal(await page.getByRole("link", { name: "Add server" }).count(), 0);
		await page.goto(`${hub.url}/#/servers/${makeServer(1).id}`);
		await page.getByText("Something is in the way").waitFor();
		assert.equal(await page.getByRole("button", { name: /Run check|Remove/ }).count(), 0);
		assert.equal(await page.getByRole("link", { name: "Run a job" }).count(), 0);
	}));

/* --- users ---------------------------------------------------------------------------------- */

test("a user is added, changed and removed", () =>
	withHub(chromium.browser, { path: "/#/users" }, async (page, hub) => {
		const row = (name) => page.getByRole("row").filter({ hasText: name });
		await row("nina").waitFor();
		await page.getByRole("button", { name: "Add user" }).click();
		const form = page.getByRole("dialog", { name: "Add user" });
		await form.getByLabel("Name").fill("nina");
		await form.getByText("There is a user of that name.").waitFor();
		await form.getByLabel("Name").fill("otto");
		await form.getByLabel("Role").selectOption("architect");
		await form.getByText("all that concerns servers, their removal included").waitFor();
		await form.getByLabel("Password", { exact: true }).fill("short");
		assert.equal(await form.getByRole("button", { name: "Add user" }).isDisabled(), true);
		await form.getByLabel("Password", { exact: true }).fill(PASSWORD);
		await page.keyboard.press("Enter");
		await row("otto").getByText("architect").waitFor();

		await page.getByRole("button", { name: "Change otto" }).click();
		const change = page.getByRole("dialog", { name: "Change otto" });
		assert.equal(await change.getByRole("button", { name: "Save" }).isDisabled(), true);
		await change.getByLabel("Role").selectOption("operator");
		await change.getByRole("button", { name: "Save" }).click();
		await row("otto").getByText("operator").waitFor();

		await page.getByRole("button", { name: "Remove otto" }).click();
		await page.getByRole("dialog").getByRole("button", { name: "Remove user" }).click();
		await row("otto").waitFor({ state: "detached" });
		assert.deepEqual(
			hub.access.users.map(({ name }) => name),
			["admin", "nina"],
		);
	}));

test("the last administrator stays, and the form says why", () =>
	withHub(chromium.browser, { path: "/#/users" }, async (page) => {
		await page.getByText("(you)").waitFor();
		assert.equal(await page.getByRole("button", { name: "Remove admin" }).count(), 0);
		await page.getByRole("button", { name: "Change admin" }).click();
		await page.getByLabel("Role").selectOption("operator");
		await page.getByRole("button", { name: "Save" }).click();
		await page.getByRole("dialog").getByText("This is the last administrator").waitFor();
	}));

/* --- API keys ------------------------------------------------------------------------------- */

test("a key is made, shown once, kept nowhere, and revoked", () =>
	withHub(
		chromium.browser,
		{
			arrange: (hub) => {
				hub.fill(3);
			},
			path: "/#/keys",
			permissions: ["clipboard-read", "clipboard-write"],
		},
		async (page, hub) => {
			await page.getByRole("heading", { name: "No API keys" }).waitFor();
			await page.getByRole("button", { name: "Make key" }).click();
			const form = page.getByRole("dialog", { name: "Make an API key" });
			await form.getByLabel("Name").fill("nightly");
			await form.getByRole("checkbox", { name: /^operate/ }).check();
			await form.getByRole("checkbox", { name: /^audit/ }).check();
			// What concerns the whole hub cannot go with one location.
			await form.getByLabel("Servers", { exact: true }).selectOption("of Bern");
			assert.equal(await form.getByRole("checkbox", { name: /^audit/ }).isDisabled(), true);
			await form.getByLabel("Valid for").selectOption("30 days");
			await form.getByRole("button", { name: "Make key" }).click();
			const shown = page.getByRole("dialog", { name: "The key “nightly”" });
			await shown.getByRole("button", { name: "Copy: the key" }).click();
			await shown.getByText("Copied").first().waitFor();
			assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^spk_/);
			const [key] = hub.access.keys;
			assert.deepEqual([key.permissions, key.location], [["read", "operate"], "Bern"]);
			await shown.getByRole("button", { name: "I have it" }).click();
			await shown.waitFor({ state: "detached" });
			const kept = await page.evaluate(
				() =>
					JSON.stringify({ ...localStorage, ...sessionStorage }) +
					document.cookie +
					location.href +
					document.documentElement.outerHTML,
			);
			assert.doesNotMatch(kept, /spk_bm/);

			const row = page.getByRole("row").filter({ hasText: "nightly" });
			assert.match(
				(await row.innerText()).replace(/\s+/g, " "),
				/Valid read, operate in Bern never in 29 days|in 30 days/,
			);
			await page.getByRole("button", { name: "Revoke nightly" }).click();
			await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
			await row.getByText("Revoked").waitFor();
		},
	));

test("one gives a key no more than one has", () =>
	withHub(
		chromium.browser,
		{
			arrange: (hub) => {
				hub.access.permissions = ["read", "keys"];
			},
			path: "/#/keys",
		},
		async (page) => {
			await page.getByRole("button", { name: "Make key" }).click();
			const form = page.getByRole("dialog", { name: "Make an API key" });
			await form.waitFor();
			assert.equal(await form.getByRole("checkbox").count(), 2);
		},
	));

/* --- the audit trail ------------------------------------------------------------------------ */

test("the trail is long, is read to its end, and narrowed by who and what", () =>
	withHub(
		chromium.browser,
		{
			arrange: (hub) => {
				hub.access.fill(3000);
			},
			path: "/#/audit",
		},
		async (page) => {
			await page.getByText("thing-3000").waitFor();
			const first = await page.locator(".audit-row").first().innerText();
			assert.match(
				first.replace(/\s+/g, " "),
				/^today .* admin job\.create thing-3000 servers: 1 10\.9\.0\.0$/,
			);
			await page.keyboard.press("/");
			await page.keyboard.press("ArrowDown");
			await page.keyboard.press("End");
			await page.waitForFunction(
				() => document.activeElement.querySelector(".cell-target")?.textContent === "thing-1",
			);
			assert.ok((await page.evaluate(() => document.querySelectorAll("*").length)) < 1500);
			await page.getByLabel("By whom").fill("nina");
			await page.waitForFunction(() => {
				const cells = [...document.querySelectorAll(".cell-actor")];
				return cells.length > 0 && cells.every((cell) => cell.textContent === "nina");
			});
			await page.getByLabel("What was done").fill("server.remove");
			await page.waitForFunction(() => {
				const cells = [...document.querySelectorAll(".cell-action")];
				return cells.length > 0 && cells.every((cell) => cell.textContent === "server.remove");
			});
			assert.match(await address(page), /actor=nina&action=server\.remove/);
			await page.getByLabel("By whom").fill("nobody");
			await page.getByRole("heading", { name: "Nothing matches" }).waitFor();
			await page.getByRole("button", { name: "Show everything" }).click();
			await page.getByText("thing-3000").waitFor();
		},
	));

test("what is new in the trail comes with a fresh look", () =>
	withHub(
		chromium.browser,
		{
			arrange: (hub) => {
				hub.access.fill(3);
			},
			path: "/#/audit",
		},
		async (page, hub) => {
			await page.getByText("thing-3").waitFor();
			hub.access.fill(4);
			await page.getByRole("button", { name: "Look again" }).click();
			await page.getByText("thing-4").waitFor();
		},
	));

/* --- one's own account ---------------------------------------------------------------------- */

test("one changes one's own password", () =>
	withHub(chromium.browser, {}, async (page, hub) => {
		await page.getByRole("link", { name: "admin" }).click();
		await page.getByText("administrator: everything").waitFor();
		const send = page.getByRole("button", { name: "Change password" });
		await page.getByLabel("Password now").fill("not the one");
		await page.getByLabel("New password").fill("short");
		assert.equal(await send.isDisabled(), true);
		await page.getByLabel("New password").fill("nine new lanterns");
		await send.click();
		await page.getByText("The old password is wrong").waitFor();
		await until(() => focusedId(page), "old-password");
		await page.getByLabel("Password now").fill(PASSWORD);
		await page.keyboard.press("Enter");
		await page.getByText("The password is changed.").waitFor();
		assert.equal(hub.access.password, "nine new lanterns");
		await until(() => page.getByLabel("New password").inputValue(), "");
	}));
