// The fake hub's jobs: made from what the console posts, moved on by the tests.

import { ago } from "./fake-data.mjs";

const STATES = [
	"queued",
	"delivered",
	"running",
	"rebooting",
	"done",
	"failed",
	"cancelled",
	"expired",
	"undetermined",
];
const FINAL = ["done", "failed", "cancelled", "expired", "undetermined"];
const RANK = { failed: 0, undetermined: 1, expired: 2, cancelled: 3, done: 5 };
const rank = (run) => RANK[run.state] ?? 4;
const isSilent = (run) => !FINAL.includes(run.state) && !run.online;
const fold = (text) => text.toLowerCase();
const order = (a, b) => rank(a) - rank(b) || (fold(a.server_name) < fold(b.server_name) ? -1 : 1);

export const SCRIPT = `#!/bin/bash
set -eu
# Renews what is older than a month.
find "$CERTS" -name '*.pem' -mtime +30 -print -exec renew {} +
systemctl reload nginx
`;

export class JobStore {
	list = []; // the newest first
	asked = []; // the bodies of what was posted
	keys = []; // the Idempotency-Key of each
	#hub;

	constructor(hub) {
		this.#hub = hub;
	}

	// A job over those servers, by their ids; `over` says what is another, `runOver(i)` of each run.
	add(servers, over = {}, runOver = () => ({})) {
		const id = `job${this.list.length + 1}`;
		const job = {
			id,
			title: "Renew the certificates",
			interpreter: "bash",
			script: SCRIPT,
			args: [],
			env: {},
			user: null,
			cwd: null,
			timeout_s: 3600,
			output_limit: 1_048_576,
			rerun: "never",
			reboot: "never",
			created_by: "admin",
			created_at: ago(90_000),
			expires_at: ago(-86_000_000),
			finished_at: null,
			state: "active",
			...over,
		};
		job.rows = new Map(
			servers.map((server, i) => {
				const row = this.#hub.servers.get(server);
				return [server, this.#makeRun(job, i, row, runOver(i, row))];
			}),
		);
		this.list.unshift(job);
		return job;
	}

	#makeRun(job, i, row, over) {
		const output = over.output ?? "";
		return {
			id: `${job.id}-run${i}`,
			job: job.id,
			server: row.id,
			server_name: row.name,
			state: "queued",
			attempt: 1,
			exit_code: null,
			signal: null,
			reason: null,
			output_bytes: Buffer.byteLength(output),
			dropped_bytes: 0,
			queued_at: job.created_at,
			delivered_at: null,
			started_at: null,
			finished_at: null,
			online: row.status === "online",
			output,
			...over,
		};
	}

	row(job) {
		const runs = { total: job.rows.size, ...Object.fromEntries(STATES.map((state) => [state, 0])) };
		let silent = 0;
		for (const run of job.rows.values()) {
			runs[run.state]++;
			if (isSilent(run)) silent++;
		}
		const { script: _, args: __, env: ___, rows: ____, ...row } = job;
		return { ...row, runs, silent };
	}

	whole(job) {
		const env = Object.fromEntries(
			Object.entries(job.env).map(([name, value]) => [name, typeof value === "object" ? null : value]),
		);
		return { ...this.row(job), script: job.script, args: job.args, env };
	}

	// Runs turned; the console is told, in pieces as the hub does it.
	turn(job, servers, over) {
		const changed = servers.map((server) => {
			const run = { ...job.rows.get(server), ...over };
			if ("output" in over) run.output_bytes = Buffer.byteLength(over.output);
			job.rows.set(server, run);
			return run;
		});
		if ([...job.rows.values()].every((run) => FINAL.includes(run.state)) && job.state === "active")
			Object.assign(job, { state: "done", finished_at: ago(0) });
		for (let i = 0; i < changed.length; i += 200)
			this.#hub.emit("runs", { job: job.id, runs: changed.slice(i, i + 200).map(shown) });
		this.#hub.emit("job", this.row(job));
	}
}

const shown = ({ output: _, ...run }) => run;

