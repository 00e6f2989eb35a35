// One server: how it is, why, which way it takes to the hub, what its last check found, what it is.

import { useRef, useState } from "preact/hooks";
import { api } from "../api";
import { useChecks } from "../checks";
import { useNow } from "../clock";
import type { Draft } from "../draft";
import { useChanges } from "../emitter";
import { useFetched } from "../fetched";
import type { Live } from "../live";
import { Command, Confirm, Empty, ProblemNote, Prose, Skeleton, useArrival, useTitle } from "../parts/basics";
import { CheckPanel, History, historyNote, useShown } from "../parts/checks";
import { Back } from "../parts/icons";
import { Facts, Inventory } from "../parts/inventory";
import { Panel } from "../parts/panel";
import { ServerActivity } from "../parts/server-activity";
import { ServerBundles } from "../parts/server-bundles";
import { ServerLog } from "../parts/server-log";
import { ServerPlace } from "../parts/server-place";
import { remedyFor, StatusSince } from "../parts/status";
import { Walk } from "../parts/walk";
import type { Roster } from "../roster";
import { router } from "../router";
import { may, type Me, type Server } from "../types";
import { ago, lasting, moment } from "../words";
import { listPath } from "./servers";

function useServer(id: string, live: Live) {
	const [removed, setRemoved] = useState(false);
	const { value, problem, load } = useFetched<Server>(
		id,
		live,
		(signal) => api.server(id, signal),
		({ put, load: again }) => [
			live.on("server", (row) => {
				if (row.id !== id) return;
				put((old) => old && { ...old, ...row });
				void again(); // its path and its inventory may have changed too
			}),
			live.on("removed", (gone) => gone.id === id && setRemoved(true)),
		],
	);
	return { server: value, problem, removed, load };
}

function hostOf(url: string): string {
	try {
		return new URL(url).host;
	} catch {
		return url;
	}
}

// Why it is offline, since when, and what to do: what somebody who was woken up by it wants to know.
function WhyOffline({ server, now }: { server: Server; now: number }) {
	const remedy = remedyFor(server, now);
	return (
		<section class="note note-bad why" aria-labelledby="why">
			<h2 id="why">
				{server.reason ? <Prose text={server.reason} /> : "The hub does not know why it went away."}
			</h2>
			<p class="quiet">
				Offline since {moment(server.since, now)}, {lasting(server.since, now)} · last seen{" "}
				{ago(server.last_seen, now)}
				{server.cause && (
					<>
						{" "}
						· <code>{server.cause}</code>
					</>
				)}
			</p>
			{remedy && (
				<p class="why-remedy">
					<strong>What to do:</strong> <Prose text={remedy.remedy} />{" "}
					<span class="quiet">For the {remedy.who}.</span>
				</p>
			)}
			<details open={!remedy || remedy.askMachine}>
				<summary>Ask the machine itself</summary>
				<p>
					It knows more of its way out than the hub can. On the machine, this names the cause and
					the remedy:
				</p>
				<Command text="sudo sallyport status" label="the command that tells the agent's state" />
				<p>If it cannot be reached at all, it may be switched off.</p>
			</details>
		</section>
	);
}

function Removal({
	server,
	onClose,
	onRemoved,
}: {
	server: Server;
	onClose: () => void;
	onRemoved: () => void;
}) {
	const remove = async () => {
		await api.removeServer(server.id);
		onRemoved();
	};
	return (
		<Confirm
			title={`Remove ${server.name || "this server"}?`}
			action="Remove server"
			doing="Removing…"
			onConfirm={remove}
			onClose={onClose}
		>
			<p>Its key is revoked and it leaves the list. The agent on it is told, and stops trying.</p>
			<p>
				It can come back with <code>sallyport leave</code> and a new join token.
			</p>
		</Confirm>
	);
}

interface SectionProps {
	server: Server;
	me: Me;
	live: Live;
	now: number;
}

// The panel of the check that is looked at, and that of those before it.
function ServerChecks({ server, me, live, now }: SectionProps) {
	const checks = useChecks(server.id, live);
	const look = useShown(checks);
	const head = useRef<HTMLHeadingElement>(null);
	const openEarlier = (check: string) => {
		look.open(check);
		head.current?.focus({ preventScroll: true });
		head.current?.scrollIntoView({ block: "start" });
	};
	return (
		<div class="columns-main">
			<Panel title="Check" headRef={head}>
				<CheckPanel
					server={server}
					mayAsk={may(me, "operate")}
					checks={checks}
					look={look}
					now={now}
				/>
			</Panel>
			{checks.rows && checks.rows.length > 0 && (
				<Panel title="History" note={historyNote(checks)}>
					<History checks={checks} shown={look.shown?.id ?? null} now={now} onOpen={openEarlier} />
				</Panel>
			)}
		</div>
	);
}

