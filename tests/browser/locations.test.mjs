// Locations and their connectors (rows S4, S5, R2), and servers that were expected and did not appear (R25).

import assert from "node:assert/strict";
import { test } from "node:test";
import { makeServer } from "./fake-data.mjs";
import { listening, useBrowser, withHub } from "./lib.mjs";
import { FACTS, HALL, installs, places, WRONG_PASSWORD } from "./pages-installs.mjs";

const chromium = useBrowser();
const heading = (page, name) => page.getByRole("heading", { level: 1, name, exact: true }).waitFor();
const press = (page, role, name) => page.getByRole(role, { name, exact: true }).click();
const LINUX = makeServer(12); // of Zürich
const arrange = (hub) => void places(hub);

test("before there is any: what a location is for, and the way to the first connector", () =>
	withHub(chromium.browser, { path: "/#/locations" }, async (page) => {
		await page.getByRole("heading", { name: "No locations yet" }).waitFor();
		await page.getByRole("link", { name: "copy a command" }).click();
		await page.getByRole("dialog", { name: "Add server" }).waitFor();
		await page.goto(`${page.url().split("#")[0]}#/add-servers`);
		await page.getByRole("heading", { name: "First a location, and a connector in it" }).waitFor();
		await page.getByRole("main").getByRole("link", { name: "Locations" }).click();
		await press(page, "button", "New location");
		await page.getByRole("dialog", { name: "New location" }).getByLabel("Name").fill(HALL);
		await page.keyboard.press("Enter");
		await page.getByText("None yet. Promote a server").waitFor();
		await page.getByText("None yet: you are asked about each host's key").waitFor();
		await page.getByText("None yet. What is added or removed over SSH").waitFor();
	}));

test("a location is made, renamed, and deleted once it is empty", () =>
	withHub(chromium.browser, { arrange, path: "/#/locations" }, async (page, hub) => {
		await press(page, "button", "New location");
		const form = page.getByRole("dialog", { name: "New location" });
		await form.getByLabel("Name").fill("Bern");
		await form.getByText("There is a location of that name.").waitFor();
		assert.equal(await form.getByRole("button", { name: "Make location" }).isDisabled(), true);
		await form.getByLabel("Name").fill("hall 3");
		await page.keyboard.press("Enter");
		await heading(page, "hall 3");
		await press(page, "button", "Rename");
		await page.getByRole("dialog", { name: "Rename hall 3" }).getByLabel("Name").fill("hall four");
		await page.keyboard.press("Enter");
		await heading(page, "hall four");
		await press(page, "button", "Delete");
		await press(page, "button", "Delete location");
		await heading(page, "Locations");
		await page.getByRole("row", { name: "Zürich" }).waitFor();
		assert.deepEqual(
			hub.installs.locations().map(({ name }) => name),
			["Bern", "Zürich", HALL],
		);

		// One with servers in it says why it stays.
		await press(page, "link", "Zürich");
		await heading(page, "Zürich");
		await press(page, "button", "Delete");
		const why = page.getByRole("dialog", { name: "Zürich cannot be deleted" });
		await why.getByText("13 servers are in it.").waitFor();
		await why.getByRole("link", { name: "Show them" }).click();
		await page.getByText("13 servers match.").waitFor();
	}));

test("a server is promoted in its location, and demoted on its own page", () =>
	withHub(chromium.browser, { arrange, path: "/#/locations/Z%C3%BCrich" }, async (page, hub) => {
		await page.getByText("None yet. Promote a server").waitFor();
		await press(page, "button", "Promote a server");
		const list = page.getByRole("list", { name: "Servers of this location" });
		await list.getByText(LINUX.name, { exact: true }).waitFor();
		await page.getByLabel("Find a server").fill(LINUX.name);
		await list.getByText("build-03").waitFor({ state: "detached" });
		await press(page, "button", `Promote ${LINUX.name}`);
		await page.getByText("With a second one, the work goes on").waitFor();
		assert.deepEqual(hub.installs.place("Zürich").connectors, [LINUX.id]);

		await page.getByRole("main").getByRole("link", { name: LINUX.name, exact: true }).click();
		await heading(page, LINUX.name);
		await press(page, "button", "Demote");
		await page.getByRole("dialog").getByRole("button", { name: "Demote", exact: true }).click();
		await press(page, "button", "Promote to connector");
		await press(page, "button", "Promote");
		await page.getByText("as a connector").waitFor();
		await press(page, "button", "Move");
		await page.getByRole("dialog").getByLabel("Location").selectOption(HALL);
		await page.getByRole("dialog").getByRole("button", { name: "Move", exact: true }).click();
		await page.getByRole("main").getByRole("link", { name: HALL, exact: true }).waitFor();
		assert.equal(hub.servers.get(LINUX.id).location, HALL);
	}));

