// One install: what the connector finds on its hosts, the host keys to be confirmed, the work, the
// outcome, and the failed ones again.
//
// It may be left at any time: the hub knows all of it but the credentials, which this page never had.

import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import { api, asProblem, onceKey, type Problem } from "../api";
import { useNow } from "../clock";
import { useChanges } from "../emitter";
import { isOver, useInstall, useTargetList } from "../installs";
import type { Live } from "../live";
import { Confirm, Dialog, Empty, ProblemNote, Prose, Skeleton, useArrival, useTitle } from "../parts/basics";
import {
	asCredentials,
	CredentialFields,
	NO_SECRETS,
	SealedNote,
	type Secrets,
	wrongSecrets,
} from "../parts/credentials";
import { TextField } from "../parts/fields";
import { HostKeys } from "../parts/host-keys";
import { Back } from "../parts/icons";
import { InstallProgress } from "../parts/install-progress";
import { installTitle, InstallTag, TARGET_WORDS, TargetRows } from "../parts/installs";
import { locationPath, serverHref } from "../parts/location";
import { Panel } from "../parts/panel";
import { TargetDialog } from "../parts/target";
import { router } from "../router";
import { sealCredentials } from "../seal";
import { type Install, may, type Me, type TargetState } from "../types";
import { lasting, moment, plural } from "../words";

/* --- the failed ones again ------------------------------------------------------------------ */

// Credentials are never kept, so they are asked for anew.
function Retry({ install, onClose }: { install: Install; onClose: () => void }) {
	const [secrets, setSecrets] = useState<Secrets>(NO_SECRETS);
	const [user, setUser] = useState(install.user ?? "root");
	const [tried, setTried] = useState(false);
	const [busy, setBusy] = useState(false);
	const [problem, setProblem] = useState<Problem | null>(null);
	const [once, setOnce] = useState(onceKey);
	// Sealed anew it would be another request: sent again after no answer, it has to be the same.
	const sealed = useRef<Record<string, string> | null>(null);
	const touch = () => {
		sealed.current = null;
		setOnce(onceKey());
	};
	const wrongs = {
		...(user.trim() === "" && { "ssh-user": "Give the user to sign in as." }),
		...wrongSecrets(secrets),
	};
	const [first] = Object.keys(wrongs);
	const shown: Record<string, string> = tried ? wrongs : {};
	const send = async () => {
		if (!sealed.current) {
			const { connectors } = await api.location(install.location);
			sealed.current = sealCredentials(connectors, install, asCredentials(secrets, user.trim()));
		}
		const again = await api.retryInstall(install.id, sealed.current, once);
		setSecrets(NO_SECRETS);
		router.go(`/installs/${encodeURIComponent(again.id)}`);
	};
	const submit = async (event: Event) => {
		event.preventDefault();
		setTried(true);
		if (first) return document.getElementById(first)?.focus();
		if (busy) return undefined;
		setBusy(true);
		setProblem(null);
		try {
			await send();
		} catch (error) {
			setProblem(asProblem(error));
			setBusy(false);
		}
		return undefined;
	};
	const again = install.counts.failed + install.counts.cancelled;
	return (
		<Dialog title={`Try ${plural(again, "host")} again`} onClose={onClose} wide>
			<form noValidate autocomplete="off" onSubmit={(event) => void submit(event)}>
				<p>What was given before is forgotten, so it takes the credentials anew.</p>
				<TextField
					id="ssh-user"
					label="User"
					value={user}
					maxLength={64}
					wrong={shown["ssh-user"]}
					hint="Where the list names none."
					onInput={(value) => {
						setUser(value);
						touch();
					}}
				/>
				<CredentialFields
					value={secrets}
					wrongs={shown}
					user={user.trim()}
					onChange={(value) => {
						setSecrets(value);
						touch();
					}}
				/>
				<SealedNote />
				{problem && <ProblemNote problem={problem} />}
				<div class="dialog-actions">
					<button type="button" class="button" onClick={onClose}>
						Cancel
					</button>
					<button class="button button-primary" aria-disabled={busy}>
						{busy ? "Sealing and sending…" : "Try again"}
					</button>
				</div>
			</form>
		</Dialog>
	);
}

function Cancel({ install, onClose }: { install: Install; onClose: () => void }) {
	const { working, joined } = install.counts;
	return (
		<Confirm
			title="Cancel this install?"
			action="Cancel the install"
			doing="Cancelling…"
			keep="Let it go on"
			onConfirm={async () => {
				await api.cancelInstall(install.id);
				onClose();
			}}
			onClose={onClose}
		>
			<p>
				{working + joined > 0 &&
					`What is under way on ${plural(working + joined, "host")} is rolled back. `}
				What is done stays as it is. The credentials are forgotten.
			</p>
		</Confirm>
	);
}

/* --- the page ------------------------------------------------------------------------------- */

