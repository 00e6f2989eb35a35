// Text that grows at its end: followed while the reader is at the end, left alone when he has scrolled
// up to read.

import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

const NEAR_PX = 24;

interface TailProps {
	text: string;
	label: string;
	follow: boolean;
	onFollow: (follow: boolean) => void; // he scrolled away from the end, or back to it
	empty: ComponentChildren;
}

export function Tail({ text, label, follow, onFollow, empty }: TailProps) {
	const box = useRef<HTMLDivElement>(null);
	useLayoutEffect(() => {
		if (follow && box.current) box.current.scrollTop = box.current.scrollHeight;
	}, [text, follow]);
	// Also told of the scrolling above, which ends at the end.
	const scrolled = () => {
		const { current } = box;
		if (!current) return;
		const atEnd = current.scrollHeight - current.scrollTop - current.clientHeight < NEAR_PX;
		if (atEnd !== follow) onFollow(atEnd);
	};
	return (
		<div class="tail" ref={box} onScroll={scrolled} tabIndex={0} role="region" aria-label={label}>
			{text ? <pre>{text}</pre> : <p class="quiet">{empty}</p>}
		</div>
	);
}

// A short word for who listens: that there is more, not what it is.
export function CopyButton({ text, label }: { text: string; label: string }) {
	const [said, setSaid] = useState("");
	const copy = async () => {
		try {
			await navigator.clipboard.writeText(text);
			setSaid("Copied");
		} catch {
			setSaid("The browser forbids it");
		}
		setTimeout(() => setSaid(""), 2500);
	};
	return (
		<button
			class="button button-small"
			onClick={() => void copy()}
			disabled={text === ""}
			aria-label={label}
		>
			<span role="status">{said || "Copy"}</span>
		</button>
	);
}
