// The credentials for hosts: typed or read from a file, sealed, and gone when the form is.

import { useState } from "preact/hooks";
import type { Credentials } from "../seal";
import { Labelled } from "./fields";
import { FileButton } from "./file";
import { EntryField } from "./password";

const MAX_KEY = 32_768; // characters

type Way = "password" | "key" | "both";

export interface Secrets {
	way: Way;
	password: string;
	key: string;
	passphrase: string;
	sudo: string;
}

export const NO_SECRETS: Secrets = { way: "password", password: "", key: "", passphrase: "", sudo: "" };

const WAYS: { way: Way; words: string }[] = [
	{ way: "password", words: "With a password" },
	{ way: "key", words: "With a private key" },
	{ way: "both", words: "With both" },
];

const PRIVATE_KEY = /-{5}BEGIN [A-Z ]*PRIVATE KEY-{5}/;

export const withPassword = ({ way }: Secrets) => way !== "key";
export const withKey = ({ way }: Secrets) => way !== "password";

// By the field's id: what has to be mended before they can be sealed.
export function wrongSecrets(secrets: Secrets): Record<string, string> {
	const { password, key } = secrets;
	const wrong: Record<string, string> = {};
	if (withPassword(secrets) && password === "") wrong["ssh-password"] = "Give the password.";
	if (!withKey(secrets)) return wrong;
	if (key.trim() === "") wrong["ssh-key"] = "Paste the key, or choose its file.";
	else if (key.length > MAX_KEY) wrong["ssh-key"] = "That is too long for a key.";
	else if (/^(ssh|ecdsa)-/.test(key.trim()))
		wrong["ssh-key"] = "That is the public half. The private one has no “.pub” at its end.";
	else if (!PRIVATE_KEY.test(key)) wrong["ssh-key"] = "That is no private key in the OpenSSH or PEM form.";
	return wrong;
}

export function asCredentials(secrets: Secrets, user: string): Credentials {
	const { password, key, passphrase, sudo } = secrets;
	const keyed = withKey(secrets);
	return {
		user,
		...(withPassword(secrets) && { password }),
		...(keyed && { key: key.endsWith("\n") ? key : `${key}\n` }),
		...(keyed && passphrase && { passphrase }),
		...(sudo && { sudo_password: sudo }),
	};
}

interface KeyProps {
	value: string;
	wrong: string | undefined;
	onChange: (key: string) => void;
}

function KeyField({ value, wrong, onChange }: KeyProps) {
	const [problem, setProblem] = useState("");
	const said = wrong ?? problem;
	return (
		<Labelled id="ssh-key" label="Private key" wrong={said || undefined}>
			<textarea
				id="ssh-key"
				class="textarea mono secret-text"
				rows={4}
				value={value}
				autocomplete="off"
				autocapitalize="none"
				spellcheck={false}
				placeholder="-----BEGIN OPENSSH PRIVATE KEY …"
				aria-invalid={said !== ""}
				aria-describedby={said ? "ssh-key-hint" : undefined}
				onInput={(event) => onChange(event.currentTarget.value)}
			/>
			<FileButton
				label="Choose the key's file"
				most={MAX_KEY}
				onText={onChange}
				onProblem={setProblem}
			/>
		</Labelled>
	);
}

interface CredentialFieldsProps {
	value: Secrets;
	wrongs: Record<string, string>;
	user: string;
	onChange: (value: Secrets) => void;
}

export function CredentialFields({ value, wrongs, user, onChange }: CredentialFieldsProps) {
	const set = (change: Partial<Secrets>) => onChange({ ...value, ...change });
	const root = user === "root";
	return (
		<>
			<fieldset class="radios">
				<legend class="unseen">How to sign in</legend>
				{WAYS.map(({ way, words }) => (
					<label key={way} class="radio">
						<input
							type="radio"
							name="ssh-way"
							checked={value.way === way}
							onChange={() => set({ way })}
						/>
						{words}
					</label>
				))}
			</fieldset>
			{withKey(value) && (
				<KeyField value={value.key} wrong={wrongs["ssh-key"]} onChange={(key) => set({ key })} />
			)}
			<div class="field-row">
				{withKey(value) && (
					<EntryField
						id="ssh-passphrase"
						label="Passphrase of the key"
						type="password"
						value={value.passphrase}
						autoComplete="off"
						required={false}
						hint="Left empty where the key has none."
						onInput={(passphrase) => set({ passphrase })}
					/>
				)}
				{withPassword(value) && (
					<EntryField
						id="ssh-password"
						label="Password"
						type="password"
						value={value.password}
						autoComplete="off"
						invalid={wrongs["ssh-password"] !== undefined}
						hint={wrongs["ssh-password"]}
						onInput={(password) => set({ password })}
					/>
				)}
				{!root && (
					<EntryField
						id="ssh-sudo"
						label="Password for sudo"
						type="password"
						value={value.sudo}
						autoComplete="off"
						required={false}
						hint={
							withPassword(value)
								? "Left empty, the password above is used where sudo asks."
								: "Left empty where sudo asks for none."
						}
						onInput={(sudo) => set({ sudo })}
					/>
				)}
			</div>
		</>
	);
}

export function SealedNote() {
	return (
		<p class="quiet sealed-note">
			It is sealed here, in this browser, for the connectors of the location alone. The hub passes it on
			and cannot read it; nothing keeps it, and it is forgotten when the work is over.
		</p>
	);
}
