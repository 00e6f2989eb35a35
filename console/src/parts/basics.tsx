// Small parts that every page uses.

import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { asProblem, type Problem } from "../api";
import { router } from "../router";
import { Check, Copy } from "./icons";

export function useTitle(title: string): void {
	useEffect(() => {
		document.title = title ? `${title} · Sallyport` : "Sallyport";
	}, [title]);
}

// A page that was gone to starts at its top, for the eyes and for a screen reader.
export function useArrival(key = ""): void {
	useEffect(() => {
		scrollTo(0, 0);
		if (router.moved) document.getElementById("main")?.focus({ preventScroll: true });
	}, [key]);
}

// Text in which `words between backticks` are shown as code.
export function Prose({ text }: { text: string }) {
	return <>{text.split("`").map((part, i) => (i % 2 ? <code key={i}>{part}</code> : part))}</>;
}

export function ProblemNote({ problem, retry }: { problem: Problem; retry?: (() => void) | undefined }) {
	return (
		<div class="note note-bad" role="alert">
			<p class="note-title">{problem.message}</p>
			<p>{problem.advice}</p>
			{retry && (
				<button class="button" onClick={retry}>
					Try again
				</button>
			)}
		</div>
	);
}

interface EmptyProps {
	title: string;
	children: ComponentChildren;
}

export function Empty({ title, children }: EmptyProps) {
	return (
		<div class="empty">
			<h2>{title}</h2>
			{children}
		</div>
	);
}

export function Skeleton({ lines }: { lines: number }) {
	return (
		<div class="skeleton" role="status" aria-label="Loading">
			{Array.from({ length: lines }, (_, i) => (
				<span key={i} class={`bone bone-${i % 4}`} />
			))}
		</div>
	);
}

async function copyText(text: string): Promise<boolean> {
	try {
		await navigator.clipboard.writeText(text);
		return true;
	} catch {
		return false;
	}
}

// A command to run elsewhere, with a button that copies it. Where the browser forbids that, the text
// is selected instead.
export function Command({ text, label }: { text: string; label: string }) {
	const [state, setState] = useState<"" | "copied" | "selected">("");
	const code = useRef<HTMLElement>(null);
	const copy = async () => {
		const done = await copyText(text);
		if (!done && code.current) getSelection()?.selectAllChildren(code.current);
		setState(done ? "copied" : "selected");
	};
	useEffect(() => {
		if (!state) return;
		const timer = setTimeout(() => setState(""), 2500);
		return () => clearTimeout(timer);
	}, [state]);
	return (
		<div class="command">
			<code ref={code} tabIndex={0} aria-label={label}>
				{text}
			</code>
			<button class="button button-small" onClick={() => void copy()} aria-label={`Copy: ${label}`}>
				{state === "copied" ? <Check /> : <Copy />}
				<span>{state === "copied" ? "Copied" : state === "selected" ? "Press Ctrl+C" : "Copy"}</span>
			</button>
			<span class="unseen" role="status">
				{state === "copied"
					? "Copied"
					: state === "selected"
						? "Selected: press Ctrl and C to copy"
						: ""}
			</span>
		</div>
	);
}

interface DialogProps {
	title: string;
	onClose: () => void;
	children: ComponentChildren;
	wide?: boolean;
}

// The browser's own modal dialog: it keeps the focus, closes on Escape, and gives the focus back.
export function Dialog({ title, onClose, children, wide }: DialogProps) {
	const dialog = useRef<HTMLDialogElement>(null);
	const gone = useRef(false);
	useLayoutEffect(() => {
		const element = dialog.current;
		const before = document.activeElement;
		element?.showModal();
		return () => {
			gone.current = true;
			element?.close();
			if (before instanceof HTMLElement && before.isConnected) before.focus();
		};
	}, []);
	return (
		<dialog
			ref={dialog}
			class={wide ? "dialog dialog-wide" : "dialog"}
			aria-labelledby="dialog-title"
			onCancel={(event) => {
				event.preventDefault();
				onClose();
			}}
			onClose={() => {
				if (!gone.current) onClose();
			}}
			onClick={(event) => {
				if (event.target === dialog.current) onClose();
			}}
		>
			<div class="dialog-body">
				<h2 id="dialog-title">{title}</h2>
				{children}
			</div>
		</dialog>
	);
}

interface ConfirmProps {
	title: string;
	action: string;
	doing: string;
	keep?: string; // instead of "Cancel"
	plain?: boolean; // nothing is lost by it
	onConfirm: () => Promise<void>;
	onClose: () => void;
	children: ComponentChildren;
}

// Asks before something that cannot be undone. The focus starts on the harmless button.
export function Confirm({
	title,
	action,
	doing,
	keep = "Cancel",
	plain,
	onConfirm,
	onClose,
	children,
}: ConfirmProps) {
	const [busy, setBusy] = useState(false);
	const [problem, setProblem] = useState<Problem | null>(null);
	const confirm = async () => {
		setBusy(true);
		setProblem(null);
		try {
			await onConfirm();
		} catch (error) {
			setProblem(asProblem(error));
			setBusy(false);
		}
	};
	return (
		<Dialog title={title} onClose={onClose}>
			{children}
			{problem && <ProblemNote problem={problem} />}
			<div class="dialog-actions">
				<button class="button" autoFocus onClick={onClose}>
					{keep}
				</button>
				<button
					class={`button ${plain ? "button-primary" : "button-danger"}`}
					disabled={busy}
					onClick={() => void confirm()}
				>
					{busy ? doing : action}
				</button>
			</div>
		</Dialog>
	);
}
