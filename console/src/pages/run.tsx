// A job on one server: how it ended or how far it is, and what it says.

import { useState } from "preact/hooks";
import { api, links } from "../api";
import { useNow } from "../clock";
import { useChanges } from "../emitter";
import { isFinal, isSilent, useJob, useRun } from "../jobs";
import type { Live } from "../live";
import { useOutput } from "../output";
import { Confirm, Empty, ProblemNote, Skeleton, useArrival, useTitle } from "../parts/basics";
import { Back } from "../parts/icons";
import { Facts } from "../parts/inventory";
import { Panel } from "../parts/panel";
import { resultOf, RunStateWord, tookOf } from "../parts/runs";
import { CopyButton, Tail } from "../parts/tail";
import { may, type Me, type Run } from "../types";
import { bytes, moment } from "../words";
import { titleOf } from "./jobs";

function emptyWords(run: Run): string {
	if (run.state === "queued") return "It has not begun.";
	if (isFinal(run)) return "It said nothing.";
	return "It has said nothing yet.";
}

function OutputPanel({ run }: { run: Run }) {
	const output = useOutput(run);
	const [follow, setFollow] = useState(true);
	const live = !isFinal(run);
	return (
		<Panel
			title="Output"
			note={
				<>
					{bytes(run.output_bytes)}
					{run.dropped_bytes > 0 && `, and ${bytes(run.dropped_bytes)} over the bound are lost`}
				</>
			}
		>
			<div class="tail-tools">
				{live && (
					<label class="check-box">
						<input
							type="checkbox"
							checked={follow}
							onChange={(event) => setFollow(event.currentTarget.checked)}
						/>
						Follow the end
					</label>
				)}
				<CopyButton text={output.text} label="Copy the output" />
				<a
					class="button button-small"
					href={links.output(run.job, run.server)}
					download={`${run.server_name || run.server}.txt`}
				>
					Download all
				</a>
			</div>
			{output.problem && <ProblemNote problem={output.problem} retry={output.retry} />}
			{output.from > 0 && (
				<p class="quiet">The first {bytes(output.from)} are not shown here: download them.</p>
			)}
			{output.loaded && (
				<Tail
					text={output.text}
					label="Text of the output"
					follow={follow && live}
					onFollow={(at) => live && setFollow(at)}
					empty={emptyWords(run)}
				/>
			)}
			{!output.loaded && !output.problem && <Skeleton lines={4} />}
		</Panel>
	);
}

function RunFacts({ run, now }: { run: Run; now: number }) {
	const { server } = run;
	return (
		<Panel title="Run">
			<Facts
				rows={[
					[
						"Server",
						<a href={`#/servers/${encodeURIComponent(server)}`}>{run.server_name || server}</a>,
					],
					["Exit code", run.exit_code === null ? "" : String(run.exit_code)],
					["Took", tookOf(run, now)],
					["Attempt", run.attempt > 1 ? String(run.attempt) : ""],
					["Asked for", moment(run.queued_at, now)],
					["Delivered", moment(run.delivered_at, now)],
					["Begun", moment(run.started_at, now)],
					["Over", moment(run.finished_at, now)],
				]}
			/>
		</Panel>
	);
}

interface RunPageProps {
	job: string;
	server: string;
	me: Me;
	live: Live;
}

export function RunPage({ job: jobId, server, me, live }: RunPageProps) {
	const now = useNow(1000);
	useChanges(live);
	const { job } = useJob(jobId, live);
	const { run, problem, load } = useRun(jobId, server, live);
	const [cancelling, setCancelling] = useState(false);
	const name = run?.server_name || server;
	useTitle(run ? `${name}: ${job ? titleOf(job) : "run"}` : "Run");
	useArrival(`${jobId}/${server}`);
	const up = `#/jobs/${encodeURIComponent(jobId)}`;
	const result = run ? resultOf(run) : "";
	const bad = run && ["failed", "undetermined", "expired"].includes(run.state);
	return (
		<main class={`page ${live.state === "lost" ? "is-lost" : ""}`} id="main" tabIndex={-1}>
			<p class="back">
				<a href={up}>
					<Back /> {job ? titleOf(job) : "The job"}
				</a>
			</p>
			{problem?.status === 404 ? (
				<Empty title="There is no such run">
					<p>
						<a class="button" href={up}>
							Go to the job
						</a>
					</p>
				</Empty>
			) : (
				<div class="server-head">
					<h1>{name}</h1>
					{run && <RunStateWord state={run.state} silent={isSilent(run)} />}
					{run && !isFinal(run) && may(me, "operate") && (
						<button class="button button-quiet" onClick={() => setCancelling(true)}>
							Cancel here
						</button>
					)}
				</div>
			)}
			{problem && problem.status !== 404 && <ProblemNote problem={problem} retry={() => void load()} />}
			{!run && !problem && <Skeleton lines={8} />}
			{run && (
				<>
					{result && <p class={bad ? "note note-bad" : "note"}>{result}</p>}
					<div class="columns">
						<OutputPanel run={run} />
						<RunFacts run={run} now={now} />
					</div>
				</>
			)}
			{cancelling && run && (
				<Confirm
					title={`Cancel it on ${name}?`}
					action="Cancel it here"
					doing="Cancelling…"
					keep="Let it run"
					onConfirm={async () => {
						await api.cancelJob(jobId, [server]);
						setCancelling(false);
					}}
					onClose={() => setCancelling(false)}
				>
					<p>
						A script that runs is ended; one that has not begun is not run. Other servers go on.
					</p>
				</Confirm>
			)}
		</main>
	);
}
