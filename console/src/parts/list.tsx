// A short list that is fetched whole: loaded, reloaded, and what went wrong with that.

import { useEffect, useRef, useState } from "preact/hooks";
import { asProblem, type Problem } from "../api";
import type { Events, Live } from "../live";

const SETTLE_MS = 300; // changes come in bursts; the list is fetched once for them

// `on`: the events after which it is another list.
export function useWhole<Row>(
	fetchAll: (signal: AbortSignal) => Promise<Row[]>,
	live: Live,
	on: readonly (keyof Events)[] = [],
) {
	const [rows, setRows] = useState<Row[] | null>(null);
	const [problem, setProblem] = useState<Problem | null>(null);
	const abort = useRef<AbortController | null>(null);
	const load = async () => {
		abort.current?.abort();
		const mine = (abort.current = new AbortController());
		try {
			setRows(await fetchAll(mine.signal));
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
		const stops = [live.on("live", () => void load()), ...on.map((event) => live.on(event, soon))];
		return () => {
			for (const stop of stops) stop();
			clearTimeout(timer);
			abort.current?.abort();
		};
	}, []);
	return { rows, problem, load };
}

// The heads of a table; the last column is that of the buttons.
export function Heads({ labels }: { labels: string[] }) {
	return (
		<thead>
			<tr>
				{labels.map((label) => (
					<th key={label} scope="col">
						{label}
					</th>
				))}
				<th scope="col">
					<span class="unseen">Action</span>
				</th>
			</tr>
		</thead>
	);
}
