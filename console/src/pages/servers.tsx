// The list of servers: what is wrong first, live, and quick with ten thousand rows.

import { useEffect, useRef, useState } from "preact/hooks";
import type { ServerQuery } from "../api";
import { useChanges } from "../emitter";
import type { Live } from "../live";
import { DEFAULT_SORT, SORTABLE, type Sortable } from "../order";
import { Empty, ProblemNote, useTitle } from "../parts/basics";
import { Plus, Search } from "../parts/icons";
import { ServerRows } from "../parts/server-rows";
import type { Roster } from "../roster";
import { router } from "../router";
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

// For a phone, which has no column heads to press.
const SORTS = {
	status: "Problems first",
	"-last_seen": "Seen last first",
	last_seen: "Seen longest ago first",
	name: "Name A to Z",
	"-name": "Name Z to A",
	address: "Address",
	os: "System",
	version: "Agent version",
};

const PLATFORMS = [
	{ value: "", label: "All platforms" },
	{ value: "linux", label: "Linux" },
	{ value: "windows", label: "Windows" },
];

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
				sort: one("sort", [DEFAULT_SORT, ...SORTABLE, ...SORTABLE.map((each) => `-${each}`)]),
			}
		: roster.query;
	useEffect(() => roster.setQuery(wanted), [wanted.q, wanted.status, wanted.platform, wanted.sort]);
	return [wanted, (change) => router.replace(listPath({ ...wanted, ...change }))];
}

function SearchBox({ value, onChange }: { value: string; onChange: (value: string) => void }) {
	const [text, setText] = useState(value);
	const box = useRef<HTMLInputElement>(null);
	const typed = useRef(false);

	useEffect(() => {
		if (!typed.current) return;
		const timer = setTimeout(() => {
			typed.current = false;
			onChange(text);
		}, 150);
		return () => clearTimeout(timer);
	}, [text]);
	useEffect(() => {
		if (!typed.current) setText(value);
	}, [value]);
	useEffect(() => {
		const slash = (event: KeyboardEvent) => {
			const target = event.target as HTMLElement;
			if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
			if (target.closest("input, textarea, select, dialog")) return;
			event.preventDefault();
			box.current?.focus();
			box.current?.select();
		};
		addEventListener("keydown", slash);
		return () => removeEventListener("keydown", slash);
	}, []);

	const type = (next: string) => {
		typed.current = true;
		setText(next);
	};
	const key = (event: KeyboardEvent) => {
		if (event.key === "Escape" && text) {
			event.preventDefault();
			type("");
		} else if (event.key === "ArrowDown") {
			event.preventDefault();
			document.querySelector<HTMLElement>(".rows a[tabindex='0']")?.focus();
		}
	};
	return (
		<div class="search">
			<Search />
			<input
				ref={box}
				type="search"
				value={text}
				placeholder="Search"
				aria-label="Search servers"
				aria-keyshortcuts="/"
				title="Name, address, MAC, system, location or version (press / to come here)"
				autocomplete="off"
				spellcheck={false}
				maxLength={200}
				onInput={(event) => type(event.currentTarget.value)}
				onKeyDown={key}
			/>
			<kbd aria-hidden="true">/</kbd>
		</div>
	);
}

function StatusFilter({
	roster,
	value,
	onChange,
}: {
	roster: Roster;
	value: string;
	onChange: (value: string) => void;
}) {
	const { counts } = roster;
	const options = [
		{ value: "", label: "All", count: counts?.all },
		{ value: "offline", label: "Offline", count: counts?.offline },
		{ value: "online", label: "Online", count: counts?.online },
	];
	return (
		<div class="segments" role="group" aria-label="Show by status">
			{options.map((option) => (
				<button
					key={option.value}
					aria-pressed={value === option.value}
					onClick={() => onChange(option.value)}
				>
					{option.value && (
						<span
							class={`dot ${option.count ? `dot-${option.value}` : "dot-none"}`}
							aria-hidden="true"
						/>
					)}
					{option.label}{" "}
					<span class="segment-count">
						{option.count === undefined ? "" : number(option.count)}
					</span>
				</button>
			))}
		</div>
	);
}

function Head({ sort, onSort }: { sort: string; onSort: (sort: string) => void }) {
	const descending = sort.startsWith("-");
	const by = sort.replace(/^-/, "");
	return (
		<div role="rowgroup" class="row-head">
			<div role="row" aria-rowindex={1} class="row-grid">
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

function SortChoice({ sort, onSort }: { sort: string; onSort: (sort: string) => void }) {
	return (
		<select
			class="select sort-choice"
			aria-label="Sort by"
			value={sort}
			onChange={(event) => onSort(event.currentTarget.value)}
		>
			{Object.entries(SORTS).map(([value, label]) => (
				<option key={value} value={value}>
					{label}
				</option>
			))}
		</select>
	);
}

function NoServers() {
	return (
		<Empty title="No servers yet">
			<p>
				A machine appears here as soon as the agent on it has joined this hub. It needs nothing but a
				way out on port 443.
			</p>
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
		</Empty>
	);
}

function Body({
	roster,
	live,
	query,
	sort,
	clear,
}: {
	roster: Roster;
	live: Live;
	query: ServerQuery;
	sort: (sort: string) => void;
	clear: () => void;
}) {
	if (roster.phase === "failed" && roster.problem) {
		return <ProblemNote problem={roster.problem} retry={() => void roster.load()} />;
	}
	const filtered = query.q !== "" || query.status !== "" || query.platform !== "";
	if (roster.phase === "ready" && roster.rows.length === 0) {
		if (!filtered || roster.counts?.all === 0) return <NoServers />;
		return (
			<Empty
				title={
					query.status === "offline" && !query.q && !query.platform
						? "No server is offline"
						: "No server matches"
				}
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
			class="table"
			role="table"
			aria-label="Servers"
			aria-rowcount={roster.total + 1}
			aria-busy={roster.phase === "loading"}
		>
			<Head sort={query.sort} onSort={sort} />
			<ServerRows roster={roster} live={live} />
		</div>
	);
}

export function Servers({ roster, live }: { roster: Roster; live: Live }) {
	useChanges(roster);
	useChanges(live);
	const [query, change] = useQuery(roster);
	const offline = roster.counts?.offline ?? 0;
	useTitle(offline > 0 ? `${number(offline)} offline` : "Servers");

	const filtered = query.q !== "" || query.platform !== "";
	const clear = () => change({ q: "", status: "", platform: "" });
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
						<div class="list-tools">
							<SearchBox value={query.q} onChange={(q) => change({ q })} />
							<select
								class="select"
								aria-label="Platform"
								value={query.platform}
								onChange={(event) => change({ platform: event.currentTarget.value })}
							>
								{PLATFORMS.map((each) => (
									<option key={each.value} value={each.value}>
										{each.label}
									</option>
								))}
							</select>
							<SortChoice sort={query.sort} onSort={(sort) => change({ sort })} />
						</div>
						<a class="button button-primary add" href="#/add">
							<Plus /> Add server
						</a>
					</>
				)}
			</div>
			<p class={filtered && roster.rows.length > 0 ? "list-summary" : "unseen"} role="status">
				{roster.phase !== "ready" || none
					? ""
					: filtered
						? `${plural(roster.total, "server matches", "servers match")}.`
						: plural(roster.total, "server")}
				{filtered && roster.rows.length > 0 && (
					<button class="link" onClick={clear}>
						Show all
					</button>
				)}
			</p>
			<Body roster={roster} live={live} query={query} sort={(sort) => change({ sort })} clear={clear} />
		</main>
	);
}
