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
			<span class="status-since" title={`since ${moment(row.since, now)}`}>{lasting(row.since, now)}</span>
		</StatusWord>
	);
}

export interface Remedy {
	who: string;
	remedy: string;
}

// What mends a cause, from the catalogue; null for a cause that this console does not know.
export function remedyFor(cause: string | null): Remedy | null {
	return (cause && Object.hasOwn(causes, cause) && causes[cause]) || null;
}
