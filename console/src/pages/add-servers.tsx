// "Add servers": a connector of a location puts the agent on its neighbours over SSH, or takes it off.
//
// Happy path: a location with an online connector, a list of hosts, credentials; they are sealed here,
// and the install's page shows what the connector finds. What goes wrong: no connector (what to do is
// said, and the way by a command stays), lines of the list, credentials left out, the hub's refusal.

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { api, asProblem, type Problem } from "../api";
import { useChanges } from "../emitter";
import { type Guide, portOf, SSH_PORT } from "../guide";
import { type HostList, MAX_TEXT, type Wrong } from "../host-list";
import type { Live } from "../live";
import { Empty, ProblemNote, Skeleton, useArrival, useTitle } from "../parts/basics";
import {
	asCredentials,
	CredentialFields,
	NO_SECRETS,
	SealedNote,
	type Secrets,
	wrongSecrets,
} from "../parts/credentials";
import { Labelled, SelectField, TextField } from "../parts/fields";
import { FileButton } from "../parts/file";
import { Back } from "../parts/icons";
import { ConnectorName, locationPath, nameOf, onlineOf, useLocationRows } from "../parts/location";
import { Panel } from "../parts/panel";
import { router } from "../router";
import { sealCredentials } from "../seal";
import type { Location, NewInstall } from "../types";
import { number, plural } from "../words";

const WRONGS_SHOWN = 6;

/* --- where ---------------------------------------------------------------------------------- */

function CommandLink({ children }: { children: ComponentChildren }) {
	return <a href="#/add">{children}</a>;
}

// Who does the work; or why nobody can, and what to do.
function Workers({ location }: { location: Location }) {
	const { name, connectors } = location;
	const online = onlineOf(connectors);
	const page = `#${locationPath(name)}`;
	if (connectors.length === 0) {
		return (
			<div class="note note-warn">
				<p>
					<strong>{name} has no connector yet.</strong> It takes one machine of the location that
					puts the agent on the others:
				</p>
				<ol class="steps">
					<li>
						Let one machine join: <CommandLink>copy a command</CommandLink> to it.
					</li>
					<li>
						Promote it to connector on <a href={page}>the page of {name}</a>.
					</li>
				</ol>
			</div>
		);
	}
	if (online.length === 0) {
		return (
			<div class="note note-bad">
				<p class="note-title">No connector of {name} is online.</p>
				<p>
					{connectors.map((each) => (
						<ConnectorName key={each.id} connector={each} />
					))}
				</p>
				<p>
					Bring one back: its page says why it is away. Or promote another server on{" "}
					<a href={page}>the page of {name}</a>, or <CommandLink>copy a command</CommandLink> to
					each machine.
				</p>
			</div>
		);
	}
	return (
		<p class="workers">
			{connectors.map((each) => (
				<ConnectorName key={each.id} connector={each} />
			))}
			<span class="quiet">
				{online.length === 1 ? "does the work." : "One of them does the work; another takes it over."}
			</span>
		</p>
	);
}

function NoLocation() {
	return (
		<Empty title="First a location, and a connector in it">
			<p>
				A connector is one machine of a location that puts the agent on the others over SSH, so that
				none of them has to be reached from outside.
			</p>
			<ol class="steps">
				<li>
					Make a location under <a href="#/locations">Locations</a>.
				</li>
				<li>
					Let the first machine join, and move it to the location:{" "}
					<CommandLink>copy a command</CommandLink> to it.
				</li>
				<li>Promote it to connector, and come back here.</li>
			</ol>
		</Empty>
	);
}

/* --- which hosts ---------------------------------------------------------------------------- */

function listWords({ hosts }: HostList): string {
	const ranged = hosts.filter(({ fromRange }) => fromRange).length;
	if (hosts.length === 0) return "No host yet.";
	if (ranged === 0) return `${plural(hosts.length, "host")}.`;
	return `${plural(hosts.length, "host")}, ${number(ranged)} of them of a range: those that do not answer are left out.`;
}

function Wrongs({ wrongs }: { wrongs: Wrong[] }) {
	return (
		<ul class="wrongs">
			{wrongs.slice(0, WRONGS_SHOWN).map(({ line, words }) => (
				<li key={line}>
					{line > 0 && <strong>Line {number(line)}: </strong>}
					{words}
				</li>
			))}
			{wrongs.length > WRONGS_SHOWN && <li>and {number(wrongs.length - WRONGS_SHOWN)} more.</li>}
		</ul>
	);
}

