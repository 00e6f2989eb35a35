// What was done on one server, and what is about to be.

import { useEffect, useRef, useState } from "preact/hooks";
import { api, asProblem, type Problem } from "./api";
import type { Live } from "./live";
import type { Activity } from "./types";

const PAGE = 50;
const SETTLE_MS = 300; // changes come in bursts; the list is fetched once for them

export function useActivity(server: string, live: Live) {
	const [upcoming, setUpcoming] = useState<Activity[] | null>(null);
	const [past, setPast] = useState<Activity[]>([]);
	const [cursor, setCursor] = useState<string | null>(null);
	const [problem, setProblem] = useState<Problem | null>(null);
	const abort = useRef<AbortController | null>(null);
	const load = async (from: string | null = null) => {
		abort.current?.abort();
		const mine = (abort.current = new AbortController());
		try {
			const page = await api.activity(server, { limit: PAGE, cursor: from, signal: mine.signal });
			if (!from) setUpcoming(page.upcoming);
			setPast((old) => (from ? [...old, ...page.past] : page.past));
			setCursor(page.next_cursor);
			setProblem(null);
		} catch (error) {
			if (!mine.signal.aborted) setProblem(asProblem(error));
		}
	};
	useEffect(() => {
		let timer: ReturnType<typeof setTimeout> | undefined;
		const soon = () => {
			timer ??= setTimeout(() => {
				timer = undefined;
				void load();
			}, SETTLE_MS);
		};
		void load();
		const stops = [
			live.on("runs", ({ runs }) => runs.some((run) => run.server === server) && soon()),
			live.on("check", (check) => check.server === server && soon()),
			live.on("bundle", (bundle) => bundle.server === server && soon()),
			live.on("live", () => void load()),
		];
		return () => {
			for (const stop of stops) stop();
			clearTimeout(timer);
			abort.current?.abort();
		};
	}, [server]);
	return { upcoming, past, problem, load: () => load(), more: cursor ? () => load(cursor) : null };
}
