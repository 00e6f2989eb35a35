// One location: its connectors, what it demands of its machines and which do otherwise, its installs.

import { useState } from "preact/hooks";
import { api, asProblem, type Problem } from "../api";
import { useNow } from "../clock";
import { useChanges } from "../emitter";
import { useInstallRows } from "../installs";
import type { Live } from "../live";
import { Confirm, Dialog, Empty, ProblemNote, Prose, Skeleton, useArrival, useTitle } from "../parts/basics";
import { Connectors } from "../parts/connectors";
import { Back, Plus } from "../parts/icons";
import { InstallItem } from "../parts/installs";
import { useWhole } from "../parts/list";
import { DEMANDS, locationPath, nameOf, RenameLocation, serverHref } from "../parts/location";
import { Panel } from "../parts/panel";
import { PinnedKeys } from "../parts/pinned-keys";
import { router } from "../router";
import { ADDRESSINGS, type Location, type LocationDetails, may, type Me } from "../types";
import { number, plural } from "../words";

/* --- what it demands ------------------------------------------------------------------------ */

// The machines whose addresses are other than the location demands.
function Breaking({ location }: { location: LocationDetails }) {
	const { breaking, breaks } = location;
	return (
		<div class="breaking">
			<p class="warn-words">
				{plural(breaking, "server")} {breaking === 1 ? "does" : "do"} otherwise:
			</p>
			<ul class="plain-list">
				{breaks.map((each) => (
					<li key={each.id}>
						<span>
							<a href={serverHref(each.id)}>{nameOf(each)}</a>{" "}
							<span class="mono quiet">{each.address}</span>
						</span>
						<span class="quiet">
							<Prose text={each.sentence} />
						</span>
					</li>
				))}
			</ul>
			{breaking > breaks.length && <p class="quiet">and {number(breaking - breaks.length)} more.</p>}
		</div>
	);
}

interface PanelProps {
	location: LocationDetails;
	mayChange: boolean;
	load: () => Promise<void>;
}

function Demand({ location, mayChange, load }: PanelProps) {
	const [problem, setProblem] = useState<Problem | null>(null);
	const choose = async (addressing: string) => {
		setProblem(null);
		try {
			await api.changeLocation(location.name, { addressing });
		} catch (error) {
			setProblem(asProblem(error));
		}
		await load();
	};
	const breaking = location.breaking ?? 0;
	return (
		<Panel title="What it demands">
			<fieldset class="radios demand" disabled={!mayChange}>
				<legend class="unseen">Addresses of its machines</legend>
				{ADDRESSINGS.map((each) => (
					<label key={each} class="radio">
						<input
							type="radio"
							name="addressing"
							checked={location.addressing === each}
							onChange={() => void choose(each)}
						/>
						{DEMANDS[each].words}
					</label>
				))}
			</fieldset>
			{problem && <ProblemNote problem={problem} />}
			{breaking > 0 ? (
				<Breaking location={location} />
			) : (
				location.addressing === "dhcp" &&
				location.servers > 0 && <p class="quiet">All its servers keep to it.</p>
			)}
		</Panel>
	);
}

/* --- the page ------------------------------------------------------------------------------- */

interface InstallsProps {
	name: string;
	mayChange: boolean;
	live: Live;
}

function Installs({ name, mayChange, live }: InstallsProps) {
	const now = useNow();
	const { rows, problem, load } = useInstallRows({ location: name }, live);
	return (
		<Panel title="Installs">
			{problem && <ProblemNote problem={problem} retry={() => void load()} />}
			{!rows && !problem && <Skeleton lines={3} />}
			{rows?.length === 0 && (
				<p class="quiet">
					None yet. What is added or removed over SSH stands here, with its outcome.
				</p>
			)}
			{rows && rows.length > 0 && (
				<ul class="plain-list">
					{rows.map((install) => (
						<InstallItem key={install.id} install={install} now={now} />
					))}
				</ul>
			)}
			{mayChange && (
				<p class="panel-act">
					<a
						class="button"
						href={`#/add-servers?${new URLSearchParams({ action: "remove", location: name })}`}
					>
						Remove agents
					</a>
				</p>
			)}
		</Panel>
	);
}

