// Writing a job: what, where, how; and before it is sent, how many servers that is and who is offline.

import { useState } from "preact/hooks";
import { api, asProblem, type Problem } from "../api";
import type { Draft } from "../draft";
import { useChanges } from "../emitter";
import type { Live } from "../live";
import { Confirm, Empty, ProblemNote, useArrival, useTitle } from "../parts/basics";
import { How, Variables, WhatRuns } from "../parts/compose";
import { Back } from "../parts/icons";
import { Panel } from "../parts/panel";
import { TargetChoice } from "../parts/targets";
import { router } from "../router";
import { type Targets, useTargets } from "../targets";
import { may, type Me } from "../types";
import { duration, number, plural } from "../words";

const MANY = 20; // servers: asked once more

// "12 of them are offline: a, b, c and 9 more."
export function offlineWords({ total, offline, names }: Targets, expiresInS: number): string {
	if (offline === 0) return total === 1 ? "It is online." : "All of them are online.";
	const rest = offline - names.length;
	const who = rest > 0 ? `${names.join(", ")} and ${number(rest)} more` : names.join(", ");
	const head =
		total === 1
			? "It is offline"
			: offline === total
				? `All of them are offline: ${who}`
				: `${number(offline)} of them ${offline === 1 ? "is" : "are"} offline: ${who}`;
	return `${head}. What is offline gets it when it is back within ${duration(expiresInS)}.`;
}

function Before({ targets, draft }: { targets: Targets | null; draft: Draft }) {
	if (!targets) return <p role="status">Counting the servers…</p>;
	if (targets.total === 0)
		return (
			<p role="status">
				<strong>No server is chosen.</strong>{" "}
				{draft.way === "filter" ? "None fits the filter." : "Pick at least one."}
			</p>
		);
	const every = draft.way === "filter" && Object.keys(draft.filter).length === 0;
	return (
		<p role="status">
			<strong>
				{every ? "Every server: " : ""}
				{plural(targets.total, "server")}.
			</strong>{" "}
			<span class={targets.offline > 0 ? "warn-words" : "quiet"}>
				{offlineWords(targets, draft.fields.expiresInS)}
			</span>
		</p>
	);
}

interface NewJobProps {
	me: Me;
	live: Live;
	draft: Draft;
}

export function NewJob({ me, live, draft }: NewJobProps) {
	useTitle("New job");
	useArrival();
	useChanges(draft);
	const { targets, problem: countProblem, retry } = useTargets(draft, live);
	const [tried, setTried] = useState(false);
	const [asking, setAsking] = useState(false);
	const [busy, setBusy] = useState(false);
	const [problem, setProblem] = useState<Problem | null>(null);
	if (!may(me, "operate")) {
		return (
			<main class="page" id="main" tabIndex={-1}>
				<Empty title="Your account may not run jobs">
					<p>Ask an administrator of the hub for the role of an operator.</p>
				</Empty>
			</main>
		);
	}
	const wrongs = draft.wrongs;
	const first = Object.keys(wrongs)[0];
	const total = targets?.total ?? 0;

	const send = async () => {
		const job = await api.makeJob(draft.asJob(), draft.once);
		draft.clear();
		router.go(`/jobs/${encodeURIComponent(job.id)}`);
	};
	const submit = async (event: Event) => {
		event.preventDefault();
		setTried(true);
		setProblem(null);
		if (first) return document.getElementById(first)?.focus();
		if (total === 0 || busy) return undefined;
		if (total >= MANY) return setAsking(true);
		setBusy(true);
		try {
			await send();
		} catch (error) {
			setProblem(asProblem(error));
			setBusy(false);
		}
		return undefined;
	};
	const shown = tried ? wrongs : {};
	return (
		<main class="page page-form" id="main" tabIndex={-1}>
			<p class="back">
				<a href="#/jobs">
					<Back /> Jobs
				</a>
			</p>
			<h1>New job</h1>
			<form noValidate onSubmit={(event) => void submit(event)}>
				<Panel title="What to run">
					<WhatRuns draft={draft} wrongs={shown} />
				</Panel>
				<Panel title="Servers">
					<TargetChoice draft={draft} />
					{countProblem && <ProblemNote problem={countProblem} retry={retry} />}
				</Panel>
				<Panel title="Variables">
					<Variables draft={draft} wrongs={shown} />
				</Panel>
				<Panel title="How">
					<How draft={draft} wrongs={shown} />
				</Panel>
				{problem && <ProblemNote problem={problem} />}
				{tried && first && (
					<p class="form-problem" role="alert">
						{wrongs[first]}
					</p>
				)}
				<div class="send-bar">
					<Before targets={targets} draft={draft} />
					<button class="button button-primary" aria-disabled={busy || total === 0}>
						{busy
							? "Sending…"
							: total === 0
								? "Run"
								: `Run on ${total === 1 ? "1 server" : `${number(total)} servers`}`}
					</button>
				</div>
			</form>
			{asking && targets && (
				<Confirm
					title={`Run it on ${plural(targets.total, "server")}?`}
					action={`Run on ${number(targets.total)}`}
					doing="Sending…"
					keep="Not yet"
					plain
					onConfirm={send}
					onClose={() => setAsking(false)}
				>
					<p>
						{draft.way === "filter" && Object.keys(draft.filter).length === 0 && (
							<strong>That is every server of this hub. </strong>
						)}
						{offlineWords(targets, draft.fields.expiresInS)}
					</p>
				</Confirm>
			)}
		</main>
	);
}
