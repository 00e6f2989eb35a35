// Every page of the console, in the states that are worth a look: for the tests of how they look and
// whether everybody can use them, and for the pictures in docs/images.
//
// {name, path, arrange(hub), see: a text that is there when the page is, act(page, hub), picture: the
// name of its picture, whole: not only the part that a screen shows}

import { ALL, OPERATOR } from "./fake-access.mjs";
import { makeCheck, makeServer, OFFLINE } from "./fake-data.mjs";
import { READY } from "./fake-support.mjs";
import { field } from "./lib.mjs";
import { PLACES } from "./pages-installs.mjs";

const at = (minutes) => new Date(Date.now() - minutes * 60_000).toISOString();
const idOf = (i) => makeServer(i).id;
const ONLINE = idOf(3); // a server of the fleet

export function fleet(hub) {
	hub.fill(40, (i) => (i % 8 === 1 ? OFFLINE : {}));
	const token = { created_at: at(40), created_by: "admin", expires_at: at(-120), uses: 2, used: 1 };
	hub.tokens = ["valid", "expired", "used-up", "revoked"].map((state) => ({
		...token,
		id: state,
		label: `a token that is ${state}`,
		state,
	}));
}

const OUTPUT = Array.from({ length: 60 }, (_, i) => `/etc/ssl/web/site-${i + 1}.pem renewed`).join("\n");

const outcomes = (i, row) => {
	const begun = { delivered_at: at(2), started_at: at(2) };
	const over = { ...begun, finished_at: at(1), exit_code: 0, state: "done", output: `${OUTPUT}\n` };
	if (row.status === "offline") return {};
	if (i % 13 === 2)
		return { ...over, state: "failed", exit_code: 1, reason: null, output: "renew: no such account\n" };
	if (i === 21)
		return {
			...over,
			state: "undetermined",
			exit_code: null,
			reason: "The machine lost its power while it ran.",
		};
	if (i === 22) return { ...over, state: "failed", exit_code: null, reason: "It took longer than 1 hour." };
	if (i % 7 === 5) return { ...begun, state: "running", output: "/etc/ssl/web/site-1.pem renewed\n" };
	if (i % 7 === 6) return { state: "delivered", delivered_at: at(1) };
	return over;
};

// Jobs in every state over the fleet: `job1` went well, `job4` goes on and has problems.
export function withJobs(hub) {
	fleet(hub);
	const all = [...hub.servers.keys()];
	const done = () => ({ state: "done", exit_code: 0, started_at: at(1501), finished_at: at(1500) });
	const over = { state: "done", created_at: at(1502), finished_at: at(1500) };
	hub.jobs.add(all.slice(0, 12), { ...over, title: "Rotate the logs", created_by: "nina" }, done);
	hub.jobs.add(
		all.slice(0, 9),
		{ ...over, title: "Clean the caches", created_at: at(300), finished_at: at(290) },
		(i) => ({ ...done(), ...(i === 4 ? { state: "failed", exit_code: 2 } : {}) }),
	);
	hub.jobs.add(
		all.slice(0, 20),
		{
			title: "Reboot into the new kernel",
			state: "cancelled",
			created_at: at(200),
			finished_at: at(190),
		},
		(i) => (i < 6 ? done() : { state: "cancelled" }),
	);
	hub.jobs.add(
		all,
		{
			created_at: at(3),
			args: ["--older-than", "30d"],
			env: { CERTS: "/etc/ssl/web", ACME_KEY: { secret: "x" } },
			user: "web",
		},
		outcomes,
	);
	hub.jobs.add(all.slice(4, 7), { title: "Ask for the uptime", created_by: "nina", created_at: at(0.3) });
}

