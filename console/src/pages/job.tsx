// One job: how far it is, whom it failed on or has no answer from, and every run of it.

import { useState } from "preact/hooks";
import { api, asProblem, onceKey, type Problem } from "../api";
import { useNow } from "../clock";
import type { Draft } from "../draft";
import { useChanges } from "../emitter";
import { problemsOf, SILENT, useJob, useRunList, useSilentNames } from "../jobs";
import type { Live } from "../live";
import { Confirm, Empty, ProblemNote, Skeleton, useArrival, useTitle } from "../parts/basics";
import { Back } from "../parts/icons";
import { Facts } from "../parts/inventory";
import { Panel } from "../parts/panel";
import { Progress } from "../parts/progress";
import { RunRows, STATE_WORDS } from "../parts/runs";
import { ScriptText } from "../parts/script";
import { router } from "../router";
import { type Job, may, type Me, type RunState } from "../types";
import { ahead, bytes, duration, lasting, moment, number, plural } from "../words";
import { titleOf } from "./jobs";

const REBOOTS: Record<string, string> = {
	never: "",
	after: "after it has run",
	"on-request": "when it asks for it (exit code 194)",
};

function What({ job, now }: { job: Job; now: number }) {
	const env = Object.entries(job.env);
	return (
		<details class="panel job-what">
			<summary>
				<h2>What runs</h2>
			</summary>
			<ScriptText text={job.script} label="The script" />
			<Facts
				rows={[
					["Interpreter", job.interpreter],
					["Arguments", job.args.length > 0 ? <code>{job.args.join(" ")}</code> : ""],
					["User", job.user],
					["Folder", job.cwd ? <span class="mono">{job.cwd}</span> : ""],
					["Time-out", duration(job.timeout_s)],
					["Output kept", `${bytes(job.output_limit)} of each server`],
					["Reboots", REBOOTS[job.reboot] ?? job.reboot],
					["If interrupted", job.rerun === "safe" ? "it is run again" : "it is not run again"],
					["Waits until", moment(job.expires_at, now)],
				]}
			/>
			{env.length > 0 && (
				<>
					<h3>Variables</h3>
					<dl class="facts facts-mono">
						{env.map(([name, value]) => (
							<div key={name}>
								<dt>{name}</dt>
								<dd>{value ?? <span class="quiet">secret</span>}</dd>
							</div>
						))}
					</dl>
				</>
			)}
		</details>
	);
}

interface AgainProps {
	job: Job;
	draft: Draft;
	cancel: () => void;
}

// What can be done with it: stop it, run it again where it did not work, or change it first.
function Actions({ job, draft, cancel }: AgainProps) {
	const [problem, setProblem] = useState<Problem | null>(null);
	const [once] = useState({ failed: onceKey(), silent: onceKey() });
	const [busy, setBusy] = useState(false);
	const repeat = async (only: "failed" | "silent") => {
		if (busy) return;
		setBusy(true);
		setProblem(null);
		try {
			const again = await api.repeatJob(job.id, only, once[only]);
			router.go(`/jobs/${encodeURIComponent(again.id)}`);
		} catch (error) {
			setProblem(asProblem(error));
		}
		setBusy(false);
	};
	const wrong = problemsOf(job) + job.runs.cancelled;
	return (
		<>
			<div class="actions">
				{wrong > 0 && (
					<button class="button" aria-disabled={busy} onClick={() => void repeat("failed")}>
						Repeat where it did not work ({number(wrong)})
					</button>
				)}
				{job.silent > 0 && (
					<button class="button" aria-disabled={busy} onClick={() => void repeat("silent")}>
						Repeat where there is no answer ({number(job.silent)})
					</button>
				)}
				<a class="button" href="#/jobs/new" onClick={() => draft.copy(job)}>
					Use as a draft
				</a>
				{job.state === "active" && (
					<button class="button button-quiet" onClick={cancel}>
						Cancel job
					</button>
				)}
			</div>
			{problem && <ProblemNote problem={problem} />}
		</>
	);
}

function Cancel({ job, onClose }: { job: Job; onClose: () => void }) {
	const cancel = async () => {
		await api.cancelJob(job.id);
		onClose();
	};
	const { running, rebooting, delivered, queued } = job.runs;
	return (
		<Confirm
			title={`Cancel “${titleOf(job)}”?`}
			action="Cancel the job"
			doing="Cancelling…"
			keep="Let it run"
			onConfirm={cancel}
			onClose={onClose}
		>
			<p>
				{running + rebooting > 0 &&
					`${plural(running + rebooting, "script")} that runs now is ended. `}
				{delivered + queued > 0 && `On ${plural(delivered + queued, "server")} it is not begun. `}
				What has finished stays as it is.
			</p>
		</Confirm>
	);
}

