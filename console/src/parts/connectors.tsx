// The connectors of a location: which they are, promoting a server, demoting one.

import { useState } from "preact/hooks";
import { api, asProblem, type Problem } from "../api";
import type { Connector, Location, ServerRow } from "../types";
import { number } from "../words";
import { Dialog, ProblemNote } from "./basics";
import { ConnectorName, Demote, nameOf, onlineOf } from "./location";
import { Panel } from "./panel";
import { SearchBox } from "./search";
import { StatusWord } from "./status";
import { useFound } from "./targets";

interface PromoteProps {
	location: Location;
	onDone: () => Promise<void>;
	onClose: () => void;
}

// Chooses from the location's servers; one that is offline could do nothing now.
function Promote({ location, onDone, onClose }: PromoteProps) {
	const [q, setQ] = useState("");
	const [busy, setBusy] = useState("");
	const { found, problem: searchProblem } = useFound({ q, location: location.name });
	const [problem, setProblem] = useState<Problem | null>(null);
	const is = new Set(location.connectors.map(({ id }) => id));
	const promote = async (row: ServerRow) => {
		if (busy) return;
		setBusy(row.id);
		setProblem(null);
		try {
			await api.promote(row.id);
			await onDone();
		} catch (error) {
			setProblem(asProblem(error));
			setBusy("");
		}
	};
	const rows = (found?.rows ?? []).filter((row) => row.platform !== "windows");
	return (
		<Dialog title="Promote a server to connector" onClose={onClose}>
			<p>
				A connector reaches its neighbours over SSH and puts the agent on them. Choose a server that
				stays on.
			</p>
			<SearchBox label="Find a server" value={q} onChange={setQ} />
			{searchProblem && <ProblemNote problem={searchProblem} />}
			{problem && <ProblemNote problem={problem} />}
			{found && (
				<ul class="pick-list" aria-label="Servers of this location">
					{rows.map((row) => (
						<li key={row.id} class="promote">
							<span class="pick-name">{nameOf(row)}</span>
							<StatusWord status={row.status} />
							{is.has(row.id) ? (
								<span class="quiet">is one</span>
							) : (
								<button
									class="button button-small"
									disabled={busy !== "" || row.status === "offline"}
									onClick={() => void promote(row)}
									aria-label={`Promote ${nameOf(row)}`}
								>
									{busy === row.id ? "One moment…" : "Promote"}
								</button>
							)}
						</li>
					))}
				</ul>
			)}
			{found && rows.length === 0 && (
				<p class="quiet">
					{q
						? "No server of this location matches."
						: "No Linux server is in this location. Move one here on its own page first."}
				</p>
			)}
			{found && found.total > found.rows.length && (
				<p class="quiet">
					{number(found.rows.length)} of {number(found.total)}: search for the others.
				</p>
			)}
			<div class="dialog-actions">
				<button class="button" onClick={onClose}>
					Close
				</button>
			</div>
		</Dialog>
	);
}

function connectorWords(connectors: Connector[]): string {
	const online = onlineOf(connectors).length;
	if (connectors.length === 0)
		return "None yet. Promote a server, and the servers around it can be added from here.";
	if (online === 0) return "None is online: servers can be added by a command alone.";
	if (connectors.length === 1)
		return "With a second one, the work goes on when this one goes down in the middle.";
	return "When one goes down in the middle, another takes its work over.";
}

interface ConnectorsProps {
	location: Location;
	mayChange: boolean;
	load: () => Promise<void>;
}

export function Connectors({ location, mayChange, load }: ConnectorsProps) {
	const [promoting, setPromoting] = useState(false);
	const [demoting, setDemoting] = useState<Connector | null>(null);
	const { connectors } = location;
	const warn = onlineOf(connectors).length === 0;
	return (
		<Panel title="Connectors">
			{connectors.length > 0 && (
				<ul class="plain-list connector-list">
					{connectors.map((each) => (
						<li key={each.id}>
							<ConnectorName connector={each} />
							{mayChange && (
								<button
									class="button button-small"
									onClick={() => setDemoting(each)}
									aria-label={`Demote ${nameOf(each)}`}
								>
									Demote
								</button>
							)}
						</li>
					))}
				</ul>
			)}
			<p class={warn ? "warn-words" : "quiet"}>{connectorWords(connectors)}</p>
			{mayChange && (
				<p class="panel-act">
					<button class="button" onClick={() => setPromoting(true)}>
						Promote a server
					</button>
				</p>
			)}
			{promoting && (
				<Promote
					location={location}
					onDone={async () => {
						await load();
						setPromoting(false);
					}}
					onClose={() => setPromoting(false)}
				/>
			)}
			{demoting && (
				<Demote
					connector={demoting}
					last={connectors.length === 1}
					onDone={async () => {
						await load();
						setDemoting(null);
					}}
					onClose={() => setDemoting(null)}
				/>
			)}
		</Panel>
	);
}
