// The list of servers: what is wrong first, live, and quick with ten thousand rows.

import { useEffect } from "preact/hooks";
import { api, type ServerQuery } from "../api";
import { useNow } from "../clock";
import type { Draft } from "../draft";
import { useChanges } from "../emitter";
import type { Guide } from "../guide";
import type { Live } from "../live";
import { DEFAULT_SORT, SORTABLE, type Sortable } from "../order";
import { Empty, ProblemNote, useTitle } from "../parts/basics";
import { Plus } from "../parts/icons";
import { useWhole } from "../parts/list";
import { missingIn, MissingRows } from "../parts/missing";
import { PLATFORMS, ServerTools, StatusFilter } from "../parts/server-filter";
import { ServerRows } from "../parts/server-rows";
import type { Roster } from "../roster";
import { router } from "../router";
import { may, type Me } from "../types";
import { number, plural } from "../words";

const COLUMNS = {
	status: "Status",
	name: "Name",
	address: "Address",
	os: "System",
	location: "Location",
	version: "Agent",
	last_seen: "Last seen",
};

export function listPath(query: ServerQuery): string {
	const search = new URLSearchParams();
	for (const [key, value] of Object.entries(query)) {
		if (value && !(key === "sort" && value === DEFAULT_SORT)) search.set(key, value);
	}
	return search.size > 0 ? `/?${search}` : "/";
}

// The filters stand in the address, so that they survive a reload and can be sent to a colleague.
function useQuery(roster: Roster): [ServerQuery, (change: Partial<ServerQuery>) => void] {
	const { parts, query } = useChanges(router);
	const here = parts.length === 0;
	const get = (key: string) => query.get(key)?.slice(0, 200) ?? "";
	const one = (key: string, of: readonly string[]) => (of.includes(get(key)) ? get(key) : (of[0] ?? ""));
	const wanted = here
		? {
				q: get("q"),
				status: one("status", ["", "offline", "online"]),
				platform: one(
					"platform",
					PLATFORMS.map((each) => each.value),
				),
				location: get("location"),
				sort: one("sort", [DEFAULT_SORT, ...SORTABLE, ...SORTABLE.map((each) => `-${each}`)]),
			}
		: roster.query;
	useEffect(
		() => roster.setQuery(wanted),
		[wanted.q, wanted.status, wanted.platform, wanted.location, wanted.sort],
	);
	return [wanted, (change) => router.replace(listPath({ ...wanted, ...change }))];
}

interface HeadProps {
	sort: string;
	onSort: (sort: string) => void;
	pickable: boolean;
}

function Head({ sort, onSort, pickable }: HeadProps) {
	const descending = sort.startsWith("-");
	const by = sort.replace(/^-/, "");
	return (
		<div role="rowgroup" class="row-head">
			<div role="row" aria-rowindex={1} class="row-grid">
				{pickable && (
					<div role="columnheader" class="cell-pick">
						<span class="unseen">Picked</span>
					</div>
				)}
				{Object.entries(COLUMNS).map(([column, label]) => (
					<div
						key={column}
						role="columnheader"
						class={`cell-${column}`}
						aria-sort={by !== column ? "none" : descending ? "descending" : "ascending"}
					>
						{SORTABLE.includes(column as Sortable) ? (
							<button
								onClick={() => onSort(by === column && !descending ? `-${column}` : column)}
							>
								{label}
								<span class="sort-mark" aria-hidden="true">
									{by !== column ? "" : descending ? "↓" : "↑"}
								</span>
							</button>
						) : (
							label
						)}
					</div>
				))}
			</div>
		</div>
	);
}

function NoServers({ mayEnrol }: { mayEnrol: boolean }) {
	return (
		<Empty title="No servers yet">
			<p>
				A machine appears here as soon as the agent on it has joined this hub. It needs nothing but a
				way out on port 443.
			</p>
			{!mayEnrol && <p>Your account may not add one: ask an architect or an administrator.</p>}
			{mayEnrol && <NoServersSteps />}
		</Empty>
	);
}

function NoServersSteps() {
	return (
		<>
			<ol class="steps">
				<li>
					Press <strong>Add server</strong>. It makes a join token.
				</li>
				<li>Run the two commands that it shows on the machine.</li>
				<li>Watch the machine arrive here. No reload is needed.</li>
			</ol>
			<p>
				<a class="button button-primary" href="#/add">
					<Plus /> Add server
				</a>
			</p>
		</>
	);
}

interface BodyProps {
	me: Me;
	roster: Roster;
	live: Live;
	query: ServerQuery;
	sort: (sort: string) => void;
	clear: () => void;
}