function withActivity(hub) {
	withJobs(hub);
	hub.support.upcoming = [
		{
			kind: "run",
			id: "r1",
			job: "job4",
			title: "Renew the certificates",
			state: "running",
			by: "admin",
			at: at(2),
			finished_at: null,
		},
		{
			kind: "bundle",
			id: "b1",
			job: null,
			title: null,
			state: "asked",
			by: "nina",
			at: at(1),
			finished_at: null,
		},
	];
	hub.support.past = [
		{
			kind: "check",
			id: "c1",
			job: null,
			title: null,
			state: "done",
			by: null,
			at: at(60),
			finished_at: at(60),
		},
		{
			kind: "run",
			id: "r2",
			job: "job2",
			title: "Clean the caches",
			state: "failed",
			by: "admin",
			at: at(300),
			finished_at: at(290),
		},
		{
			kind: "run",
			id: "r3",
			job: "job3",
			title: "Reboot into the new kernel",
			state: "cancelled",
			by: "admin",
			at: at(200),
			finished_at: at(190),
		},
		{
			kind: "run",
			id: "r4",
			job: "job1",
			title: "Rotate the logs",
			state: "done",
			by: "nina",
			at: at(1502),
			finished_at: at(1500),
		},
	];
}

const LOG = Array.from({ length: 70 }, (_, i) => {
	const when = `2026-11-22T08:${String(Math.floor(i / 6)).padStart(2, "0")}:${String((i * 10) % 60).padStart(2, "0")}Z`;
	const what = [
		"info  session: heartbeat answered in 3 ms",
		"info  job: run 4f0c… begins, bash as web",
		"info  job: run 4f0c… exited with 0, 1.2 KiB of output",
		"warn  proxy: http://10.0.0.9:3128 answered after 2.1 s",
	];
	return `${when} ${what[i % 9 === 7 ? 3 : i % 3]}`;
});

function withBundles(hub) {
	fleet(hub);
	hub.support.addBundle(ONLINE, {
		state: "failed",
		requested_at: at(3000),
		reason: "The machine has no room for it: /var/lib/sallyport is full.",
	});
	hub.support.addBundle(ONLINE, { ...READY, requested_by: "", requested_at: at(1400) });
	hub.support.addBundle(ONLINE, {
		state: "uploading",
		size: 202_752,
		received: 131_072,
		requested_at: at(0.2),
	});
}

function withAccess(hub) {
	fleet(hub);
	hub.access.users.push({ name: "otto", role: "architect", created_at: at(90), last_login_at: null });
	const key = {
		created_by: "admin",
		created_at: at(50_000),
		last_used_at: at(30),
		expires_at: at(-80_000),
	};
	hub.access.keys = [
		{ ...key, id: "a", name: "nightly report", permissions: ["read"], location: null, state: "valid" },
		{
			...key,
			id: "b",
			name: "deploy in Bern",
			permissions: ["read", "operate"],
			location: "Bern",
			state: "valid",
		},
		{ ...key, id: "c", name: "old", permissions: ALL, location: null, state: "revoked" },
		{
			...key,
			id: "d",
			name: "trial",
			permissions: ["read"],
			location: null,
			state: "expired",
			expires_at: at(500),
		},
	];
	hub.access.fill(300);
}

const signedOut = (hub) => {
	hub.signedIn = false;
};

