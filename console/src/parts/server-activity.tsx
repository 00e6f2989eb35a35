// A server's activity: what waits for it or goes on, and what is over, the newest first.

import { useActivity } from "../activity";
import type { Live } from "../live";
import type { Activity, Server } from "../types";
import { moment } from "../words";
import { ProblemNote, Skeleton } from "./basics";
import { Panel } from "./panel";
import { RunStateWord } from "./runs";

const KINDS: Record<Activity["kind"], string> = { run: "Job", check: "Check", bundle: "Bundle" };

function hrefOf(entry: Activity, server: string): string {
	const id = encodeURIComponent(server);
	if (entry.kind === "run" && entry.job) return `#/jobs/${encodeURIComponent(entry.job)}/${id}`;
	return entry.kind === "bundle" ? `#/servers/${id}/bundles` : `#/servers/${id}`;
}

function titleOf(entry: Activity): string {
	if (entry.title) return entry.title;
	return entry.kind === "check"
		? "The way to the hub"
		: entry.kind === "bundle"
			? "Support bundle"
			: "Script";
}

function Entries({ entries, server, now }: { entries: Activity[]; server: Server; now: number }) {
	return (
		<ul class="activity">
			{entries.map((entry) => (
				<li key={`${entry.kind}-${entry.id}`}>
					<RunStateWord state={entry.state} />
					<span class="activity-what">
						<span class="quiet">{KINDS[entry.kind] ?? entry.kind}</span>{" "}
						<a href={hrefOf(entry, server.id)}>{titleOf(entry)}</a>
					</span>
					<span class="quiet activity-when">
						{moment(entry.finished_at ?? entry.at, now)}
						{entry.by ? ` by ${entry.by}` : " by the machine itself"}
					</span>
				</li>
			))}
		</ul>
	);
}

export function ServerActivity({ server, live, now }: { server: Server; live: Live; now: number }) {
	const { upcoming, past, problem, load, more } = useActivity(server.id, live);
	return (
		<>
			{problem && <ProblemNote problem={problem} retry={() => void load()} />}
			{!upcoming && !problem && <Skeleton lines={6} />}
			{upcoming && (
				<>
					<Panel title="Now and next">
						{upcoming.length === 0 ? (
							<p class="quiet">Nothing goes on, and nothing waits for it.</p>
						) : (
							<Entries entries={upcoming} server={server} now={now} />
						)}
					</Panel>
					<Panel title="Past">
						{past.length === 0 ? (
							<p class="quiet">
								Nothing was done on it yet. Its jobs, checks and bundles will stand here.
							</p>
						) : (
							<Entries entries={past} server={server} now={now} />
						)}
						{more && (
							<button class="button" onClick={() => void more()}>
								Show earlier
							</button>
						)}
					</Panel>
				</>
			)}
		</>
	);
}
