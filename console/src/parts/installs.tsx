// How installs and their targets stand, in words and in a bar; and the rows of an install's targets.

import { countOf, goingOn, hostOf, isOver, STAGES } from "../installs";
import type { TargetList } from "../installs";
import type { Action, Install, Target, TargetState } from "../types";
import { asText, asTree } from "../untrusted";
import { bytes, lasting, moment, number, plural, shortSystem } from "../words";
import { RunStateWord, StackBar } from "./runs";
import { type Layout, type Place, VirtualRows } from "./virtual";
import { Why, whyHeight } from "./why";

export const TARGET_WORDS: Record<TargetState, string> = {
	waiting: "Waiting",
	looking: "Looking",
	ready: "Ready",
	working: "At work",
	joined: "Joined",
	online: "Online",
	kept: "Nothing to do",
	removed: "Removed",
	absent: "Not there",
	failed: "Failed",
	cancelled: "Cancelled",
};

// The state of a run that is drawn like it.
export const DRAWN_AS: Record<TargetState, string> = {
	waiting: "queued",
	looking: "running",
	ready: "delivered",
	working: "running",
	joined: "running",
	online: "done",
	kept: "done",
	removed: "done",
	absent: "cancelled",
	failed: "failed",
	cancelled: "cancelled",
};

// In the order in which they stand in a bar: from what is good to what has not begun.
const BAR: TargetState[] = [
	"online",
	"removed",
	"kept",
	"failed",
	"cancelled",
	"absent",
	"joined",
	"working",
	"looking",
	"ready",
	"waiting",
];

const STAGE_WORDS: Record<string, string> = {
	resolve: "name",
	connect: "connection",
	ssh: "SSH",
	"host-key": "host key",
	authenticate: "sign-in",
	system: "system",
	privilege: "root rights",
	space: "room",
	existing: "agent there",
	copy: "copying",
	way: "way to the hub",
	setup: "set-up",
	online: "coming online",
};

export const stageWord = (stage: string | null) =>
	stage && Object.hasOwn(STAGE_WORDS, stage) ? STAGE_WORDS[stage]! : (stage ?? "");

export const actionWords = (action: Action) => (action === "remove" ? "Remove" : "Install");

export function TargetStateWord({ state }: { state: TargetState }) {
	return <RunStateWord state={DRAWN_AS[state] ?? ""} word={TARGET_WORDS[state] ?? state} />;
}

export function TargetsBar({ install, tall }: { install: Install; tall?: boolean }) {
	return (
		<StackBar parts={BAR.map((state) => [DRAWN_AS[state], install.counts[state]])} tall={tall ?? false} />
	);
}

// "3 failed, 2 to be confirmed, 40 of 50 online"
export function outcomeOf(install: Install): string {
	const { counts } = install;
	const parts: string[] = [];
	if (counts.failed) parts.push(`${number(counts.failed)} failed`);
	if (counts.ready && !isOver(install)) parts.push(`${number(counts.ready)} ready`);
	if (counts.cancelled) parts.push(`${number(counts.cancelled)} cancelled`);
	if (counts.absent) parts.push(`${number(counts.absent)} not there`);
	if (counts.kept) parts.push(`${number(counts.kept)} with nothing to do`);
	const good = install.action === "remove" ? counts.removed : counts.online;
	const word = install.action === "remove" ? "removed" : "online";
	parts.push(
		good === counts.total && good > 1
			? `all ${number(good)} ${word}`
			: `${number(good)} of ${number(counts.total)} ${word}`,
	);
	return parts.join(", ");
}

export const installTitle = ({ action, counts }: Install) =>
	`${action === "remove" ? "Remove from" : "Install on"} ${plural(counts.total, "host")}`;

function stateWords(install: Install): { words: string; tone: string } {
	if (install.state === "waiting") return { words: "Waits for you", tone: "tag-warn" };
	if (install.state === "cancelled") return { words: "Cancelled", tone: "" };
	if (install.state !== "done")
		return { words: install.state === "looking" ? "Looking" : "At work", tone: "tag-valid" };
	return install.counts.failed > 0
		? { words: "With problems", tone: "tag-bad" }
		: { words: "Done", tone: "tag-valid" };
}

