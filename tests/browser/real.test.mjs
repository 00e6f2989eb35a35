// The console on the real hub, with the real agent (rows S1, S13, R25): one story, told in order.

import assert from "node:assert/strict";
import os from "node:os";
import path from "node:path";
import { lowContrast, nameless, paintIn, until } from "./lib.mjs";
import { end, env, PASSWORD, program, run, useReal } from "./real-lib.mjs";

const real = useReal();
const { tell } = real;

tell("the one-time link makes the first administrator", async () => {
	const link = real.link();
	await real.enter();
	const { page, session } = real.opened;
	const [cookie] = await session.cookies();
	assert.deepEqual(
		[cookie.name, cookie.secure, cookie.httpOnly, cookie.sameSite, cookie.path],
		["__Host-sallyport", true, true, "Strict", "/"],
	);
	assert.equal(await page.evaluate(() => document.cookie), "");

	const again = await real.open(link);
	await again.page.getByLabel("Password", { exact: true }).fill(PASSWORD);
	await again.page.getByRole("button", { name: "Make administrator and sign in" }).click();
	await again.page.getByText("This link has been used").waitFor();
	await again.close();
});

tell("the hub sends the strict policy with every page", async (page) => {
	const response = await page.goto(real.origin);
	const policy = response.headers()["content-security-policy"];
	assert.match(policy, /default-src 'none'/);
	assert.match(policy, /script-src 'self'(;|$)/);
	assert.match(policy, /style-src 'self'(;|$)/);
	assert.doesNotMatch(policy, /unsafe/);
	await page.getByRole("heading", { name: "No servers yet" }).waitFor();
});

tell("signing out and in, with the wrong password and the right one", async (page) => {
	await page.getByRole("button", { name: "Sign out" }).click();
	await page.getByRole("heading", { name: "Sign in" }).waitFor();
	await page.getByLabel("Name").fill("keeper");
	await page.getByLabel("Password", { exact: true }).fill("seven loud lanterns");
	await page.keyboard.press("Enter");
	await page.getByText("Name or password is wrong.").waitFor();
	await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
	await page.keyboard.press("Enter");
	await page.getByRole("heading", { name: "No servers yet" }).waitFor();
	await page.reload();
	await page.getByRole("heading", { name: "No servers yet" }).waitFor();
});

tell("a machine that joins with the copied command arrives without a reload", async (page) => {
	await page.evaluate(() => {
		window.notReloaded = true;
	});
	await real.addMachine("the story");
	const row = page
		.getByRole("row")
		.filter({ has: page.getByRole("link", { name: os.hostname(), exact: true }) });
	await row.getByText("Online").waitFor();
	assert.equal(await page.evaluate(() => window.notReloaded), true);
	assert.match(await row.innerText(), /\d+\.\d+\.\d+\.\d+/);
});

tell("its page shows who it is, its way to the hub, and what its check found", async (page) => {
	await page.getByRole("link", { name: os.hostname(), exact: true }).click();
	await page.getByRole("heading", { level: 1, name: os.hostname() }).waitFor();
	const way = page.getByRole("region", { name: "Way to the hub" });
	for (const stage of ["resolve", "connect", "secure", "hello"]) {
		assert.match(
			await way.getByRole("button", { name: new RegExp(stage) }).innerText(),
			/ ?(ms|s)$|not needed/,
			stage,
		);
	}
	assert.match(await way.getByRole("button", { name: /tunnel/ }).innerText(), /not needed/);
	await way.getByRole("button", { name: /secure/ }).click();
	await page
		.getByRole("region", { name: "What secure saw" })
		.getByText(/TLSv?1\.[23]/)
		.first()
		.waitFor();
	const identity = page.getByRole("region", { name: "Identity" });
	await identity.getByText(/^SHA256:/).waitFor();
	await page.getByRole("region", { name: "Inventory" }).getByText(os.release()).waitFor();
	await page
		.getByRole("region", { name: "Check", exact: true })
		.getByText(/Everything passes|It works, with warnings|Nothing failed|Something is in the way/)
		.waitFor({ timeout: 60_000 });
	for (const colorScheme of ["light", "dark"]) {
		await paintIn(page, colorScheme);
		assert.deepEqual(await page.evaluate(lowContrast), []);
	}
	assert.deepEqual(await page.evaluate(nameless), []);
});

