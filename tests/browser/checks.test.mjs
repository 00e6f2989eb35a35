// The checks of a server (rows S13, B1, B2): run from its page, watched, read, and compared with the
// ones before. The fake hub holds each state still; the real one tells the story in real.test.mjs.

import assert from "node:assert/strict";
import { test } from "node:test";
import { makeCheck, makeServer, OFFLINE, REPORT } from "./fake-hub.mjs";
import { focusedText, listening, until, useBrowser, withHub } from "./lib.mjs";

const chromium = useBrowser();
const SERVER = makeServer(1).id;
const ago = (minutes) => new Date(Date.now() - minutes * 60_000).toISOString();
const panel = (page, name) => page.getByRole("region", { name, exact: true });

const at = (minutes, over = {}) => ({
	requested_at: ago(minutes),
	started_at: ago(minutes),
	finished_at: ago(minutes),
	...over,
});
const DNS = {
	...REPORT.causes[0],
	id: "dns-nxdomain",
	stage: "resolve",
	sentence: "The DNS server 10.0.0.2 knows no rttf.citrix.com.",
};
const PASS = {
	...REPORT,
	verdict: "pass",
	causes: [],
	requirements: REPORT.requirements.filter(({ status }) => status === "pass"),
};
const HUB = { ...PASS, profile: { id: "hub", title: "The way to the hub" } };

const on = (checks, over = {}) => ({
	arrange: (hub) => {
		hub.fill(3, (i) => (i === 1 ? over : {}));
		hub.checks = checks;
	},
	path: `/#/servers/${SERVER}`,
});

test("a report: verdict, causes with the remedy first, what fails first, what passes folded away", () =>
	withHub(chromium.browser, on([makeCheck("c1")]), async (page) => {
		const check = panel(page, "Check");
		await check.getByText("Something is in the way").waitFor();
		const cause = await check.getByRole("article").innerText();
		assert.ok(
			cause.indexOf("Allow CONNECT to rttf.citrix.com:443") <
				cause.indexOf("forbids rttf.citrix.com:443"),
		);
		assert.match(cause, /For the proxy administrator · certain/);
		const requirements = await check.locator(".req-title:visible").allInnerTexts();
		assert.deepEqual(requirements, ["rttf.citrix.com:443, upload", "A DHCP server hands out addresses"]);
		await check.getByText("2 requirements pass").click();
		assert.equal(await check.locator(".req-title:visible").count(), 4);
		await check.getByText("rttf.citrix.com:443, upload").click();
		await check.locator(".req-stages").getByText("403").waitFor();
	}));

test("what was looked at on the machine, why something is unknown, and what it passes with", () =>
	withHub(
		chromium.browser,
		on([
			makeCheck("c1", {
				report: {
					...REPORT,
					causes: [
						{
							...REPORT.causes[0],
							evidence: [
								{ name: "passes-with", value: "a segment size (MSS) of 1200" },
								{ name: "reply-note", value: "words made for the sentence" },
								{ name: "status", value: "403" },
							],
						},
					],
					requirements: [
						{
							id: "inbound.22",
							title: "SSH can be reached (TCP 22)",
							status: "unknown",
							reason: "only root can see it; run the check as root",
							outside: { from: "hub", result: "open" },
							stages: [
								{
									stage: "host",
									status: "unknown",
									ms: 1.5,
									evidence: { listener: "0.0.0.0:22" },
								},
							],
						},
					],
				},
			}),
		]),
		async (page) => {
			const check = panel(page, "Check");
			await check.getByText("It passes with a segment size (MSS) of 1200.").waitFor();
			await check.getByText("Evidence").click();
			const evidence = await check.getByRole("article").innerText();
			assert.match(evidence, /status\s+403/);
			assert.doesNotMatch(evidence, /words made for|passes-with/);
			await check.getByText("From the hub: open.").waitFor();
			await check.getByText("only root can see it").click();
			const stages = await check.locator(".req-stages").innerText();
			assert.match(stages, /on the machine not determined in 1\.5 ms/);
			assert.match(stages, /listener\s+0\.0\.0\.0:22/);
		},
	));

