// One's own account: as what one is here, and another password.

import { useState } from "preact/hooks";
import { api, asProblem, type Problem } from "../api";
import { ProblemNote, useArrival, useTitle } from "../parts/basics";
import { Facts } from "../parts/inventory";
import { Panel } from "../parts/panel";
import { EntryField, missingIn, passwordHint } from "../parts/password";
import type { Me } from "../types";
import { ROLE_WORDS } from "./users";

function ChangePassword() {
	const [old, setOld] = useState("");
	const [fresh, setFresh] = useState("");
	const [busy, setBusy] = useState(false);
	const [done, setDone] = useState(false);
	const [problem, setProblem] = useState<Problem | null>(null);
	const ready = old !== "" && missingIn(fresh) === 0;
	const submit = async (event: Event) => {
		event.preventDefault();
		if (busy || !ready) return;
		setBusy(true);
		setDone(false);
		setProblem(null);
		try {
			await api.changePassword(old, fresh);
			setOld("");
			setFresh("");
			setDone(true);
		} catch (error) {
			setProblem(asProblem(error));
			document.getElementById("old-password")?.focus();
		}
		setBusy(false);
	};
	return (
		<form class="form-narrow" onSubmit={(event) => void submit(event)}>
			<EntryField
				id="old-password"
				label="Password now"
				type="password"
				value={old}
				onInput={setOld}
				autoComplete="current-password"
				invalid={problem?.status === 403}
			/>
			<EntryField
				id="new-password"
				label="New password"
				type="password"
				value={fresh}
				onInput={setFresh}
				autoComplete="new-password"
				hint={passwordHint(fresh)}
			/>
			{problem?.status === 403 && (
				<p class="form-problem" role="alert">
					{problem.message}
				</p>
			)}
			{problem && problem.status !== 403 && <ProblemNote problem={problem} />}
			<button class="button button-primary" disabled={busy || !ready}>
				{busy ? "One moment…" : "Change password"}
			</button>
			<p role="status" class="done-words">
				{done && "The password is changed. Your other sessions are signed out."}
			</p>
		</form>
	);
}

export function Account({ me }: { me: Me }) {
	useTitle("Account");
	useArrival();
	return (
		<main class="page page-form" id="main" tabIndex={-1}>
			<h1>Account</h1>
			<Panel title="Who you are">
				<Facts
					rows={[
						["Name", me.name],
						["Role", `${me.role}: ${ROLE_WORDS[me.role] ?? ""}`],
						["May", (me.permissions ?? []).join(", ")],
						["Hub", me.hub.name],
						["Its release", me.hub.release],
						["Its key", <span class="mono">{me.hub.fingerprint}</span>],
					]}
				/>
			</Panel>
			<Panel title="Change your password">
				<ChangePassword />
			</Panel>
		</main>
	);
}
