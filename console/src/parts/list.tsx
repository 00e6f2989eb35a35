// A short list that is fetched whole: loaded, reloaded, and what went wrong with that.

import { useFetched } from "../fetched";
import type { Events, Live } from "../live";

// `on`: the events after which it is another list.
export function useWhole<Row>(
	fetchAll: (signal: AbortSignal) => Promise<Row[]>,
	live: Live,
	on: readonly (keyof Events)[] = [],
) {
	const { value, problem, load } = useFetched("", live, fetchAll, ({ soon }) =>
		on.map((event) => live.on(event, soon)),
	);
	return { rows: value, problem, load };
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
