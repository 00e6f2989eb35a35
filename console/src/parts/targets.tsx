// Where a job goes: all servers that a filter fits when it is sent, or those that are picked one by one.

import { useEffect, useState } from "preact/hooks";
import { api, asProblem, type Problem } from "../api";
import type { Draft } from "../draft";
import type { ServerFilter, ServerRow } from "../types";
import { number, plural } from "../words";
import { ProblemNote } from "./basics";
import { StatusWord } from "./status";
import { SearchBox } from "./search";
import { PLATFORMS, useLocations } from "./server-filter";

const FOUND = 50; // shown of a search
const SHOWN = 100; // of those that are picked

const STATUSES = [
	{ value: "", label: "Online or offline" },
	{ value: "online", label: "Online" },
	{ value: "offline", label: "Offline" },
];
function ByFilter({ draft }: { draft: Draft }) {
	const locations = useLocations();
	const { filter } = draft;
	const change = (part: ServerFilter) => {
		const all = { ...filter, ...part };
		draft.byFilter(Object.fromEntries(Object.entries(all).filter(([, value]) => value)));
	};
	const select = (key: "status" | "platform" | "location", label: string, choices: typeof STATUSES) => (
		<select
			class="select"
			aria-label={label}
			value={filter[key] ?? ""}
			onChange={(event) => change({ [key]: event.currentTarget.value })}
		>
			{choices.map((each) => (
				<option key={each.value} value={each.value}>
					{each.label}
				</option>
			))}
		</select>
	);
	return (
		<div class="target-filter">
			<SearchBox label="Servers whose row has" value={filter.q ?? ""} onChange={(q) => change({ q })} />
			{select("status", "Status", STATUSES)}
			{select("platform", "Platform", PLATFORMS)}
			{locations.length > 0 &&
				select("location", "Location", [
					{ value: "", label: "All locations" },
					...locations.map((name) => ({ value: name, label: name })),
				])}
		</div>
	);
}

// The first servers that fit a filter, and how many there are.
export function useFound({ q = "", location = "" }: ServerFilter) {
	const [found, setFound] = useState<{ rows: ServerRow[]; total: number } | null>(null);
	const [problem, setProblem] = useState<Problem | null>(null);
	useEffect(() => {
		const abort = new AbortController();
		api.servers({ q, location }, { limit: FOUND, cursor: null, signal: abort.signal })
			.then((page) => {
				setFound({ rows: page.servers, total: page.total });
				setProblem(null);
			})
			.catch((error) => abort.signal.aborted || setProblem(asProblem(error)));
		return () => abort.abort();
	}, [q, location]);
	return { found, problem };
}

function ServerBox({ row, draft }: { row: ServerRow; draft: Draft }) {
	const pick = (wanted: boolean) => {
		const rows = [...draft.picked.values()].filter(({ id }) => id !== row.id);
		draft.byPicking(wanted ? [...rows, row] : rows);
	};
	return (
		<li>
			<label class="pick">
				<input
					type="checkbox"
					checked={draft.picked.has(row.id)}
					onChange={(event) => pick(event.currentTarget.checked)}
				/>
				<span class="pick-name">{row.name || row.id}</span>
				<span class="mono quiet">{row.address}</span>
				<StatusWord status={row.status} />
			</label>
		</li>
	);
}

function ByPicking({ draft }: { draft: Draft }) {
	const [q, setQ] = useState("");
	const { found, problem } = useFound({ q });
	const picked = [...draft.picked.values()];
	return (
		<div class="target-pick">
			<div>
				<SearchBox label="Find servers" value={q} onChange={setQ} />
				{problem && <ProblemNote problem={problem} />}
				{found && (
					<>
						<ul class="pick-list" aria-label="Servers found">
							{found.rows.map((row) => (
								<ServerBox key={row.id} row={row} draft={draft} />
							))}
						</ul>
						<p class="quiet">
							{found.total === 0
								? "No server matches."
								: found.total > found.rows.length
									? `${number(found.rows.length)} of ${number(found.total)}: search for the others, or choose by filter.`
									: `${plural(found.total, "server")}.`}
						</p>
					</>
				)}
			</div>
			<div>
				<h3>
					Picked: {number(picked.length)}{" "}
					{picked.length > 0 && (
						<button type="button" class="link" onClick={() => draft.byPicking([])}>
							Pick none
						</button>
					)}
				</h3>
				<ul class="pick-list" aria-label="Servers picked">
					{picked.slice(0, SHOWN).map((row) => (
						<ServerBox key={row.id} row={row} draft={draft} />
					))}
				</ul>
				{picked.length > SHOWN && <p class="quiet">and {number(picked.length - SHOWN)} more.</p>}
			</div>
		</div>
	);
}

export function TargetChoice({ draft }: { draft: Draft }) {
	const way = (value: "filter" | "picked", words: string) => (
		<label class="radio">
			<input
				type="radio"
				name="way"
				checked={draft.way === value}
				onChange={() =>
					value === "filter" ? draft.byFilter(draft.filter) : draft.byPicking(draft.picked.values())
				}
			/>
			{words}
		</label>
	);
	return (
		<>
			<fieldset class="radios">
				<legend class="unseen">How the servers are chosen</legend>
				{way("filter", "All that fit a filter")}
				{way("picked", "Picked one by one")}
			</fieldset>
			{draft.way === "filter" ? <ByFilter draft={draft} /> : <ByPicking draft={draft} />}
		</>
	);
}