interface RemovalProps {
	location: Location;
	onClose: () => void;
	onRemoved: () => void;
}

// A location that is in use cannot go: what stands in the way is said before it is tried.
function Removal({ location, onClose, onRemoved }: RemovalProps) {
	const { name, servers } = location;
	if (servers > 0) {
		return (
			<Dialog title={`${name} cannot be deleted`} onClose={onClose}>
				<p>
					{plural(servers, "server")} {servers === 1 ? "is" : "are"} in it. Move{" "}
					{servers === 1 ? "it" : "them"} to another location first, on the page of each server, or
					remove {servers === 1 ? "it" : "them"}.
				</p>
				<div class="dialog-actions">
					<button class="button" onClick={onClose}>
						Close
					</button>
					<a class="button button-primary" href={`#/?${new URLSearchParams({ location: name })}`}>
						Show {servers === 1 ? "it" : "them"}
					</a>
				</div>
			</Dialog>
		);
	}
	return (
		<Confirm
			title={`Delete ${name}?`}
			action="Delete location"
			doing="Deleting…"
			onConfirm={async () => {
				await api.removeLocation(name);
				onRemoved();
			}}
			onClose={onClose}
		>
			<p>No server is in it. What was done there stays in the audit trail.</p>
		</Confirm>
	);
}

export function LocationPage({ name, me, live }: { name: string; me: Me; live: Live }) {
	useChanges(live);
	const fetchDetails = async (signal: AbortSignal) => [await api.location(name, signal)];
	const { rows, problem, load } = useWhole(fetchDetails, live, ["locations", "counts"]);
	const [dialog, setDialog] = useState<"" | "rename" | "remove">("");
	useTitle(name);
	useArrival(name);
	const location = rows?.[0];
	const mayChange = may(me, "enrol");
	const close = () => setDialog("");
	const back = (
		<p class="back">
			<a href="#/locations">
				<Back /> Locations
			</a>
		</p>
	);
	if (problem?.status === 404) {
		return (
			<main class="page" id="main" tabIndex={-1}>
				{back}
				<Empty title="There is no such location">
					<p>It may have been deleted, or has another name now.</p>
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
			<div class="server-head">
				<h1>{name}</h1>
				{location && (
					<span class="quiet">
						{location.servers === 0 ? (
							"no server yet"
						) : (
							<a href={`#/?${new URLSearchParams({ location: name })}`}>
								{plural(location.servers, "server")}
							</a>
						)}
						{location.servers > 0 && `, ${number(location.online)} online`}
					</span>
				)}
				{location && mayChange && (
					<span class="head-actions">
						<button class="button button-quiet" onClick={() => setDialog("remove")}>
							Delete
						</button>
						<button class="button" onClick={() => setDialog("rename")}>
							Rename
						</button>
						<a
							class="button button-primary"
							href={`#/add-servers?${new URLSearchParams({ location: name })}`}
						>
							<Plus /> Add servers
						</a>
					</span>
				)}
			</div>
			{problem && <ProblemNote problem={problem} retry={() => void load()} />}
			{!rows && !problem && <Skeleton lines={8} />}
			{location && (
				<div class="columns">
					<div class="columns-main">
						<Connectors location={location} mayChange={mayChange} load={load} />
						<Installs name={name} mayChange={mayChange} live={live} />
					</div>
					<div class="columns-side">
						<Demand location={location} mayChange={mayChange} load={load} />
						<PinnedKeys name={name} mayChange={mayChange} live={live} />
					</div>
				</div>
			)}
			{dialog === "rename" && location && (
				<RenameLocation
					name={name}
					onDone={async (fresh) => {
						close();
						router.go(locationPath(fresh));
					}}
					onClose={close}
				/>
			)}
			{dialog === "remove" && location && (
				<Removal location={location} onClose={close} onRemoved={() => router.go("/locations")} />
			)}
		</main>
	);
}
