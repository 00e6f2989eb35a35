// Jobs as they are watched: the list, one job with thousands of runs, and what one run says.

import assert from "node:assert/strict";
import { test } from "node:test";
import { makeServer, OFFLINE } from "./fake-data.mjs";
import { address, focusedText, listening, settled, until, useBrowser, withHub } from "./lib.mjs";
import { withJobs } from "./pages.mjs";

const chromium = useBrowser();
const idOf = (i) => makeServer(i).id;
const names = (page) => page.locator(".cell-name a").allInnerTexts();
const rowOf = (page, name) =>
	page.getByRole("row").filter({ has: page.getByRole("link", { name, exact: true }) });
const ago = (minutes) => new Date(Date.now() - minutes * 60_000).toISOString();

// A job over the first `n` servers of a fleet of that many, and its page.
const onJob = (n, over = () => ({}), serverOver = () => ({})) => ({
	arrange: (hub) => {
		hub.fill(n, serverOver);
		hub.jobs.add([...hub.servers.keys()], {}, over);
	},
	path: "/#/jobs/job1",
});

test("no jobs yet: the page says what to do next", () =>
	withHub(chromium.browser, { path: "/#/jobs" }, async (page) => {
		await page.getByRole("heading", { name: "No jobs yet" }).waitFor();
		await page.getByRole("link", { name: "New job" }).click();
		await page.getByRole("heading", { name: "New job" }).waitFor();
	}));

test("what goes on stands first, of that what has problems; the rest is newest first", () =>
	withHub(chromium.browser, { arrange: withJobs, path: "/#/jobs" }, async (page) => {
		await page.getByText("Rotate the logs").waitFor();
		assert.deepEqual(await names(page), [
			"Renew the certificates",
			"Ask for the uptime",
			"Reboot into the new kernel",
			"Clean the caches",
			"Rotate the logs",
		]);
		const first = await rowOf(page, "Renew the certificates").innerText();
		assert.match(first, /4 failed, 1 not known, 5 without an answer, 20 of 40 done/);
		assert.match(await rowOf(page, "Clean the caches").innerText(), /With problems.*1 failed, 8 of 9/s);
		await until(() => page.title(), /^Jobs, 2 going on/);
	}));

test("the list is narrowed by state and by words, which stand in the address", () =>
	withHub(chromium.browser, { arrange: withJobs, path: "/#/jobs" }, async (page) => {
		await page.getByText("Rotate the logs").waitFor();
		await page.getByRole("button", { name: "Cancelled" }).click();
		await page.waitForFunction(() => document.querySelectorAll(".job-row").length === 1);
		assert.match(await address(page), /state=cancelled/);
		await page.getByRole("button", { name: "All" }).click();
		await page.keyboard.press("/");
		await page.keyboard.type("cert");
		await until(() => names(page), ["Renew the certificates"]);
		await page.getByLabel("Search jobs").fill("nothing like it");
		await page.getByRole("heading", { name: "No job matches" }).waitFor();
		await page.getByRole("button", { name: "Show all jobs" }).click();
		await page.getByText("Rotate the logs").waitFor();
	}));

test("a job that somebody else asks for appears, and one that ends moves down: pushed", () =>
	withHub(chromium.browser, { arrange: withJobs, path: "/#/jobs" }, async (page, hub) => {
		await page.getByText("Rotate the logs").waitFor();
		await listening(hub);
		const fresh = hub.jobs.add([idOf(2)], { title: "A new one", created_at: ago(0) });
		hub.emit("job", hub.jobs.row(fresh));
		await page.getByRole("link", { name: "A new one" }).waitFor();
		assert.deepEqual((await names(page)).slice(0, 3), [
			"Renew the certificates",
			"A new one",
			"Ask for the uptime",
		]);
		const uptime = hub.jobs.list.find(({ title }) => title === "Ask for the uptime");
		hub.jobs.turn(uptime, [...uptime.rows.keys()], { state: "done", exit_code: 0 });
		await rowOf(page, "Ask for the uptime").getByText("all 3 done").waitFor();
		assert.deepEqual((await names(page)).slice(1, 3), ["A new one", "Ask for the uptime"]);
	}));

test("a list that cannot be had says why, and can be had again", () =>
	withHub(chromium.browser, { arrange: withJobs, path: "/#/tokens" }, async (page, hub) => {
		await settled(hub, "GET /v1/servers?");
		hub.failures.set("GET /v1/jobs", { status: 503, title: "Unavailable", detail: "The disk is full." });
		await page.getByRole("link", { name: "Jobs", exact: true }).click();
		await page.getByText("The disk is full.").waitFor();
		hub.failures.clear();
		await page.getByRole("button", { name: "Try again" }).click();
		await page.getByText("Rotate the logs").waitFor();
	}));

