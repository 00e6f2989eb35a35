// A list as the reader sees it: the rows loaded so far, in order, kept live.
//
// Loaded page by page (by cursor) as the reader scrolls; an event changes, inserts or removes a row in
// place. A row whose place lies beyond the last loaded one waits for its page. Events come in bursts
// when a hub restarts or a job runs on many servers, so they are applied once a frame.

import { asProblem, type Paging, type Problem } from "./api";
import { Emitter } from "./emitter";

const FIRST_PAGE = 100;
const PAGE = 500;
const BURST = 50; // of changes at once: none of them is shown as fresh

export interface Page<Row> {
	rows: Row[];
	next_cursor: string | null;
	total?: number; // of all that match, where the hub says it
}

export abstract class LiveList<Row, Query extends object> extends Emitter {
	rows: Row[] = [];
	total = 0;
	complete = false; // every matching row is loaded
	phase: "loading" | "ready" | "failed" = "loading";
	problem: Problem | null = null; // of the last load, or of the last further page
	scrollY = 0; // where the reader was, to come back to: this, and
	activeId: string | null = null; // the row that had the focus last
	fresh = new Set<string>(); // ids that changed while being looked at: shown for a moment
	protected stops: (() => void)[] = [];

	#byId = new Map<string, Row>();
	#cursor: string | null = null;
	#load: AbortController | null = null;
	#loadDone: Promise<void> = Promise.resolve();
	#closed = false;
	#more: AbortController | null = null;
	#moreDone: Promise<void> | null = null;
	#changes = new Map<string, Row | null>(); // to be applied; null: removed
	#meanwhile = new Map<string, Row | null>(); // came during a load, whose answer may be older
	#frame: ReturnType<typeof setTimeout> | undefined;

	constructor(public query: Query) {
		super();
	}

	abstract idOf(row: Row): string;
	protected abstract fetch(query: Query, paging: Paging): Promise<Page<Row>>;
	// As the hub orders them, so that a pushed row takes its place; ties are told apart by the id.
	protected abstract order(query: Query): (a: Row, b: Row) => number;
	protected abstract wants(row: Row, query: Query): boolean;
	// Whether the change shall catch the eye.
	protected turned(_old: Row | undefined, _row: Row): boolean {
		return false;
	}

	close(): void {
		this.#closed = true;
		for (const stop of this.stops) stop();
		this.#load?.abort();
		this.#more?.abort();
		clearTimeout(this.#frame);
	}

	get(id: string): Row | undefined {
		return this.#byId.get(id);
	}

	// It was removed here: gone at once, not when the hub's word of it arrives.
	drop(id: string): void {
		this.#changes.set(id, null);
		clearTimeout(this.#frame);
		this.#apply();
	}

	setQuery(query: Query): void {
		const same = (Object.keys(query) as (keyof Query)[]).every((key) => query[key] === this.query[key]);
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
	load(): Promise<void> {
		return (this.#loadDone = this.#fetchAnew());
	}

	async #fetchAnew(): Promise<void> {
		this.#load?.abort();
		this.#more?.abort();
		this.#more = null;
		const abort = (this.#load = new AbortController());
		const wanted = Math.max(FIRST_PAGE, this.rows.length);
		this.#meanwhile.clear();
		try {
			const rows: Row[] = [];
			let page: Page<Row>;
			let cursor: string | null = null;
			do {
				const limit = Math.min(PAGE, wanted - rows.length);
				page = await this.fetch(this.query, { limit, cursor, signal: abort.signal });
				rows.push(...page.rows);
				cursor = page.next_cursor;
			} while (cursor && rows.length < wanted);
			if (abort.signal.aborted) return;
			this.#take(rows, page);
			for (const [id, row] of this.#meanwhile) this.change(id, row);
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

	// Every page that is left: for the End key. Ends where a page brings nothing, if it was not for a
	// fresh load that came in between.
	async loadRest(): Promise<void> {
		let before = -1;
		while (!this.complete && !this.problem && !this.#closed && this.rows.length > before) {
			const [loading, done] = [this.#load !== null, this.#loadDone];
			before = this.rows.length;
			await (loading ? done : this.loadMore());
			if (loading || this.#loadDone !== done) before = -1;
		}
	}

	async #fetchMore(cursor: string): Promise<void> {
		const abort = (this.#more = new AbortController());
		try {
			const page = await this.fetch(this.query, { limit: PAGE, cursor, signal: abort.signal });
			if (abort.signal.aborted) return;
			const rows = page.rows.filter((row) => !this.#byId.has(this.idOf(row)));
			this.#take([...this.rows, ...rows], page);
			this.problem = null;
		} catch (error) {
			if (abort.signal.aborted) return;
			this.problem = asProblem(error);
		}
		this.#more = null;
		this.changed();
	}

	#take(rows: Row[], page: Page<Row>): void {
		this.rows = rows;
		this.#byId = new Map(rows.map((row) => [this.idOf(row), row]));
		this.#cursor = page.next_cursor;
		this.complete = page.next_cursor === null;
		this.total = page.total ?? Math.max(this.complete ? 0 : this.total, rows.length);
	}

	protected change(id: string, row: Row | null): void {
		if (this.#load) this.#meanwhile.set(id, row);
		this.#changes.set(id, row);
		this.#frame ??= setTimeout(() => this.#apply(), 50);
	}

	#apply(): void {
		this.#frame = undefined;
		const order = this.order(this.query);
		const burst = this.#changes.size > BURST;
		const last = this.rows.at(-1); // what lies beyond it waits for its page
		const coming: Row[] = [];
		for (const [id, row] of this.#changes) {
			const old = this.#byId.get(id);
			if (!burst && row && this.turned(old, row)) this.#showAsFresh(id);
			if (row && this.wants(row, this.query)) {
				if (this.complete || (last !== undefined && order(row, last) <= 0)) coming.push(row);
			} else if (old) this.total--;
		}
		this.#merge(coming.sort(order), order);
		this.#changes.clear();
		if (this.complete) this.total = this.rows.length;
		this.changed();
	}

	// Puts the rows that changed, in their order, among those that did not.
	#merge(coming: Row[], order: (a: Row, b: Row) => number): void {
		const rows: Row[] = [];
		let next = 0;
		for (const row of this.rows) {
			if (this.#changes.has(this.idOf(row))) continue;
			while (next < coming.length && order(coming[next]!, row) < 0) rows.push(coming[next++]!);
			rows.push(row);
		}
		rows.push(...coming.slice(next));
		this.rows = rows;
		for (const id of this.#changes.keys()) this.#byId.delete(id);
		for (const row of coming) this.#byId.set(this.idOf(row), row);
	}

	#showAsFresh(id: string): void {
		this.fresh.add(id);
		setTimeout(() => this.fresh.delete(id), 2500);
	}
}
