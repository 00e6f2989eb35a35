// The report of `sallyport check` on a machine: the verdict, what to do about each cause, and every
// requirement, what fails first. It is the machine's word (schema sallyport.check/1), so nothing is
// taken on trust.

import { asEvidence, asList, asText, asTree, type Tree } from "../untrusted";
import { milliseconds, plural } from "../words";
import { Prose } from "./basics";
import { Bang, Check, Chevron, Cross, Dash, Question } from "./icons";
import { Evidence, readStages, type Stage, STAGE_WORDS, StageMark } from "./walk";

interface Verdict {
	words: string;
	short: string;
	tone: "good" | "warn" | "bad";
	icon: () => preact.JSX.Element;
}

const VERDICTS: Record<string, Verdict> = {
	pass: { words: "Everything passes", short: "passes", tone: "good", icon: Check },
	degraded: { words: "It works, with warnings", short: "warnings", tone: "warn", icon: Bang },
	inconclusive: {
		words: "Nothing failed, but not everything could be determined",
		short: "inconclusive",
		tone: "warn",
		icon: Question,
	},
	fail: { words: "Something is in the way", short: "fails", tone: "bad", icon: Cross },
};
const NO_VERDICT: Verdict = {
	words: "The report has no verdict",
	short: "no verdict",
	tone: "warn",
	icon: Question,
};

export function verdictOf(value: unknown): Verdict {
	const key = asText(value);
	return Object.hasOwn(VERDICTS, key) ? (VERDICTS[key] ?? NO_VERDICT) : NO_VERDICT;
}

const STATUSES: Record<string, { words: string; icon: () => preact.JSX.Element; rank: number }> = {
	fail: { words: "fails", icon: Cross, rank: 0 },
	warn: { words: "warning", icon: Bang, rank: 1 },
	unknown: { words: "not determined", icon: Question, rank: 2 },
	pass: { words: "passes", icon: Check, rank: 3 },
	skipped: { words: "skipped", icon: Dash, rank: 4 },
};
const STATUS_UNKNOWN = { words: "not determined", icon: Question, rank: 2 };
const PASSES = 3;

const statusOf = (requirement: Tree) => {
	const key = asText(requirement["status"]);
	return Object.hasOwn(STATUSES, key) ? (STATUSES[key] ?? STATUS_UNKNOWN) : STATUS_UNKNOWN;
};

// Evidence that sentence, remedy and the line below them have told already.
const told = (name: string) => name === "passes-with" || name.endsWith("-note");

// The causes that the check before did not find, and how to say so.
export interface Fresh {
	ids: Set<string>;
	words: string;
}

function Cause({ cause, fresh }: { cause: Tree; fresh: Fresh | null }) {
	const affects = asList(cause["affects"]).map(asText).filter(Boolean);
	const warn = asText(cause["severity"]) === "warn";
	const evidence = asEvidence(cause["evidence"]);
	const passes = evidence.find(([name]) => name === "passes-with")?.[1];
	const shown = evidence.filter(([name]) => !told(name));
	return (
		<article class={`cause ${warn ? "cause-warn" : ""}`}>
			{fresh?.ids.has(asText(cause["id"])) && <p class="cause-new">{fresh.words}</p>}
			<p class="cause-remedy">
				<Prose text={asText(cause["remedy"]) || "No remedy is known."} />
			</p>
			<p class="cause-sentence">
				<Prose text={asText(cause["sentence"])} />
			</p>
			{passes && (
				<p class="cause-passes">
					<Check /> It passes with <Prose text={passes.replace(/\.$/, "")} />.
				</p>
			)}
			<p class="quiet">
				For the {asText(cause["who"]) || "administrator"} ·{" "}
				{asText(cause["confidence"]) === "certain" ? "certain" : "likely"} · stage{" "}
				{asText(cause["stage"])} · <code>{asText(cause["id"])}</code>
				{affects.length > 0 && <> · in the way of {plural(affects.length, "requirement")}</>}
			</p>
			{shown.length > 0 && (
				<details>
					<summary>Evidence</summary>
					<Evidence items={shown} />
				</details>
			)}
		</article>
	);
}

