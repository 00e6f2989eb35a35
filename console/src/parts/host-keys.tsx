// What is ready, and the host keys that a person has to confirm before anything is sent there.

import { useState } from "preact/hooks";
import { api, asProblem, type Problem } from "../api";
import { useChanges } from "../emitter";
import { hostKeyOf, hostOf, useTargetList } from "../installs";
import type { Live } from "../live";
import type { Install, Target } from "../types";
import { plural } from "../words";
import { ProblemNote } from "./basics";
import { Cross } from "./icons";
import { Panel } from "./panel";

const keyWord = (type: string) => type.replace(/^ssh-|^ecdsa-sha2-/, "");

interface ItemProps {
	target: Target;
	confirmed: boolean;
	onConfirm: (wanted: boolean) => void;
}

function NewKey({ target, confirmed, onConfirm }: ItemProps) {
	const { type, fingerprint } = hostKeyOf(target);
	return (
		<li>
			<label class="host-key">
				<input
					type="checkbox"
					checked={confirmed}
					aria-label={`The key of ${hostOf(target)} is right`}
					onChange={(event) => onConfirm(event.currentTarget.checked)}
				/>
				<span class="host-key-host">{target.name || hostOf(target)}</span>
				<span class="quiet">{keyWord(type)}</span>
				<span class="mono">{fingerprint}</span>
			</label>
		</li>
	);
}

// One that was confirmed with another key: nothing is sent to it.
function ChangedKey({ target }: { target: Target }) {
	const { type, fingerprint, expected } = hostKeyOf(target);
	return (
		<li class="host-key host-key-changed">
			<Cross />
			<span class="host-key-host">{target.name || hostOf(target)}</span>
			<span>changed: stopped</span>
			<span class="mono">
				{keyWord(type)} {fingerprint}
				{expected && <span class="quiet"> instead of {expected}</span>}
			</span>
		</li>
	);
}

interface KeyListProps {
	fresh: Target[];
	changed: Target[];
	confirmed: Set<string>;
	setConfirmed: (confirmed: Set<string>) => void;
}

function KeyList({ fresh, changed, confirmed, setConfirmed }: KeyListProps) {
	const every = fresh.length > 0 && fresh.every(({ id }) => confirmed.has(id));
	const confirm = (ids: string[], wanted: boolean) => {
		const next = new Set(confirmed);
		for (const id of ids)
			if (wanted) next.add(id);
			else next.delete(id);
		setConfirmed(next);
	};
	return (
		<>
			{fresh.length > 0 && (
				<>
					<p>
						The connector sees {fresh.length === 1 ? "this host" : "these hosts"} for the first
						time. Compare each fingerprint with the one on the host's own console (
						<code>ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub</code>): whoever stands in
						between shows another.
					</p>
					<p class="host-keys-all">
						<label class="check-box">
							<input
								type="checkbox"
								checked={every}
								onChange={(event) =>
									confirm(
										fresh.map(({ id }) => id),
										event.currentTarget.checked,
									)
								}
							/>
							All {plural(fresh.length, "new key")} {fresh.length === 1 ? "is" : "are"} right
						</label>
					</p>
				</>
			)}
			<ul class="host-keys" tabIndex={0} aria-label="Host keys">
				{changed.map((target) => (
					<ChangedKey key={target.id} target={target} />
				))}
				{fresh.map((target) => (
					<NewKey
						key={target.id}
						target={target}
						confirmed={confirmed.has(target.id)}
						onConfirm={(wanted) => confirm([target.id], wanted)}
					/>
				))}
			</ul>
		</>
	);
}

interface HostKeysProps {
	install: Install;
	live: Live;
	mayStart: boolean;
	onStarted: (install: Install) => void;
}

export function HostKeys({ install, live, mayStart, onStarted }: HostKeysProps) {
	const ready = useChanges(useTargetList(live, install.id, "ready"));
	const failed = useChanges(useTargetList(live, install.id, "failed"));
	const [confirmed, setConfirmed] = useState(new Set<string>());
	const [busy, setBusy] = useState(false);
	const [problem, setProblem] = useState<Problem | null>(null);
	const fresh = ready.rows.filter((target) => hostKeyOf(target).state === "new");
	const known = ready.rows.filter((target) => hostKeyOf(target).state !== "new");
	const changed = failed.rows.filter((target) => hostKeyOf(target).state === "changed");
	const right = fresh.filter(({ id }) => confirmed.has(id));
	const go = [...known, ...right];
	if (ready.rows.length + changed.length === 0) return null;

	const start = async () => {
		if (busy || go.length === 0) return;
		setBusy(true);
		setProblem(null);
		try {
			const keys = Object.fromEntries(right.map((each) => [each.id, hostKeyOf(each).fingerprint]));
			onStarted(
				await api.startInstall(
					install.id,
					keys,
					go.map(({ id }) => id),
				),
			);
			await ready.loadAll();
		} catch (error) {
			setProblem(asProblem(error));
		}
		setBusy(false);
	};
	const removing = install.action === "remove";
	return (
		<Panel
			title={fresh.length > 0 ? "Confirm the host keys" : ready.rows.length > 0 ? "Ready" : "Host keys"}
		>
			{known.length > 0 && (
				<p>
					{plural(known.length, "host")}{" "}
					{known.length === 1 ? "shows the key that was" : "show the keys that were"} confirmed
					before.
				</p>
			)}
			{fresh.length + changed.length > 0 && (
				<KeyList fresh={fresh} changed={changed} confirmed={confirmed} setConfirmed={setConfirmed} />
			)}
			{problem && <ProblemNote problem={problem} />}
			{mayStart && ready.rows.length > 0 && (
				<p class="panel-act">
					<button
						class="button button-primary"
						aria-disabled={busy || go.length === 0}
						onClick={() => void start()}
					>
						{busy
							? "Starting…"
							: go.length === 0
								? "Start"
								: removing
									? `Remove from ${plural(go.length, "host")}`
									: `Start on ${plural(go.length, "host")}`}
					</button>
					{fresh.length > right.length && (
						<span class="quiet">
							{plural(fresh.length - right.length, "host")}{" "}
							{fresh.length - right.length === 1 ? "waits" : "wait"} until the key is confirmed.
						</span>
					)}
				</p>
			)}
		</Panel>
	);
}