function Hosts({ guide, tried }: { guide: Guide; tried: boolean }) {
	const { fields, list } = guide;
	const [rested, setRested] = useState(fields.hosts !== "");
	const [problem, setProblem] = useState("");
	const wrongs = tried || rested ? list.wrongs : [];
	const missing = tried && list.hosts.length === 0 && wrongs.length === 0;
	return (
		<Labelled id="hosts" label="Hosts">
			<textarea
				id="hosts"
				class="textarea mono"
				rows={8}
				value={fields.hosts}
				autocapitalize="none"
				spellcheck={false}
				wrap="off"
				placeholder={"web-1.example.net\n10.0.0.5\nadmin@10.0.0.6:2222\n10.0.0.16/28\n10.0.1.5-20"}
				aria-invalid={wrongs.length > 0 || missing}
				aria-describedby="hosts-hint"
				onInput={(event) => guide.set({ hosts: event.currentTarget.value })}
				onBlur={() => setRested(true)}
			/>
			<FileButton
				label="Read from a file"
				accept=".csv,.txt,.tsv,text/plain,text/csv"
				most={MAX_TEXT}
				onText={(hosts) => {
					setRested(true);
					guide.set({ hosts });
				}}
				onProblem={setProblem}
			/>
			<div id="hosts-hint" class="field-hint" role="status">
				{problem && <p class="field-wrong">{problem}</p>}
				{missing ? <p class="field-wrong">Name at least one host.</p> : <p>{listWords(list)}</p>}
				{wrongs.length > 0 && <Wrongs wrongs={wrongs} />}
			</div>
			<details class="list-help">
				<summary>What may stand in the list</summary>
				<p>
					Names, addresses and ranges, apart by spaces or lines: <code>host</code>,{" "}
					<code>user@host:port</code>, <code>10.0.0.0/28</code>, <code>10.0.0.5-20</code>. What
					follows a <code>#</code> is a comment. Or CSV, whose first line names its columns:{" "}
					<code>host</code>, and of <code>port</code>, <code>user</code> and <code>name</code> any.
					At most 1,024 hosts.
				</p>
			</details>
		</Labelled>
	);
}

/* --- the page ------------------------------------------------------------------------------- */

// What the address asks for: ?location= and ?action=, taken once.
function useAsked(guide: Guide, rows: Location[] | null): void {
	const done = useRef(false);
	useEffect(() => {
		if (done.current || !rows) return;
		done.current = true;
		const asked = router.query.get("location") ?? guide.fields.location;
		const able = rows.find(({ connectors }) => onlineOf(connectors).length > 0);
		const location = rows.find(({ name }) => name === asked) ?? able ?? rows[0];
		const action = router.query.get("action") === "remove" ? "remove" : "install";
		guide.set({ location: location?.name ?? "", action });
	}, [rows]);
}

interface FormProps {
	guide: Guide;
	locations: Location[];
}

