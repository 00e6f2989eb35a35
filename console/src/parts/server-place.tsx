// Where a server belongs: its location, and whether it is a connector of it.

import { useEffect, useState } from "preact/hooks";
import { api, asProblem, type Problem } from "../api";
import type { Server } from "../types";
import { Confirm, Dialog, ProblemNote, Prose } from "./basics";
import { SelectField } from "./fields";
import { Demote, nameOf } from "./location";
import { Panel } from "./panel";
import { useLocations } from "./server-filter";

interface DialogProps {
	server: Server;
	onDone: () => Promise<void>;
	onClose: () => void;
}

function Move({ server, onDone, onClose }: DialogProps) {
	const names = useLocations();
	const [location, setLocation] = useState(server.location);
	const [busy, setBusy] = useState(false);
	const [problem, setProblem] = useState<Problem | null>(null);
	const submit = async (event: Event) => {
		event.preventDefault();
		if (busy || location === server.location) return;
		setBusy(true);
		setProblem(null);
		try {
			await api.moveServer(server.id, location || null);
			await onDone();
		} catch (error) {
			setProblem(asProblem(error));
			setBusy(false);
		}
	};
	return (
		<Dialog title={`Move ${nameOf(server)}`} onClose={onClose}>
			<form onSubmit={(event) => void submit(event)}>
				<p>
					Locations are made under <a href="#/locations">Locations</a>. The machine itself does not
					have to be changed.
				</p>
				<SelectField
					id="move-to"
					label="Location"
					value={location}
					choices={[
						{ value: "", label: "what the machine itself says" },
						...names.map((name) => ({ value: name, label: name })),
					]}
					other={(name) => name}
					onChange={setLocation}
				/>
				{problem && <ProblemNote problem={problem} />}
				<div class="dialog-actions">
					<button type="button" class="button" onClick={onClose}>
						Cancel
					</button>
					<button class="button button-primary" disabled={busy || location === server.location}>
						{busy ? "Moving…" : "Move"}
					</button>
				</div>
			</form>
		</Dialog>
	);
}

function Promote({ server, onDone, onClose }: DialogProps) {
	return (
		<Confirm
			title={`Promote ${nameOf(server)} to connector?`}
			action="Promote"
			doing="Promoting…"
			plain
			onConfirm={async () => {
				await api.promote(server.id);
				await onDone();
			}}
			onClose={onClose}
		>
			<p>
				It reaches the machines around it over SSH, and puts the agent on those that are named in{" "}
				<strong>Add servers</strong>. Nothing has to reach it from outside.
			</p>
		</Confirm>
	);
}

// Whether its address is what its location demands: asked of the location, which knows.
function useBreak(server: Server): string {
	const [sentence, setSentence] = useState("");
	const { id, location, address } = server;
	useEffect(() => {
		setSentence("");
		if (!location) return undefined;
		const abort = new AbortController();
		api.location(location, abort.signal)
			.then(({ breaks }) => setSentence(breaks.find((each) => each.id === id)?.sentence ?? ""))
			.catch(() => {}); // the location's own page says it
		return () => abort.abort();
	}, [id, location, address]);
	return sentence;
}

interface ServerPlaceProps {
	server: Server;
	mayChange: boolean;
	load: () => Promise<void>;
}

export function ServerPlace({ server, mayChange, load }: ServerPlaceProps) {
	const [dialog, setDialog] = useState<"" | "move" | "promote" | "demote">("");
	const broken = useBreak(server);
	const { location, connector, platform } = server;
	const close = () => setDialog("");
	const done = async () => {
		await load();
		close();
	};
	const able = location !== "" && platform !== "windows";
	return (
		<Panel title="Location">
			<p>
				{location ? (
					<>
						In <a href={`#/locations/${encodeURIComponent(location)}`}>{location}</a>
						{connector && (
							<>
								, as a <strong>connector</strong>: it adds the servers around it
							</>
						)}
						.
					</>
				) : (
					"In no location."
				)}
			</p>
			{broken && (
				<p class="warn-words">
					<Prose text={broken} />
				</p>
			)}
			{mayChange && (
				<p class="panel-act">
					<button class="button button-small" onClick={() => setDialog("move")}>
						Move
					</button>
					{connector ? (
						<button class="button button-small" onClick={() => setDialog("demote")}>
							Demote
						</button>
					) : (
						able && (
							<button class="button button-small" onClick={() => setDialog("promote")}>
								Promote to connector
							</button>
						)
					)}
				</p>
			)}
			{dialog === "move" && <Move server={server} onDone={done} onClose={close} />}
			{dialog === "promote" && <Promote server={server} onDone={done} onClose={close} />}
			{dialog === "demote" && <Demote connector={server} last={false} onDone={done} onClose={close} />}
		</Panel>
	);
}
