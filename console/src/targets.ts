// How many servers a job would go to, and which of them are offline now.

import { useEffect, useState } from "preact/hooks";
import { api, asProblem, type Problem } from "./api";
import type { Draft } from "./draft";
import type { Live } from "./live";
import type { ServerFilter, ServerRow } from "./types";

const NAMES = 5;
const PAUSE_MS = 250; // while a filter is being typed

export interface Targets {
	total: number;
	offline: number;
	names: string[]; // of some that are offline
}

const nameOf = (row: ServerRow) => row.name || row.id;

function ofPicked(rows: Iterable<ServerRow>): Targets {
	const all = [...rows];
	const offline = all.filter((row) => row.status === "offline");
	return { total: all.length, offline: offline.length, names: offline.slice(0, NAMES).map(nameOf) };
}

async function ofFilter(filter: ServerFilter, signal: AbortSignal): Promise<Targets> {
	const paging = { limit: NAMES, cursor: null, signal };
	const [all, offline] = await Promise.all([
		api.servers(filter, { ...paging, limit: 1 }),
		filter.status === "online" ? null : api.servers({ ...filter, status: "offline" }, paging),
	]);
	return {
		total: all.total,
		offline: offline?.total ?? 0,
		names: (offline?.servers ?? []).slice(0, NAMES).map(nameOf),
	};
}

// null while it is not known; counted anew when the hub's servers change.
export function useTargets(draft: Draft, live: Live) {
	const [counted, setCounted] = useState<{ of: ServerFilter; targets: Targets } | null>(null);
	const [problem, setProblem] = useState<Problem | null>(null);
	const [round, setRound] = useState(0);
	const { way, filter } = draft;
	useEffect(() => live.on("counts", () => setRound((n) => n + 1)), []);
	useEffect(() => {
		if (way !== "filter") return undefined;
		const abort = new AbortController();
		const timer = setTimeout(
			() => {
				ofFilter(filter, abort.signal)
					.then((targets) => {
						setCounted({ of: filter, targets });
						setProblem(null);
					})
					.catch((error) => abort.signal.aborted || setProblem(asProblem(error)));
			},
			round === 0 ? 0 : PAUSE_MS,
		);
		return () => {
			clearTimeout(timer);
			abort.abort();
		};
	}, [way, filter, round]);
	const targets =
		way === "picked" ? ofPicked(draft.picked.values()) : counted?.of === filter ? counted.targets : null;
	return { targets, problem: way === "filter" ? problem : null, retry: () => setRound((n) => n + 1) };
}
