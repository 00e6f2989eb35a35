// Jobs and their runs, kept live: the list of jobs, one job, and the runs of one.

import { useEffect, useState } from "preact/hooks";
import { api, asProblem, type Paging, type Problem } from "./api";
import { useFetched } from "./fetched";
import type { Live } from "./live";
import { LiveList, type Page } from "./live-list";
import { fold } from "./order";
import type { Job, JobRow, Run, RunState } from "./types";

export const FINAL: readonly RunState[] = ["done", "failed", "cancelled", "expired", "undetermined"];
export const PROBLEMS: readonly RunState[] = ["failed", "undetermined", "expired"];

export const isFinal = (run: Run) => FINAL.includes(run.state);
// It was sent, or waits to be, and its server is not there to answer.
export const isSilent = (run: Run) => !isFinal(run) && !run.online;

export const problemsOf = (job: JobRow) => PROBLEMS.reduce((sum, state) => sum + (job.runs[state] ?? 0), 0);
export const finishedOf = (job: JobRow) => FINAL.reduce((sum, state) => sum + (job.runs[state] ?? 0), 0);

function byText(a: string, b: string): number {
	return a < b ? -1 : a > b ? 1 : 0;
}

/* --- the list ------------------------------------------------------------------------------- */

export interface JobQuery {
	q: string;
	state: string;
}

const REST = "rest:"; // of the cursor, once those that go on are all there
const MAX_ACTIVE = 1000;

const jobRank = (job: JobRow) => (job.state !== "active" ? 2 : problemsOf(job) + job.silent > 0 ? 0 : 1);
const jobOrder = (a: JobRow, b: JobRow) =>
	jobRank(a) - jobRank(b) || byText(b.created_at, a.created_at) || byText(b.id, a.id);

// What goes on stands first, of that what has problems; below it what is over, the newest first.
export class JobList extends LiveList<JobRow, JobQuery> {
	constructor(live: Live) {
		super({ q: "", state: "" });
		this.stops = [
			live.on("job", (job) => this.change(job.id, job)),
			live.on("live", () => this.phase !== "loading" && void this.load()),
		];
	}

	override idOf(job: JobRow): string {
		return job.id;
	}

	protected override async fetch(query: JobQuery, paging: Paging): Promise<Page<JobRow>> {
		const { q, state } = query;
		if (!paging.cursor && (state === "" || state === "active")) {
			const rows = await this.#fetchActive(q, paging);
			return { rows, next_cursor: state === "" ? REST : null };
		}
		const cursor = paging.cursor?.slice(REST.length) || null;
		const page = await api.jobs({ q, state }, { ...paging, cursor });
		return {
			rows: state === "" ? page.jobs.filter((job) => job.state !== "active") : page.jobs,
			next_cursor: page.next_cursor && REST + page.next_cursor,
		};
	}

	async #fetchActive(q: string, paging: Paging): Promise<JobRow[]> {
		const rows: JobRow[] = [];
		let cursor: string | null = null;
		do {
			const page: { jobs: JobRow[]; next_cursor: string | null } = await api.jobs(
				{ q, state: "active" },
				{ ...paging, cursor },
			);
			rows.push(...page.jobs);
			cursor = page.next_cursor;
		} while (cursor && rows.length < MAX_ACTIVE);
		return rows.sort(jobOrder);
	}

	protected override order() {
		return jobOrder;
	}

	protected override wants(job: JobRow, { q, state }: JobQuery): boolean {
		return (state === "" || job.state === state) && fold(job.title).includes(fold(q));
	}

	protected override turned(old: JobRow | undefined, job: JobRow): boolean {
		return old?.state !== job.state;
	}
}

/* --- one job -------------------------------------------------------------------------------- */

export function useJob(id: string, live: Live) {
	const { value, ...rest } = useFetched<Job>(
		id,
		live,
		(signal) => api.job(id, signal),
		({ put }) => [live.on("job", (row) => row.id === id && put((old) => old && { ...old, ...row }))],
	);
	return { job: value, ...rest };
}

