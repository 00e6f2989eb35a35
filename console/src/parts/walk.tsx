// The way that a machine takes to the hub, drawn as it walks it: this machine - resolve - connect -
// (the proxy - tunnel) - secure - hello - the hub. Each stage opens to what it saw.

import { useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { asEvidence, asList, asNumber, asText, asTree } from "../untrusted";
import { milliseconds } from "../words";
import { Check, Cross, Dash, Gate, Machine, Relay } from "./icons";

export type StageStatus = "pass" | "warn" | "fail" | "unknown" | "skipped" | "not-reached";

export interface Stage {
	name: string;
	status: StageStatus;
	ms: number | null;
	evidence: [string, string][];
}

const ORDER = ["resolve", "connect", "tunnel", "secure", "hello"];
const STATUSES: StageStatus[] = ["pass", "warn", "fail", "unknown", "skipped"];

export const STAGE_WORDS: Record<StageStatus, string> = {
	pass: "passed",
	warn: "passed, with a warning",
	unknown: "not determined",
	fail: "failed",
	skipped: "not needed",
	"not-reached": "not reached",
};

// What a stage does: with a proxy, the first two are about the proxy.
const MEANING: Record<string, [direct: string, viaProxy: string]> = {
	resolve: [
		"DNS turns the hub's name into an IPv4 address.",
		"DNS turns the proxy's name into an IPv4 address.",
	],
	connect: ["A TCP connection to the hub.", "A TCP connection to the proxy."],
	tunnel: [
		"No proxy is set, so there is nothing to pass through.",
		"The proxy is asked for a tunnel to the hub (CONNECT).",
	],
	secure: [
		"The TLS handshake, and whose certificate it shows.",
		"The TLS handshake through the tunnel, and whose certificate it shows.",
	],
	hello: [
		"The hub answers, and both sides prove who they are.",
		"The hub answers, and both sides prove who they are.",
	],
};

export function readStages(value: unknown): Stage[] {
	return asList(value).map((item) => {
		const stage = asTree(item);
		return {
			name: asText(stage["stage"]),
			status: STATUSES.find((status) => status === stage["status"]) ?? "not-reached",
			ms: asNumber(stage["ms"]),
			evidence: asEvidence(stage["evidence"]),
		};
	});
}

export function StageMark({ status }: { status: StageStatus }) {
	return (
		<span class={`bead bead-${status}`} aria-hidden="true">
			{status === "pass" ? <Check /> : status === "fail" ? <Cross /> : <Dash />}
		</span>
	);
}

export function Evidence({ items }: { items: [string, string][] }) {
	if (items.length === 0) return <p class="quiet">It left no evidence.</p>;
	return (
		<dl class="facts facts-mono">
			{items.map(([name, value], i) => (
				<div key={i}>
					<dt>{name.replaceAll("_", " ")}</dt>
					<dd>{value || "–"}</dd>
				</div>
			))}
		</dl>
	);
}

function Place({
	icon,
	title,
	detail,
	bad,
}: {
	icon: ComponentChildren;
	title: string;
	detail: string;
	bad?: boolean;
}) {
	return (
		<li class={`place${bad ? " place-unreached" : ""}`}>
			{icon}
			<span class="place-title">{title}</span>
			<span class="place-detail" title={detail}>
				{detail}
			</span>
		</li>
	);
}

function Leg({ stage, open, onPress }: { stage: Stage; open: boolean; onPress: () => void }) {
	const time =
		stage.status === "skipped" || stage.status === "not-reached" || stage.ms === null
			? STAGE_WORDS[stage.status]
			: stage.status === "fail"
				? "failed"
				: milliseconds(stage.ms);
	return (
		<li class={`leg leg-${stage.status}`}>
			<button aria-expanded={open} aria-controls="walk-evidence" onClick={onPress}>
				<StageMark status={stage.status} />
				<span class="leg-name">{stage.name}</span>
				<span class="leg-time">{time}</span>
				{stage.status === "fail" && (
					<span class="unseen">{stage.ms !== null && `after ${milliseconds(stage.ms)}`}</span>
				)}
			</button>
		</li>
	);
}

// How the time is shared out, to scale.
function TimeBar({ stages, total }: { stages: Stage[]; total: number }) {
	let x = 0;
	return (
		<svg class="time-bar" viewBox="0 0 1000 6" preserveAspectRatio="none" aria-hidden="true">
			{stages.map((stage) => {
				const width = ((stage.ms ?? 0) / total) * 1000;
				const left = x;
				x += width;
				return (
					width > 0 && (
						<rect
							key={stage.name}
							class={`time-${stage.name}`}
							x={left + 1}
							y="0"
							width={Math.max(1, width - 2)}
							height="6"
						/>
					)
				);
			})}
		</svg>
	);
}

interface WalkProps {
	stages: unknown;
	proxy: string | null;
	machine: string;
	address: string;
	hub: string;
}

export function Walk({ stages: raw, proxy, machine, address, hub }: WalkProps) {
	const read = readStages(raw);
	const stages = ORDER.flatMap((name) => read.find((stage) => stage.name === name) ?? []);
	const failed = stages.find((stage) => stage.status === "fail");
	const [open, setOpen] = useState<string | null>(failed?.name ?? null);
	if (stages.length === 0) return <p class="quiet">The machine did not say which way it took.</p>;

	const shown = stages.find((stage) => stage.name === open);
	const total = stages.reduce((sum, stage) => sum + (stage.ms ?? 0), 0);
	const legs = (names: string[]) =>
		stages
			.filter((stage) => names.includes(stage.name))
			.map((stage) => (
				<Leg
					key={stage.name}
					stage={stage}
					open={open === stage.name}
					onPress={() => setOpen(open === stage.name ? null : stage.name)}
				/>
			));
	const slowest = stages.reduce((a, b) => ((b.ms ?? 0) > (a.ms ?? 0) ? b : a));
	const proxyUnreached = stages.some(
		(s) => ["resolve", "connect"].includes(s.name) && s.status !== "pass" && s.status !== "skipped",
	);
	return (
		<div class="walk">
			<ol class="walk-line" aria-label="Stages of the way to the hub">
				<Place icon={<Machine />} title={machine} detail={address} />
				{legs(["resolve", "connect"])}
				{proxy && (
					<Place
						icon={<Relay />}
						title="proxy"
						detail={proxy.replace(/^http:\/\//, "")}
						bad={proxyUnreached}
					/>
				)}
				{legs(["tunnel", "secure", "hello"])}
				<Place icon={<Gate />} title="hub" detail={hub} bad={failed !== undefined} />
			</ol>
			{total > 0 && <TimeBar stages={stages} total={total} />}
			<div id="walk-evidence">
				{shown ? (
					<section class="evidence" aria-label={`What ${shown.name} saw`}>
						<p>
							<strong>{shown.name}</strong> {STAGE_WORDS[shown.status]}
							{shown.ms !== null &&
								shown.status !== "skipped" &&
								` in ${milliseconds(shown.ms)}`}
							. <span class="quiet">{MEANING[shown.name]?.[proxy ? 1 : 0]}</span>
						</p>
						<Evidence items={shown.evidence} />
					</section>
				) : (
					<p class="quiet walk-hint">
						{total > 0 &&
							`${milliseconds(total)} in all, ${milliseconds(slowest.ms ?? 0)} of it in ${slowest.name}. `}
						Press a stage to see what it saw.
					</p>
				)}
			</div>
		</div>
	);
}
