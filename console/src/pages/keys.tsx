// API keys: what each may do and until when, making one, and taking one back.
//
// A new key is held by its dialog alone, and is gone when that closes.

import { useState } from "preact/hooks";
import { api, asProblem, onceKey, type Problem } from "../api";
import { useNow } from "../clock";
import type { Live } from "../live";
import {
	Command,
	Confirm,
	Dialog,
	Empty,
	ProblemNote,
	Skeleton,
	useArrival,
	useTitle,
} from "../parts/basics";
import { SelectField, TextField } from "../parts/fields";
import { Plus } from "../parts/icons";
import { Heads, useWhole } from "../parts/list";
import { useLocations } from "../parts/server-filter";
import { type Key, type Me, type Permission, PERMISSIONS } from "../types";
import { ago, ahead, moment } from "../words";

const DAY = 86_400;
const EXPIRIES = [
	{ value: DAY, label: "1 day" },
	{ value: 30 * DAY, label: "30 days" },
	{ value: 90 * DAY, label: "90 days" },
	{ value: 365 * DAY, label: "1 year" },
];
const STATES: Record<Key["state"], string> = { valid: "Valid", expired: "Expired", revoked: "Revoked" };
const WORDS: Record<Permission, string> = {
	read: "see servers, checks, jobs, logs and bundles",
	operate: "run checks and jobs, ask for bundles",
	enrol: "make and revoke join tokens",
	remove: "remove servers and bundles",
	users: "manage users",
	keys: "manage API keys",
	audit: "read the audit trail",
};
// These concern the whole hub: a key for one location cannot have them.
const WIDE: readonly Permission[] = ["users", "keys", "audit"];

interface FormProps {
	me: Me;
	onMade: (key: Key & { key: string }) => void;
	onClose: () => void;
}

function KeyForm({ me, onMade, onClose }: FormProps) {
	const [name, setName] = useState("");
	const [chosen, setChosen] = useState<Permission[]>(["read"]);
	const [location, setLocation] = useState("");
	const [expires, setExpires] = useState(90 * DAY);
	const [busy, setBusy] = useState(false);
	const [problem, setProblem] = useState<Problem | null>(null);
	const [once] = useState(onceKey);
	const locations = useLocations();
	const own = PERMISSIONS.filter((each) => me.permissions?.includes(each));
	const granted = chosen.filter((each) => !location || !WIDE.includes(each));
	const submit = async (event: Event) => {
		event.preventDefault();
		if (busy || granted.length === 0 || name.trim() === "") return;
		setBusy(true);
		setProblem(null);
		try {
			onMade(await api.makeKey(name.trim(), granted, location, expires, once));
		} catch (error) {
			setProblem(asProblem(error));
			setBusy(false);
		}
	};
	return (
		<form onSubmit={(event) => void submit(event)}>
			<TextField
				id="key-name"
				label="Name"
				value={name}
				maxLength={64}
				autoFocus
				placeholder="nightly report"
				onInput={setName}
				hint="For this list and the audit trail."
			/>
			<fieldset class="field permissions">
				<legend>May</legend>
				{own.map((each) => {
					const barred = location !== "" && WIDE.includes(each);
					return (
						<label key={each} class="check-box">
							<input
								type="checkbox"
								checked={granted.includes(each)}
								disabled={barred}
								onChange={(event) =>
									setChosen(
										event.currentTarget.checked
											? [...chosen, each]
											: chosen.filter((other) => other !== each),
									)
								}
							/>
							<span>
								{each} <span class="quiet">{WORDS[each]}</span>
							</span>
						</label>
					);
				})}
			</fieldset>
			<div class="field-row">
				<SelectField
					id="key-location"
					label="Servers"
					value={location}
					choices={[
						{ value: "", label: "of every location" },
						...locations.map((each) => ({ value: each, label: `of ${each}` })),
					]}
					onChange={setLocation}
					hint="For one location it sees no other servers."
				/>
				<SelectField
					id="key-expires"
					label="Valid for"
					value={expires}
					choices={EXPIRIES}
					onChange={setExpires}
				/>
			</div>
			{problem && <ProblemNote problem={problem} />}
			<div class="dialog-actions">
				<button type="button" class="button" onClick={onClose}>
					Cancel
				</button>
				<button
					class="button button-primary"
					disabled={busy || granted.length === 0 || name.trim() === ""}
				>
					{busy ? "Making the key…" : "Make key"}
				</button>
			</div>
		</form>
	);
}

