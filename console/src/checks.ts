// The checks of one server: the history as the hub keeps it, what runs now, and the report that is
// being looked at.
//
// The hub's word of a change ("check") makes the list be fetched afresh; reports are fetched when they
// are looked at, and never change once their check is done.

import { useEffect, useRef, useState } from "preact/hooks";
import { api, asProblem, type Problem } from "./api";
import type { Live } from "./live";
import type { CheckRow } from "./types";

const PAGE = 10;

export const isUnfinished = (check: CheckRow) => check.state === "queued" || check.state === "running";
export const whenOf = (check: CheckRow) => check.finished_at ?? check.started_at ?? check.requested_at;

export interface Checks {
	rows: CheckRow[] | null; // null: not loaded yet
	more: boolean; // older ones are not loaded
	problem: Problem | null;
	load: () => Promise<void>;
	loadMore: () => Promise<void>;
	add: (row: CheckRow) => void; // one that was just asked for
}

export function useChecks(server: string, live: Live): Checks {
	const [rows, setRows] = useState<CheckRow[] | null>(null);
	const [cursor, setCursor] = useState<string | null>(null);
	const [problem, setProblem] = useState<Problem | null>(null);
	const abort = useRef<AbortController | null>(null);
	const wanted = useRef(PAGE);

	const load = async () => {
		abort.current?.abort();
		const mine = (abort.current = new AbortController());
		try {
			const page = await api.checks(server, {
				limit: wanted.current,
				cursor: null,
				signal: mine.signal,
			});
			setRows(page.checks);
			setCursor(page.next_cursor);
			setProblem(null);
		} catch (error) {
			if (!mine.signal.aborted) setProblem(asProblem(error));
		}
	};
	const loadMore = async () => {
		wanted.current = 50; // all that the hub keeps
		await load();
	};
	useEffect(() => {
		void load();
		const stops = [
			live.on("check", (check) => check.server === server && void load()),
			live.on("live", () => void load()),
		];
		return () => {
			for (const stop of stops) stop();
			abort.current?.abort();
		};
	}, [server]);
	return {
		rows,
		more: cursor !== null,
		problem,
		load,
		loadMore,
		add: (row) => setRows((old) => (old?.some(({ id }) => id === row.id) ? old : [row, ...(old ?? [])])),
	};
}

// The report of a check; `renewed` is what changes when the hub replaces it by a newer one that agrees.
export function useReport(server: string, check: string | null, renewed: number) {
	const [report, setReport] = useState<{ check: string; report: unknown } | null>(null);
	const [problem, setProblem] = useState<Problem | null>(null);
	const [attempt, setAttempt] = useState(0);
	useEffect(() => {
		if (!check) return undefined;
		const abort = new AbortController();
		setProblem(null);
		api.check(server, check, abort.signal)
			.then((answer) => setReport({ check, report: answer.report }))
			.catch((error) => abort.signal.aborted || setProblem(asProblem(error)));
		return () => abort.abort();
	}, [server, check, renewed, attempt]);
	return {
		report: report?.check === check ? report : null,
		problem,
		retry: () => setAttempt((n) => n + 1),
	};
}
