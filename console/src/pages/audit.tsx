// The audit trail: who changed or ordered what, and when, the newest first.

import { useEffect, useState } from "preact/hooks";
import { api, type Paging } from "../api";
import { useChanges } from "../emitter";
import type { Live } from "../live";
import { LiveList, type Page } from "../live-list";
import { useNow } from "../clock";
import { Empty, ProblemNote, useArrival, useTitle } from "../parts/basics";
import { SearchBox } from "../parts/search";
import { router } from "../router";
import type { AuditEntry } from "../types";
import { moment } from "../words";
import { VirtualRows } from "../parts/virtual";

const ROW_REM = 2.75; // as in jobs.css
const CARD_REM = 5.25;

interface AuditQuery {
	actor: string;
	action: string;
	target: string;
}

// What was written once does not change; what is new comes with a fresh look.
class Trail extends LiveList<AuditEntry, AuditQuery> {
	override idOf(entry: AuditEntry): string {
		return String(entry.id);
	}

	protected override async fetch(query: AuditQuery, paging: Paging): Promise<Page<AuditEntry>> {
		const page = await api.audit(query, paging);
		return { rows: page.entries, next_cursor: page.next_cursor };
	}

	protected override order() {
		return (a: AuditEntry, b: AuditEntry) => Date.parse(b.at) - Date.parse(a.at);
	}

	protected override wants(): boolean {
		return true;
	}
}

// "server web-01: 3 servers", from whatever the hub wrote down.
function detailOf(detail: unknown): string {
	if (detail === null || detail === undefined || detail === "") return "";
	if (typeof detail === "string") return detail;
	if (typeof detail !== "object") return String(detail);
	return Object.entries(detail)
		.map(
			([name, value]) =>
				`${name}: ${typeof value === "object" ? JSON.stringify(value) : String(value)}`,
		)
		.join(", ");
}

function readQuery(search: URLSearchParams): AuditQuery {
	const get = (key: string) => search.get(key)?.slice(0, 200) ?? "";
	return { actor: get("actor"), action: get("action"), target: get("target") };
}

export function Audit({ live }: { live: Live }) {
	useTitle("Audit trail");
	useArrival();
	const now = useNow();
	const { query: search } = useChanges(router);
	const query = readQuery(search);
	const [list] = useState(() => new Trail(query));
	useChanges(list);
	useEffect(() => {
		void list.load();
		const stop = live.on("live", () => list.phase !== "loading" && void list.load());
		return () => {
			stop();
			list.close();
		};
	}, []);
	useEffect(() => list.setQuery(query), [query.actor, query.action, query.target]);
	const change = (part: Partial<AuditQuery>) => {
		const all = Object.entries({ ...query, ...part }).filter(([, value]) => value);
		const next = new URLSearchParams(all);
		router.replace(next.size > 0 ? `/audit?${next}` : "/audit");
	};
	const clear = () => router.replace("/audit");
	const known = (of: "actor" | "action") => [...new Set(list.rows.map((entry) => entry[of]))].sort();
	const filtered = Object.values(query).some(Boolean);
	const empty = list.phase === "ready" && list.complete && list.rows.length === 0;
	return (
		<main class="page page-list" id="main" tabIndex={-1}>
			<div class="list-head">
				<h1>Audit trail</h1>
				<div class="list-tools">
					<SearchBox
						label="By whom"
						value={query.actor}
						onChange={(actor) => change({ actor })}
						known={known("actor")}
						hint="Who"
						slash
					/>
					<SearchBox
						label="What was done"
						value={query.action}
						onChange={(action) => change({ action })}
						known={known("action")}
						hint="What, as job.create"
					/>
					<SearchBox
						label="To what"
						value={query.target}
						onChange={(target) => change({ target })}
						hint="To what"
					/>
					<button class="button" onClick={() => void list.load()}>
						Look again
					</button>
				</div>
			</div>
			{list.phase === "failed" && list.problem ? (
				<ProblemNote problem={list.problem} retry={() => void list.load()} />
			) : empty ? (
				<Empty title={filtered ? "Nothing matches" : "Nothing has happened yet"}>
					<p>Every change and every command stands here: who, what, when, and from where.</p>
					{filtered && (
						<p>
							<button class="button" onClick={clear}>
								Show everything
							</button>
						</p>
					)}
				</Empty>
			) : (
				<div
					class="table table-audit"
					role="table"
					aria-label="Audit trail"
					aria-rowcount={list.complete ? list.rows.length + 1 : -1}
					aria-busy={list.phase === "loading"}
				>
					<div role="rowgroup" class="row-head">
						<div role="row" aria-rowindex={1} class="row-grid">
							{["When", "Who", "What", "To what", "Details", "From"].map((label) => (
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
					>
						{(entry, place) => (
							<div
								key={entry.id}
								{...place.row}
								class={`row audit-row${/failed|refused/.test(entry.action) ? " row-bad" : ""}`}
							>
								<div class="row-grid">
									<div role="cell" class="cell-when" title={entry.at}>
										{moment(entry.at, now)}
									</div>
									<div role="cell" class="cell-actor">
										{entry.actor || "–"}
										{entry.actor_kind === "key" && <span class="quiet"> (key)</span>}
									</div>
									<div role="cell" class="cell-action mono">
										{entry.action}
									</div>
									<div role="cell" class="cell-target" title={entry.target ?? ""}>
										{entry.target || "–"}
									</div>
									<div role="cell" class="cell-detail" title={detailOf(entry.detail)}>
										{detailOf(entry.detail)}
									</div>
									<div role="cell" class="cell-peer mono">
										{entry.peer}
									</div>
								</div>
							</div>
						)}
					</VirtualRows>
				</div>
			)}
		</main>
	);
}