/* --- its runs ------------------------------------------------------------------------------- */

export const SILENT = "silent"; // as a filter: no state, but those that have not answered

const RUN_RANK: Record<RunState, number> = {
	failed: 0,
	undetermined: 1,
	expired: 2,
	cancelled: 3,
	queued: 4,
	delivered: 4,
	running: 4,
	rebooting: 4,
	done: 5,
};
const runOrder = (a: Run, b: Run) =>
	RUN_RANK[a.state] - RUN_RANK[b.state] ||
	byText(fold(a.server_name), fold(b.server_name)) ||
	byText(a.server, b.server);

// In the hub's order: problems first, then those that go on, then those that are done.
export class RunList extends LiveList<Run, { state: string }> {
	constructor(
		live: Live,
		readonly job: string,
	) {
		super({ state: "" });
		this.stops = [
			live.on("runs", ({ job: of, runs }) => {
				if (of === job) for (const run of runs) this.change(run.server, run);
			}),
			// Those that wait for a server that comes or goes.
			live.on("server", ({ id, status }) => {
				const run = this.get(id);
				const online = status === "online";
				if (run && run.online !== online) this.change(id, { ...run, online });
			}),
			live.on("live", () => this.phase !== "loading" && void this.load()),
		];
	}

	override idOf(run: Run): string {
		return run.server;
	}

	protected override async fetch(query: { state: string }, paging: Paging): Promise<Page<Run>> {
		const page = await api.runs(this.job, query, paging);
		return { rows: page.runs, next_cursor: page.next_cursor };
	}

	protected override order() {
		return runOrder;
	}

	protected override wants(run: Run, { state }: { state: string }): boolean {
		return state === "" || (state === SILENT ? isSilent(run) : run.state === state);
	}

	protected override turned(old: Run | undefined, run: Run): boolean {
		return old !== undefined && old.state !== run.state;
	}
}

export function useRunList(live: Live, job: string): RunList {
	const [list] = useState(() => new RunList(live, job));
	useEffect(() => {
		void list.load();
		return () => list.close();
	}, []);
	return list;
}

const NAMES = 5;
const SETTLE_MS = 500; // while many turn at once

// The names of some that have not answered; asked for again when there are more or fewer of them.
export function useSilentNames(job: JobRow | null): string[] {
	const [names, setNames] = useState<string[]>([]);
	const id = job?.id ?? "";
	const count = job?.silent ?? 0;
	useEffect(() => {
		if (count === 0) return setNames([]);
		const abort = new AbortController();
		const timer = setTimeout(() => {
			api.runs(id, { state: SILENT }, { limit: NAMES, cursor: null, signal: abort.signal })
				.then(({ runs }) => setNames(runs.map((run) => run.server_name || run.server)))
				.catch(() => {}); // how many there are is said all the same
		}, SETTLE_MS);
		return () => {
			clearTimeout(timer);
			abort.abort();
		};
	}, [id, count]);
	return names;
}

export function useRun(job: string, server: string, live: Live) {
	const [run, setRun] = useState<Run | null>(null);
	const [problem, setProblem] = useState<Problem | null>(null);
	const load = async (signal?: AbortSignal) => {
		try {
			setRun(await api.run(job, server, signal));
			setProblem(null);
		} catch (error) {
			if (!signal?.aborted) setProblem(asProblem(error));
		}
	};
	useEffect(() => {
		const abort = new AbortController();
		void load(abort.signal);
		const stops = [
			live.on("runs", ({ job: of, runs }) => {
				const mine = of === job && runs.find((each) => each.server === server);
				if (mine) setRun(mine);
			}),
			live.on("live", () => void load(abort.signal)),
		];
		return () => {
			for (const stop of stops) stop();
			abort.abort();
		};
	}, [job, server]);
	return { run, problem, load };
}
