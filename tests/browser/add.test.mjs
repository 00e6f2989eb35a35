// Adding a server and its join tokens (rows S1, R25).

import assert from "node:assert/strict";
import { test } from "node:test";
import { makeServer } from "./fake-hub.mjs";
import { listening, until, useBrowser, withHub } from "./lib.mjs";

const chromium = useBrowser();

test("a token is made, its commands are copied, and the server that joins is announced", () =>
	withHub(
		chromium.browser,
		{
			arrange: (hub) => {
				hub.fill(3);
			},
			permissions: ["clipboard-read", "clipboard-write"],
		},
		async (page, hub) => {
			await page.getByRole("link", { name: "Add server" }).click();
			await page.getByRole("link", { name: "copy a command" }).first().click();
			const form = page.getByRole("dialog", { name: "Add server" });
			await form.getByLabel("Label").fill("web servers");
			await form.getByLabel("Machines").fill("0");
			assert.equal(await form.getByRole("button", { name: "Make token" }).isDisabled(), true);
			await form.getByText("A number from 1 to 10,000.").waitFor();
			await form.getByLabel("Machines").fill("5");
			await form.getByLabel("Valid for").selectOption("7 days");
			await form.getByRole("button", { name: "Make token" }).click();

			const dialog = page.getByRole("dialog", { name: "Run these on the machine" });
			await dialog.getByText("5 machines may use it").waitFor();
			assert.deepEqual([hub.tokens[0].label, hub.tokens[0].uses], ["web servers", 5]);
			await dialog.getByRole("button", { name: "Copy: the command that joins" }).click();
			await dialog.getByText("Copied").first().waitFor();
			assert.match(
				await page.evaluate(() => navigator.clipboard.readText()),
				/^echo spj1\S+ \| sudo sallyport join --token-file -$/,
			);
			await dialog.getByRole("button", { name: "Copy: the command that starts the agent" }).click();
			await page.waitForFunction(
				async () =>
					(await navigator.clipboard.readText()) === "sudo systemctl enable --now sallyport",
			);

			await dialog.getByText("Waiting for the servers…").waitFor();
			await listening(hub);
			hub.put(makeServer(2)); // one that was there before is no arrival
			hub.put(makeServer(50, { name: "web-50" }));
			await dialog.getByText("It is here:").waitFor();
			assert.deepEqual(await dialog.locator(".arrivals a").allInnerTexts(), ["web-50"]);
			await dialog.getByText("1 of up to 5 machines so far.").waitFor();
			await dialog.getByRole("link", { name: "web-50" }).click();
			await page.getByRole("heading", { name: "web-50" }).waitFor();
		},
	));

test("the token is kept nowhere once the dialog is closed", () =>
	withHub(
		chromium.browser,
		{
			arrange: (hub) => {
				hub.fill(3);
			},
			path: "/#/add",
		},
		async (page) => {
			await page.getByRole("button", { name: "Make token" }).click();
			await page.getByText("sudo sallyport join --token-file").waitFor();
			await page.keyboard.press("Escape");
			await page.getByRole("dialog").waitFor({ state: "detached" });
			// Chromium closes a dialog by itself when Escape is pressed again and again.
			for (let i = 0; i < 3; i++) {
				await page.getByRole("link", { name: "Add server" }).click();
				await page.getByRole("link", { name: "copy a command" }).first().click();
				await page.getByRole("dialog").waitFor();
				await page.keyboard.press("Escape");
				await page.keyboard.press("Escape");
				await page.getByRole("dialog").waitFor({ state: "detached" });
			}
			const kept = await page.evaluate(
				() =>
					JSON.stringify({ ...localStorage }) +
					JSON.stringify({ ...sessionStorage }) +
					document.cookie +
					location.href +
					document.documentElement.outerHTML,
			);
			assert.doesNotMatch(kept, /spj1/);
			assert.equal(await page.evaluate(() => location.hash), "#/");
		},
	));

test("a token that cannot be made says why and keeps what was typed", () =>
	withHub(
		chromium.browser,
		{
			arrange: (hub) => {
				hub.fill(1);
			},
			path: "/#/add",
		},
		async (page, hub) => {
			hub.failures.set("POST /v1/tokens", {
				status: 503,
				title: "Unavailable",
				detail: "The database cannot be written.",
			});
			await page.getByLabel("Label").fill("kept");
			await page.keyboard.press("Enter");
			await page.getByText("The database cannot be written.").waitFor();
			assert.equal(await page.getByLabel("Label").inputValue(), "kept");
		},
	));

test("where the browser forbids copying, the command is selected instead", () =>
	withHub(
		chromium.browser,
		{
			arrange: (hub) => {
				hub.fill(1);
			},
			path: "/#/add",
		},
		async (page) => {
			await page.evaluate(() => {
				navigator.clipboard.writeText = () => Promise.reject(new Error("no"));
			});
			await page.getByRole("button", { name: "Make token" }).click();
			await page.getByRole("button", { name: "Copy: the command that joins" }).click();
			await page.getByText("Press Ctrl+C").waitFor();
			assert.match(await page.evaluate(() => getSelection().toString()), /sudo sallyport join/);
		},
	));

test("tokens are listed with what is left of them, and can be revoked", () =>
	withHub(
		chromium.browser,
		{
			arrange: (hub) => {
				const token = {
					created_at: new Date().toISOString(),
					created_by: "admin",
					expires_at: new Date(Date.now() + 7.2e6).toISOString(),
				};
				hub.tokens = [
					{ ...token, id: "a", label: "web servers", uses: 10, used: 3, state: "valid" },
					{ ...token, id: "b", label: "old", uses: 1, used: 1, state: "used-up" },
				];
			},
			path: "/#/tokens",
		},
		async (page, hub) => {
			const row = page.getByRole("row").filter({ hasText: "web servers" });
			assert.match(
				(await row.innerText()).replace(/\s+/g, " "),
				/Valid 3 of 10 in 1 h 59 min|Valid 3 of 10 in 2 hours/,
			);
			assert.equal(
				await page.getByRole("row").filter({ hasText: "old" }).getByRole("button").count(),
				0,
			);
			await row.getByRole("button", { name: "Revoke web servers" }).click();
			await page
				.getByRole("dialog", { name: "Revoke this token?" })
				.getByRole("button", { name: "Revoke" })
				.click();
			await row.getByText("Revoked").waitFor();
			assert.equal(hub.tokens[0].state, "revoked");
			await page.getByRole("dialog").waitFor({ state: "detached" });
		},
	));

test("no tokens, and tokens that cannot be had", () =>
	withHub(chromium.browser, { path: "/#/tokens" }, async (page, hub) => {
		await page.getByRole("heading", { name: "No join tokens" }).waitFor();
		hub.failures.set("GET /v1/tokens", { status: 500, title: "Internal error" });
		hub.mute = true;
		await page.reload();
		await page.getByText("Internal error").waitFor();
		hub.failures.clear();
		await page.getByRole("button", { name: "Try again" }).click();
		await page.getByRole("heading", { name: "No join tokens" }).waitFor();
		assert.equal(await page.getByText("Internal error").count(), 0);
	}));
