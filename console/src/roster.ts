// The list of servers as the reader sees it: the rows loaded so far, in order, kept live.
//
// Loaded page by page (by cursor) as the reader scrolls; an event changes, inserts or removes a row in
// place. A row whose place lies beyond the last loaded one waits for its page. Events come in bursts
// when a hub restarts, so they are applied once a frame.

import { api, asProblem, type Problem, type ServerQuery } from "./api";
import { Emitter } from "./emitter";
import type { Live } from "./live";
import { comparator, DEFAULT_SORT, matches } from "./order";
import type { Counts, ServerPage, ServerRow } from "./types";

const FIRST_PAGE = 100;
const PAGE = 500;

export class Roster extends Emitter {
	query: ServerQuery = { q: "", status: "", platform: "", sort: DEFAULT_SORT };
	rows: ServerRow[] = [];
	total = 0;
	counts: Counts | null = null;
	complete = false; // every matching row is loaded
	phase: "loading" | "ready" | "failed" = "loading";
	problem: Problem | null = null; // of the last load, or of the last further page
	scrollY = 0; // where the reader was, to come back to: this, and
	activeId: string | null = null; // the row that had the focus last
	fresh = new Set<string>(); // ids that changed while being looked at: shown for a moment

	#byId = new Map<string, ServerRow>();
	#cursor: string | null = null;
	#load: AbortController | null = null;
	#more: AbortController | null = null;
	#moreDone: Promise<void> | null = null;
	#changes = new Map<string, ServerRow | null>(); // to be applied; null: removed
	#meanwhile = new Map<string, ServerRow | null>(); // came during a load, whose answer may be older
	#frame: ReturnType<typeof setTimeout> | undefined;
	#stops: (() => void)[];

	constructor(live: Live) {
		super();
		this.#stops = [
			live.on("server", (row) => this.#change(row.id, row)),
			live.on("removed", ({ id }) => this.#change(id, null)),
			live.on("counts", (counts) => {
				this.counts = counts;
				this.#countAnew(counts);
				this.changed();
			}),
			live.on("live", () => void this.load()),
		];
	}

	close(): void {
		for (const stop of this.#stops) stop();
		this.#load?.abort();
		this.#more?.abort();
		clearTimeout(this.#frame);
	}

	get(id: string): ServerRow | undefined {
		return this.#byId.get(id);
	}

	// It was removed here: gone at once, not when the hub's word of it arrives.
	drop(id: string): void {
		this.#changes.set(id, null);
		clearTimeout(this.#frame);
		this.#apply();
	}

	setQuery(query: ServerQuery): void {
		const same = (Object.keys(query) as (keyof ServerQuery)[]).every(
			(key) => query[key] === this.query[key],
		);
		if (same && this.phase !== "failed") return;
		this.query = query;
		this.rows = [];
		this.#byId.clear();
		this.phase = "loading";
		this.scrollY = 0;
		this.activeId = null;
		this.changed();
		void this.load();
	}

	// Fetches afresh as many rows as are shown; what is shown stays until the answer is there.
	async load(): Promise<void> {
		this.#load?.abort();
		this.#more?.abort();
		this.#more = null;
		const abort = (this.#load = new AbortController());
		const wanted = Math.max(FIRST_PAGE, this.rows.length);
		this.#meanwhile.clear();
		try {
			const rows: ServerRow[] = [];
			let page: ServerPage;
			let cursor: string | null = null;
			do {
				const limit = Math.min(PAGE, wanted - rows.length);
				page = await api.servers(this.query, limit, cursor, abort.signal);
				rows.push(...page.servers);
				cursor = page.next_cursor;
			} while (cursor && rows.length < wanted);
			if (abort.signal.aborted) return;
			this.#take(rows, page);
			for (const [id, row] of this.#meanwhile) this.#change(id, row);
			this.phase = "ready";
			this.problem = null;
		} catch (error) {
			if (abort.signal.aborted) return;
			this.problem = asProblem(error);
			if (this.rows.length === 0) this.phase = "failed";
		}
		this.#load = null;
		this.changed();
	}

	// The next page; one at a time.
	loadMore(): Promise<void> {
		if (this.#moreDone) return this.#moreDone;
		if (this.#load || this.complete || this.phase !== "ready" || !this.#cursor) return Promise.resolve();
		this.#moreDone = this.#fetchMore(this.#cursor).finally(() => {
			this.#moreDone = null;
		});
		return this.#moreDone;
	}

	// Every page that is left: for the End key. Ends where a page brings nothing.
	async loadRest(): Promise<void> {
		let before = -1;
		while (!this.complete && !this.problem && this.rows.length > before) {
			before = this.rows.length;
			await this.loadMore();
		}
	}

	async #fetchMore(cursor: string): Promise<void> {
		const abort = (this.#more = new AbortController());
		try {
			const page = await api.servers(this.query, PAGE, cursor, abort.signal);
			if (abort.signal.aborted) return;
			const rows = page.servers.filter((row) => !this.#byId.has(row.id));
			this.#take([...this.rows, ...rows], page);
			this.problem = null;
		} catch (error) {
			if (abort.signal.aborted) return;
			this.problem = asProblem(error);
		}
		this.#more = null;
		this.changed();
	}

	#take(rows: ServerRow[], page: ServerPage): void {
		this.rows = rows;
		this.#byId = new Map(rows.map((row) => [row.id, row]));
		this.#cursor = page.next_cursor;
		this.complete = page.next_cursor === null;
		this.total = page.total;
		this.counts = page.counts;
	}

	#change(id: string, row: ServerRow | null): void {
		if (this.#load) this.#meanwhile.set(id, row);
		this.#changes.set(id, row);
		this.#frame ??= setTimeout(() => this.#apply(), 50);
	}

	#apply(): void {
		this.#frame = undefined;
		const order = comparator(this.query.sort);
		const burst = this.#changes.size > 50;
		for (const [id, row] of this.#changes) {
			const old = this.#byId.get(id);
			if (!burst && row && old?.status !== row.status) this.#showAsFresh(id);
			if (old) this.#takeOut(old);
			if (row && matches(row, this.query)) this.#putIn(row, order);
			else if (old) this.total--;
		}
		this.#changes.clear();
		if (this.complete) this.total = this.rows.length;
		this.changed();
	}

	// Without a search the counts tell how many match, loaded or not.
	#countAnew(counts: Counts): void {
		const { q, platform, status } = this.query;
		if (q || platform || this.complete) return;
		this.total = status === "online" || status === "offline" ? counts[status] : counts.all;
	}

	#showAsFresh(id: string): void {
		this.fresh.add(id);
		setTimeout(() => this.fresh.delete(id), 2500);
	}

	#takeOut(row: ServerRow): void {
		this.rows.splice(this.rows.indexOf(row), 1);
		this.#byId.delete(row.id);
	}

	#putIn(row: ServerRow, order: (a: ServerRow, b: ServerRow) => number): void {
		let low = 0;
		let high = this.rows.length;
		while (low < high) {
			const middle = (low + high) >> 1;
			if (order(this.rows[middle]!, row) < 0) low = middle + 1;
			else high = middle;
		}
		if (low === this.rows.length && !this.complete) return;
		this.rows.splice(low, 0, row);
		this.#byId.set(row.id, row);
	}
}
