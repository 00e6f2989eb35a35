// Every page on foot: once with the mouse alone, once with the keyboard alone (row S11: everything that
// the console does). Nothing is typed into the address bar.

import assert from "node:assert/strict";
import { test } from "node:test";
import { arrived, focused, tabTo } from "./keyboard.mjs";
import { makeServer, PASSWORD } from "./fake-data.mjs";
import { field, focusedId, until, useBrowser, withHub } from "./lib.mjs";
import { withJobs } from "./pages.mjs";

const chromium = useBrowser();
const SERVER = makeServer(3); // online
const signedOut = {
	arrange: (hub) => {
		withJobs(hub);
		hub.access.fill(30);
		hub.signedIn = false;
	},
};
const heading = (page, name) => page.getByRole("heading", { level: 1, name, exact: true }).waitFor();

test("with the mouse: every page is reached, and each does its first thing", () =>
	withHub(chromium.browser, signedOut, async (page, hub) => {
		const press = (role, name) => page.getByRole(role, { name, exact: true }).click();
		await page.getByLabel("Name").fill("admin");
		await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
		await press("button", "Sign in");
		await heading(page, "Servers");
		await press("link", "Add servers");
		await page.getByRole("link", { name: "copy a command" }).first().click();
		await press("button", "Make token");
		await press("button", "Done");

		await page.getByLabel(`Pick ${SERVER.name}`).check();
		await press("link", "Run a job on it");
		await heading(page, "New job");
		await field(page, "Script").fill("uptime");
		await press("button", "Run on 1 server");
		await heading(page, "bash script");
		await press("link", SERVER.name);
		await page.getByText("It has not begun.").waitFor();
		await press("link", "bash script");
		await page.getByRole("link", { name: "Jobs" }).last().click();
		await heading(page, "Jobs");

		await page.getByRole("link", { name: "Servers", exact: true }).click();
		await press("link", SERVER.name);
		for (const [section, see] of [
			["Activity", "Now and next"],
			["Log", "Log"],
			["Bundles", "Support bundles"],
			["Overview", "Identity"],
		]) {
			await press("link", section);
			await page.getByRole("heading", { level: 2, name: see, exact: true }).waitFor();
		}
		for (const name of ["Join tokens", "Audit trail", "Users", "API keys"]) {
			await press("link", name);
			await heading(page, name);
		}
		await press("link", "admin");
		await heading(page, "Account");
		await press("button", "Colours: as the system");
		await press("button", "Sign out");
		await heading(page, "Sign in");
		assert.equal(hub.jobs.list[0].rows.size, 1);
	}));

async function open(page, name, key = "Enter") {
	await tabTo(page, name);
	await page.keyboard.press(key);
}

test("with the keyboard alone: every page is reached, and each does its first thing", () =>
	withHub(chromium.browser, signedOut, async (page, hub) => {
		await page.getByLabel("Name").waitFor();
		await until(() => focusedId(page), "name");
		await page.keyboard.type("admin");
		await page.keyboard.press("Tab");
		await page.keyboard.type(PASSWORD);
		await page.keyboard.press("Enter");
		await heading(page, "Servers");
		await page.getByText("rejects the credentials").first().waitFor();

		// A server is found, picked, and gets a job.
		await page.keyboard.press("/");
		await page.keyboard.type(SERVER.name);
		await page.getByText("1 server matches.").waitFor();
		await page.keyboard.press("ArrowDown");
		await page.keyboard.press("Space");
		await page.getByText("1 server picked").waitFor();
		await open(page, "Run a job on it");
		await heading(page, "New job");
		await page.getByText("1 server. It is online.").waitFor();
		await arrived(page);
		await tabTo(page, "Script");
		await page.keyboard.type("uptime");
		await open(page, "Run on 1 server");
		await heading(page, "bash script");
		await page.locator(".run-row").waitFor();
		await arrived(page);
		await open(page, SERVER.name);
		await page.getByText("It has not begun.").waitFor();
		await arrived(page);
		await open(page, "Cancel here");
		await page.getByRole("dialog").waitFor();
		await until(async () => (await focused(page)).name, "Let it run");
		await tabTo(page, "Cancel it here");
		await page.keyboard.press("Enter");
		await page.getByText("Cancelled").waitFor();

		// The other pages, by the links of the bar.
		for (const name of [
			"Locations",
			"Jobs",
			"Join tokens",
			"Audit trail",
			"Users",
			"API keys",
			"admin",
			"Servers",
		]) {
			await page.evaluate(() => document.activeElement.blur());
			await open(page, name);
			await heading(page, name === "admin" ? "Account" : name);
			// A list keeps the focus where it was; the others begin at their top.
			if (!["Jobs", "Servers"].includes(name)) await arrived(page);
		}

		// A server's sections.
		await page.keyboard.press("/");
		await page.keyboard.press("Control+A");
		await page.keyboard.type(SERVER.name);
		await page.getByText("1 server matches.").waitFor();
		await page.keyboard.press("ArrowDown");
		await page.keyboard.press("Enter");
		await heading(page, SERVER.name);
		await page.getByRole("link", { name: "Bundles" }).waitFor();
		await arrived(page);
		for (const section of ["Activity", "Log", "Bundles"]) {
			await open(page, section);
			await arrived(page);
		}
		await page.getByRole("heading", { level: 2, name: "Support bundles" }).waitFor();
		await open(page, "Ask for a bundle");
		await page.getByText("Waiting for the machine").waitFor();

		await page.evaluate(() => document.activeElement.blur());
		await open(page, "Sign out");
		await heading(page, "Sign in");
		assert.equal(hub.jobs.list[0].rows.size, 1);
	}));

test("on a phone the pages stand below a button, which the escape key closes", () =>
	withHub(chromium.browser, { ...signedOut, width: 390 }, async (page) => {
		await page.getByLabel("Name").fill("admin");
		await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
		await page.keyboard.press("Enter");
		await heading(page, "Servers");
		const menu = page.locator(".menu-button");
		await menu.click();
		assert.equal(await menu.getAttribute("aria-expanded"), "true");
		await page.keyboard.press("Tab");
		await until(async () => (await focused(page)).name, "Servers");
		await page.keyboard.press("Escape");
		const expanded = () => menu.getAttribute("aria-expanded");
		await until(expanded, "false");
		await until(() => menu.evaluate((each) => each === document.activeElement), true);
		for (const name of ["Jobs", "Join tokens", "Audit trail", "Users", "API keys", "Account"]) {
			await menu.click();
			await page.getByRole("link", { name, exact: true }).click();
			await heading(page, name);
			await until(expanded, "false");
		}
	}));