function Overview({ server, me, live, now, load }: SectionProps & { load: () => Promise<void> }) {
	return (
		<>
			{server.status === "offline" && <WhyOffline server={server} now={now} />}
			<Panel
				title="Way to the hub"
				note={
					server.path &&
					`${server.status === "online" ? "connected" : "last connected"} ${moment(server.path.at, now)}`
				}
			>
				{server.path ? (
					<Walk
						key={server.path.at}
						stages={server.path.stages}
						proxy={server.path.proxy}
						machine="this machine"
						address={server.address}
						hub={hostOf(me.hub.url)}
					/>
				) : (
					<p class="quiet">The machine has not told its way yet. It does so when it connects.</p>
				)}
			</Panel>
			<div class="columns">
				<ServerChecks server={server} me={me} live={live} now={now} />
				<div class="columns-side">
					<Panel title="Identity">
						<Facts
							rows={[
								["Name", server.name],
								["Address", <span class="mono">{server.address}</span>],
								["MAC", server.mac && <span class="mono">{server.mac}</span>],
								["Joined", moment(server.created_at, now)],
								["Id", <span class="mono">{server.id}</span>],
								["Key", <span class="mono">{server.fingerprint}</span>],
							]}
						/>
					</Panel>
					<ServerPlace server={server} mayChange={may(me, "enrol")} load={load} />
					<Panel title="Inventory">
						<Inventory value={server.inventory} />
					</Panel>
				</div>
			</div>
		</>
	);
}

export const SECTIONS = { "": "Overview", activity: "Activity", log: "Log", bundles: "Bundles" };

function Sections({ id, section }: { id: string; section: string }) {
	return (
		<nav class="sections" aria-label="Of this server">
			{Object.entries(SECTIONS).map(([name, label]) => (
				<a
					key={name}
					href={`#/servers/${encodeURIComponent(id)}${name && `/${name}`}`}
					{...(name === section ? { "aria-current": "page" as const } : {})}
				>
					{label}
				</a>
			))}
		</nav>
	);
}

interface ServerPageProps {
	id: string;
	section: string;
	draft: Draft;
	me: Me;
	live: Live;
	roster: Roster;
}

export function ServerPage({ id, section, draft, me, live, roster }: ServerPageProps) {
	const now = useNow();
	useChanges(live);
	const { server, problem, removed, load } = useServer(id, live);
	const [removing, setRemoving] = useState(false);
	const known = server ?? roster.get(id);
	const name = known?.name || "Server";
	const title = Object.hasOwn(SECTIONS, section) ? SECTIONS[section as keyof typeof SECTIONS] : "";
	useTitle(section && title ? `${name}: ${title}` : name);
	useArrival(`${id}/${section}`);

	const list = `#${listPath(roster.query)}`;
	const back = (
		<p class="back">
			<a href={list}>
				<Back /> Servers
			</a>
		</p>
	);
	if (removed || problem?.status === 404) {
		return (
			<main class="page" id="main" tabIndex={-1}>
				{back}
				<Empty
					title={
						removed ? `${known?.name || "This server"} was removed` : "There is no such server"
					}
				>
					<p>
						{removed ? "Its key is revoked." : "It may have been removed."} It can join again with
						a new token.
					</p>
					<p>
						<a class="button" href={list}>
							Go to the servers
						</a>
					</p>
				</Empty>
			</main>
		);
	}
	return (
		<main class={`page ${live.state === "lost" ? "is-lost" : ""}`} id="main" tabIndex={-1}>
			{back}
			<div class="server-head">
				<h1>{known?.name || (known ? id : "…")}</h1>
				{known && <StatusSince row={known} now={now} />}
				<span class="head-actions">
					{server && may(me, "operate") && (
						<a class="button" href="#/jobs/new" onClick={() => draft.byPicking([server])}>
							Run a job
						</a>
					)}
					{server && may(me, "remove") && (
						<button class="button button-quiet" onClick={() => setRemoving(true)}>
							Remove server
						</button>
					)}
				</span>
			</div>
			{problem && <ProblemNote problem={problem} retry={() => void load()} />}
			{!server && !problem && <Skeleton lines={8} />}
			{server && (
				<>
					<Sections id={id} section={section} />
					{section === "activity" ? (
						<ServerActivity server={server} live={live} now={now} />
					) : section === "log" ? (
						<ServerLog server={server} />
					) : section === "bundles" ? (
						<ServerBundles server={server} me={me} live={live} now={now} />
					) : (
						<Overview server={server} me={me} live={live} now={now} load={load} />
					)}
				</>
			)}
			{removing && server && (
				<Removal
					server={server}
					onClose={() => setRemoving(false)}
					onRemoved={() => {
						roster.drop(id);
						router.go(listPath(roster.query));
					}}
				/>
			)}
		</main>
	);
}
