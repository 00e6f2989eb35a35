// The order and the filters of GET /v1/servers, kept by the console too, so that a row that is pushed
// takes its place at once. The hub's answer is the authority: it comes with every (re)load.

import type { ServerQuery } from "./api";
import type { ServerRow } from "./types";

export const SORTABLE = ["status", "name", "address", "os", "version", "last_seen"] as const;
export type Sortable = (typeof SORTABLE)[number];
export const DEFAULT_SORT = "status";

// As the hub folds letters: ASCII alone.
export function fold(text: string | null | undefined): string {
	return (text ?? "").replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

const KEYS: Record<Sortable, (row: ServerRow) => string | number> = {
	status: (row) => (row.status === "offline" ? 0 : 1), // problems first
	name: (row) => fold(row.name),
	address: (row) => (row.address ?? "").replace(/\d+/g, (part) => part.padStart(3, "0")),
	os: (row) => fold(row.os_name),
	version: (row) => row.version ?? "",
	last_seen: (row) => Date.parse(row.last_seen ?? "") || 0,
};

function compare(a: string | number, b: string | number): number {
	return a < b ? -1 : a > b ? 1 : 0;
}

// Ties are told apart by name, then id: an order without gaps, as paging by cursor needs.
export function comparator(sort: string): (a: ServerRow, b: ServerRow) => number {
	const descending = sort.startsWith("-");
	const key = KEYS[sort.replace(/^-/, "") as Sortable] ?? KEYS.status;
	return (a, b) => {
		const way = compare(key(a), key(b)) || compare(fold(a.name), fold(b.name)) || compare(a.id, b.id);
		return descending ? -way : way;
	};
}

// Every word of the search stands somewhere in the row.
export function matches(row: ServerRow, query: ServerQuery): boolean {
	if (query.status && row.status !== query.status) return false;
	if (query.platform && row.platform !== query.platform) return false;
	if (query.location && row.location !== query.location) return false;
	const text = fold([row.name, row.address, row.mac, row.os_name, row.location, row.version].join(" "));
	return fold(query.q)
		.split(/\s+/)
		.every((word) => text.includes(word));
}