test("a check is asked for, runs before the reader's eyes, and its report appears", () =>
	withHub(chromium.browser, on([makeCheck("c1", at(60, { report: HUB }))]), async (page, hub) => {
		const check = panel(page, "Check");
		await check.getByText("Everything passes").waitFor();
		await listening(hub);
		await check.getByLabel("What to check").selectOption({ label: "Debian mirrors" });
		await check.getByLabel(/Deep/).check();
		await check.getByRole("button", { name: "Run check now" }).click();
		await check.getByText("Waiting for the machine to begin:").waitFor();
		assert.deepEqual(hub.asked, [{ profile: "debian-mirrors", deep: true }]);
		const running = {
			...hub.checks[0],
			state: "running",
			started_at: new Date().toISOString(),
			profile: { id: "debian-mirrors", title: "Debian mirrors" },
		};
		hub.putCheck(SERVER, running);
		await check
			.getByText(/Checking for \d+ seconds?: Debian mirrors, deep, asked for by admin\./)
			.waitFor();
		await check.getByText("The newest report so far:").waitFor();
		await panel(page, "History").getByText("runs now").waitFor();
		const again = check.getByRole("button", { name: "Run check now" });
		assert.equal(await again.getAttribute("aria-disabled"), "true");
		await again.focus();
		await page.keyboard.press("Enter");
		assert.equal(hub.asked.length, 1, "one at a time");
		hub.putCheck(
			SERVER,
			makeCheck(running.id, { ...running, state: "done", verdict: "fail", report: REPORT }),
		);
		await check.getByText("Something is in the way", { exact: true }).waitFor();
		await check.getByText("Allow CONNECT to rttf.citrix.com:443").waitFor();
		assert.equal(
			await check.locator("[role=status].unseen", { hasText: "The check is done." }).innerText(),
			"The check is done. Something is in the way.",
		);
		assert.equal(await again.getAttribute("aria-disabled"), "false");
	}));

test("the way to the hub is what is checked when nothing else is chosen; it works by keyboard", () =>
	withHub(chromium.browser, on([]), async (page, hub) => {
		const check = panel(page, "Check");
		await check.getByText("No report has arrived yet.").waitFor();
		assert.equal(await panel(page, "History").count(), 0);
		await check.getByLabel("What to check").focus();
		await page.keyboard.press("Tab");
		await page.keyboard.press("Tab");
		await page.keyboard.press("Enter");
		await check.getByText("Waiting for the machine to begin:").waitFor();
		assert.deepEqual(hub.asked, [{ deep: false }]);
	}));

test("an offline server cannot be asked; what to do instead stands there", () =>
	withHub(chromium.browser, on([makeCheck("c1", at(60))], OFFLINE), async (page, hub) => {
		const check = panel(page, "Check");
		await check.getByText("It is offline, so it cannot be asked from here.").waitFor();
		await check.getByText("sudo sallyport check", { exact: true }).waitFor();
		await check.getByText("What the last check found:").waitFor();
		assert.equal(await check.getByRole("button", { name: "Run check now" }).count(), 0);
		await listening(hub);
		hub.put(makeServer(1));
		await check.getByRole("button", { name: "Run check now" }).waitFor();
	}));

test("a refusal says why, and the next press may work", () =>
	withHub(chromium.browser, on([makeCheck("c1")]), async (page, hub) => {
		const check = panel(page, "Check");
		hub.failures.set(`POST /v1/servers/${SERVER}/checks`, {
			status: 409,
			title: "Conflict",
			detail: "A check that maria asked for runs on this machine already.",
		});
		await check.getByRole("button", { name: "Run check now" }).click();
		await check.getByText("A check that maria asked for runs on this machine already.").waitFor();
		hub.failures.clear();
		await check.getByRole("button", { name: "Run check now" }).click();
		await check.getByText("Waiting for the machine to begin:").waitFor();
		assert.equal(await check.getByText("maria").count(), 0);
	}));

test("what is new since the check before is marked, what is gone is listed, other profiles do not count", () =>
	withHub(
		chromium.browser,
		on([
			makeCheck("c4", at(10)),
			makeCheck("c3", at(20, { report: HUB })),
			makeCheck("c2", at(30, { state: "lost", reason: "No report came.", report: null })),
			makeCheck("c1", at(40, { report: { ...REPORT, causes: [DNS] } })),
		]),
		async (page) => {
			const check = panel(page, "Check");
			await check
				.getByRole("article")
				.getByText(/^New since (today|yesterday)/)
				.waitFor();
			const gone = await check.locator(".gone").innerText();
			assert.match(gone, /Gone since the check before/);
			assert.match(gone, /The DNS server 10\.0\.0\.2 knows no rttf\.citrix\.com\./);
		},
	));

test("a check that found the same says so", () =>
	withHub(chromium.browser, on([makeCheck("c2", at(10)), makeCheck("c1", at(40))]), async (page) => {
		await panel(page, "Check")
			.getByText(/The same as in the check before, /)
			.waitFor();
		assert.equal(await page.getByText("New since").count(), 0);
	}));