test("a job: what failed stands first with its reason, what did not answer is named", () =>
	withHub(chromium.browser, { arrange: withJobs, path: "/#/jobs/job4" }, async (page) => {
		await page.getByText("25 of 40", { exact: true }).waitFor();
		const first = ["build-03", "build-23", "db-16", "mail-29", "cache-22"];
		await until(async () => (await names(page)).slice(0, 5), first);
		assert.match(await rowOf(page, "build-03").innerText(), /Failed.*Exit code 1\./s);
		assert.match(await rowOf(page, "cache-22").innerText(), /Not known.*lost its power/s);
		await page
			.getByText("5 servers have not answered: build-33, cache-17, db-01, mail-09, web-25.")
			.waitFor();
		await page.getByRole("button", { name: "No answer 5" }).click();
		await until(() => names(page), ["build-33", "cache-17", "db-01", "mail-09", "web-25"]);
		await page.getByRole("button", { name: "Running 5" }).click();
		await until(async () => (await names(page)).filter((name) => name !== "build-33").length, 5);
		await page.getByRole("button", { name: "All 40" }).click();
		await page.getByText("lost its power").waitFor();
	}));

test("rows turn, move and are counted as the hub tells it, and it is said aloud", () =>
	withHub(chromium.browser, onJob(6), async (page, hub) => {
		await rowOf(page, "db-01").getByText("Queued").waitFor();
		await listening(hub);
		const [job] = hub.jobs.list;
		hub.jobs.turn(job, [idOf(2)], { state: "running", started_at: ago(0) });
		await rowOf(page, "cache-02").getByText("Running").waitFor();
		hub.jobs.turn(job, [idOf(4)], { state: "failed", exit_code: 7 });
		await rowOf(page, "mail-04").getByText("Exit code 7.").waitFor();
		assert.equal((await names(page))[0], "mail-04");
		await page.getByText("1 failed, 0 of 6 done").waitFor();
		hub.jobs.turn(job, [1, 2, 3, 5, 6].map(idOf), { state: "done", exit_code: 0 });
		await page
			.getByRole("status")
			.filter({ hasText: "6 of 6 runs finished: 1 failed, 5 of 6 done." })
			.waitFor();
		await page.getByRole("button", { name: "Cancel job" }).waitFor({ state: "detached" });
	}));

test("a server that goes offline while it runs is one without an answer", () =>
	withHub(
		chromium.browser,
		onJob(3, () => ({ state: "running", started_at: ago(1) })),
		async (page, hub) => {
			await rowOf(page, "db-01").getByText("Running").waitFor();
			await listening(hub);
			hub.put(makeServer(1, OFFLINE));
			await rowOf(page, "db-01").getByText("No answer").waitFor();
			await rowOf(page, "db-01").getByText("went offline before it told").waitFor();
		},
	));

test("a job is cancelled after a question, whole or on one server", () =>
	withHub(
		chromium.browser,
		onJob(4, () => ({ state: "running" })),
		async (page, hub) => {
			await rowOf(page, "db-01").getByRole("link").click();
			await page.getByRole("button", { name: "Cancel here" }).click();
			await page.getByRole("dialog").getByRole("button", { name: "Let it run" }).click();
			await page.getByRole("button", { name: "Cancel here" }).click();
			await page.getByRole("dialog").getByRole("button", { name: "Cancel it here" }).click();
			await page.getByText("Cancelled").waitFor();
			await page.getByRole("link", { name: "Renew the certificates" }).click();
			await page.getByRole("button", { name: "Cancelled 1" }).waitFor();
			await page.getByRole("button", { name: "Cancel job" }).click();
			const dialog = page.getByRole("dialog", { name: "Cancel “Renew the certificates”?" });
			await dialog.getByText("3 scripts").waitFor();
			await until(() => focusedText(page), "Let it run");
			await dialog.getByRole("button", { name: "Cancel the job" }).click();
			await page.getByRole("button", { name: "Cancelled 4" }).waitFor();
			assert.equal(hub.jobs.list[0].state, "cancelled");
		},
	));

