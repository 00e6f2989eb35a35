// What narrows a list: words to search for, and a few choices of which one is pressed.

import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { number } from "../words";
import { Search } from "./icons";

interface SearchBoxProps {
	value: string;
	onChange: (value: string) => void;
	label: string;
	title?: string;
	hint?: string; // in the empty box
	slash?: boolean; // the key that leads here
	known?: string[]; // words to choose from
}

export function SearchBox({
	value,
	onChange,
	label,
	title,
	hint = "Search",
	slash: withSlash,
	known,
}: SearchBoxProps) {
	const [text, setText] = useState(value);
	const id = useId();
	const box = useRef<HTMLInputElement>(null);
	const typed = useRef(false);
	const tell = useRef(onChange); // the newest: other filters may have changed meanwhile
	tell.current = onChange;

	// With the drawing, not after it: the timer of the letter before would take this one back.
	useLayoutEffect(() => {
		if (!typed.current) return;
		const timer = setTimeout(() => {
			typed.current = false;
			tell.current(text);
		}, 150);
		return () => clearTimeout(timer);
	}, [text]);
	useLayoutEffect(() => {
		if (!typed.current) setText(value);
	}, [value]);
	useLayoutEffect(() => {
		if (!withSlash) return undefined;
		const slash = (event: KeyboardEvent) => {
			const target = event.target as HTMLElement;
			if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
			if (target.closest("input:not([type=checkbox]), textarea, select, dialog")) return;
			event.preventDefault();
			box.current?.focus();
			box.current?.select();
		};
		addEventListener("keydown", slash);
		return () => removeEventListener("keydown", slash);
	}, []);

	const type = (next: string) => {
		typed.current = true;
		setText(next);
	};
	const key = (event: KeyboardEvent) => {
		if (event.key === "Escape" && text) {
			event.preventDefault();
			type("");
		} else if (event.key === "ArrowDown" && withSlash) {
			event.preventDefault();
			document.querySelector<HTMLElement>(".rows [data-index][tabindex='0']")?.focus();
		}
	};
	return (
		<div class="search">
			<Search />
			<input
				ref={box}
				type="search"
				value={text}
				placeholder={hint}
				aria-label={label}
				{...(withSlash ? { "aria-keyshortcuts": "/" } : {})}
				{...(known ? { list: `${id}-known` } : {})}
				title={title}
				autocomplete="off"
				spellcheck={false}
				maxLength={200}
				onInput={(event) => type(event.currentTarget.value)}
				onKeyDown={key}
			/>
			{known && (
				<datalist id={`${id}-known`}>
					{known.map((each) => (
						<option key={each} value={each} />
					))}
				</datalist>
			)}
			{withSlash && <kbd aria-hidden="true">/</kbd>}
		</div>
	);
}

export interface Segment {
	value: string;
	label: string;
	count?: number | undefined;
	mark?: ComponentChildren;
}

interface SegmentsProps {
	label: string;
	options: Segment[];
	value: string;
	onChange: (value: string) => void;
}

export function Segments({ label, options, value, onChange }: SegmentsProps) {
	return (
		<div class="segments" role="group" aria-label={label}>
			{options.map((option) => (
				<button
					key={option.value}
					aria-pressed={value === option.value}
					onClick={() => onChange(option.value)}
				>
					{option.mark}
					{option.label}{" "}
					<span class="segment-count">
						{option.count === undefined ? "" : number(option.count)}
					</span>
				</button>
			))}
		</div>
	);
}
