// The latest report of `sallyport check` on a machine: the verdict, what to do about each cause, and
// every requirement. It is the machine's word (schema sallyport.check/1), so nothing is taken on trust.

import { asEvidence, asList, asText, asTree, type Tree } from "../untrusted";
import { milliseconds, moment, plural } from "../words";
import { Command, Prose } from "./basics";
import { Bang, Check, Chevron, Cross, Dash, Question } from "./icons";
import { Evidence, readStages, STAGE_WORDS, StageMark } from "./walk";

const VERDICTS: Record<string, { words: string; tone: string }> = {
	pass: { words: "Everything passes", tone: "good" },
	degraded: { words: "It works, with warnings", tone: "warn" },
	inconclusive: { words: "Nothing failed, but not everything could be determined", tone: "warn" },
	fail: { words: "Something is in the way", tone: "bad" },
};

const STATUSES: Record<string, { words: string; icon: () => preact.JSX.Element; rank: number }> = {
	fail: { words: "fails", icon: Cross, rank: 0 },
	warn: { words: "warning", icon: Bang, rank: 1 },
	unknown: { words: "not determined", icon: Question, rank: 2 },
	pass: { words: "passes", icon: Check, rank: 3 },
	skipped: { words: "skipped", icon: Dash, rank: 4 },
};
const STATUS_UNKNOWN = { words: "not determined", icon: Question, rank: 2 };

const statusOf = (requirement: Tree) => {
	const key = asText(requirement["status"]);
	return Object.hasOwn(STATUSES, key) ? (STATUSES[key] ?? STATUS_UNKNOWN) : STATUS_UNKNOWN;
};

function Cause({ cause }: { cause: Tree }) {
	const affects = asList(cause["affects"]).map(asText).filter(Boolean);
	const warn = asText(cause["severity"]) === "warn";
	const evidence = asEvidence(cause["evidence"]);
	return (
		<article class={`cause ${warn ? "cause-warn" : ""}`}>
			<p class="cause-remedy">
				<Prose text={asText(cause["remedy"]) || "No remedy is known."} />
			</p>
			<p class="cause-sentence">
				<Prose text={asText(cause["sentence"])} />
			</p>
			<p class="quiet">
				For the {asText(cause["who"]) || "administrator"} ·{" "}
				{asText(cause["confidence"]) === "certain" ? "certain" : "likely"} · stage{" "}
				{asText(cause["stage"])} · <code>{asText(cause["id"])}</code>
				{affects.length > 0 && <> · in the way of {plural(affects.length, "requirement")}</>}
			</p>
			{evidence.length > 0 && (
				<details>
					<summary>Evidence</summary>
					<Evidence items={evidence} />
				</details>
			)}
		</article>
	);
}

function Requirement({ requirement }: { requirement: Tree }) {
	const status = statusOf(requirement);
	const stages = readStages(requirement["stages"]);
	const source = [asText(requirement["section"]), asText(requirement["row"])].filter(Boolean).join(" · ");
	const head = (
		<>
			<span class={`req-mark req-${status.rank}`} aria-hidden="true">
				<status.icon />
			</span>
			<span class="req-title">{asText(requirement["title"]) || asText(requirement["id"])}</span>
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
						<li key={i}>
							<p>
								<StageMark status={stage.status} /> <strong>{stage.name}</strong>{" "}
								<span class="quiet">
									{STAGE_WORDS[stage.status]}
									{stage.ms !== null &&
										stage.status !== "skipped" &&
										stage.status !== "not-reached" &&
										` in ${milliseconds(stage.ms)}`}
								</span>
							</p>
							{stage.evidence.length > 0 && <Evidence items={stage.evidence} />}
						</li>
					))}
				</ol>
			</details>
		</li>
	);
}

export function NoReport() {
	return (
		<>
			<p>
				No report has arrived yet. The agent checks the machine's way out when it connects, and sends
				the report here. To see it on the machine itself, run there:
			</p>
			<Command text="sudo sallyport check" label="the command that checks" />
		</>
	);
}

export function Report({ report: raw, at, now }: { report: unknown; at: string | null; now: number }) {
	const report = asTree(raw);
	const verdict = VERDICTS[asText(report["verdict"])] ?? {
		words: "The report has no verdict",
		tone: "warn",
	};
	const profile = asTree(report["profile"]);
	const proxy = asTree(report["proxy"]);
	const causes = asList(report["causes"]).map(asTree);
	const requirements = asList(report["requirements"]).map(asTree);
	const sorted = [...requirements].sort((a, b) => statusOf(a).rank - statusOf(b).rank);
	return (
		<>
			<p class={`verdict verdict-${verdict.tone}`}>{verdict.words}</p>
			<p class="quiet">
				{asText(profile["title"]) || asText(profile["id"])}
				{at && <> · {moment(at, now)}</>}
				{asText(proxy["url"]) && (
					<>
						{" "}
						· through {asText(proxy["url"])}, set in {asText(proxy["from"])}
					</>
				)}
			</p>
			{causes.length > 0 && (
				<div class="causes">
					<h3>What to do</h3>
					{causes.map((cause, i) => (
						<Cause key={i} cause={cause} />
					))}
				</div>
			)}
			{sorted.length > 0 && (
				<>
					<h3>Requirements</h3>
					<ul class="reqs">
						{sorted.map((requirement, i) => (
							<Requirement key={i} requirement={requirement} />
						))}
					</ul>
				</>
			)}
		</>
	);
}
