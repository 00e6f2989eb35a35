// How far an install is: the words, the bar, the states to filter by.

import { isOver } from "../installs";
import type { Install, TargetState } from "../types";
import { DRAWN_AS, outcomeOf, spokenOf, TARGET_WORDS, TargetsBar } from "./installs";
import { Spoken } from "./progress";
import { Segments } from "./search";

const ORDER: TargetState[] = [
	"failed",
	"cancelled",
	"ready",
	"joined",
	"working",
	"looking",
	"waiting",
	"online",
	"removed",
	"kept",
	"absent",
];

interface InstallProgressProps {
	install: Install;
	state: string;
	onState: (state: string) => void;
}

// What it is at: the step of the whole, in a sentence.
function stepOf(install: Install): string {
	const { state, action, counts } = install;
	if (state === "looking") return "The connector looks at the hosts; nothing is changed there yet.";
	if (state === "waiting")
		return counts.ready > 0
			? "The look is over. It goes on when you start it."
			: "The look is over, and no host is ready.";
	if (state === "working")
		return action === "remove"
			? "The agent is taken off."
			: "The agent is copied, set up, and waited for: green is what this hub has seen.";
	return state === "cancelled" ? "It was cancelled." : "It is over.";
}

export function InstallProgress({ install, state, onState }: InstallProgressProps) {
	const { counts } = install;
	return (
		<>
			<p class="progress-words">
				<strong>{stepOf(install)}</strong>
				<span class="quiet"> {outcomeOf(install)}.</span>
			</p>
			<TargetsBar install={install} tall />
			<Spoken words={spokenOf(install)} going={!isOver(install)} />
			<Segments
				label="Show by state"
				value={state}
				onChange={onState}
				options={[
					{ value: "", label: "All", count: counts.total },
					...ORDER.filter((each) => counts[each] > 0 || each === state).map((each) => ({
						value: each,
						label: TARGET_WORDS[each],
						count: counts[each] ?? 0,
						mark: <span class={`swatch bar-${DRAWN_AS[each]}`} aria-hidden="true" />,
					})),
				]}
			/>
		</>
	);
}
