// Adding servers over SSH from a connector (rows R11, R12, R25, R28, B8): the form, what is sealed, the host
// keys, the work as it is seen, the failed ones again.

import assert from "node:assert/strict";
import { test } from "node:test";
import { openBox } from "./fake-installs.mjs";
import { focused, tabTo } from "./keyboard.mjs";
import { listening, useBrowser, withHub } from "./lib.mjs";
import {
	FACTS,
	fillHosts,
	HALL,
	hostKey,
	installs,
	places,
	waiting,
	WRONG_PASSWORD,
} from "./pages-installs.mjs";

const chromium = useBrowser();
const SECRET = "planted-0b5e7d-secret";
const heading = (page, name) => page.getByRole("heading", { level: 1, name, exact: true }).waitFor();
const press = (page, role, name) => page.getByRole(role, { name, exact: true }).click();
const arrange = (hub) => void places(hub);
const password = (page) => page.getByLabel("Password", { exact: true });
const RULE = "-".repeat(5);
const KIND = `OPENSSH PRIVATE KEY${RULE}`;
const KEY = `${RULE}BEGIN ${KIND}\n${SECRET}\n${RULE}END ${KIND}\n`;

// All that the browser keeps, wherever that is.
const kept = (page) =>
	page.evaluate(async () => {
		const databases = (await indexedDB.databases()).map(({ name }) => name);
		const caches_ = await caches.keys();
		return JSON.stringify([
			{ ...localStorage },
			{ ...sessionStorage },
			databases,
			caches_,
			document.cookie,
			location.href,
			history.state,
			document.documentElement.outerHTML,
			[...document.querySelectorAll("input, textarea")].map((field) => field.value),
		]);
	});

// What the page says to the hub, to be looked through for secrets.
function listenIn(page) {
	const said = [];
	page.on("request", (request) =>
		said.push(`${request.url()} ${request.postData() ?? ""} ${JSON.stringify(request.headers())}`),
	);
	return said;
}

test("credentials are sealed to each connector, and are nowhere else", () =>
	withHub(chromium.browser, { arrange, path: "/#/add-servers" }, async (page, hub) => {
		const said = listenIn(page);
		await page.getByLabel("Location").selectOption(HALL);
		await fillHosts(page, "web-1\n10.7.0.9\n");
		await page.getByLabel("User").fill("admin");
		await page.getByText("With both").click();
		await page.getByLabel("Choose the key's file").setInputFiles({
			name: "id_ed25519",
			mimeType: "application/octet-stream",
			buffer: Buffer.from(KEY),
		});
		await page.getByLabel("Passphrase of the key").fill(`${SECRET}-phrase`);
		await password(page).fill(`${SECRET}-password`);
		await page.getByLabel("Password for sudo").fill(`${SECRET}-sudo`);
		for (const field of await page.locator("form input:not([type=radio]), form textarea").all())
			assert.match((await field.getAttribute("autocomplete")) ?? "off", /^off$/);
		await press(page, "button", "Look at 2 hosts");
		await heading(page, "Install on 2 hosts");

		const [{ credentials, ...asked }] = hub.installs.asked;
		assert.deepEqual(asked, {
			location: HALL,
			action: "install",
			hosts: "web-1\n10.7.0.9\n",
			user: "admin",
			port: 22,
		});
		const { connectors } = hub.installs.place(HALL);
		assert.deepEqual(Object.keys(credentials), connectors);
		for (const id of connectors)
			assert.deepEqual(await openBox(hub.installs.keys.get(id).seed, credentials[id]), {
				v: 1,
				hosts: "web-1\n10.7.0.9\n",
				port: 22,
				user: "admin",
				password: `${SECRET}-password`,
				key: KEY,
				passphrase: `${SECRET}-phrase`,
				sudo_password: `${SECRET}-sudo`,
			});
		assert.ok(
			said.some((each) => each.includes("/v1/installs") && each.includes(credentials[connectors[0]])),
		);
		assert.ok(!said.some((each) => each.includes(SECRET)));
		assert.ok(!(await kept(page)).includes(SECRET));

		// Gone back, the form is empty.
		await page.goBack();
		await heading(page, "Add servers");
		assert.equal(await password(page).inputValue(), "");
		assert.equal(await page.getByLabel("Hosts", { exact: true }).inputValue(), "");
	}));

test("left for another page, the list stays and the password does not", () =>
	withHub(chromium.browser, { arrange, path: "/#/add-servers?location=hall+2" }, async (page) => {
		await fillHosts(page, "10.7.0.16/28");
		await password(page).fill(SECRET);
		await press(page, "link", "Locations");
		await page.getByRole("row", { name: HALL }).waitFor();
		assert.ok(!(await kept(page)).includes(SECRET));
		await press(page, "link", `Add servers to ${HALL}`);
		await page.getByText("14 hosts, 14 of them of a range").waitFor();
		assert.equal(await password(page).inputValue(), "");
	}));