export const PAGES = [
	{ name: "sign in", path: "/", arrange: signedOut, see: "Forgot the password?", picture: "sign-in" },
	{
		name: "set-up",
		path: "/#/setup/x",
		arrange: (hub) => {
			hub.signedIn = false;
			hub.needsSetup = true;
		},
		see: "This link works once.",
	},
	{ name: "no servers", path: "/", arrange: () => {}, see: "No servers yet" },
	{ name: "servers", path: "/", arrange: fleet, see: "rejects the credentials", picture: "servers" },
	{
		name: "servers that are picked",
		path: "/#/?location=Bern",
		arrange: fleet,
		see: "servers match",
		act: async (page) => {
			for (const name of ["web-10", "mail-04"]) await page.getByLabel(`Pick ${name}`).check();
			await page.getByText("2 servers picked").waitFor();
		},
	},
	{
		name: "a failed list",
		path: "/",
		arrange: (hub) => {
			hub.failures.set("GET /v1/servers", { status: 503, title: "Unavailable" });
		},
		see: "Try again",
	},
	{
		name: "a lost hub",
		path: "/",
		arrange: (hub) => {
			fleet(hub);
			hub.failures.set("GET /v1/events", { status: 503, title: "Unavailable" });
		},
		see: "The connection to the hub is lost.",
	},
	{
		name: "an offline server",
		path: `/#/servers/${idOf(1)}`,
		arrange: fleet,
		see: "The proxy http://10.0.0.9:3128 forbids",
		act: async (page) => {
			await page.getByRole("button", { name: /secure/ }).click();
		},
		picture: "server",
		whole: true,
	},
	{
		name: "a server that is being checked",
		path: `/#/servers/${ONLINE}`,
		arrange: (hub) => {
			fleet(hub);
			const running = { state: "running", requested_by: "admin", finished_at: null, report: null };
			hub.checks = [
				makeCheck("now", running),
				makeCheck("lost", { state: "lost", reason: "No report came.", report: null }),
				...hub.checks,
			];
		},
		see: "Checking",
		act: async (page) => {
			await page.getByText("Evidence").first().click();
			await page.getByText("requirements pass").click();
		},
	},
	{
		name: "a server's activity",
		path: `/#/servers/${ONLINE}/activity`,
		arrange: withActivity,
		see: "Clean the caches",
		picture: "activity",
	},
	{
		name: "a server's log",
		path: `/#/servers/${ONLINE}/log`,
		arrange: (hub) => {
			fleet(hub);
			hub.support.first = LOG;
		},
		see: "exited with 0",
		picture: "log",
	},
	{
		name: "the log of an offline server",
		path: `/#/servers/${idOf(1)}/log`,
		arrange: fleet,
		see: "It is offline",
	},
	{
		name: "a server's bundles",
		path: `/#/servers/${ONLINE}/bundles`,
		arrange: withBundles,
		see: "Ready",
		act: async (page) => {
			await page.getByText("What it holds").click();
			await page.getByText("connector.log").waitFor();
		},
		picture: "bundles",
	},
	...PLACES,
	{ name: "add server", path: "/#/add", arrange: fleet, see: "A join token lets" },
	{
		name: "the commands",
		path: "/#/add",
		arrange: fleet,
		see: "Make token",
		act: async (page) => {
			await page.getByRole("button", { name: "Make token" }).click();
			await page.getByText("Waiting for the server").waitFor();
		},
		picture: "add-server",
	},
	{ name: "no jobs", path: "/#/jobs", arrange: fleet, see: "No jobs yet" },
	{ name: "jobs", path: "/#/jobs", arrange: withJobs, see: "Rotate the logs", picture: "jobs" },
	{
		name: "a job that is written",
		path: "/#/jobs/new",
		arrange: fleet,
		see: "Run on 40 servers",
		act: async (page) => {
			await field(page, "Title").fill("Renew the certificates");
			await field(page, "Script").fill(
				'set -eu\n# Renews what is older than a month.\nrenew --all "$CERTS"\nsystemctl reload nginx\n',
			);
			await page.getByRole("button", { name: "Add variable" }).click();
			await page.getByLabel("Name of the variable").fill("CERTS");
			await page.getByLabel("Value of CERTS").fill("/etc/ssl/web");
			await page.getByLabel("Servers whose row has").fill("web");
			await page.getByRole("button", { name: "Run on 8 servers" }).waitFor();
		},
		picture: "new-job",
		whole: true,
	},
	{
		name: "a job with everything wrong",
		path: "/#/jobs/new",
		arrange: fleet,
		see: "Run on 40 servers",
		act: async (page) => {
			await page.getByRole("button", { name: "Add variable" }).click();
			await page.getByLabel("Secret").check();
			await page.getByLabel("Folder").fill("srv");
			await page.getByText("Picked one by one").click();
			await page.getByRole("checkbox", { name: /cache-02/ }).check();
			await page.getByRole("button", { name: "Run on 1 server" }).click();
			await page.getByRole("alert").filter({ hasText: "Write what is to run." }).waitFor();
		},
	},
	{
		name: "before a job goes to many",
		path: "/#/jobs/new",
		arrange: fleet,
		see: "Run on 40 servers",
		act: async (page) => {
			await field(page, "Script").fill("uptime");
			await page.getByRole("button", { name: "Run on 40 servers" }).click();
			await page.getByRole("dialog", { name: "Run it on 40 servers?" }).waitFor();
		},
	},
	{ name: "a job", path: "/#/jobs/job4", arrange: withJobs, see: "not answered: build-33", picture: "job" },
	{
		name: "a job's servers without an answer",
		path: "/#/jobs/job4",
		arrange: withJobs,
		see: "lost its power",
		act: async (page) => {
			await page.getByRole("button", { name: "Show which" }).click();
			await page.getByText("It gets the job when it is back.").first().waitFor();
			await page.getByText("What runs").click();
			await page.getByText("ACME_KEY").waitFor();
		},
	},
	{ name: "a run that goes on", path: `/#/jobs/job4/${idOf(6)}`, arrange: withJobs, see: "Follow the end" },
	{
		name: "a run that is over",
		path: `/#/jobs/job4/${idOf(2)}`,
		arrange: withJobs,
		see: "site-1.pem",
		picture: "run",
	},
	{ name: "tokens", path: "/#/tokens", arrange: fleet, see: "a token that is valid", picture: "tokens" },
	{ name: "audit trail", path: "/#/audit", arrange: withAccess, see: "thing-300", picture: "audit" },
	{ name: "no trail", path: "/#/audit?actor=nobody", arrange: withAccess, see: "Nothing matches" },
	{ name: "users", path: "/#/users", arrange: withAccess, see: "otto", picture: "users" },
	{
		name: "a user that is added",
		path: "/#/users",
		arrange: withAccess,
		see: "otto",
		act: async (page) => {
			await page.getByRole("button", { name: "Add user" }).click();
			await page.getByLabel("Name").fill("nina");
			await page.getByText("There is a user of that name.").waitFor();
		},
	},
	{ name: "API keys", path: "/#/keys", arrange: withAccess, see: "nightly report", picture: "keys" },
	{ name: "no API keys", path: "/#/keys", arrange: fleet, see: "No API keys" },
	{
		name: "an API key that is made",
		path: "/#/keys",
		arrange: withAccess,
		see: "nightly report",
		act: async (page) => {
			await page.getByRole("button", { name: "Make key" }).click();
			await page.getByLabel("Name").fill("backup");
			await page.getByRole("dialog").getByLabel("Servers", { exact: true }).selectOption("Bern");
		},
	},
	{
		name: "an API key, shown once",
		path: "/#/keys",
		arrange: withAccess,
		see: "nightly report",
		act: async (page) => {
			await page.getByRole("button", { name: "Make key" }).click();
			await page.getByLabel("Name").fill("backup");
			await page.keyboard.press("Enter");
			await page.getByRole("dialog", { name: "The key “backup”" }).waitFor();
		},
	},
	{ name: "account", path: "/#/account", arrange: fleet, see: "Change your password", picture: "account" },
	{
		name: "the pages of an operator",
		path: "/#/",
		arrange: (hub) => {
			fleet(hub);
			Object.assign(hub.access, { name: "nina", role: "operator", permissions: OPERATOR });
		},
		see: "rejects the credentials",
	},
	{ name: "nowhere", path: "/#/no/such/page", arrange: fleet, see: "There is no such page" },
];
