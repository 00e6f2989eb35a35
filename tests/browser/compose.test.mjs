// Writing a job: every field reaches the hub, the servers are counted before it is sent, nothing that
// was typed is lost, and secrets are kept nowhere.

import assert from "node:assert/strict";
import { test } from "node:test";
import { OPERATOR } from "./fake-access.mjs";
import { OFFLINE } from "./fake-data.mjs";
import { field, focusedId, focusedText, until, useBrowser, withHub } from "./lib.mjs";

const chromium = useBrowser();
const fleet = (hub) => {
	hub.fill(40, (i) => (i % 8 === 1 ? OFFLINE : {}));
};
const onNew = { arrange: fleet, path: "/#/jobs/new" };

test("every field reaches the hub as it was set", () =>
	withHub(chromium.browser, onNew, async (page, hub) => {
		await field(page, "Title").fill("  Patch them  ");
		await field(page, "Run by").selectOption("Python");
		await field(page, "Script").fill("import os\nprint(os.environ['A'])");
		await field(page, "Arguments").fill("--fast\nwith two words\n");
		await page.getByRole("button", { name: "Add variable" }).click();
		await page.getByLabel("Name of the variable").fill("A");
		await page.getByLabel("Value of A").fill("1");
		await page.getByRole("button", { name: "Add variable" }).click();
		await page.getByLabel("Name of the variable").nth(1).fill("TOKEN");
		await page.getByLabel("Secret").nth(1).check();
		assert.equal(await page.getByLabel("Value of TOKEN").getAttribute("type"), "password");
		await page.getByLabel("Value of TOKEN").fill("s3cret-value");
		await field(page, "User").fill("web");
		await field(page, "Folder").fill("/srv");
		await field(page, "Time-out").selectOption("15 minutes");
		await field(page, "Waits for those offline").selectOption("7 days");
		await field(page, "Output kept").selectOption("64.0 KiB");
		await field(page, "If it is interrupted").selectOption("run it again: that is safe");
		await field(page, "Reboot").selectOption("after it has run well");
		await page.getByLabel("Servers whose row has").fill("web");
		await field(page, "Location").selectOption("Bern");
		await page.getByRole("button", { name: "Run on 3 servers" }).click();
		await page.getByText("0 of 3").first().waitFor();
		assert.deepEqual(hub.jobs.asked, [
			{
				title: "Patch them",
				interpreter: "python",
				script: "import os\nprint(os.environ['A'])\n",
				args: ["--fast", "with two words"],
				env: { A: "1", TOKEN: { secret: "s3cret-value" } },
				user: "web",
				cwd: "/srv",
				timeout_s: 900,
				output_limit: 65_536,
				expires_in_s: 604_800,
				rerun: "safe",
				reboot: "after",
				filter: { q: "web", location: "Bern" },
			},
		]);
		const kept = await page.evaluate(
			() =>
				JSON.stringify({ ...localStorage, ...sessionStorage }) +
				document.cookie +
				location.href +
				document.documentElement.outerHTML +
				[...document.querySelectorAll("input, textarea")].map((each) => each.value).join(),
		);
		assert.doesNotMatch(kept, /s3cret-value/);
	}));

test("before it is sent it says how many servers there are, and who is offline", () =>
	withHub(chromium.browser, onNew, async (page) => {
		await page.getByText("Every server: 40 servers.").waitFor();
		await page
			.getByText("5 of them are offline: build-33, cache-17, db-01, mail-09, web-25. What is offline")
			.waitFor();
		await field(page, "Status").selectOption("Online");
		await page.getByText("All of them are online.").waitFor();
		await field(page, "Status").selectOption("Offline");
		await page.getByText("All of them are offline: build-33").waitFor();
		await page.getByLabel("Servers whose row has").fill("nothing like it");
		await page.getByText("No server is chosen. None fits the filter.").waitFor();
		assert.equal(
			await page.getByRole("button", { name: "Run", exact: true }).getAttribute("aria-disabled"),
			"true",
		);
	}));