test("what is wrong is said by its line, and nothing is sent; a file is read in its place", () =>
	withHub(chromium.browser, { arrange, path: "/#/add-servers?location=hall+2" }, async (page, hub) => {
		await fillHosts(page, "web-1\n10.0.0.0/8\nroot@\n");
		await press(page, "button", "Look at 1 host");
		await page.getByText("Line 2: “10.0.0.0/8”: a range has at most 1024 addresses").waitFor();
		await page.getByText("Line 3: “root@”: a host is missing.").waitFor();
		assert.equal((await focused(page)).name, "Hosts");
		await page.getByLabel("Read from a file").setInputFiles({
			name: "hosts.csv",
			mimeType: "text/csv",
			buffer: Buffer.from("host,port,name\nweb-1,2222,The first\n10.0.0.5-7,,\n"),
		});
		await page.getByText("4 hosts, 3 of them of a range").waitFor();
		await press(page, "button", "Look at 4 hosts");
		await page.getByRole("alert").filter({ hasText: "Give the password." }).waitFor();
		assert.deepEqual(hub.installs.asked, []);

		// A refusal of the hub leaves everything as it was typed; sent again, it is the same request.
		const posts = [];
		page.on("request", (request) => {
			if (request.method() === "POST")
				posts.push([request.headers()["idempotency-key"], request.postData()]);
		});
		hub.failures.set("POST /v1/installs", { status: 422, title: "Invalid", detail: "line 2: no." });
		await password(page).fill("secret");
		await press(page, "button", "Look at 4 hosts");
		await page.getByText("line 2: no.").waitFor();
		assert.equal(await password(page).inputValue(), "secret");
		hub.failures.clear();
		await press(page, "button", "Look at 4 hosts");
		await page.getByText("The connector looks at the hosts").waitFor();
		assert.equal(posts.length, 2);
		assert.deepEqual(posts[1], posts[0]);
	}));

test("without a connector that could do it, what to do is said, and the command stays", () =>
	withHub(
		chromium.browser,
		{ arrange: (hub) => void places(hub.fill(40)), path: "/#/add-servers?location=Bern" },
		async (page, hub) => {
			await page.getByText("No connector of Bern is online.").waitFor();
			await fillHosts(page, "web-1");
			await password(page).fill("secret");
			const send = page.getByRole("button", { name: "Look at 1 host", exact: true });
			assert.equal(await send.getAttribute("aria-disabled"), "true");
			await page.keyboard.press("Enter"); // sends a form otherwise
			await page.getByLabel("Location").selectOption("Zürich");
			await page.getByText("Zürich has no connector yet.").waitFor();
			assert.deepEqual(hub.installs.asked, []);
			await page.getByRole("link", { name: "copy a command" }).first().click();
			await page.getByRole("dialog", { name: "Add server" }).waitFor();
			// It turns while one looks: a connector that comes back may be used at once.
			await page.goBack();
			await page.getByLabel("Location").selectOption("Bern");
			await page.getByText("No connector of Bern is online.").waitFor();
			await listening(hub);
			const [id] = hub.installs.place("Bern").connectors;
			hub.put({ ...hub.servers.get(id), status: "online", reason: null });
			await page.getByText("does the work.").waitFor();
		},
	));

test("a key that is not the connector's own gets no credentials", () =>
	withHub(
		chromium.browser,
		{
			arrange: (hub) => {
				places(hub);
				hub.installs.keys.clear(); // so that the fake gives another's
			},
			path: "/#/add-servers?location=hall+2",
		},
		async (page, hub) => {
			await fillHosts(page, "web-1");
			await password(page).fill(SECRET);
			await press(page, "button", "Look at 1 host");
			await page.getByText("the connector jump-01 is not its own").waitFor();
			assert.deepEqual(hub.installs.asked, []);
		},
	));

test("with the keyboard alone: keys are confirmed, the work is watched, a host is looked at, the rest cancelled", () =>
	withHub(
		chromium.browser,
		{ arrange: (hub) => void waiting(hub), path: "/#/installs/install1" },
		async (page, hub) => {
			await page.getByText("All 5 new keys are right").waitFor();
			await page.getByText("changed: stopped").waitFor();
			await page.getByText("2 hosts show the keys that were confirmed before.").waitFor();
			await tabTo(page, "The key of 10.7.0.10 is right");
			await page.keyboard.press("Space");
			await tabTo(page, "Start on 3 hosts");
			await page.keyboard.press("Enter");
			await page.getByText("4 hosts wait until the key is confirmed.").waitFor();
			const [{ host_keys: keys, targets }] = hub.installs.asked;
			const [install] = hub.installs.list;
			const named = (name) => [...install.rows.values()].find((target) => target.name === name).id;
			assert.deepEqual(keys, { [named("rack-1")]: hostKey(0).fingerprint });
			assert.deepEqual([...targets].sort(), ["rack-1", "rack-8", "rack-10"].map(named).sort());

			await page.evaluate(() => document.activeElement.blur());
			await tabTo(page, "All 5 new keys are right".replace("5", "4"));
			await page.keyboard.press("Space");
			await page.getByRole("button", { name: "Start on 4 hosts", exact: true }).waitFor();

			await listening(hub);
			hub.installs.turn(install, [named("rack-1")], { stage: "copy", sent: 2_700_000 });
			await page.getByText("2.6 MiB of 5.1 MiB").waitFor();
			hub.installs.turn(install, [named("rack-1")], {
				state: "online",
				stage: "online",
				server: "x",
				facts: FACTS,
			});
			await page.getByRole("button", { name: "Online 1" }).waitFor();

			// The rows are walked with the arrows; Enter opens one, Escape closes it.
			await tabTo(page, /^rack-/);
			await page.keyboard.press("Home");
			await page.keyboard.press("Enter");
			const dialog = page.getByRole("dialog", { name: "rack-3" });
			await dialog.getByText("auth-failed").waitFor();
			await page.keyboard.press("Escape");
			await dialog.waitFor({ state: "detached" });

			await page.evaluate(() => document.activeElement.blur());
			await tabTo(page, "Cancel the install");
			await page.keyboard.press("Enter");
			await page.getByRole("dialog", { name: "Cancel this install?" }).waitFor();
			await tabTo(page, "Cancel the install");
			await page.keyboard.press("Enter");
			await page.getByText("It was cancelled.").waitFor();
			await page.getByRole("button", { name: "Try 8 hosts again" }).waitFor();
		},
	));