tell("a check that is asked for here runs there, and joins the history", async (page) => {
	const check = page.getByRole("region", { name: "Check", exact: true });
	const history = page.getByRole("region", { name: "History" }).getByRole("listitem");
	await history.filter({ hasText: "by the machine itself" }).waitFor();
	await check.getByRole("button", { name: "Run check now" }).click();
	await history
		.filter({ hasText: "asked for by keeper" })
		.filter({ hasNotText: /waits|runs now/ })
		.waitFor({
			timeout: 60_000,
		});
	await check.getByText(/The way to the hub · today .*, asked for by keeper/).waitFor();
	await until(() => history.count(), 2);
});

tell("an agent that is killed goes offline, with the reason; one that comes back is online", async (page) => {
	await page.getByRole("link", { name: "Servers", exact: true }).first().click();
	const row = page
		.getByRole("row")
		.filter({ has: page.getByRole("link", { name: os.hostname(), exact: true }) });
	await row.getByText("Online").waitFor();
	await end(real.agent, "SIGKILL");
	await row.getByText("Offline").waitFor();
	assert.match(await row.locator(".row-reason").innerText(), /^[A-Z].{10,}\.$/);
	await page.getByRole("button", { name: "Offline 1" }).waitFor();
	await row.getByRole("link").click();
	await page.getByText(/Offline since (today|yesterday) \d\d:\d\d/).waitFor();
	real.startAgent();
	await page.getByText("Offline since").waitFor({ state: "detached" });
	await page.goBack();
	await row.getByText("Online").waitFor();
});

tell("a hub that restarts is said to be lost, and found again by itself", async (page) => {
	const listen = new URL(real.origin).host;
	await end(real.hub);
	await page.getByText("The connection to the hub is lost.").waitFor();
	await real.startHub(listen);
	await page
		.getByText("The connection to the hub is lost.")
		.waitFor({ state: "detached" });
	await page
		.getByRole("row")
		.filter({ hasText: os.hostname() })
		.getByText("Online")
		.waitFor();
});

tell("the list by keyboard: search, row, page, back", async (page) => {
	await page.keyboard.press("/");
	await page.keyboard.type("no such machine");
	await page.getByRole("heading", { name: "No server matches" }).waitFor();
	await page.keyboard.press("Escape");
	await page.getByRole("link", { name: os.hostname(), exact: true }).waitFor();
	await page.keyboard.press("ArrowDown");
	await page.keyboard.press("Enter");
	await page.getByRole("heading", { level: 1, name: os.hostname() }).waitFor();
	await page.goBack();
	await page.getByRole("link", { name: os.hostname(), exact: true }).waitFor();
});

tell("the token is listed as used up; another is made and revoked, and no longer admits", async (page) => {
	await page.getByRole("link", { name: "Join tokens" }).click();
	await page.getByRole("row").filter({ hasText: "the story" }).getByText("Used up").waitFor();
	await page.getByRole("link", { name: "Add server" }).click();
	await page.getByLabel("Label").fill("leaked");
	await page.getByRole("button", { name: "Make token" }).click();
	const command = await page.getByLabel("the command that joins", { exact: true }).innerText();
	await page.keyboard.press("Escape");
	await page.getByRole("link", { name: "Join tokens" }).click();
	await page.getByRole("button", { name: "Revoke leaked" }).click();
	await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
	await page.getByRole("row").filter({ hasText: "leaked" }).getByText("Revoked").waitFor();
	const join = real.runShown(command, "second");
	await assert.rejects(join, (error) => /token/.test(error.stdout + error.stderr));
});

tell("a removed server leaves the list, and its agent is told", async (page) => {
	await page.getByRole("link", { name: "Servers", exact: true }).first().click();
	await page.getByRole("link", { name: os.hostname(), exact: true }).click();
	await page.getByRole("button", { name: "Remove server" }).click();
	await page.getByRole("dialog").getByRole("button", { name: "Remove server" }).click();
	await page.getByRole("heading", { name: "No servers yet" }).waitFor();
	const status = async () => {
		const { stdout } = await run(
			program("sallyport"),
			["status", "--format", "json", "--root", path.join(real.root, "agent")],
			{ env },
		).catch((error) => error);
		return stdout;
	};
	const deadline = Date.now() + 60_000;
	while (!/agent-revoked/.test(await status())) assert.ok(Date.now() < deadline, await status());
});
