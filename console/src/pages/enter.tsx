// The two ways in: signing in, and the first administrator's one-time link.

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { api, asProblem, type Problem } from "../api";
import { Prose, useTitle } from "../parts/basics";
import { Gate } from "../parts/icons";
import { EntryField, missingIn, passwordHint } from "../parts/password";
import { plural } from "../words";

function Door({ title, children }: { title: string; children: ComponentChildren }) {
	useTitle(title);
	return (
		<main class="door">
			<div class="door-card">
				<p class="door-brand">
					<Gate /> Sallyport
				</p>
				<h1>{title}</h1>
				{children}
			</div>
		</main>
	);
}

function useWait(): [left: number, wait: (seconds: number) => void] {
	const [until, setUntil] = useState(0);
	const [, tick] = useState(0);
	const left = Math.max(0, Math.ceil((until - Date.now()) / 1000));
	useEffect(() => {
		if (left === 0) return;
		const timer = setTimeout(() => tick((n) => n + 1), 500);
		return () => clearTimeout(timer);
	});
	return [left, (seconds) => setUntil(Date.now() + seconds * 1000)];
}

interface EnterProps {
	onEntered: () => void;
	hubLost?: boolean;
}

export function SignIn({ onEntered }: EnterProps) {
	const [name, setName] = useState("");
	const [password, setPassword] = useState("");
	const [busy, setBusy] = useState(false);
	const [problem, setProblem] = useState<Problem | null>(null);
	const [left, wait] = useWait();

	const submit = async (event: Event) => {
		event.preventDefault();
		if (busy || left > 0) return;
		setBusy(true);
		setProblem(null);
		try {
			await api.signIn(name, password);
			onEntered();
		} catch (error) {
			const met = asProblem(error);
			setProblem(met);
			if (met.status === 429) wait(met.retryAfterS || 30);
			else setPassword("");
			setBusy(false);
			document.getElementById("password")?.focus();
		}
	};

	const wrong = problem?.status === 401;
	return (
		<Door title="Sign in">
			<form onSubmit={(event) => void submit(event)}>
				<EntryField
					id="name"
					label="Name"
					value={name}
					onInput={setName}
					autoComplete="username"
					autoFocus
				/>
				<EntryField
					id="password"
					label="Password"
					type="password"
					value={password}
					onInput={setPassword}
					autoComplete="current-password"
					invalid={wrong}
				/>
				{problem && (
					<p class="form-problem" role="alert">
						{wrong
							? "Name or password is wrong."
							: problem.status === 429
								? left > 0
									? `Too many failed attempts. Try again in ${plural(left, "second")}.`
									: "You can try again now."
								: `${problem.message} ${problem.advice}`}
					</p>
				)}
				<button class="button button-primary button-wide" disabled={busy || left > 0}>
					{busy ? "Signing in…" : "Sign in"}
				</button>
			</form>
			<details class="door-help">
				<summary>Forgot the password?</summary>
				<p>
					<Prose text="On the hub, `sudo sallyport-hub user add NAME` makes another administrator; it reads the password from its input." />
				</p>
			</details>
		</Door>
	);
}

const SETUP_ADVICE: Record<number, string> = {
	403: "This link is not right. Copy it whole from where the hub printed it: `journalctl -u sallyport-hub | grep 'first administrator'`.",
	410: "This link has been used: the hub has its administrator. Sign in instead.",
};

export function SetUp({ code, onEntered }: EnterProps & { code: string }) {
	const [name, setName] = useState("admin");
	const [password, setPassword] = useState("");
	const [busy, setBusy] = useState(false);
	const [problem, setProblem] = useState<Problem | null>(null);
	const missing = missingIn(password);

	const submit = async (event: Event) => {
		event.preventDefault();
		if (busy || missing > 0) return;
		setBusy(true);
		setProblem(null);
		try {
			await api.setUp(code, name, password);
			onEntered();
		} catch (error) {
			setProblem(asProblem(error));
			setBusy(false);
		}
	};

	return (
		<Door title="Make the first administrator">
			<p class="door-lead">
				This link works once. With this name and password you sign in from now on.
			</p>
			<form onSubmit={(event) => void submit(event)}>
				<EntryField id="name" label="Name" value={name} onInput={setName} autoComplete="username" />
				<EntryField
					id="password"
					label="Password"
					type="password"
					value={password}
					onInput={setPassword}
					autoComplete="new-password"
					autoFocus
					hint={passwordHint(password)}
				/>
				{problem && (
					<p class="form-problem" role="alert">
						<Prose
							text={SETUP_ADVICE[problem.status] ?? `${problem.message} ${problem.advice}`}
						/>
						{problem.status === 410 && (
							<>
								{" "}
								<a href="#/">Go to sign in</a>
							</>
						)}
					</p>
				)}
				<button
					class="button button-primary button-wide"
					disabled={busy || missing > 0 || name === ""}
				>
					{busy ? "One moment…" : "Make administrator and sign in"}
				</button>
			</form>
		</Door>
	);
}

// The hub is new and the reader came without the link.
export function SetUpFirst({ retry }: { retry: () => void }) {
	return (
		<Door title="This hub is new">
			<p class="door-lead">
				It has no administrator yet. Open the one-time link that it printed when it started.
			</p>
			<p>
				<Prose text="The link begins with `first administrator:`. To see it again, on the hub:" />
			</p>
			<p>
				<code class="block">journalctl -u sallyport-hub | grep 'first administrator'</code>
			</p>
			<button class="button" onClick={retry}>
				I have done that
			</button>
		</Door>
	);
}
