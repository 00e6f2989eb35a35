// What a page shows of one answer of the hub: fetched, kept up by the hub's events, fetched afresh
// when the stream of events was lost, and what went wrong with that.

import { useEffect, useRef, useState } from "preact/hooks";
import { asProblem, type Problem } from "./api";
import type { Live } from "./live";

const SETTLE_MS = 300; // changes come in bursts; what they change is fetched once for them

export interface Upkeep<T> {
	put: (value: T | null | ((old: T | null) => T | null)) => void;
	load: () => Promise<void>;
	soon: () => void; // load, once for a burst
}

// `listen` starts what keeps the value up and returns what ends each of it. `key`: what the value is
// of; another one is another value.
export function useFetched<T>(
	key: string,
	live: Live,
	fetchIt: (signal: AbortSignal) => Promise<T>,
	listen: (upkeep: Upkeep<T>) => (() => void)[] = () => [],
) {
	const [value, put] = useState<T | null>(null);
	const [problem, setProblem] = useState<Problem | null>(null);
	const abort = useRef<AbortController | null>(null);
	const load = async () => {
		abort.current?.abort();
		const mine = (abort.current = new AbortController());
		try {
			put(await fetchIt(mine.signal));
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
		const stops = [live.on("live", () => void load()), ...listen({ put, load, soon })];
		return () => {
			for (const stop of stops) stop();
			clearTimeout(timer);
			abort.current?.abort();
		};
	}, [key]);
	return { value, put, problem, load };
}