// Which of them did not answer, by name; the list below has those that failed at its top.
function NoAnswer({ job, show }: { job: Job; show: () => void }) {
	const names = useSilentNames(job);
	if (job.state !== "active" || job.silent === 0) return null;
	const rest = job.silent - names.length;
	return (
		<p class="note note-warn">
			<strong>
				{plural(job.silent, "server")} {job.silent === 1 ? "has" : "have"} not answered
				{names.length > 0 && `: ${names.join(", ")}`}
				{names.length > 0 && rest > 0 && ` and ${number(rest)} more`}.
			</strong>{" "}
			What waits for a server that is offline is sent when it is back; what has not begun by the end of
			the job's time expires.{" "}
			<button class="link" onClick={show}>
				Show which
			</button>
		</p>
	);
}

interface JobPageProps {
	id: string;
	me: Me;
	live: Live;
	draft: Draft;
}

export function JobPage({ id, me, live, draft }: JobPageProps) {
	const now = useNow();
	useChanges(live);
	const { job, problem, load } = useJob(id, live);
	const list = useChanges(useRunList(live, id));
	const [cancelling, setCancelling] = useState(false);
	useTitle(job ? titleOf(job) : "Job");
	useArrival(id);
	const show = (state: string) => list.setQuery({ state });
	const back = (
		<p class="back">
			<a href="#/jobs">
				<Back /> Jobs
			</a>
		</p>
	);
	if (problem?.status === 404) {
		return (
			<main class="page" id="main" tabIndex={-1}>
				{back}
				<Empty title="There is no such job">
					<p>
						<a class="button" href="#/jobs">
							Go to the jobs
						</a>
					</p>
				</Empty>
			</main>
		);
	}
	const { state } = list.query;
	const empty = list.phase === "ready" && list.complete && list.rows.length === 0;
	return (
		<main class={`page ${live.state === "lost" ? "is-lost" : ""}`} id="main" tabIndex={-1}>
			{back}
			<div class="server-head">
				<h1>{job ? titleOf(job) : "…"}</h1>
				{job && (
					<span class="quiet">
						asked for by {job.created_by} {moment(job.created_at, now)}
						{job.state === "active"
							? `, going on ${lasting(job.created_at, now)}`
							: job.finished_at && `, over ${moment(job.finished_at, now)}`}
						{job.state === "active" &&
							` · waits for servers that are offline: ends ${ahead(job.expires_at, now)}`}
					</span>
				)}
			</div>
			{problem && <ProblemNote problem={problem} retry={() => void load()} />}
			{!job && !problem && <Skeleton lines={8} />}
			{job && (
				<>
					{may(me, "operate") && (
						<Actions job={job} draft={draft} cancel={() => setCancelling(true)} />
					)}
					<Panel title="Progress">
						<Progress job={job} state={state} onState={show} />
					</Panel>
					<NoAnswer job={job} show={() => show(SILENT)} />
					{list.phase === "failed" && list.problem ? (
						<ProblemNote problem={list.problem} retry={() => void list.load()} />
					) : empty ? (
						<Empty title="No run is in that state">
							<p>
								<button class="button" onClick={() => show("")}>
									Show all
								</button>
							</p>
						</Empty>
					) : (
						<div
							class="table table-runs"
							role="table"
							aria-label={
								state
									? `Runs: ${state === SILENT ? "no answer" : STATE_WORDS[state as RunState]}`
									: "Runs"
							}
							aria-rowcount={state ? -1 : job.runs.total + 1}
							aria-busy={list.phase === "loading"}
						>
							<div role="rowgroup" class="row-head">
								<div role="row" aria-rowindex={1} class="row-grid">
									{["State", "Server", "Took", "Output"].map((label) => (
										<div key={label} role="columnheader">
											{label}
										</div>
									))}
								</div>
							</div>
							<RunRows list={list} job={id} />
						</div>
					)}
					<What job={job} now={now} />
				</>
			)}
			{cancelling && job && <Cancel job={job} onClose={() => setCancelling(false)} />}
		</main>
	);
}