function Head({ install, children }: { install: Install; children: ComponentChildren }) {
	const now = useNow();
	const { connector, connector_name: name, location } = install;
	return (
		<div class="server-head">
			<h1>{installTitle(install)}</h1>
			<InstallTag install={install} />
			<span class="quiet">
				in <a href={`#${locationPath(location)}`}>{location}</a>
				{connector && (
					<>
						{" "}
						by <a href={serverHref(connector)}>{name || connector}</a>
					</>
				)}
				, asked for by {install.created_by} {moment(install.created_at, now)}
				{isOver(install)
					? install.finished_at && `, over ${moment(install.finished_at, now)}`
					: `, going on ${lasting(install.created_at, now)}`}
			</span>
			{children}
		</div>
	);
}

interface ActionsProps {
	install: Install;
	onRetry: () => void;
	onCancel: () => void;
}

function Actions({ install, onRetry, onCancel }: ActionsProps) {
	const again = install.counts.failed + install.counts.cancelled;
	const over = isOver(install);
	if (over && again === 0) return null;
	return (
		<span class="head-actions">
			{over ? (
				<button class="button button-primary" onClick={onRetry}>
					Try {plural(again, "host")} again
				</button>
			) : (
				<button class="button button-quiet" onClick={onCancel}>
					Cancel the install
				</button>
			)}
		</span>
	);
}

interface TableProps {
	install: Install;
	list: ReturnType<typeof useTargetList>;
	show: (state: string) => void;
}

function Table({ install, list, show }: TableProps) {
	const { state } = list.query;
	if (list.phase === "failed" && list.problem)
		return <ProblemNote problem={list.problem} retry={() => void list.load()} />;
	if (list.phase === "ready" && list.complete && list.rows.length === 0) {
		return (
			<Empty title="No host is in that state">
				<p>
					<button class="button" onClick={() => show("")}>
						Show all
					</button>
				</p>
			</Empty>
		);
	}
	return (
		<div
			class="table table-targets"
			role="table"
			aria-label={state ? `Hosts: ${TARGET_WORDS[state as TargetState]}` : "Hosts"}
			aria-rowcount={state ? -1 : install.counts.total + 1}
			aria-busy={list.phase === "loading"}
		>
			<div role="rowgroup" class="row-head">
				<div role="row" aria-rowindex={1} class="row-grid">
					{["State", "Host", "Stage", "System"].map((label) => (
						<div key={label} role="columnheader">
							{label}
						</div>
					))}
				</div>
			</div>
			<TargetRows list={list} install={install.id} />
		</div>
	);
}

interface InstallPageProps {
	id: string;
	target: string | undefined; // the one that is looked at
	me: Me;
	live: Live;
}

export function InstallPage({ id, target, me, live }: InstallPageProps) {
	useChanges(live);
	const { install, problem, load, put } = useInstall(id, live);
	const list = useChanges(useTargetList(live, id));
	const [dialog, setDialog] = useState<"" | "retry" | "cancel">("");
	useTitle(install ? installTitle(install) : "Install");
	useArrival(id);
	const mayChange = may(me, "enrol");
	const show = (state: string) => list.setQuery({ state });
	const path = `/installs/${encodeURIComponent(id)}`;
	const back = (
		<p class="back">
			<a href={install ? `#${locationPath(install.location)}` : "#/locations"}>
				<Back /> {install?.location ?? "Locations"}
			</a>
		</p>
	);
	if (problem?.status === 404) {
		return (
			<main class="page" id="main" tabIndex={-1}>
				{back}
				<Empty title="There is no such install">
					<p>
						<a class="button" href="#/locations">
							Go to the locations
						</a>
					</p>
				</Empty>
			</main>
		);
	}
	return (
		<main class={`page ${live.state === "lost" ? "is-lost" : ""}`} id="main" tabIndex={-1}>
			{back}
			{problem && <ProblemNote problem={problem} retry={() => void load()} />}
			{!install && !problem && <Skeleton lines={8} />}
			{install && (
				<>
					<Head install={install}>
						{mayChange && (
							<Actions
								install={install}
								onRetry={() => setDialog("retry")}
								onCancel={() => setDialog("cancel")}
							/>
						)}
					</Head>
					{install.reason && !isOver(install) && (
						<p class="note note-warn">
							<Prose text={install.reason} />
						</p>
					)}
					<Panel title="Progress">
						<InstallProgress install={install} state={list.query.state} onState={show} />
					</Panel>
					{!isOver(install) && (
						<HostKeys install={install} live={live} mayStart={mayChange} onStarted={put} />
					)}
					<Table install={install} list={list} show={show} />
				</>
			)}
			{dialog === "retry" && install && <Retry install={install} onClose={() => setDialog("")} />}
			{dialog === "cancel" && install && <Cancel install={install} onClose={() => setDialog("")} />}
			{target && install && !dialog && (
				<TargetDialog
					install={id}
					target={target}
					known={list.get(target)}
					onClose={() => router.go(path)}
				/>
			)}
		</main>
	);
}
