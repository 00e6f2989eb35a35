// A script, to be written or to be read: numbered lines in one typeface.

import { useRef } from "preact/hooks";

const MIN_LINES = 12;
const MAX_LINES = 32;

const linesIn = (text: string) => text.split("\n").length;

function Numbers({ lines, boxRef }: { lines: number; boxRef?: { current: HTMLPreElement | null } }) {
	const text = Array.from({ length: lines }, (_, i) => i + 1).join("\n");
	return (
		<pre class="script-numbers" aria-hidden="true" {...(boxRef ? { ref: boxRef } : {})}>
			{text}
		</pre>
	);
}

interface EditorProps {
	id: string;
	value: string;
	wrong: boolean;
	onInput: (value: string) => void;
}

// A plain text area: the tab key goes on to the next field, as everywhere.
export function ScriptEditor({ id, value, wrong, onInput }: EditorProps) {
	const numbers = useRef<HTMLPreElement>(null);
	const lines = linesIn(value);
	return (
		<div class="script script-editor">
			<Numbers lines={Math.max(lines, MIN_LINES)} boxRef={numbers} />
			<textarea
				id={id}
				value={value}
				rows={Math.min(MAX_LINES, Math.max(MIN_LINES, lines + 1))}
				wrap="off"
				required
				autocomplete="off"
				autocapitalize="none"
				spellcheck={false}
				aria-invalid={wrong}
				aria-describedby={`${id}-hint`}
				onInput={(event) => onInput(event.currentTarget.value)}
				onScroll={(event) => {
					if (numbers.current) numbers.current.scrollTop = event.currentTarget.scrollTop;
				}}
			/>
		</div>
	);
}

export function ScriptText({ text, label }: { text: string; label: string }) {
	const shown = text.replace(/\n$/, "");
	return (
		<div class="script" tabIndex={0} role="region" aria-label={label}>
			<Numbers lines={linesIn(shown)} />
			<pre class="script-text">{shown}</pre>
		</div>
	);
}