test("many servers are asked about once more, with the focus on the harmless button", () =>
	withHub(chromium.browser, onNew, async (page, hub) => {
		await field(page, "Script").fill("uptime");
		await page.getByRole("button", { name: "Run on 40 servers" }).click();
		const dialog = page.getByRole("dialog", { name: "Run it on 40 servers?" });
		await dialog.getByText("That is every server of this hub.").waitFor();
		await until(() => focusedText(page), "Not yet");
		await page.keyboard.press("Escape");
		await dialog.waitFor({ state: "detached" });
		assert.equal(hub.jobs.asked.length, 0);
		await page.getByRole("button", { name: "Run on 40 servers" }).click();
		await dialog.getByRole("button", { name: "Run on 40" }).click();
		await page.getByText("0 of 40").first().waitFor();
		assert.deepEqual(hub.jobs.asked[0].filter, {});
	}));

test("servers are picked in the list, by mouse and by the space bar, and more can be added", () =>
	withHub(chromium.browser, { arrange: fleet }, async (page, hub) => {
		await page.getByLabel("Pick cache-17").check();
		await page.keyboard.press("/");
		await page.keyboard.type("mail-04");
		await page.getByText("1 server matches.").waitFor();
		await page.keyboard.press("ArrowDown");
		await page.keyboard.press("Space");
		await page.getByText("2 servers picked").waitFor();
		await page.getByRole("link", { name: "Run a job on them" }).click();
		await page.getByRole("button", { name: "Run on 2 servers" }).waitFor();
		assert.equal(await page.getByLabel("Picked one by one").isChecked(), true);
		await page.getByText("1 of them is offline: cache-17.").waitFor();
		await page.getByLabel("Find servers").fill("build-03");
		await page.getByRole("checkbox", { name: /build-03/ }).check();
		await page.getByRole("list", { name: "Servers picked" }).getByText("cache-17").click();
		await field(page, "Script").fill("uptime");
		await page.getByRole("button", { name: "Run on 2 servers" }).click();
		await page.getByText("0 of 2").first().waitFor();
		assert.deepEqual(hub.jobs.asked[0].servers, ["srv00000004", "srv00000003"]);
	}));

test("a list that is filtered becomes a job's filter, and a server's page a job for it alone", () =>
	withHub(chromium.browser, { arrange: fleet, path: "/#/?q=web&location=Bern" }, async (page) => {
		await page.getByRole("link", { name: "Run a job on these 3" }).click();
		await page.getByRole("button", { name: "Run on 3 servers" }).waitFor();
		assert.equal(await page.getByLabel("Servers whose row has").inputValue(), "web");
		await page.goBack();
		await page.getByRole("link", { name: "web-10" }).click();
		await page.getByRole("heading", { level: 1, name: "web-10" }).waitFor();
		await page.getByRole("link", { name: "Run a job", exact: true }).click();
		await page.getByText("1 server. It is online.").waitFor();
	}));

test("what is wrong is said at its field, which gets the focus", () =>
	withHub(chromium.browser, onNew, async (page, hub) => {
		await field(page, "Status").selectOption("Offline");
		const send = page.getByRole("button", { name: "Run on 5 servers" });
		await send.click();
		await page.locator("#script-hint", { hasText: "Write what is to run." }).waitFor();
		await until(() => focusedId(page), "script");
		await page.keyboard.type("uptime");
		await field(page, "Folder").fill("srv");
		await send.click();
		await page.locator("#cwd-hint", { hasText: "A whole path, from the root." }).waitFor();
		await until(() => focusedId(page), "cwd");
		await page.keyboard.press("Control+A");
		await page.keyboard.type("/srv");
		await page.getByRole("button", { name: "Add variable" }).click();
		await page.getByLabel("Name of the variable").fill("1A");
		await send.click();
		await page.getByText("begins with no digit").first().waitFor();
		assert.equal(hub.jobs.asked.length, 0);
		await page.getByRole("button", { name: "Take 1A away" }).click();
		await until(() => focusedId(page), "add-variable");
		await send.click();
		await page.getByText("0 of 5").first().waitFor();
	}));

