// The parts of a job that is being written: what runs, with which variables, and how.

import type { Draft } from "../draft";
import { bytesOf, INTERPRETERS, MAX_ENV, type Variable } from "../draft";
import { bytes, duration } from "../words";
import { Labelled, SelectField, TextField } from "./fields";
import { Cross, Plus } from "./icons";
import { ScriptEditor } from "./script";

interface PartProps {
	draft: Draft;
	wrongs: Record<string, string>; // of the fields that may be shown as wrong
}

export function WhatRuns({ draft, wrongs }: PartProps) {
	const { fields } = draft;
	const length = bytesOf(fields.script);
	return (
		<>
			<div class="field-row">
				<TextField
					id="title"
					label="Title"
					optional
					value={fields.title}
					maxLength={200}
					placeholder="Renew the certificates"
					onInput={(title) => draft.set({ title })}
					hint="For the list of jobs."
				/>
				<SelectField
					id="interpreter"
					label="Run by"
					value={fields.interpreter}
					choices={Object.entries(INTERPRETERS).map(([value, label]) => ({ value, label }))}
					onChange={(interpreter) => draft.set({ interpreter })}
					hint="It has to be there: where it is not, the run fails and says so."
				/>
			</div>
			<Labelled
				id="script"
				label="Script"
				wrong={wrongs["script"]}
				hint={`${bytes(length)} of at most 128 KiB. It runs as it stands here; secrets belong into variables.`}
			>
				<ScriptEditor
					id="script"
					value={fields.script}
					wrong={wrongs["script"] !== undefined}
					onInput={(script) => draft.set({ script })}
				/>
			</Labelled>
			<Labelled
				id="args"
				label="Arguments"
				optional
				wrong={wrongs["args"]}
				hint="One a line, as they are: nothing is split, nothing is expanded."
			>
				<textarea
					id="args"
					class="textarea mono"
					rows={2}
					value={fields.args}
					autocomplete="off"
					autocapitalize="none"
					spellcheck={false}
					aria-invalid={wrongs["args"] !== undefined}
					aria-describedby="args-hint"
					onInput={(event) => draft.set({ args: event.currentTarget.value })}
				/>
			</Labelled>
		</>
	);
}

interface VariableRowProps {
	draft: Draft;
	variable: Variable;
	wrong: string | undefined;
}

function VariableRow({ draft, variable, wrong }: VariableRowProps) {
	const { key, name, value, secret } = variable;
	const change = (part: Partial<Variable>) => draft.setVariable(key, part);
	const called = name || "the new variable";
	return (
		<li class="variable">
			<input
				id={`env-${key}`}
				class="mono"
				aria-label="Name of the variable"
				placeholder="NAME"
				value={name}
				maxLength={128}
				autocomplete="off"
				autocapitalize="none"
				spellcheck={false}
				aria-invalid={wrong !== undefined}
				aria-describedby={wrong ? `env-${key}-hint` : undefined}
				onInput={(event) => change({ name: event.currentTarget.value })}
			/>
			<input
				class="mono"
				type={secret ? "password" : "text"}
				aria-label={`Value of ${called}`}
				placeholder="value"
				value={value}
				maxLength={4096}
				autocomplete={secret ? "new-password" : "off"}
				autocapitalize="none"
				spellcheck={false}
				onInput={(event) => change({ value: event.currentTarget.value, lost: false })}
			/>
			<label class="check-box">
				<input
					type="checkbox"
					checked={secret}
					onChange={(event) => change({ secret: event.currentTarget.checked })}
				/>
				Secret
			</label>
			<button
				type="button"
				class="button button-small"
				aria-label={`Take ${called} away`}
				onClick={() => {
					draft.dropVariable(key);
					document.getElementById("add-variable")?.focus();
				}}
			>
				<Cross />
			</button>
			{wrong && (
				<p class="field-hint field-wrong" id={`env-${key}-hint`}>
					{wrong}
				</p>
			)}
		</li>
	);
}

export function Variables({ draft, wrongs }: PartProps) {
	const { env } = draft.fields;
	return (
		<>
			{env.length > 0 && (
				<ul class="variables">
					{env.map((variable) => (
						<VariableRow
							key={variable.key}
							draft={draft}
							variable={variable}
							wrong={wrongs[`env-${variable.key}`]}
						/>
					))}
				</ul>
			)}
			<button
				type="button"
				id="add-variable"
				class="button button-small"
				disabled={env.length >= MAX_ENV}
				onClick={() => draft.addVariable()}
			>
				<Plus /> Add variable
			</button>
			<p class="field-hint">
				The value of a secret is kept until every run is over, is never shown again, and stands in no
				log.
			</p>
		</>
	);
}

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;
const seconds = (...all: number[]) => all.map((value) => ({ value, label: duration(value) }));
const sizes = (...all: number[]) => all.map((value) => ({ value, label: bytes(value) }));

export function How({ draft, wrongs }: PartProps) {
	const { fields } = draft;
	return (
		<div class="how">
			<TextField
				id="user"
				label="User"
				optional
				value={fields.user}
				maxLength={64}
				placeholder="root"
				onInput={(user) => draft.set({ user })}
				hint="Left empty: the one that the agent runs as."
			/>
			<TextField
				id="cwd"
				label="Folder"
				optional
				mono
				value={fields.cwd}
				maxLength={1000}
				placeholder="/srv"
				wrong={wrongs["cwd"]}
				onInput={(cwd) => draft.set({ cwd })}
				hint="Where it begins. Left empty: the user's home."
			/>
			<SelectField
				id="timeout"
				label="Time-out"
				value={fields.timeoutS}
				choices={seconds(MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 6 * HOUR, DAY, 7 * DAY)}
				other={duration}
				onChange={(timeoutS) => draft.set({ timeoutS })}
				hint="What takes longer is ended, and has failed."
			/>
			<SelectField
				id="expiry"
				label="Waits for those offline"
				value={fields.expiresInS}
				choices={seconds(5 * MINUTE, HOUR, DAY, 7 * DAY, 30 * DAY)}
				other={duration}
				onChange={(expiresInS) => draft.set({ expiresInS })}
				hint="Where it has not begun by then, it expires."
			/>
			<SelectField
				id="output"
				label="Output kept"
				value={fields.outputLimit}
				choices={sizes(65_536, 1_048_576, 4_194_304, 16_777_216)}
				other={bytes}
				onChange={(outputLimit) => draft.set({ outputLimit })}
				hint="Of each server; the rest is counted, not kept."
			/>
			<SelectField
				id="rerun"
				label="If it is interrupted"
				value={fields.rerun}
				choices={[
					{ value: "never", label: "do not run it again" },
					{ value: "safe", label: "run it again: that is safe" },
				]}
				onChange={(rerun) => draft.set({ rerun })}
				hint="By a power cut or a crash. Not run again, it ends as not known."
			/>
			<SelectField
				id="reboot"
				label="Reboot"
				value={fields.reboot}
				choices={[
					{ value: "never", label: "never" },
					{ value: "after", label: "after it has run well" },
					{ value: "on-request", label: "when it exits with 194, then run it again" },
				]}
				onChange={(reboot) => draft.set({ reboot })}
				hint="It is done when the machine is back."
			/>
		</div>
	);
}
