// What the pages about locations share: their list, their connectors, and the form for one.

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { api, asProblem, type Problem } from "../api";
import type { Live } from "../live";
import type { Addressing, Connector, Location } from "../types";
import { Confirm, Dialog, ProblemNote } from "./basics";
import { TextField } from "./fields";
import { useWhole } from "./list";

export const MAX_LOCATION = 64;

export const DEMANDS: Record<Addressing, { short: string; words: string }> = {
	any: { short: "any address", words: "Addresses of any kind" },
	dhcp: { short: "DHCP only", words: "Addresses by DHCP only" },
};

export const locationPath = (name: string) => `/locations/${encodeURIComponent(name)}`;
export const serverHref = (id: string) => `#/servers/${encodeURIComponent(id)}`;

// Machines that name no location are no row of these.
async function fetchLocations(signal: AbortSignal): Promise<Location[]> {
	const rows = (await api.locations(signal)).filter(({ name }) => name !== "");
	return rows.sort((a, b) => a.name.localeCompare(b.name, "en"));
}

export const useLocationRows = (live: Live) => useWhole(fetchLocations, live, ["locations", "counts"]);

export const onlineOf = (connectors: Connector[]) => connectors.filter(({ online }) => online);
export const nameOf = ({ name, id }: { name: string; id: string }) => name || id;

// A dot and a name: never the colour alone.
export function ConnectorName({ connector }: { connector: Connector }) {
	return (
		<span class={`status status-${connector.online ? "online" : "offline"}`}>
			<span class="dot" aria-hidden="true" />
			<a href={serverHref(connector.id)}>{nameOf(connector)}</a>
			{!connector.online && <span class="status-word">offline</span>}
		</span>
	);
}

interface DemoteProps {
	connector: { id: string; name: string };
	last: boolean;
	onDone: () => Promise<void>;
	onClose: () => void;
}

export function Demote({ connector, last, onDone, onClose }: DemoteProps) {
	return (
		<Confirm
			title={`Demote ${nameOf(connector)}?`}
			action="Demote"
			doing="Demoting…"
			onConfirm={async () => {
				await api.demote(connector.id);
				await onDone();
			}}
			onClose={onClose}
		>
			<p>
				It stays a server, but puts the agent on no others any more. What it is at goes to another
				connector of the location.
			</p>
			{last && (
				<p class="warn-words">
					It is the only one: servers can then be added here by a command alone.
				</p>
			)}
		</Confirm>
	);
}

interface NameFormProps {
	name: string; // as it is; empty for a new one
	others: string[];
	action: string;
	onDone: (name: string) => Promise<void>;
	onClose: () => void;
	children?: ComponentChildren;
}

function NameForm({ name: before, others, action, onDone, onClose, children }: NameFormProps) {
	const [name, setName] = useState(before);
	const [busy, setBusy] = useState(false);
	const [problem, setProblem] = useState<Problem | null>(null);
	const fresh = name.trim();
	const taken = fresh !== before && others.includes(fresh);
	const submit = async (event: Event) => {
		event.preventDefault();
		if (busy || taken || fresh === "" || fresh === before) return;
		setBusy(true);
		setProblem(null);
		try {
			await onDone(fresh);
		} catch (error) {
			setProblem(asProblem(error));
			setBusy(false);
		}
	};
	return (
		<form onSubmit={(event) => void submit(event)}>
			{children}
			<TextField
				id="location-name"
				label="Name"
				value={name}
				maxLength={MAX_LOCATION}
				autoFocus
				placeholder="hall 2"
				wrong={taken ? "There is a location of that name." : undefined}
				onInput={setName}
			/>
			{problem && <ProblemNote problem={problem} />}
			<div class="dialog-actions">
				<button type="button" class="button" onClick={onClose}>
					Cancel
				</button>
				<button
					class="button button-primary"
					disabled={busy || taken || fresh === "" || fresh === before}
				>
					{busy ? "One moment…" : action}
				</button>
			</div>
		</form>
	);
}

interface NameDialogProps {
	others: string[];
	onDone: (name: string) => Promise<void>;
	onClose: () => void;
}

export function NewLocation({ others, onDone, onClose }: NameDialogProps) {
	return (
		<Dialog title="New location" onClose={onClose}>
			<NameForm
				name=""
				others={others}
				action="Make location"
				onDone={async (name) => {
					await api.addLocation(name, "any");
					await onDone(name);
				}}
				onClose={onClose}
			>
				<p>
					A location is where machines stand that reach each other: a hall, a site, a closed
					network.
				</p>
			</NameForm>
		</Dialog>
	);
}

interface RenameProps {
	name: string;
	onDone: (name: string) => Promise<void>;
	onClose: () => void;
}

export function RenameLocation({ name, onDone, onClose }: RenameProps) {
	return (
		<Dialog title={`Rename ${name}`} onClose={onClose}>
			<NameForm
				name={name}
				others={[]}
				action="Rename"
				onDone={async (fresh) => {
					await api.changeLocation(name, { name: fresh });
					await onDone(fresh);
				}}
				onClose={onClose}
			>
				<p>Its servers, connectors, API keys and installs go by the new name at once.</p>
			</NameForm>
		</Dialog>
	);
}