export function page(rows, search, name) {
	const from = Number(search.get("cursor") ?? 0);
	const to = from + Number(search.get("limit") ?? 100);
	return { [name]: rows.slice(from, to), next_cursor: to < rows.length ? String(to) : null };
}

function withJob(use) {
	return ({ jobs }, answer, id, server) => {
		const job = jobs.list.find((each) => each.id === id);
		if (!job) return answer.problem(404, "There is no such job");
		if (server === undefined) return use(jobs, answer, job);
		const run = job.rows.get(server);
		return run ? use(jobs, answer, job, run) : answer.problem(404, "There is no such run");
	};
}

export const jobRoutes = {
	"GET /v1/jobs": ({ jobs }, { search, send }) => {
		const { state, q = "" } = Object.fromEntries(search);
		const rows = jobs.list.filter(
			(job) => (!state || job.state === state) && fold(job.title).includes(fold(q)),
		);
		const answer = page(rows, search, "jobs");
		send(200, { ...answer, jobs: answer.jobs.map((job) => jobs.row(job)) });
	},
	"POST /v1/jobs": (hub, { body, request, send }) => {
		const { jobs } = hub;
		jobs.asked.push(body);
		jobs.keys.push(request.headers["idempotency-key"]);
		const filter = new URLSearchParams({ ...body.filter, limit: "100000" });
		const servers = body.servers ?? hub.page(filter).servers.map(({ id }) => id);
		const { servers: _, filter: __, expires_in_s: seconds, ...fields } = body;
		const job = jobs.add(servers, {
			title: "",
			...fields,
			created_at: ago(0),
			expires_at: ago(-seconds * 1000),
		});
		hub.emit("job", jobs.row(job));
		send(201, jobs.row(job));
	},
	"GET /v1/jobs/:id": withJob((jobs, { send }, job) => send(200, jobs.whole(job))),
	"POST /v1/jobs/:id/cancel": withJob((jobs, { body, send }, job) => {
		const live = [...job.rows.values()].filter((run) => !FINAL.includes(run.state));
		const wanted = live.filter((run) => !body.servers || body.servers.includes(run.server));
		jobs.turn(
			job,
			wanted.map(({ server }) => server),
			{ state: "cancelled", finished_at: ago(0) },
		);
		if (!body.servers) job.state = "cancelled";
		send(202, jobs.row(job));
	}),
	"POST /v1/jobs/:id/repeat": withJob((jobs, { body, send }, job) => {
		const wanted = [...job.rows.values()].filter((run) =>
			body.only === "silent" ? isSilent(run) : body.only === "all" || rank(run) < 4,
		);
		const { rows: _, id: __, state: ___, finished_at: ____, ...fields } = job;
		const again = jobs.add(
			wanted.map(({ server }) => server),
			{ ...fields, created_at: ago(0) },
		);
		send(201, jobs.row(again));
	}),
	"GET /v1/jobs/:id/runs": withJob((_, { search, send }, job) => {
		const state = search.get("state");
		const rows = [...job.rows.values()]
			.filter((run) => !state || (state === "silent" ? isSilent(run) : run.state === state))
			.sort(order)
			.map(shown);
		send(200, page(rows, search, "runs"));
	}),
	"GET /v1/jobs/:id/runs/:id": withJob((_, { send }, job, run) => send(200, shown(run))),
	"GET /v1/jobs/:id/runs/:id/output": withJob((_, { search, send }, job, run) => {
		const all = Buffer.from(run.output);
		const offset = Number(search.get("offset") ?? 0);
		const next = Math.min(all.length, offset + 262_144);
		send(200, {
			offset,
			next,
			size: all.length,
			complete: FINAL.includes(run.state),
			dropped: run.dropped_bytes,
			text: all.subarray(offset, next).toString("utf8"),
		});
	}),
	"GET /v1/jobs/:id/runs/:id/output/raw": withJob((_, { response }, job, run) => {
		response.writeHead(200, {
			"Content-Type": "text/plain; charset=utf-8",
			"Content-Disposition": "attachment",
		});
		response.end(run.output);
	}),
};