test("what a location demands, who breaks it, and a host key that is forgotten", () =>
	withHub(chromium.browser, { arrange, path: "/#/locations/hall%202" }, async (page, hub) => {
		await page.getByText("Its address 10.7.0.2 was set by hand").waitFor();
		await page.getByLabel("Addresses of any kind").check();
		await page.getByText("1 server does otherwise:").waitFor({ state: "detached" });
		assert.equal(hub.installs.place(HALL).addressing, "any");
		await press(page, "button", "Forget the key of 10.7.0.11");
		await press(page, "button", "Forget key");
		await page.getByText("10.7.0.11", { exact: true }).waitFor({ state: "detached" });
		assert.deepEqual(
			hub.installs.pinned.map(({ host }) => host),
			["10.7.0.10", "10.7.0.12"],
		);

		// A connector that goes offline is seen here at once.
		await listening(hub);
		const [id] = hub.installs.place(HALL).connectors;
		hub.put({ ...hub.servers.get(id), status: "offline", reason: "It was switched off." });
		await page.locator(".connector-list").getByText("offline", { exact: true }).waitFor();
		await page.getByText("2 servers, 1 online").waitFor();
	}));

test("a server that was expected and did not appear has its row, until it is expected no longer", () =>
	withHub(chromium.browser, { arrange: (hub) => void installs(hub) }, async (page, hub) => {
		const row = page.getByRole("row").filter({ hasText: "db-07" });
		await row.getByText("stopped at sign-in").waitFor();
		await row.getByText(WRONG_PASSWORD.sentence).waitFor();
		await row.getByText("To do: Check user name and password").waitFor();
		// Before every server, those that are offline too.
		const all = page.getByRole("row");
		assert.match(await all.nth(1).innerText(), /Not here[\s\S]*rack-19/);
		await page.getByRole("button", { name: "Online 42" }).click();
		await row.waitFor({ state: "detached" });
		await page.getByRole("button", { name: "All 43" }).click();
		await row.waitFor();
		await page.getByLabel("Search servers").fill("10.7.0.9");
		await page.getByText("0 servers match.").waitFor();
		await page.getByRole("link", { name: "rack-19" }).waitFor({ state: "detached" });
		await row.getByRole("link", { name: "db-07" }).click();
		await page.getByRole("dialog", { name: "db-07" }).getByText("publickey, password").waitFor();
		await page.goBack();
		await row.getByRole("button", { name: "Expect it no longer" }).click();
		await page.getByRole("heading", { name: "No server matches" }).waitFor();

		// One that comes after all takes its row away; one that fails gets one.
		await press(page, "button", "Show all 43 servers");
		await page.getByRole("link", { name: "rack-19" }).waitFor();
		await listening(hub);
		const [install] = hub.installs.list;
		const [id] = [...install.rows.values()].find(({ name }) => name === "rack-19").id.split();
		hub.installs.turn(install, [id], { state: "online", stage: "online", facts: FACTS });
		await page.getByRole("link", { name: "rack-19" }).waitFor({ state: "detached" });
		hub.installs.turn(install, [id], { ...WRONG_PASSWORD });
		await page.getByRole("link", { name: "rack-19" }).waitFor();
	}));

test("who may only look changes nothing", () =>
	withHub(
		chromium.browser,
		{
			arrange: (hub) => {
				installs(hub);
				hub.access.permissions = ["read"];
			},
			path: "/#/locations/hall%202",
		},
		async (page) => {
			await page.getByText("Install on 24 hosts").waitFor();
			await page.getByText("10.7.0.11", { exact: true }).waitFor();
			assert.deepEqual(await page.getByRole("main").getByRole("button").allInnerTexts(), []);
			assert.equal(await page.getByLabel("Addresses of any kind").isDisabled(), true);
			await press(page, "link", "Install on 24 hosts");
			await heading(page, "Install on 24 hosts");
			assert.equal(await page.getByRole("button", { name: "Cancel the install" }).count(), 0);
			await page
				.getByRole("navigation", { name: "Pages" })
				.getByRole("link", { name: "Servers" })
				.click();
			await page.getByText("stopped at sign-in").waitFor();
			assert.equal(await page.getByRole("button", { name: "Expect it no longer" }).count(), 0);
			assert.equal(await page.getByRole("link", { name: "Add servers" }).count(), 0);
		},
	));