test("it is repeated for those that failed, and for those without an answer", () =>
	withHub(chromium.browser, { arrange: withJobs, path: "/#/jobs/job4" }, async (page, hub) => {
		await page.getByRole("button", { name: "Repeat where it did not work (5)" }).click();
		await page.getByText("0 of 5").first().waitFor();
		assert.match(await address(page), /#\/jobs\/job6$/);
		assert.equal(hub.jobs.list[0].rows.size, 5);
		await page.goBack();
		await page.getByRole("button", { name: "Repeat where there is no answer (5)" }).click();
		await page.waitForFunction(() => location.hash === "#/jobs/job7");
		assert.ok([...hub.jobs.list[0].rows.values()].every((run) => !run.online));
	}));

test("ten thousand runs: few elements, all reached, and all may turn at once", () =>
	withHub(chromium.browser, onJob(10_000), async (page, hub) => {
		await rowOf(page, "build-03").waitFor();
		await listening(hub);
		const elements = () => page.evaluate(() => document.querySelectorAll("*").length);
		assert.ok((await elements()) < 1500, `${await elements()} elements`);
		await page.locator(".rows a[tabindex='0']").focus();
		await page.keyboard.press("End");
		await page.waitForFunction(() => document.activeElement.textContent === "web-9995");
		assert.ok((await elements()) < 1500, `${await elements()} elements at the end`);
		const [job] = hub.jobs.list;
		hub.jobs.turn(job, [...job.rows.keys()], { state: "done", exit_code: 0 });
		await page.getByText("10,000 of 10,000", { exact: true }).waitFor();
		await page.waitForFunction(
			() =>
				document.querySelectorAll(".run-row").length > 0 &&
				document.querySelectorAll(".run-queued").length === 0,
		);
		// It still answers to a person.
		await page.keyboard.press("Home");
		await page.waitForFunction(() => document.activeElement.textContent === "build-03");
	}));

test("what a run says is followed as it grows; the reader who scrolls up is left alone", () =>
	withHub(
		chromium.browser,
		{
			...onJob(2, () => ({ state: "running", started_at: ago(1), output: "line\n".repeat(200) })),
			path: `/#/jobs/job1/${idOf(1)}`,
		},
		async (page, hub) => {
			const box = page.getByRole("region", { name: "Text of the output" });
			await box.getByText("line").waitFor();
			await listening(hub);
			const fromEnd = () =>
				box.evaluate((each) => each.scrollHeight - each.scrollTop - each.clientHeight);
			assert.ok((await fromEnd()) < 2);
			const [job] = hub.jobs.list;
			const grow = (text) => {
				const run = job.rows.get(idOf(1));
				hub.jobs.turn(job, [idOf(1)], { output: run.output + text });
			};
			grow(`${"more\n".repeat(50)}the end so far\n`);
			await box.getByText("the end so far").waitFor();
			assert.ok((await fromEnd()) < 2, "it was not followed");
			const asked = hub.requests.filter((each) => each.includes("/output?offset="));
			assert.match(asked.at(-1), /offset=1000$/, "only what was missing is fetched");

			await box.evaluate((each) => each.scrollTo(0, 0));
			await until(() => page.getByLabel("Follow the end").isChecked(), false);
			grow("and more\n");
			await box.getByText("and more").waitFor();
			assert.equal(await box.evaluate((each) => each.scrollTop), 0);
			await page.getByLabel("Follow the end").check();
			assert.ok((await fromEnd()) < 2);
			hub.jobs.turn(job, [idOf(1)], { state: "failed", exit_code: 3, finished_at: ago(0) });
			await page.getByText("Exit code 3.").waitFor();
			await page.getByLabel("Follow the end").waitFor({ state: "detached" });
		},
	));

test("of a long output the end is shown, and all of it can be downloaded", () => {
	const output = Array.from({ length: 120_000 }, (_, i) => `line ${i}`).join("\n");
	return withHub(
		chromium.browser,
		{
			...onJob(1, () => ({ state: "done", exit_code: 0, output, dropped_bytes: 5000 })),
			path: `/#/jobs/job1/${idOf(1)}`,
		},
		async (page) => {
			const box = page.getByRole("region", { name: "Text of the output" });
			await box.getByText("line 119999").waitFor();
			assert.ok((await box.innerText()).length < 300_000);
			await page.getByText(/The first 1\.\d MiB are not shown here/).waitFor();
			await page.getByText("4.9 KiB over the bound are lost").waitFor();
			const coming = page.waitForEvent("download");
			await page.getByRole("link", { name: "Download all" }).click();
			const download = await coming;
			assert.equal(download.suggestedFilename(), "db-01.txt");
		},
	);
});

const EVIL = "<img src=x onerror=alert(1)><script>alert(2)</script>";
test("what a script says and a machine reports stays text", () =>
	withHub(
		chromium.browser,
		{
			...onJob(1, () => ({ state: "failed", reason: EVIL, output: EVIL, server_name: EVIL })),
			path: `/#/jobs/job1/${idOf(1)}`,
		},
		async (page) => {
			await page.getByRole("region", { name: "Text of the output" }).getByText(EVIL).waitFor();
			assert.equal(await page.getByRole("heading", { level: 1 }).innerText(), EVIL);
			assert.equal(await page.locator("img, body script").count(), 0);
		},
	));

test("a job and a run that are not there say so", () =>
	withHub(chromium.browser, { ...onJob(1), path: "/#/jobs/none" }, async (page) => {
		await page.getByRole("heading", { name: "There is no such job" }).waitFor();
		await page.evaluate(() => {
			location.hash = "#/jobs/job1/nobody";
		});
		await page.getByRole("heading", { name: "There is no such run" }).waitFor();
		await page.getByRole("link", { name: "Go to the job" }).click();
		await rowOf(page, "db-01").waitFor();
	}));