function Body({ me, roster, live, query, sort, clear }: BodyProps) {
	const now = useNow();
	const expected = useWhole(api.missing, live, ["installs", "counts"]);
	const missing = roster.phase === "ready" ? missingIn(expected.rows, query) : [];
	if (roster.phase === "failed" && roster.problem) {
		return <ProblemNote problem={roster.problem} retry={() => void roster.load()} />;
	}
	const narrowed = query.q !== "" || query.platform !== "" || query.location !== "";
	const filtered = narrowed || query.status !== "";
	const pickable = may(me, "operate");
	if (roster.phase === "ready" && roster.rows.length + missing.length === 0) {
		if (!filtered || roster.counts?.all === 0) return <NoServers mayEnrol={may(me, "enrol")} />;
		return (
			<Empty
				title={query.status === "offline" && !narrowed ? "No server is offline" : "No server matches"}
			>
				{query.q && <p>Nothing has “{query.q}” in its name, address, system, location or version.</p>}
				<p>
					<button class="button" onClick={clear}>
						Show all {roster.counts ? number(roster.counts.all) : ""} servers
					</button>
				</p>
			</Empty>
		);
	}
	return (
		<div
			class={pickable ? "table table-pick" : "table"}
			role="table"
			aria-label="Servers"
			aria-rowcount={roster.total + 1}
			aria-busy={roster.phase === "loading"}
		>
			<Head sort={query.sort} onSort={sort} pickable={pickable} />
			<MissingRows
				targets={missing}
				now={now}
				pickable={pickable}
				mayForget={may(me, "enrol")}
				onForgotten={expected.load}
			/>
			<ServerRows roster={roster} live={live} pickable={pickable} />
		</div>
	);
}

interface PickedProps {
	roster: Roster;
	draft: Draft;
	guide: Guide | null; // null: none may be removed over SSH
}

// What can be done with the servers that are picked.
function Picked({ roster, draft, guide }: PickedProps) {
	const { picked } = roster;
	const places = new Set([...picked.values()].map(({ location }) => location));
	const [place = ""] = places;
	const remove = () =>
		guide?.set({
			action: "remove",
			location: place,
			hosts: [...picked.values()].map(({ address, name }) => `${address} # ${name}\n`).join(""),
		});
	return (
		<div class="picked" role="region" aria-label="Picked servers" hidden={picked.size === 0}>
			<span role="status">{picked.size > 0 && `${plural(picked.size, "server")} picked`}</span>
			{picked.size > 0 && (
				<>
					<a
						class="button button-primary"
						href="#/jobs/new"
						onClick={() => draft.byPicking(picked.values())}
					>
						Run a job on {picked.size === 1 ? "it" : "them"}
					</a>
					{guide && places.size === 1 && place && (
						<a class="button" href="#/add-servers?action=remove" onClick={remove}>
							Remove the agent
						</a>
					)}
					<button class="button" onClick={() => roster.pickNone()}>
						Pick none
					</button>
				</>
			)}
		</div>
	);
}

interface SummaryProps {
	roster: Roster;
	draft: Draft | null; // null: no jobs may be run
	query: ServerQuery;
	filtered: boolean;
	none: boolean;
	clear: () => void;
}

function Summary({ roster, draft, query, filtered, none, clear }: SummaryProps) {
	const some = filtered && roster.rows.length > 0;
	const { sort: _, ...filter } = query;
	const useFilter = () =>
		draft?.byFilter(Object.fromEntries(Object.entries(filter).filter(([, value]) => value)));
	return (
		<p class={some ? "list-summary" : "unseen"}>
			<span role="status">
				{roster.phase !== "ready" || none
					? ""
					: filtered
						? `${plural(roster.total, "server matches", "servers match")}.`
						: plural(roster.total, "server")}
			</span>
			{some && (
				<>
					{draft && (
						<a href="#/jobs/new" onClick={useFilter}>
							Run a job on {roster.total === 1 ? "it" : `these ${number(roster.total)}`}
						</a>
					)}
					<button class="link" onClick={clear}>
						Show all
					</button>
				</>
			)}
		</p>
	);
}

interface ServersProps {
	me: Me;
	roster: Roster;
	live: Live;
	draft: Draft;
	guide: Guide;
}

export function Servers({ me, roster, live, draft, guide }: ServersProps) {
	useChanges(roster);
	useChanges(live);
	const [query, change] = useQuery(roster);
	const offline = roster.counts?.offline ?? 0;
	useTitle(offline > 0 ? `${number(offline)} offline` : "Servers");

	const filtered = query.q !== "" || query.platform !== "" || query.location !== "";
	const clear = () => change({ q: "", status: "", platform: "", location: "" });
	const none = roster.phase === "ready" && roster.counts?.all === 0;
	return (
		<main class={`page page-list ${live.state === "lost" ? "is-lost" : ""}`} id="main" tabIndex={-1}>
			<div class="list-head">
				<h1>Servers</h1>
				{!none && (
					<>
						<StatusFilter
							roster={roster}
							value={query.status}
							onChange={(status) => change({ status })}
						/>
						<ServerTools query={query} change={change} />
						{may(me, "enrol") && (
							<a class="button button-primary add" href="#/add-servers">
								<Plus /> Add servers
							</a>
						)}
					</>
				)}
			</div>
			<Summary
				roster={roster}
				draft={may(me, "operate") ? draft : null}
				query={query}
				filtered={filtered}
				none={none}
				clear={clear}
			/>
			<Body
				me={me}
				roster={roster}
				live={live}
				query={query}
				sort={(sort) => change({ sort })}
				clear={clear}
			/>
			{may(me, "operate") && (
				<Picked roster={roster} draft={draft} guide={may(me, "enrol") ? guide : null} />
			)}
		</main>
	);
}
