// The list of servers, and which of them the reader has picked.

import { api, type Paging, type ServerQuery } from "./api";
import type { Live } from "./live";
import { LiveList, type Page } from "./live-list";
import { comparator, DEFAULT_SORT, matches } from "./order";
import type { Counts, ServerRow } from "./types";

export const EVERY_SERVER: ServerQuery = {
	q: "",
	status: "",
	platform: "",
	location: "",
	sort: DEFAULT_SORT,
};

export class Roster extends LiveList<ServerRow, ServerQuery> {
	counts: Counts | null = null;
	picked = new Map<string, ServerRow>(); // kept while the filters change

	constructor(live: Live) {
		super(EVERY_SERVER);
		this.stops = [
			live.on("server", (row) => {
				if (this.picked.has(row.id)) this.picked.set(row.id, row);
				this.change(row.id, row);
			}),
			live.on("removed", ({ id }) => {
				this.picked.delete(id);
				this.change(id, null);
			}),
			live.on("counts", (counts) => {
				this.counts = counts;
				this.#countAnew(counts);
				this.changed();
			}),
			live.on("live", () => void this.load()),
		];
	}

	override idOf(row: ServerRow): string {
		return row.id;
	}

	pick(row: ServerRow, wanted: boolean): void {
		if (wanted) this.picked.set(row.id, row);
		else this.picked.delete(row.id);
		this.changed();
	}

	pickNone(): void {
		this.picked.clear();
		this.changed();
	}

	protected override async fetch(query: ServerQuery, paging: Paging): Promise<Page<ServerRow>> {
		const page = await api.servers(query, paging);
		if (!paging.signal?.aborted) this.counts = page.counts;
		return { rows: page.servers, next_cursor: page.next_cursor, total: page.total };
	}

	protected override order(query: ServerQuery) {
		return comparator(query.sort);
	}

	protected override wants(row: ServerRow, query: ServerQuery): boolean {
		return matches(row, query);
	}

	protected override turned(old: ServerRow | undefined, row: ServerRow): boolean {
		return old?.status !== row.status;
	}

	// Without a search the counts tell how many match, loaded or not.
	#countAnew(counts: Counts): void {
		const { q, platform, location, status } = this.query;
		if (q || platform || location || this.complete) return;
		this.total = status === "online" || status === "offline" ? counts[status] : counts.all;
	}
}
