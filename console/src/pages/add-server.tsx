// "Add server": makes a join token, shows the two commands, and waits for the machine to arrive.
//
// The token is held by this dialog alone and is gone when it closes.

import { useEffect, useRef, useState } from "preact/hooks";
import { api, asProblem, hubNow, type Problem } from "../api";
import { useNow } from "../clock";
import type { Live } from "../live";
import { Command, Dialog, ProblemNote } from "../parts/basics";
import { Check } from "../parts/icons";
import type { Roster } from "../roster";
import { router } from "../router";
import type { Me, NewToken, ServerRow } from "../types";
import { ahead, moment, plural } from "../words";
import { listPath } from "./servers";

const EXPIRIES = [
	{ seconds: 3600, label: "1 hour" },
	{ seconds: 86_400, label: "1 day" },
	{ seconds: 7 * 86_400, label: "7 days" },
	{ seconds: 30 * 86_400, label: "30 days" },
	{ seconds: 365 * 86_400, label: "1 year" },
];
const MAX_USES = 10_000;
const MAX_LABEL = 100;
const MAX_ASKED = 200; // a hub that restarts sends every server: do not ask after all of them

function TokenForm({
	onMade,
	onClose,
}: {
	onMade: (token: NewToken, at: number) => void;
	onClose: () => void;
}) {
	const [label, setLabel] = useState("");
	const [expires, setExpires] = useState(86_400);
	const [uses, setUses] = useState("1");
	const [busy, setBusy] = useState(false);
	const [problem, setProblem] = useState<Problem | null>(null);
	const usesOk = /^\d+$/.test(uses) && Number(uses) >= 1 && Number(uses) <= MAX_USES;

	const submit = async (event: Event) => {
		event.preventDefault();
		if (busy || !usesOk) return;
		setBusy(true);
		setProblem(null);
		const at = hubNow();
		try {
			onMade(await api.makeToken(label.trim(), expires, Number(uses)), at);
		} catch (error) {
			setProblem(asProblem(error));
			setBusy(false);
		}
	};

	return (
		<form onSubmit={(event) => void submit(event)}>
			<p>
				A join token lets a machine join this hub. You run two commands on the machine; nothing on it
				has to be reachable from here.
			</p>
			<div class="field-row">
				<div class="field">
					<label for="uses">Machines</label>
					<input
						id="uses"
						type="number"
						inputMode="numeric"
						min={1}
						max={MAX_USES}
						value={uses}
						required
						aria-invalid={!usesOk}
						aria-describedby="uses-hint"
						onInput={(event) => setUses(event.currentTarget.value)}
					/>
					<p class="field-hint" id="uses-hint">
						{usesOk
							? "How many may join with this token."
							: `A number from 1 to ${MAX_USES.toLocaleString("en-GB")}.`}
					</p>
				</div>
				<div class="field">
					<label for="expires">Valid for</label>
					<select
						id="expires"
						class="select"
						value={expires}
						onChange={(event) => setExpires(Number(event.currentTarget.value))}
					>
						{EXPIRIES.map((each) => (
							<option key={each.seconds} value={each.seconds}>
								{each.label}
							</option>
						))}
					</select>
					<p class="field-hint">Machines that have joined stay.</p>
				</div>
			</div>
			<div class="field">
				<label for="label">
					Label <span class="optional">(optional)</span>
				</label>
				<input
					id="label"
					type="text"
					value={label}
					maxLength={MAX_LABEL}
					autocomplete="off"
					placeholder="web servers in Zürich"
					onInput={(event) => setLabel(event.currentTarget.value)}
				/>
				<p class="field-hint">For the list of tokens, so that you know later what it was for.</p>
			</div>
			{problem && <ProblemNote problem={problem} />}
			<div class="dialog-actions">
				<button type="button" class="button" onClick={onClose}>
					Cancel
				</button>
				<button class="button button-primary" autoFocus disabled={busy || !usesOk}>
					{busy ? "Making the token…" : "Make token"}
				</button>
			</div>
		</form>
	);
}

// The servers that joined since `at`: those that the hub tells of and that were made after it.
function useArrivals(live: Live, roster: Roster, at: number): ServerRow[] {
	const [arrived, setArrived] = useState<ServerRow[]>([]);
	const known = useRef(new Set(roster.rows.map((row) => row.id)));
	const asked = useRef(0);
	useEffect(() => {
		const look = async (row: ServerRow) => {
			const before = known.current.has(row.id);
			known.current.add(row.id);
			if (before) return setArrived((old) => old.map((each) => (each.id === row.id ? row : each)));
			if (asked.current++ >= MAX_ASKED) return;
			const server = await api.server(row.id).catch(() => null);
			// Both times are the hub's; a few seconds are forgiven.
			if (server && Date.parse(server.created_at ?? "") >= at - 5000) {
				setArrived((old) => [server, ...old.filter((each) => each.id !== server.id)]);
			}
		};
		return live.on("server", (row) => void look(row));
	}, []);
	return arrived;
}

function Waiting({ token, at, live, roster }: { token: NewToken; at: number; live: Live; roster: Roster }) {
	const arrived = useArrivals(live, roster, at);
	return (
		<div class="arrivals" role="status">
			{arrived.length === 0 ? (
				<p class="waiting">
					<span class="pulse" aria-hidden="true" />
					{token.uses === 1 ? "Waiting for the server…" : "Waiting for the servers…"}
				</p>
			) : (
				<ul>
					{arrived.slice(0, 8).map((row) => (
						<li key={row.id}>
							<Check /> It is here:{" "}
							<a href={`#/servers/${encodeURIComponent(row.id)}`}>{row.name || row.id}</a>
							<span class="quiet">{row.address}</span>
						</li>
					))}
				</ul>
			)}
			{token.uses > 1 && arrived.length > 0 && (
				<p class="quiet">
					{arrived.length} of up to {plural(token.uses, "machine")} so far.
				</p>
			)}
		</div>
	);
}

interface AddProps {
	me: Me;
	live: Live;
	roster: Roster;
}

export function AddServer({ me, live, roster }: AddProps) {
	const [made, setMade] = useState<{ token: NewToken; at: number } | null>(null);
	const now = useNow();
	const close = () => router.go(listPath(roster.query));
	if (!made) {
		return (
			<Dialog key="form" title="Add server" onClose={close}>
				<TokenForm onMade={(token, at) => setMade({ token, at })} onClose={close} />
			</Dialog>
		);
	}
	const { token, at } = made;
	const [join = "", enable = ""] = token.commands;
	return (
		<Dialog key="commands" title="Run these on the machine" onClose={close} wide>
			<ol class="commands">
				<li>
					<p>Join this hub</p>
					<Command text={join} label="the command that joins" />
				</li>
				<li>
					<p>Start the agent, now and at every boot</p>
					<Command text={enable} label="the command that starts the agent" />
				</li>
			</ol>
			<p class="quiet">
				The token is shown once. {token.uses === 1 ? "One machine" : plural(token.uses, "machine")}{" "}
				may use it, until {moment(token.expires_at, now)} ({ahead(token.expires_at, now)}).
			</p>
			<Waiting token={token} at={at} live={live} roster={roster} />
			<details class="door-help">
				<summary>It does not appear?</summary>
				<p>
					The first command says why: it names the cause and who can mend it. To see every step of
					the way to this hub, run on the machine:
				</p>
				<Command
					text={`sallyport check --hub ${me.hub.url}`}
					label="the command that checks the way"
				/>
			</details>
			<div class="dialog-actions">
				<button class="button button-primary" autoFocus onClick={close}>
					Done
				</button>
			</div>
		</Dialog>
	);
}
