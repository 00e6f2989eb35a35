// Signing in, the first administrator, and a hub that is not there: every refusal says what to do next.

import assert from "node:assert/strict";
import { test } from "node:test";
import { PASSWORD, SETUP_CODE } from "./fake-hub.mjs";
import { address, focusedId, until, useBrowser, withHub } from "./lib.mjs";

const chromium = useBrowser();
const signedOut = (hub) => {
	hub.signedIn = false;
};

async function fillIn(page, name, password) {
	await page.getByLabel("Name").fill(name);
	await page.getByLabel("Password", { exact: true }).fill(password);
}

test("a wrong password is told apart from a right one", () =>
	withHub(chromium.browser, { arrange: signedOut }, async (page) => {
		await page.getByRole("heading", { name: "Sign in" }).waitFor();
		await until(() => focusedId(page), "name");
		await fillIn(page, "admin", "nonsense");
		await page.keyboard.press("Enter");
		assert.match(await page.getByRole("alert").innerText(), /Name or password is wrong/);
		await until(() => focusedId(page), "password");
		await page.keyboard.type(PASSWORD);
		await page.keyboard.press("Enter");
		await page.getByRole("heading", { name: "No servers yet" }).waitFor();
	}));

test("after too many failures it says how long to wait, and waits", () =>
	withHub(chromium.browser, { arrange: signedOut }, async (page) => {
		await page.clock.install();
		await page.reload();
		const send = page.getByRole("button", { name: "Sign in" });
		const fail = async () => {
			await fillIn(page, "admin", "nonsense");
			await send.click();
		};
		for (let i = 0; i < 3; i++) {
			await fail();
			await page.getByText("Name or password is wrong.").waitFor();
			await until(() => page.getByLabel("Password", { exact: true }).inputValue(), "");
			await until(() => send.isEnabled(), true);
		}
		await fail();
		await page.getByText(/Too many failed attempts. Try again in 1?\d seconds|in 20 seconds/).waitFor();
		assert.equal(await send.isDisabled(), true);
		await page.clock.fastForward(20_000);
		await page.getByText("You can try again now.").waitFor();
		await until(() => send.isDisabled(), false);
	}));

test("the password can be shown and hidden", () =>
	withHub(chromium.browser, { arrange: signedOut }, async (page) => {
		const field = page.getByLabel("Password", { exact: true });
		assert.equal(await field.getAttribute("type"), "password");
		await page.getByRole("button", { name: "Show the password" }).click();
		assert.equal(await field.getAttribute("type"), "text");
	}));

test("the one-time link makes the first administrator and leaves no code behind", () =>
	withHub(
		chromium.browser,
		{
			arrange: (hub) => {
				hub.signedIn = false;
				hub.needsSetup = true;
			},
			path: `/#/setup/${SETUP_CODE}`,
		},
		async (page) => {
			await page.getByLabel("Password", { exact: true }).fill("short");
			await page.getByText("7 characters to go.").waitFor();
			const submit = page.getByRole("button", { name: "Make administrator and sign in" });
			assert.equal(await submit.isDisabled(), true);
			await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
			await submit.click();
			await page.getByRole("heading", { name: "No servers yet" }).waitFor();
			assert.doesNotMatch(await address(page), new RegExp(SETUP_CODE));
		},
	));

for (const [what, arrange, code, words] of [
	[
		"mistyped",
		(hub) => {
			hub.needsSetup = true;
		},
		"no-such-code",
		/This link is not right.*first administrator/s,
	],
	[
		"used",
		(hub) => {
			hub.needsSetup = false;
		},
		SETUP_CODE,
		/This link has been used.*Go to sign in/s,
	],
]) {
	test(`a ${what} one-time link says so`, () =>
		withHub(
			chromium.browser,
			{
				arrange: (hub) => {
					signedOut(hub);
					arrange(hub);
				},
				path: `/#/setup/${code}`,
			},
			async (page) => {
				await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
				await page.getByRole("button", { name: "Make administrator and sign in" }).click();
				assert.match(await page.getByRole("alert").innerText(), words);
			},
		));
}

test("a new hub without its link tells where the link is", () =>
	withHub(
		chromium.browser,
		{
			arrange: (hub) => {
				hub.signedIn = false;
				hub.needsSetup = true;
			},
		},
		async (page) => {
			await page.getByRole("heading", { name: "This hub is new" }).waitFor();
			await page.getByText("journalctl -u sallyport-hub | grep 'first administrator'").waitFor();
		},
	));

test("a hub that cannot answer says why, and trying again works", () =>
	withHub(
		chromium.browser,
		{
			arrange: (hub) => {
				hub.failures.set("GET /v1/me", {
					status: 503,
					title: "Unavailable",
					detail: "The hub is starting.",
				});
			},
		},
		async (page, hub) => {
			await page.getByText("The hub is starting.").waitFor();
			hub.failures.clear();
			await page.getByRole("button", { name: "Try again" }).click();
			await page.getByRole("heading", { name: "No servers yet" }).waitFor();
		},
	));

test("signing out leaves nothing behind, and a session that ends elsewhere ends here", () =>
	withHub(
		chromium.browser,
		{
			arrange: (hub) => {
				hub.fill(3);
			},
		},
		async (page, hub) => {
			await page
				.getByRole("link", { name: "web-" })
				.or(page.getByRole("link", { name: "db-01" }))
				.first()
				.waitFor();
			await page.getByRole("button", { name: "Sign out" }).click();
			await page.getByRole("heading", { name: "Sign in" }).waitFor();
			assert.ok(hub.requests.includes("POST /v1/logout"));
			assert.equal(await page.getByText("db-01").count(), 0);

			await fillIn(page, "admin", PASSWORD);
			await page.keyboard.press("Enter");
			await page.getByText("db-01").waitFor();
			hub.signedIn = false;
			hub.dropStreams();
			await page.getByRole("heading", { name: "Sign in" }).waitFor();
		},
	));
