// One host of an install: how far it came, why it ended, what was seen there.

import { useEffect, useState } from "preact/hooks";
import { api, asProblem, type Problem } from "../api";
import { hostKeyOf, hostOf, STAGES } from "../installs";
import type { Target } from "../types";
import { asEvidence, asNumber, asText, asTree } from "../untrusted";
import { bytes } from "../words";
import { Dialog, ProblemNote, Prose, Skeleton } from "./basics";
import { Facts } from "./inventory";
import { stageWord, TargetStateWord } from "./installs";
import { serverHref } from "./location";
import { Evidence, StageMark, type StageStatus } from "./walk";

const MIB = 1024 * 1024;
const GOOD = ["online", "kept", "removed"];

function statusOf(target: Target, at: number): StageStatus {
	const reached = STAGES.indexOf(target.stage ?? "");
	if (GOOD.includes(target.state)) return at <= reached ? "pass" : "skipped";
	if (at < reached) return "pass";
	if (at > reached) return "not-reached";
	if (target.state === "failed") return "fail";
	return target.state === "ready" ? "pass" : "unknown";
}

const SPOKEN: Record<StageStatus, string> = {
	pass: "passed",
	warn: "passed",
	unknown: "now",
	fail: "failed",
	skipped: "not needed",
	"not-reached": "not reached",
};

function Stages({ target }: { target: Target }) {
	return (
		<ol class="stages" aria-label="Stages">
			{STAGES.map((stage, at) => {
				const status = statusOf(target, at);
				return (
					<li key={stage} class={`stage stage-${status}`}>
						<StageMark status={status} /> {stageWord(stage)}
						<span class="unseen">, {SPOKEN[status]}</span>
					</li>
				);
			})}
		</ol>
	);
}

function Details({ target }: { target: Target }) {
	const facts = asTree(target.facts);
	const key = hostKeyOf(target);
	const free = asNumber(facts["free_mb"]);
	const evidence = asEvidence(target.evidence);
	return (
		<>
			<p class="target-state">
				<TargetStateWord state={target.state} />
				{target.outcome && (
					<>
						{" "}
						· <code>{asText(target.outcome)}</code>
					</>
				)}
				{target.server && (
					<>
						{" "}
						· <a href={serverHref(target.server)}>Go to the server</a>
					</>
				)}
			</p>
			{target.sentence && (
				<p>
					<Prose text={asText(target.sentence)} />
				</p>
			)}
			{target.remedy && (
				<p>
					<strong>What to do:</strong> <Prose text={asText(target.remedy)} />
				</p>
			)}
			<Stages target={target} />
			{evidence.length > 0 && (
				<>
					<h3>What was seen</h3>
					<Evidence items={evidence} />
				</>
			)}
			<h3>The host</h3>
			<Facts
				rows={[
					["Host", <span class="mono">{hostOf(target)}</span>],
					["User", target.user],
					["System", asText(facts["os"])],
					["Processor", asText(facts["arch"])],
					["Services by", asText(facts["init"])],
					["Root rights", asText(facts["privilege"])],
					["Free", free === null ? "" : bytes(free * MIB)],
					["Agent there", asText(facts["agent_version"])],
					[
						"Host key",
						key.fingerprint && (
							<>
								<span class="mono">{key.fingerprint}</span>{" "}
								<span class="quiet">
									{key.type}, {key.state}
								</span>
							</>
						),
					],
					["Confirmed was", key.expected && <span class="mono">{key.expected}</span>],
				]}
			/>
		</>
	);
}

interface TargetDialogProps {
	install: string;
	target: string;
	known: Target | undefined; // the live row, where the list has it
	onClose: () => void;
}

export function TargetDialog({ install, target: id, known, onClose }: TargetDialogProps) {
	const [fetched, setFetched] = useState<Target | null>(null);
	const [problem, setProblem] = useState<Problem | null>(null);
	const target = known ?? fetched;
	useEffect(() => {
		if (known) return undefined;
		const abort = new AbortController();
		api.target(install, id, abort.signal)
			.then(setFetched)
			.catch((error) => abort.signal.aborted || setProblem(asProblem(error)));
		return () => abort.abort();
	}, [install, id, known === undefined]);
	return (
		<Dialog title={target ? target.name || hostOf(target) : "Host"} onClose={onClose} wide>
			{problem && <ProblemNote problem={problem} />}
			{!target && !problem && <Skeleton lines={5} />}
			{target && <Details target={target} />}
			<div class="dialog-actions">
				<button class="button" autoFocus onClick={onClose}>
					Close
				</button>
			</div>
		</Dialog>
	);
}
