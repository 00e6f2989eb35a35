// The jobs: what goes on first, of that what has problems; below it what is over.

import { useChanges } from "../emitter";
import { type JobList, problemsOf } from "../jobs";
import type { Live } from "../live";
import { Empty, ProblemNote, useTitle } from "../parts/basics";
import { Plus } from "../parts/icons";
import { outcomeOf, RunsBar } from "../parts/runs";
import { SearchBox, Segments } from "../parts/search";
import { type Place, VirtualRows } from "../parts/virtual";
import { router } from "../router";
import { type JobRow, may, type Me } from "../types";
import { ago, moment, number, plural } from "../words";
import { useEffect } from "preact/hooks";

const STATES = { active: "Going on", done: "Over", cancelled: "Cancelled" };
const ROW_REM = 3.5; // as in jobs.css
const CARD_REM = 5.75;

export const titleOf = (job: JobRow) => job.title || `${job.interpreter} script`;

function JobState({ job }: { job: JobRow }) {
	const wrong = problemsOf(job) > 0;
	if (job.state === "active") {
		return (
			<span class="run-state run-running">
				<span class="run-mark" aria-hidden="true">
					<span class="pulse" />
				</span>
				{STATES.active}
			</span>
		);
	}
	const words = job.state === "cancelled" ? STATES.cancelled : wrong ? "With problems" : "Done";
	return <span class={`tag ${wrong ? "tag-bad" : job.state === "done" ? "tag-valid" : ""}`}>{words}</span>;
}

function Row({ job, place, fresh }: { job: JobRow; place: Place; fresh: boolean }) {
	const bad = problemsOf(job) > 0;
	return (
		<div {...place.row} class={`row job-row${bad ? " row-bad" : ""}${fresh ? " row-fresh" : ""}`}>
			<div class="row-grid">
				<div role="cell" class="cell-state">
					<JobState job={job} />
				</div>
				<div role="cell" class="cell-name">
					<a {...place.link} title={titleOf(job)}>
						{titleOf(job)}
					</a>
				</div>
				<div role="cell" class="cell-outcome" title={outcomeOf(job)}>
					<RunsBar job={job} />
					<span>{outcomeOf(job)}</span>
				</div>
				<div role="cell" class="cell-total">
					{plural(job.runs.total, "server")}
				</div>
				<div role="cell" class="cell-asked" title={moment(job.created_at, place.now)}>
					{ago(job.created_at, place.now)} by {job.created_by}
				</div>
			</div>
		</div>
	);
}

function NoJobs({ me }: { me: Me }) {
	return (
		<Empty title="No jobs yet">
			<p>
				A job is a script that runs on servers of your choice: now on those that are online, and on
				the others when they come back.
			</p>
			{may(me, "operate") ? (
				<>
					<ol class="steps">
						<li>Write the script, and choose the servers.</li>
						<li>See how many there are, and who is offline, before it is sent.</li>
						<li>Watch it run: what fails or does not answer stands first.</li>
					</ol>
					<p>
						<a class="button button-primary" href="#/jobs/new">
							<Plus /> New job
						</a>
					</p>
				</>
			) : (
				<p>Your account may look at jobs, but not run any.</p>
			)}
		</Empty>
	);
}

function Body({ me, list, clear }: { me: Me; list: JobList; clear: () => void }) {
	if (list.phase === "failed" && list.problem)
		return <ProblemNote problem={list.problem} retry={() => void list.load()} />;
	const filtered = list.query.q !== "" || list.query.state !== "";
	if (list.phase === "ready" && list.complete && list.rows.length === 0) {
		if (!filtered) return <NoJobs me={me} />;
		return (
			<Empty
				title={list.query.state === "active" && !list.query.q ? "Nothing goes on" : "No job matches"}
			>
				{list.query.q && <p>Nothing has “{list.query.q}” in its title.</p>}
				<p>
					<button class="button" onClick={clear}>
						Show all jobs
					</button>
				</p>
			</Empty>
		);
	}
	return (
		<div
			class="table table-jobs"
			role="table"
			aria-label="Jobs"
			aria-rowcount={list.complete ? list.rows.length + 1 : -1}
			aria-busy={list.phase === "loading"}
		>
			<div role="rowgroup" class="row-head">
				<div role="row" aria-rowindex={1} class="row-grid">
					{["State", "Job", "Outcome", "Servers", "Asked for"].map((label) => (
						<div key={label} role="columnheader">
							{label}
						</div>
					))}
				</div>
			</div>
			<VirtualRows
				list={list}
				heightOf={(_, { rem, narrow }) => (narrow ? CARD_REM : ROW_REM) * rem}
				bone={({ rem, narrow }) => (narrow ? CARD_REM : ROW_REM) * rem}
				hrefOf={(job) => `#/jobs/${encodeURIComponent(job.id)}`}
			>
				{(job, place) => <Row key={job.id} job={job} place={place} fresh={list.fresh.has(job.id)} />}
			</VirtualRows>
		</div>
	);
}

const pathOf = (q: string, state: string) => {
	const search = new URLSearchParams({ ...(q && { q }), ...(state && { state }) });
	return search.size > 0 ? `/jobs?${search}` : "/jobs";
};

export function Jobs({ me, list, live }: { me: Me; list: JobList; live: Live }) {
	useChanges(list);
	useChanges(live);
	const { query } = useChanges(router);
	const q = query.get("q")?.slice(0, 200) ?? "";
	const asked = query.get("state") ?? "";
	const state = Object.hasOwn(STATES, asked) ? asked : "";
	useEffect(() => {
		list.setQuery({ q, state });
		if (list.phase === "loading") void list.load();
	}, [q, state]);
	const active = list.rows.filter((job) => job.state === "active").length;
	useTitle(active > 0 ? `Jobs, ${number(active)} going on` : "Jobs");
	const change = (q: string, state: string) => router.replace(pathOf(q, state));
	const none = list.phase === "ready" && list.complete && list.rows.length === 0 && !q && !state;
	return (
		<main class={`page page-list ${live.state === "lost" ? "is-lost" : ""}`} id="main" tabIndex={-1}>
			<div class="list-head">
				<h1>Jobs</h1>
				{!none && (
					<>
						<Segments
							label="Show by state"
							value={state}
							onChange={(state) => change(q, state)}
							options={[
								{ value: "", label: "All" },
								...Object.entries(STATES).map(([value, label]) => ({ value, label })),
							]}
						/>
						<div class="list-tools">
							<SearchBox
								label="Search jobs"
								title="Words of the title (press / to come here)"
								value={q}
								onChange={(q) => change(q, state)}
								slash
							/>
						</div>
						{may(me, "operate") && (
							<a class="button button-primary add" href="#/jobs/new">
								<Plus /> New job
							</a>
						)}
					</>
				)}
			</div>
			<Body me={me} list={list} clear={() => change("", "")} />
		</main>
	);
}
