// The users of the hub: who may come in, as what, and since when.

import { useState } from "preact/hooks";
import { api, asProblem, type Problem } from "../api";
import { useNow } from "../clock";
import type { Live } from "../live";
import { Confirm, Dialog, ProblemNote, Skeleton, useArrival, useTitle } from "../parts/basics";
import { SelectField, TextField } from "../parts/fields";
import { Plus } from "../parts/icons";
import { Heads, useWhole } from "../parts/list";
import { EntryField, missingIn, passwordHint } from "../parts/password";
import { type Me, ROLES, type User } from "../types";
import { ago, moment } from "../words";

export const ROLE_WORDS: Record<string, string> = {
	administrator: "everything, users and keys included",
	architect: "all that concerns servers, their removal included",
	operator: "runs checks and jobs, and adds servers",
};

function RoleField({ value, onChange }: { value: string; onChange: (role: string) => void }) {
	return (
		<SelectField
			id="role"
			label="Role"
			value={value}
			choices={ROLES.map((role) => ({ value: role as string, label: role }))}
			other={(role) => role}
			onChange={onChange}
			hint={`May do: ${ROLE_WORDS[value] ?? "what the hub says"}.`}
		/>
	);
}

interface FormProps {
	user: User | null; // null: a new one
	users: User[];
	onDone: () => Promise<void>;
	onClose: () => void;
}

function UserForm({ user, users, onDone, onClose }: FormProps) {
	const [name, setName] = useState(user?.name ?? "");
	const [role, setRole] = useState(user?.role ?? "operator");
	const [password, setPassword] = useState("");
	const [busy, setBusy] = useState(false);
	const [problem, setProblem] = useState<Problem | null>(null);
	const taken = !user && users.some((each) => each.name === name);
	const short = missingIn(password) > 0 && !(user && password === "");
	const submit = async (event: Event) => {
		event.preventDefault();
		if (busy || short || taken || name === "") return;
		setBusy(true);
		setProblem(null);
		try {
			if (user) {
				await api.changeUser(user.name, {
					...(role !== user.role && { role }),
					...(password && { password }),
				});
			} else await api.addUser(name, password, role);
			await onDone();
		} catch (error) {
			setProblem(asProblem(error));
			setBusy(false);
		}
	};
	return (
		<form onSubmit={(event) => void submit(event)}>
			{!user && (
				<TextField
					id="user-name"
					label="Name"
					value={name}
					maxLength={64}
					autoFocus
					wrong={taken ? "There is a user of that name." : undefined}
					onInput={setName}
				/>
			)}
			<RoleField value={role} onChange={setRole} />
			<EntryField
				id="user-password"
				label={user ? "New password" : "Password"}
				type="password"
				value={password}
				onInput={setPassword}
				autoComplete="new-password"
				required={!user}
				hint={user && password === "" ? "Left empty, it stays as it is." : passwordHint(password)}
			/>
			{problem && <ProblemNote problem={problem} />}
			<div class="dialog-actions">
				<button type="button" class="button" onClick={onClose}>
					Cancel
				</button>
				<button
					class="button button-primary"
					disabled={
						busy || short || taken || name === "" || (!!user && !password && role === user.role)
					}
				>
					{busy ? "One moment…" : user ? "Save" : "Add user"}
				</button>
			</div>
		</form>
	);
}

interface RowProps {
	user: User;
	now: number;
	own: boolean;
	onChange: () => void;
	onRemove: () => void;
}

function UserRow({ user, now, own, onChange, onRemove }: RowProps) {
	return (
		<tr>
			<th scope="row">
				{user.name} {own && <span class="quiet">(you)</span>}
			</th>
			<td data-label="Role" title={ROLE_WORDS[user.role]}>
				{user.role}
			</td>
			<td data-label="Last here" title={moment(user.last_login_at, now)}>
				{user.last_login_at ? ago(user.last_login_at, now) : "never"}
			</td>
			<td data-label="Added" title={moment(user.created_at, now)}>
				{ago(user.created_at, now)}
			</td>
			<td class="token-act">
				<button class="button button-small" onClick={onChange} aria-label={`Change ${user.name}`}>
					Change
				</button>{" "}
				{!own && (
					<button class="button button-small" onClick={onRemove} aria-label={`Remove ${user.name}`}>
						Remove
					</button>
				)}
			</td>
		</tr>
	);
}

export function Users({ me, live }: { me: Me; live: Live }) {
	useTitle("Users");
	useArrival();
	const now = useNow();
	const { rows, problem, load } = useWhole(api.users, live);
	const [editing, setEditing] = useState<User | "new" | null>(null);
	const [removing, setRemoving] = useState<User | null>(null);
	return (
		<main class="page" id="main" tabIndex={-1}>
			<div class="list-head">
				<h1>Users</h1>
				<button class="button button-primary add" onClick={() => setEditing("new")}>
					<Plus /> Add user
				</button>
			</div>
			{problem && <ProblemNote problem={problem} retry={() => void load()} />}
			{!rows && !problem && <Skeleton lines={5} />}
			{rows && rows.length > 0 && (
				<table class="tokens">
					<Heads labels={["Name", "Role", "Last here", "Added"]} />
					<tbody>
						{rows.map((user) => (
							<UserRow
								key={user.name}
								user={user}
								now={now}
								own={user.name === me.name}
								onChange={() => setEditing(user)}
								onRemove={() => setRemoving(user)}
							/>
						))}
					</tbody>
				</table>
			)}
			{editing && (
				<Dialog
					title={editing === "new" ? "Add user" : `Change ${editing.name}`}
					onClose={() => setEditing(null)}
				>
					<UserForm
						user={editing === "new" ? null : editing}
						users={rows ?? []}
						onDone={async () => {
							await load();
							setEditing(null);
						}}
						onClose={() => setEditing(null)}
					/>
				</Dialog>
			)}
			{removing && (
				<Confirm
					title={`Remove ${removing.name}?`}
					action="Remove user"
					doing="Removing…"
					onConfirm={async () => {
						await api.removeUser(removing.name);
						await load();
						setRemoving(null);
					}}
					onClose={() => setRemoving(null)}
				>
					<p>
						{removing.name} is signed out everywhere and cannot come in again. What was done under
						that name stays in the audit trail.
					</p>
				</Confirm>
			)}
		</main>
	);
}
