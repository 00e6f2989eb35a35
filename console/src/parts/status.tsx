import type { ComponentChildren } from "preact";
import { causes } from "sallyport:causes";
import type { ServerRow, Status } from "../types";
import { lasting, moment } from "../words";

// A dot and a word: never the colour alone.
export function StatusWord({ status, children }: { status: Status; children?: ComponentChildren }) {
	return (
		<span class={`status status-${status}`}>
			<span class="dot" aria-hidden="true" />
			<span class="status-word">{status === "online" ? "Online" : "Offline"}</span>
			{children}
		</span>
	);
}

// "Offline for 12 minutes"
export function StatusSince({ row, now }: { row: ServerRow; now: number }) {
	return (
		<StatusWord status={row.status}>
			<span class="status-since" title={`since ${moment(row.since, now)}`}>
				{lasting(row.since, now)}
			</span>
		</StatusWord>
	);
}

export interface Remedy {
	who: string;
	remedy: string;
	askMachine: boolean; // the machine knows more of it than the hub
}

const COMES_BACK_MS = 120_000;

// What mends the cause for which a server is offline, from the catalogue; null for one that this
// console does not know. How a session ended says little about why no new one comes: then the
// catalogue's words for the agent ("it connects again by itself") are no help to who reads the list.
export function remedyFor(row: ServerRow, now: number): Remedy | null {
	const cause = row.cause && Object.hasOwn(causes, row.cause) ? causes[row.cause] : undefined;
	if (!cause) return null;
	if (cause.stage !== "session") return { who: cause.who, remedy: cause.remedy, askMachine: false };
	const recent = now - Date.parse(row.since ?? "") < COMES_BACK_MS;
	return {
		who: "administrator of this machine",
		remedy: recent
			? "Give it two minutes: the agent connects again by itself."
			: "See that the machine is on. If it is, `sudo sallyport status` on it names what is in its way.",
		askMachine: !recent,
	};
}