test("a failed one is tried again with credentials given anew", () =>
	withHub(
		chromium.browser,
		{ arrange: (hub) => void installs(hub), path: "/#/installs/install2" },
		async (page, hub) => {
			const said = listenIn(page);
			await press(page, "button", "Try 3 hosts again");
			const form = page.getByRole("dialog", { name: "Try 3 hosts again" });
			await form.getByRole("button", { name: "Try again", exact: true }).click();
			await form.getByText("Give the password.").waitFor();
			await password(form).fill(SECRET);
			await page.keyboard.press("Enter");
			await page.getByText("The connector looks at the hosts").waitFor();
			await heading(page, "Install on 3 hosts");
			const [{ credentials }] = hub.installs.asked;
			const [id] = hub.installs.place(HALL).connectors;
			const { hosts, password: sealed } = await openBox(
				hub.installs.keys.get(id).seed,
				credentials[id],
			);
			assert.deepEqual([hosts, sealed], ["10.7.0.9\n10.7.0.44\n10.7.0.45", SECRET]);
			assert.ok(!said.some((each) => each.includes(SECRET)));
			assert.ok(!(await kept(page)).includes(SECRET));
		},
	));

test("servers that are picked: the agent is taken off them the same way", () =>
	withHub(chromium.browser, { arrange, path: "/#/?location=hall+2" }, async (page, hub) => {
		await page.getByLabel("Pick jump-01").check();
		await page.getByLabel("Pick jump-02").check();
		await press(page, "link", "Remove the agent");
		await heading(page, "Remove the agent");
		await page.getByText("nothing is removed there before you start it").waitFor();
		await password(page).fill("secret");
		await press(page, "button", "Look at 2 hosts");
		await heading(page, "Remove from 2 hosts");
		assert.equal(hub.installs.asked[0].action, "remove");
		assert.match(hub.installs.asked[0].hosts, /^\S+ # jump-01\n\S+ # jump-02\n$/);
	}));

test("a thousand hosts stay quick, and nothing is lost when the events or the page are", () =>
	withHub(
		chromium.browser,
		{
			arrange: (hub) => {
				places(hub);
				const hosts = Array.from({ length: 1024 }, (_, i) => `10.8.${i >> 8}.${i & 255}`);
				const ready = (i) => ({ state: "ready", stage: "host-key", host_key: hostKey(i) });
				hub.installs.add(hosts, { location: HALL, state: "waiting" }, ready);
			},
			path: "/#/installs/install1",
		},
		async (page, hub) => {
			await page.getByLabel("All 1,024 new keys are right").check();
			await page.getByRole("button", { name: "Start on 1,024 hosts" }).waitFor();
			// Drawn are those in view alone.
			assert.ok((await page.locator(".target-row").count()) < 60);
			await press(page, "button", "Start on 1,024 hosts");
			await page.getByText("The agent is copied, set up, and waited for").waitFor();
			await listening(hub);
			const [install] = hub.installs.list;
			const ids = [...install.rows.keys()];
			hub.installs.turn(install, ids, { state: "online", stage: "online", facts: FACTS });
			const outcome = page.locator(".progress-words");
			await outcome.getByText("all 1,024 online").waitFor();
			// Reloaded, it is all there.
			hub.installs.turn(install, ids.slice(0, 3), { ...WRONG_PASSWORD });
			await outcome.getByText("3 failed, 1,021 of 1,024 online").waitFor();
			await page.reload();
			await outcome.getByText("3 failed, 1,021 of 1,024 online").waitFor();
			await page.getByText(WRONG_PASSWORD.sentence).first().waitFor();
			// While the events do not come, it asks.
			hub.failures.set("GET /v1/events", { status: 503, title: "Unavailable" });
			hub.dropStreams();
			await page.getByText("The connection to the hub is lost.").waitFor();
			hub.installs.turn(install, ids.slice(3, 5), { ...WRONG_PASSWORD });
			await outcome.getByText("5 failed, 1,019 of 1,024 online").waitFor();
		},
	));