function KeyRow({ row, now, onRevoke }: { row: Key; now: number; onRevoke: () => void }) {
	return (
		<tr class={`token-${row.state}`}>
			<th scope="row">{row.name}</th>
			<td data-label="State">
				<span class={`tag ${row.state === "valid" ? "tag-valid" : ""}`}>
					{STATES[row.state] ?? row.state}
				</span>
			</td>
			<td data-label="May">
				{row.permissions.join(", ")}
				{row.location && <span class="quiet"> in {row.location}</span>}
			</td>
			<td data-label="Last used" title={moment(row.last_used_at, now)}>
				{row.last_used_at ? ago(row.last_used_at, now) : "never"}
			</td>
			<td data-label="Expires" title={moment(row.expires_at, now)}>
				{row.state === "expired" ? ago(row.expires_at, now) : ahead(row.expires_at, now)}
			</td>
			<td data-label="Made" title={moment(row.created_at, now)}>
				{ago(row.created_at, now)} by {row.created_by}
			</td>
			<td class="token-act">
				{row.state === "valid" && (
					<button class="button button-small" onClick={onRevoke} aria-label={`Revoke ${row.name}`}>
						Revoke
					</button>
				)}
			</td>
		</tr>
	);
}

export function Keys({ me, live }: { me: Me; live: Live }) {
	useTitle("API keys");
	useArrival();
	const now = useNow();
	const { rows, problem, load } = useWhole(api.keys, live);
	const [making, setMaking] = useState(false);
	const [made, setMade] = useState<(Key & { key: string }) | null>(null);
	const [revoking, setRevoking] = useState<Key | null>(null);
	const close = () => {
		setMaking(false);
		setMade(null);
	};
	return (
		<main class="page" id="main" tabIndex={-1}>
			<div class="list-head">
				<h1>API keys</h1>
				<button class="button button-primary add" onClick={() => setMaking(true)}>
					<Plus /> Make key
				</button>
			</div>
			{problem && <ProblemNote problem={problem} retry={() => void load()} />}
			{!rows && !problem && <Skeleton lines={5} />}
			{rows?.length === 0 && (
				<Empty title="No API keys">
					<p>
						With a key a program does what this console does, as far as the key allows:{" "}
						<code>Authorization: Bearer spk_…</code>. The API's own description is at{" "}
						<a href="/v1/openapi.json">/v1/openapi.json</a>.
					</p>
				</Empty>
			)}
			{rows && rows.length > 0 && (
				<table class="tokens">
					<Heads labels={["Name", "State", "May", "Last used", "Expires", "Made"]} />
					<tbody>
						{rows.map((row) => (
							<KeyRow key={row.id} row={row} now={now} onRevoke={() => setRevoking(row)} />
						))}
					</tbody>
				</table>
			)}
			{making && !made && (
				<Dialog key="form" title="Make an API key" onClose={close} wide>
					<KeyForm
						me={me}
						onMade={(key) => {
							setMade(key);
							void load();
						}}
						onClose={close}
					/>
				</Dialog>
			)}
			{made && (
				<Dialog key="made" title={`The key “${made.name}”`} onClose={close} wide>
					<p>
						It is shown once. Keep it where your passwords are; who has it may do what it allows,
						until {moment(made.expires_at, now)}.
					</p>
					<Command text={made.key} label="the key" />
					<div class="dialog-actions">
						<button class="button button-primary" onClick={close}>
							I have it
						</button>
					</div>
				</Dialog>
			)}
			{revoking && (
				<Confirm
					title={`Revoke “${revoking.name}”?`}
					action="Revoke"
					doing="Revoking…"
					onConfirm={async () => {
						await api.revokeKey(revoking.id);
						await load();
						setRevoking(null);
					}}
					onClose={() => setRevoking(null)}
				>
					<p>Programs that use it are refused from now on. That cannot be undone.</p>
				</Confirm>
			)}
		</main>
	);
}
