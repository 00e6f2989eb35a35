// The fields of forms: each with its label, and below it a hint or what is wrong with it.

import type { ComponentChildren } from "preact";

interface LabelledProps {
	id: string;
	label: string;
	optional?: boolean;
	hint?: ComponentChildren;
	wrong?: string | undefined;
	children: ComponentChildren;
}

export function Labelled({ id, label, optional, hint, wrong, children }: LabelledProps) {
	return (
		<div class="field">
			<label for={id}>
				{label} {optional && <span class="optional">(optional)</span>}
			</label>
			{children}
			{(wrong || hint) && (
				<p class={`field-hint${wrong ? " field-wrong" : ""}`} id={`${id}-hint`}>
					{wrong ?? hint}
				</p>
			)}
		</div>
	);
}

interface TextFieldProps {
	id: string;
	label: string;
	value: string;
	onInput: (value: string) => void;
	optional?: boolean;
	hint?: ComponentChildren;
	wrong?: string | undefined;
	placeholder?: string;
	maxLength?: number;
	type?: "text" | "password";
	autocomplete?: string;
	autoFocus?: boolean;
	mono?: boolean;
}

export function TextField({ id, label, value, onInput, optional, hint, wrong, ...rest }: TextFieldProps) {
	return (
		<Labelled
			id={id}
			label={label}
			hint={hint}
			wrong={wrong}
			{...(optional === undefined ? {} : { optional })}
		>
			<input
				id={id}
				class={rest.mono ? "mono" : ""}
				type={rest.type ?? "text"}
				value={value}
				maxLength={rest.maxLength ?? 200}
				placeholder={rest.placeholder ?? ""}
				autocomplete={rest.autocomplete ?? "off"}
				autocapitalize="none"
				spellcheck={false}
				autoFocus={rest.autoFocus ?? false}
				required={!optional}
				aria-invalid={wrong !== undefined}
				aria-describedby={wrong || hint ? `${id}-hint` : undefined}
				onInput={(event) => onInput(event.currentTarget.value)}
			/>
		</Labelled>
	);
}

export interface Choice<T> {
	value: T;
	label: string;
}

interface SelectFieldProps<T> {
	id: string;
	label: string;
	value: T;
	choices: Choice<T>[];
	onChange: (value: T) => void;
	hint?: ComponentChildren;
	other?: (value: T) => string; // the words for a value that is none of the choices
}

export function SelectField<T extends string | number>({
	id,
	label,
	value,
	choices,
	onChange,
	hint,
	other,
}: SelectFieldProps<T>) {
	const known = choices.some((each) => each.value === value);
	const shown = known || !other ? choices : [{ value, label: other(value) }, ...choices];
	return (
		<Labelled id={id} label={label} hint={hint}>
			<select
				id={id}
				class="select"
				value={value}
				aria-describedby={hint ? `${id}-hint` : undefined}
				onChange={(event) => {
					const found = shown.find((each) => String(each.value) === event.currentTarget.value);
					if (found) onChange(found.value);
				}}
			>
				{shown.map((each) => (
					<option key={each.value} value={each.value}>
						{each.label}
					</option>
				))}
			</select>
		</Labelled>
	);
}