test("an earlier check opens from the history by keyboard, and the newest comes back", () =>
	withHub(
		chromium.browser,
		on([makeCheck("c2", at(10)), makeCheck("c1", at(40, { report: PASS, requested_by: "maria" }))]),
		async (page) => {
			const check = panel(page, "Check");
			const entries = panel(page, "History").getByRole("button");
			await check.getByText("Something is in the way").waitFor();
			assert.equal(await entries.nth(0).getAttribute("aria-current"), "true");
			await entries.nth(1).focus();
			await page.keyboard.press("Enter");
			await check.getByText("This is an earlier check.").waitFor();
			await check.getByText("Everything passes").waitFor();
			assert.equal(await entries.nth(1).getAttribute("aria-current"), "true");
			await until(() => focusedText(page), "Check");
			await check.getByRole("button", { name: "Show the newest" }).click();
			await check.getByText("Something is in the way").waitFor();
		},
	));

test("the history: who, when, what came of it, the main cause; older ones on demand", () =>
	withHub(
		chromium.browser,
		on([
			makeCheck("n1", at(5, { report: { ...REPORT, causes: [REPORT.causes[0], DNS] } })),
			makeCheck("n2", at(6, { report: HUB, repeats: 14, profile: { id: null, title: null } })),
			makeCheck(
				"n3",
				at(7, { state: "lost", requested_by: "maria", reason: "No report came.", report: null }),
			),
			...Array.from({ length: 20 }, (_, i) => makeCheck(`o${i}`, at(60 + i))),
		]),
		async (page) => {
			const entries = panel(page, "History").getByRole("listitem");
			await entries.first().waitFor();
			const words = (await entries.allInnerTexts()).map((text) => text.replace(/\s+/g, " "));
			assert.match(words[0], /\d\d:\d\d fails Citrix Smart Tools Agent, by the machine itself/);
			assert.match(words[0], /forbids rttf\.citrix\.com:443 \(HTTP 403\)\. · 1 more$/);
			assert.match(words[1], /passes The way to the hub, by the machine itself, 14 times/);
			assert.match(words[2], /lost .*, asked for by maria No report came\./);
			assert.equal(words.length, 10);
			await page.getByRole("button", { name: "Show older ones" }).click();
			await entries.nth(22).waitFor();
			assert.equal(await page.getByRole("button", { name: "Show older ones" }).count(), 0);
		},
	));

test("a check that gave no report says why, above the newest report there is", () =>
	withHub(
		chromium.browser,
		on([
			makeCheck(
				"c2",
				at(5, { state: "failed", reason: "lab.yaml:3: `endpoints` is no list", report: null }),
			),
			makeCheck("c1", at(40)),
		]),
		async (page) => {
			const check = panel(page, "Check");
			await check.getByText("The check gave no report").waitFor();
			await check.getByText("lab.yaml:3:").waitFor();
			await check.getByText("The newest report:").waitFor();
			await check.getByText("Something is in the way").waitFor();
		},
	));

test("a history or a report that does not come is asked for again", () =>
	withHub(
		chromium.browser,
		{
			...on([makeCheck("c1")]),
			arrange: (hub) => {
				hub.fill(3);
				hub.mute = true;
				hub.failures.set(`GET /v1/servers/${SERVER}/checks`, {
					status: 500,
					title: "Internal error",
				});
				hub.failures.set(`GET /v1/servers/${SERVER}/checks/c1`, { status: 500, title: "No report" });
			},
		},
		async (page, hub) => {
			const check = panel(page, "Check");
			await check.getByText("Internal error").waitFor();
			hub.failures.delete(`GET /v1/servers/${SERVER}/checks`);
			await check.getByRole("button", { name: "Try again" }).click();
			await check.getByText("No report", { exact: true }).waitFor();
			hub.failures.clear();
			await check.getByRole("button", { name: "Try again" }).click();
			await check.getByText("Allow CONNECT to rttf.citrix.com:443").waitFor();
		},
	));

test("the machine's own check that agrees again renews the report that is shown", () =>
	withHub(chromium.browser, on([makeCheck("c1", at(60))]), async (page, hub) => {
		const check = panel(page, "Check");
		await check.getByText("Allow CONNECT").waitFor();
		await listening(hub);
		const cause = { ...REPORT.causes[0], remedy: "Ask again." };
		hub.putCheck(SERVER, makeCheck("c1", at(0, { repeats: 2, report: { ...REPORT, causes: [cause] } })));
		await check.getByText("Ask again.").waitFor();
		await check.getByText("it came out like this 2 times in a row").waitFor();
	}));
