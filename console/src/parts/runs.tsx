// How runs stand, in words and in a bar; and the rows of a job's runs.

import { FINAL, isSilent, type RunList } from "../jobs";
import type { JobRow, Run, RunState } from "../types";
import { bytes, duration, number } from "../words";
import { Bang, Check, Cross, Dash, Question } from "./icons";
import { type Layout, type Place, VirtualRows } from "./virtual";

export const STATE_WORDS: Record<RunState, string> = {
	queued: "Queued",
	delivered: "Delivered",
	running: "Running",
	rebooting: "Rebooting",
	done: "Done",
	failed: "Failed",
	cancelled: "Cancelled",
	expired: "Expired",
	undetermined: "Not known",
};

// In the order in which they stand in a bar: from what is good to what has not begun.
const BAR: RunState[] = [
	"done",
	"failed",
	"undetermined",
	"expired",
	"cancelled",
	"running",
	"rebooting",
	"delivered",
	"queued",
];

// Those of checks and bundles too, for a server's activity.
const WORDS: Record<string, string> = {
	...STATE_WORDS,
	lost: "Lost",
	asked: "Asked for",
	uploading: "On its way",
	ready: "Ready",
};

const stateWord = (state: string) => (Object.hasOwn(WORDS, state) ? WORDS[state] : state);

function Mark({ state }: { state: string }) {
	if (state === "done" || state === "ready") return <Check />;
	if (state === "failed") return <Cross />;
	if (state === "undetermined" || state === "lost") return <Question />;
	if (state === "expired") return <Bang />;
	if (state === "cancelled") return <Dash />;
	return <span class={["queued", "delivered", "asked"].includes(state) ? "ring" : "pulse"} />;
}

interface StateWordProps {
	state: string;
	silent?: boolean;
	word?: string; // where it is not that of a run
}

// A mark and a word: never the colour alone.
export function RunStateWord({ state, silent, word }: StateWordProps) {
	return (
		<span class={`run-state run-${state}${silent ? " run-silent" : ""}`}>
			<span class="run-mark" aria-hidden="true">
				{silent ? <Question /> : <Mark state={state} />}
			</span>
			{silent ? "No answer" : (word ?? stateWord(state))}
		</span>
	);
}

// `parts`: how many are in which state, as of a run.
export function StackBar({ parts, tall }: { parts: [state: string, count: number][]; tall?: boolean }) {
	return (
		<div class={tall ? "runs-bar runs-bar-tall" : "runs-bar"} aria-hidden="true">
			{parts
				.filter(([, count]) => count > 0)
				.map(([state, count]) => (
					<span key={state} class={`bar-${state}`} style={{ flexGrow: count }} />
				))}
		</div>
	);
}

export function RunsBar({ job, tall }: { job: JobRow; tall?: boolean }) {
	return <StackBar parts={BAR.map((state) => [state, job.runs[state]])} tall={tall ?? false} />;
}

// "2 failed, 1 expired, 5 without an answer, 90 of 100 done"
export function outcomeOf(job: JobRow): string {
	const { runs, silent } = job;
	const parts: string[] = [];
	if (runs.failed) parts.push(`${number(runs.failed)} failed`);
	if (runs.undetermined) parts.push(`${number(runs.undetermined)} not known`);
	if (runs.expired) parts.push(`${number(runs.expired)} expired`);
	if (runs.cancelled) parts.push(`${number(runs.cancelled)} cancelled`);
	if (silent) parts.push(`${number(silent)} without an answer`);
	parts.push(
		runs.done === runs.total
			? runs.total === 1
				? "done"
				: `all ${number(runs.total)} done`
			: `${number(runs.done)} of ${number(runs.total)} done`,
	);
	return parts.join(", ");
}

export function resultOf(run: Run): string {
	if (run.reason) return run.reason;
	if (run.signal !== null) return `Ended by signal ${run.signal}.`;
	if (run.state === "failed" && run.exit_code !== null) return `Exit code ${run.exit_code}.`;
	if (isSilent(run))
		return run.state === "queued"
			? "The server is offline. It gets the job when it is back."
			: "The server went offline before it told how it ended.";
	return "";
}

export function tookOf(run: Run, now: number): string {
	const begun = Date.parse(run.started_at ?? "");
	if (Number.isNaN(begun)) return "";
	const ended = FINAL.includes(run.state) ? Date.parse(run.finished_at ?? "") : now;
	return Number.isNaN(ended) ? "" : duration((ended - begun) / 1000);
}

/* --- rows ----------------------------------------------------------------------------------- */

// In rem, as in jobs.css: a row, and its line with the reason.
const TABLE = { row: 2.75, why: 1.5 };
const CARD = { row: 3.5, why: 1.375 };

function heightOf(run: Run, { rem, narrow }: Layout): number {
	const { row, why } = narrow ? CARD : TABLE;
	return (row + (resultOf(run) ? why : 0)) * rem;
}

function Row({ run, place, fresh }: { run: Run; place: Place; fresh: boolean }) {
	const result = resultOf(run);
	const bad = run.state === "failed" || run.state === "undetermined" || run.state === "expired";
	return (
		<div {...place.row} class={`row run-row${bad ? " row-bad" : ""}${fresh ? " row-fresh" : ""}`}>
			<div class="row-grid">
				<div role="cell" class="cell-state">
					<RunStateWord state={run.state} silent={isSilent(run)} />
				</div>
				<div role="cell" class="cell-name">
					<a {...place.link} title={run.server_name}>
						{run.server_name || run.server}
					</a>
				</div>
				<div role="cell" class="cell-took">
					{tookOf(run, place.now)}
					{run.attempt > 1 && ` · attempt ${run.attempt}`}
				</div>
				<div role="cell" class="cell-output">
					{run.output_bytes > 0 ? bytes(run.output_bytes) : "–"}
				</div>
			</div>
			{result && (
				<div role="cell" class="run-why" title={result}>
					{result}
				</div>
			)}
		</div>
	);
}

export function RunRows({ list, job }: { list: RunList; job: string }) {
	return (
		<VirtualRows
			list={list}
			heightOf={heightOf}
			bone={({ rem, narrow }) => (narrow ? CARD : TABLE).row * rem}
			hrefOf={(run) => `#/jobs/${encodeURIComponent(job)}/${encodeURIComponent(run.server)}`}
		>
			{(run, place) => (
				<Row key={run.server} run={run} place={place} fresh={list.fresh.has(run.server)} />
			)}
		</VirtualRows>
	);
}
