// A password: hidden while it is typed, unless asked otherwise; and whether a new one is long enough.

import { useState } from "preact/hooks";
import { plural } from "../words";

export const MIN_PASSWORD = 12;

export const missingIn = (password: string) => Math.max(0, MIN_PASSWORD - [...password].length);

export function passwordHint(password: string): string {
	const missing = missingIn(password);
	if (password === "")
		return `At least ${MIN_PASSWORD} characters. A few unrelated words are easy to keep.`;
	return missing > 0 ? `${plural(missing, "character")} to go.` : "Long enough.";
}

interface EntryFieldProps {
	id: string;
	label: string;
	value: string;
	onInput: (value: string) => void;
	type?: "text" | "password";
	autoComplete: string;
	autoFocus?: boolean;
	hint?: string | undefined;
	invalid?: boolean;
	required?: boolean;
}

export function EntryField({
	id,
	label,
	value,
	onInput,
	type = "text",
	autoComplete,
	autoFocus,
	hint,
	invalid,
	required = true,
}: EntryFieldProps) {
	const [shown, setShown] = useState(false);
	const secret = type === "password";
	return (
		<div class="field">
			<label for={id}>{label}</label>
			<div class="field-box">
				<input
					id={id}
					name={id}
					type={secret && shown ? "text" : type}
					value={value}
					required={required}
					autocomplete={autoComplete}
					autocapitalize="none"
					spellcheck={false}
					autoFocus={autoFocus ?? false}
					aria-invalid={invalid ?? false}
					aria-describedby={hint ? `${id}-hint` : undefined}
					onInput={(event) => onInput(event.currentTarget.value)}
				/>
				{secret && (
					<button
						type="button"
						class="field-show"
						aria-pressed={shown}
						onClick={() => setShown(!shown)}
						aria-label={shown ? "Hide the password" : "Show the password"}
					>
						{shown ? "Hide" : "Show"}
					</button>
				)}
			</div>
			{hint && (
				<p class={`field-hint${invalid ? " field-wrong" : ""}`} id={`${id}-hint`}>
					{hint}
				</p>
			)}
		</div>
	);
}
