// How far a job is: the bar, the states to filter by, and the word for who listens instead of looking.

import { useEffect, useState } from "preact/hooks";
import { finishedOf, SILENT } from "../jobs";
import { type JobRow, RUN_STATES, type RunState } from "../types";
import { number, plural } from "../words";
import { outcomeOf, RunsBar, STATE_WORDS } from "./runs";
import { Segments } from "./search";

const SPOKEN_EVERY_MS = 10_000;
const ORDER: RunState[] = [
	"failed",
	"undetermined",
	"expired",
	"cancelled",
	"running",
	"rebooting",
	"delivered",
	"queued",
	"done",
];

// Said aloud now and then, and at the end, not at everything that turns.
export function Spoken({ words, going }: { words: string; going: boolean }) {
	const [said, setSaid] = useState(words);
	useEffect(() => {
		if (!going) return setSaid(words);
		const timer = setTimeout(() => setSaid(words), SPOKEN_EVERY_MS);
		return () => clearTimeout(timer);
	}, [going, going ? said : words]);
	return (
		<p class="unseen" role="status">
			{said}
		</p>
	);
}

interface ProgressProps {
	job: JobRow;
	state: string;
	onState: (state: string) => void;
}

export function Progress({ job, state, onState }: ProgressProps) {
	const finished = finishedOf(job);
	const states = ORDER.filter(
		(each) => RUN_STATES.includes(each) && (job.runs[each] > 0 || each === state),
	);
	return (
		<>
			<p class="progress-words">
				<strong>
					{number(finished)} of {number(job.runs.total)}
				</strong>{" "}
				finished
				<span class="quiet"> · {outcomeOf(job)}</span>
			</p>
			<RunsBar job={job} tall />
			<Spoken
				words={`${number(finished)} of ${plural(job.runs.total, "run")} finished: ${outcomeOf(job)}.`}
				going={job.state === "active"}
			/>
			<Segments
				label="Show by state"
				value={state}
				onChange={onState}
				options={[
					{ value: "", label: "All", count: job.runs.total },
					...(job.silent > 0 || state === SILENT
						? [{ value: SILENT, label: "No answer", count: job.silent }]
						: []),
					...states.map((each) => ({
						value: each,
						label: STATE_WORDS[each],
						count: job.runs[each],
						mark: <span class={`swatch bar-${each}`} aria-hidden="true" />,
					})),
				]}
			/>
		</>
	);
}