// A probe looks at the machine itself and is one stage, "host": its status is the requirement's own.
function StageLine({ stage }: { stage: Stage }) {
	const timed = stage.ms !== null && stage.status !== "skipped" && stage.status !== "not-reached";
	return (
		<li>
			<p>
				<StageMark status={stage.status} />{" "}
				<strong>{stage.name === "host" ? "on the machine" : stage.name}</strong>{" "}
				<span class="quiet">
					{STAGE_WORDS[stage.status]}
					{timed && ` in ${milliseconds(stage.ms ?? 0)}`}
				</span>
			</p>
			{stage.evidence.length > 0 && <Evidence items={stage.evidence.filter(([name]) => !told(name))} />}
		</li>
	);
}

// What the hub saw when it tried the port from where it stands.
const FROM_THE_HUB: Record<string, string> = {
	open: "open",
	refused: "refused: nothing listens, or something turns it away",
	unreachable: "not reachable: something on the way says so",
	silent: "silent: something drops it",
};

function outsideOf(requirement: Tree): string {
	const result = asText(asTree(requirement["outside"])["result"]);
	return Object.hasOwn(FROM_THE_HUB, result) ? `From the hub: ${FROM_THE_HUB[result]}.` : "";
}

function Requirement({ requirement }: { requirement: Tree }) {
	const status = statusOf(requirement);
	const stages = readStages(requirement["stages"]);
	const reason = asText(requirement["reason"]);
	const outside = outsideOf(requirement);
	const source = [asText(requirement["section"]), asText(requirement["row"])].filter(Boolean).join(" · ");
	const head = (
		<>
			<span class={`req-mark req-${status.rank}`} aria-hidden="true">
				<status.icon />
			</span>
			<span class="req-title">
				{asText(requirement["title"]) || asText(requirement["id"])}
				{reason && (
					<span class="req-reason">
						<Prose text={reason} />
					</span>
				)}
				{outside && <span class="req-reason">{outside}</span>}
			</span>
			<span class="req-source">{source}</span>
			<span class="req-status">{status.words}</span>
		</>
	);
	if (stages.length === 0)
		return (
			<li class="req">
				<div class="req-head">{head}</div>
			</li>
		);
	return (
		<li class="req">
			<details>
				<summary class="req-head">
					{head}
					<Chevron />
				</summary>
				<ol class="req-stages">
					{stages.map((stage, i) => (
						<StageLine key={i} stage={stage} />
					))}
				</ol>
			</details>
		</li>
	);
}

function List({ requirements }: { requirements: Tree[] }) {
	return (
		<ul class="reqs">
			{requirements.map((requirement, i) => (
				<Requirement key={i} requirement={requirement} />
			))}
		</ul>
	);
}

// What passes is folded away where something does not.
function Requirements({ requirements }: { requirements: Tree[] }) {
	const sorted = [...requirements].sort((a, b) => statusOf(a).rank - statusOf(b).rank);
	const open = sorted.filter((requirement) => statusOf(requirement).rank < PASSES);
	const rest = sorted.slice(open.length);
	const passed = rest.filter((requirement) => statusOf(requirement).rank === PASSES).length;
	const words = [
		passed > 0 ? `${plural(passed, "requirement")} ${passed === 1 ? "passes" : "pass"}` : "",
		rest.length > passed ? `${rest.length - passed} skipped` : "",
	];
	return (
		<>
			<h3>Requirements</h3>
			<List requirements={open} />
			{rest.length > 0 && (
				<details class="req-rest" open={open.length === 0}>
					<summary>{words.filter(Boolean).join(", ")}</summary>
					<List requirements={rest} />
				</details>
			)}
		</>
	);
}

export function Report({ report: raw, fresh }: { report: unknown; fresh: Fresh | null }) {
	const report = asTree(raw);
	const proxy = asTree(report["proxy"]);
	const causes = asList(report["causes"]).map(asTree);
	const requirements = asList(report["requirements"]).map(asTree);
	return (
		<>
			{asText(proxy["url"]) && (
				<p class="quiet report-proxy">
					Through the proxy {asText(proxy["url"])}, set in {asText(proxy["from"])}.
				</p>
			)}
			{causes.length > 0 && (
				<div class="causes">
					<h3>What to do</h3>
					{causes.map((cause, i) => (
						<Cause key={i} cause={cause} fresh={fresh} />
					))}
				</div>
			)}
			{requirements.length > 0 && <Requirements requirements={requirements} />}
		</>
	);
}