test("a job that cannot be sent keeps what was typed; sent again it is the same one", () =>
	withHub(chromium.browser, onNew, async (page, hub) => {
		await field(page, "Status").selectOption("Offline");
		await field(page, "Script").fill("uptime");
		const keys = [];
		page.on("request", (request) => {
			if (request.method() === "POST") keys.push(request.headers()["idempotency-key"]);
		});
		hub.failures.set("POST /v1/jobs", { status: 503, title: "Unavailable", detail: "The disk is full." });
		const send = page.getByRole("button", { name: "Run on 5 servers" });
		await send.click();
		await page.getByText("The disk is full.").waitFor();
		hub.failures.clear();
		// A look at another page loses nothing.
		await page.getByRole("link", { name: "Servers", exact: true }).click();
		await page.getByRole("link", { name: "cache-17" }).waitFor();
		await page.goBack();
		await page.getByRole("heading", { name: "New job" }).waitFor();
		assert.equal(await field(page, "Script").inputValue(), "uptime");
		await send.click();
		await page.getByText("0 of 5").first().waitFor();
		assert.equal(keys.length, 2);
		assert.match(keys[0], /^[0-9a-f]{32}$/);
		assert.equal(keys[0], keys[1]);
	}));

test("a job becomes the draft of another; its secrets are to be given anew", () =>
	withHub(
		chromium.browser,
		{
			arrange: (hub) => {
				fleet(hub);
				hub.jobs.add(["srv00000002"], { env: { A: "1", KEY: { secret: "x" } }, timeout_s: 777 });
			},
			path: "/#/jobs/job1",
		},
		async (page, hub) => {
			await page.getByText("What runs").click();
			await page.getByRole("region", { name: "The script" }).getByText("systemctl reload").waitFor();
			await page.getByText("secret", { exact: true }).waitFor();
			await page.getByRole("link", { name: "Use as a draft" }).click();
			await page.getByRole("heading", { name: "New job" }).waitFor();
			assert.match(await field(page, "Script").inputValue(), /systemctl reload nginx/);
			assert.equal(await field(page, "Time-out").inputValue(), "777");
			await field(page, "Status").selectOption("Offline");
			await page.getByRole("button", { name: "Run on 5 servers" }).click();
			await page.getByText("The hub does not show secrets again").first().waitFor();
			await page.getByLabel("Value of KEY").fill("y");
			await page.getByRole("button", { name: "Run on 5 servers" }).click();
			await page.getByText("0 of 5").first().waitFor();
			assert.deepEqual(hub.jobs.asked[0].env, { A: "1", KEY: { secret: "y" } });
			assert.equal(hub.jobs.asked[0].timeout_s, 777);
		},
	));

test("the lines are numbered, and the tab key goes on to the next field", () =>
	withHub(chromium.browser, onNew, async (page) => {
		await field(page, "Script").fill(Array.from({ length: 100 }, (_, i) => `echo ${i}`).join("\n"));
		const numbers = page.locator(".script-numbers");
		assert.match(await numbers.innerText(), /\n99\n100$/);
		await field(page, "Script").evaluate((each) => each.scrollTo(0, 700));
		await page.waitForFunction(() => document.querySelector(".script-numbers").scrollTop === 700);
		await field(page, "Script").focus();
		await page.keyboard.press("Tab");
		await until(() => focusedId(page), "args");
	}));

test("who may not run jobs is offered none", () =>
	withHub(
		chromium.browser,
		{
			arrange: (hub) => {
				fleet(hub);
				hub.jobs.add(["srv00000002"]);
				hub.access.permissions = OPERATOR.filter((each) => each === "read");
			},
		},
		async (page, hub) => {
			await page.getByRole("link", { name: "cache-17" }).waitFor();
			assert.equal(await page.getByRole("checkbox").count(), 0);
			await page.goto(`${hub.url}/#/jobs/job1`);
			await page.getByRole("heading", { name: "Renew the certificates" }).waitFor();
			assert.equal(await page.getByRole("button", { name: /Cancel|Repeat/ }).count(), 0);
			assert.equal(await page.getByRole("link", { name: "Use as a draft" }).count(), 0);
			await page.goto(`${hub.url}/#/jobs/new`);
			await page.getByRole("heading", { name: "Your account may not run jobs" }).waitFor();
		},
	));