function Form({ guide, locations }: FormProps) {
	const { fields, list } = guide;
	const [secrets, setSecrets] = useState<Secrets>(NO_SECRETS);
	const [tried, setTried] = useState(false);
	const [busy, setBusy] = useState(false);
	const [problem, setProblem] = useState<Problem | null>(null);
	const sealed = useRef<{ once: string; install: NewInstall } | null>(null);
	const removing = fields.action === "remove";
	const location = locations.find(({ name }) => name === fields.location);
	const workers = onlineOf(location?.connectors ?? []);
	const user = fields.user.trim();
	const port = portOf(fields.port);
	const wrongs: Record<string, string> = {
		...((list.wrongs.length > 0 || list.hosts.length === 0) && { hosts: "Mend the list of hosts." }),
		...(user === "" && { "ssh-user": "Give the user to sign in as." }),
		...(port === null && { "ssh-port": "A number from 1 to 65535." }),
		...wrongSecrets(secrets),
	};
	const first = Object.keys(wrongs)[0];
	const shown = tried ? wrongs : {};
	const able = location !== undefined && workers.length > 0;

	const send = async (to: Location) => {
		// Sealed anew it would be another request: sent again after no answer, it has to be the same.
		if (sealed.current?.once !== guide.once) {
			const named = { hosts: fields.hosts, port: port ?? SSH_PORT };
			const credentials = sealCredentials(to.connectors, named, asCredentials(secrets, user));
			sealed.current = {
				once: guide.once,
				install: { location: to.name, action: fields.action, ...named, user, credentials },
			};
		}
		const install = await api.makeInstall(sealed.current.install, guide.once);
		setSecrets(NO_SECRETS);
		guide.clear();
		router.go(`/installs/${encodeURIComponent(install.id)}`);
	};
	const submit = async (event: Event) => {
		event.preventDefault();
		setTried(true);
		setProblem(null);
		if (first) return document.getElementById(first)?.focus();
		if (!location || !able || busy) return undefined;
		setBusy(true);
		try {
			await send(location);
		} catch (error) {
			setProblem(asProblem(error));
			setBusy(false);
		}
		return undefined;
	};
	const change = (value: Secrets) => {
		setSecrets(value);
		guide.touch();
	};
	return (
		<form noValidate autocomplete="off" onSubmit={(event) => void submit(event)}>
			<Panel title="Where">
				<div class="form-narrow">
					<SelectField
						id="location"
						label="Location"
						value={fields.location}
						choices={locations.map(({ name }) => ({ value: name, label: name }))}
						onChange={(name) => guide.set({ location: name })}
					/>
				</div>
				{location && <Workers location={location} />}
			</Panel>
			<Panel title="Which hosts">
				<Hosts guide={guide} tried={tried} />
			</Panel>
			<Panel title="How to sign in there">
				<div class="field-row">
					<TextField
						id="ssh-user"
						label="User"
						value={fields.user}
						maxLength={64}
						wrong={shown["ssh-user"]}
						hint="Where the list names none. Root, or one that may use sudo."
						onInput={(value) => guide.set({ user: value })}
					/>
					<TextField
						id="ssh-port"
						label="Port"
						value={fields.port}
						maxLength={5}
						wrong={shown["ssh-port"]}
						hint="Where the list names none."
						onInput={(value) => guide.set({ port: value })}
					/>
				</div>
				<CredentialFields value={secrets} wrongs={shown} user={user} onChange={change} />
				<SealedNote />
			</Panel>
			{problem && <ProblemNote problem={problem} />}
			{tried && first && (
				<p class="form-problem" role="alert">
					{wrongs[first]}
				</p>
			)}
			<div class="send-bar">
				<p>
					<strong>
						{plural(list.hosts.length, "host")}
						{location && ` in ${location.name}`}
						{workers.length > 0 && `, by ${workers.map(nameOf).join(" or ")}`}.
					</strong>{" "}
					<span class="quiet">
						{able
							? `First it only looks: nothing is ${removing ? "removed" : "left"} there before you start it.`
							: "It takes a connector that is online."}
					</span>
				</p>
				<button class="button button-primary" aria-disabled={busy || !able}>
					{busy
						? "Sealing and sending…"
						: list.hosts.length === 0
							? "Look"
							: `Look at ${plural(list.hosts.length, "host")}`}
				</button>
			</div>
		</form>
	);
}

export function AddServers({ guide, live }: { guide: Guide; live: Live }) {
	useChanges(guide);
	const { rows, problem, load } = useLocationRows(live);
	useAsked(guide, rows);
	useArrival();
	const removing = guide.fields.action === "remove";
	const title = removing ? "Remove the agent" : "Add servers";
	useTitle(title);
	return (
		<main class="page page-form" id="main" tabIndex={-1}>
			<p class="back">
				<a href="#/">
					<Back /> Servers
				</a>
			</p>
			<h1>{title}</h1>
			<p class="page-lead">
				{removing ? (
					"A connector signs in to these hosts over SSH and takes the agent off them. They leave the list of servers."
				) : (
					<>
						A connector puts the agent on the machines around it over SSH; afterwards SSH may be
						closed. For a single machine, or the first of a location:{" "}
						<CommandLink>copy a command</CommandLink>.
					</>
				)}
			</p>
			{problem && <ProblemNote problem={problem} retry={() => void load()} />}
			{!rows && !problem && <Skeleton lines={8} />}
			{rows?.length === 0 && <NoLocation />}
			{rows && rows.length > 0 && <Form guide={guide} locations={rows} />}
		</main>
	);
}