export function InstallTag({ install }: { install: Install }) {
	const { words, tone } = stateWords(install);
	return <span class={`tag ${tone}`}>{words}</span>;
}

// One of the list of a location.
export function InstallItem({ install, now }: { install: Install; now: number }) {
	return (
		<li class="install-item">
			<span class="install-item-head">
				<a href={`#/installs/${encodeURIComponent(install.id)}`}>{installTitle(install)}</a>
				<InstallTag install={install} />
			</span>
			<TargetsBar install={install} />
			<span class="quiet">
				{outcomeOf(install)} · by {install.created_by}{" "}
				{isOver(install) ? moment(install.created_at, now) : lasting(install.created_at, now)}
			</span>
		</li>
	);
}

/* --- rows ----------------------------------------------------------------------------------- */

// In rem, as in installs.css: a row, and below it lines of text that leave `beside` free.
const TABLE = { row: 2.75, line: 1.375, pad: 0.5, beside: 12, font: 0.875, lines: 2 };
const CARD = { row: 3.75, line: 1.3125, pad: 0.625, beside: 2, font: 0.8125, lines: 4 };
const measures = ({ narrow }: Layout) => (narrow ? CARD : TABLE);

const whyOf = ({ sentence, remedy }: Target) => ({
	reason: asText(sentence),
	remedy: asText(remedy),
});

export function systemOf(target: Target): string {
	const facts = asTree(target.facts);
	return [shortSystem(asText(facts["os"])), asText(facts["arch"])].filter(Boolean).join(" · ");
}

// "sign-in", or while the file is copied: how far it is.
function Stage({ target }: { target: Target }) {
	const { stage, sent, total, state } = target;
	if (state === "working" && stage === "copy" && total) {
		return (
			<span class="copying">
				<progress aria-label={`Copied to ${target.host}`} max={total} value={sent ?? 0} />
				<span>
					{bytes(sent ?? 0)} of {bytes(total)}
				</span>
			</span>
		);
	}
	if (state === "online" || state === "removed") return <>–</>;
	const at = STAGES.indexOf(stage ?? "");
	return (
		<>
			{stageWord(stage) || "–"}
			{at >= 0 && (
				<span class="unseen">
					, stage {at + 1} of {STAGES.length}
				</span>
			)}
		</>
	);
}

function Row({ target, place, fresh }: { target: Target; place: Place; fresh: boolean }) {
	const why = whyOf(target);
	const bad = target.state === "failed";
	return (
		<div {...place.row} class={`row target-row${bad ? " row-bad" : ""}${fresh ? " row-fresh" : ""}`}>
			<div class="row-grid">
				<div role="cell" class="cell-state">
					<TargetStateWord state={target.state} />
				</div>
				<div role="cell" class="cell-name">
					<a {...place.link} title={hostOf(target)}>
						{target.name || hostOf(target)}
					</a>{" "}
					{target.name && <span class="mono quiet">{hostOf(target)}</span>}
				</div>
				<div role="cell" class="cell-stage">
					<Stage target={target} />
				</div>
				<div role="cell" class="cell-system" title={systemOf(target)}>
					{systemOf(target) || "–"}
				</div>
			</div>
			{why.reason && <Why {...why} />}
		</div>
	);
}

export function TargetRows({ list, install }: { list: TargetList; install: string }) {
	return (
		<VirtualRows
			list={list}
			heightOf={(target, layout) => whyHeight(whyOf(target), layout, measures(layout))}
			bone={(layout) => measures(layout).row * layout.rem}
			hrefOf={(target) => `#/installs/${encodeURIComponent(install)}/${encodeURIComponent(target.id)}`}
		>
			{(target, place) => (
				<Row key={target.id} target={target} place={place} fresh={list.fresh.has(target.id)} />
			)}
		</VirtualRows>
	);
}

// "12 of 50 are through, 3 go on": for who listens.
export function spokenOf(install: Install): string {
	const through = install.counts.total - goingOn(install) - countOf(install, ["ready"]);
	return `${number(through)} of ${plural(install.counts.total, "host")} through: ${outcomeOf(install)}.`;
}
