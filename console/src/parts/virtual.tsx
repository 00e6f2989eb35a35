// Rows of a list of which only those in view are in the document.
//
// Each row's height is known before it is drawn (it follows from what the row says), so rows stand
// absolutely in a box as tall as all of them. The page scrolls, not the box. The arrow keys walk the
// rows: each has one link with data-index, of which one at a time is reached with the tab key. Rows
// that lead nowhere take the focus themselves.

import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { useNow } from "../clock";
import type { LiveList } from "../live-list";
import { router } from "../router";
import { ProblemNote } from "./basics";

const OVERSCAN_PX = 600;
const BAR_PX = 100; // of the view, covered by the bar and the head
const LOAD_AHEAD_ROWS = 60;
const SKELETON_ROWS = 8;
const NARROW = "(max-width: 56rem)";

// What the heights follow from: the box's width now, and whether rows are drawn as cards.
export interface Layout {
	rem: number;
	width: number;
	narrow: boolean;
	family: string;
}

function layoutOf(box: HTMLElement | null): Layout {
	return {
		rem: parseFloat(getComputedStyle(document.documentElement).fontSize) || 16,
		width: box?.clientWidth ?? 0,
		narrow: matchMedia(NARROW).matches,
		family: getComputedStyle(document.body).fontFamily,
	};
}

function useLayout(box: { current: HTMLElement | null }): Layout {
	const [layout, setLayout] = useState(() => layoutOf(null));
	useLayoutEffect(() => {
		if (!box.current) return;
		const watch = new ResizeObserver(() => setLayout(layoutOf(box.current)));
		setLayout(layoutOf(box.current));
		watch.observe(box.current);
		return () => watch.disconnect();
	}, []);
	return layout;
}

// The first row whose end lies below y.
function rowAt(tops: Float64Array, y: number): number {
	let low = 0;
	let high = tops.length - 2;
	while (low < high) {
		const middle = (low + high) >> 1;
		if (tops[middle + 1]! > y) high = middle;
		else low = middle + 1;
	}
	return Math.max(0, low);
}

// Where the window is over the box, in the box's own pixels; told again on every scroll.
function useView(
	box: { current: HTMLElement | null },
	list: { scrollY: number },
): [from: number, to: number] {
	const [view, setView] = useState<[number, number]>([0, 1200]);
	useLayoutEffect(() => {
		const look = () => {
			if (!box.current) return;
			const top = -box.current.getBoundingClientRect().top;
			setView([top - OVERSCAN_PX, top + innerHeight + OVERSCAN_PX]);
		};
		const scrolled = () => {
			list.scrollY = scrollY;
			look();
		};
		scrollTo(0, list.scrollY);
		look();
		addEventListener("scroll", scrolled, { passive: true });
		addEventListener("resize", look);
		return () => {
			removeEventListener("scroll", scrolled);
			removeEventListener("resize", look);
		};
	}, []);
	return view;
}

function SkeletonRows({ top, height }: { top: number; height: number }) {
	return (
		<>
			{Array.from({ length: SKELETON_ROWS }, (_, i) => (
				<div
					key={`bone-${i}`}
					class="row row-bone"
					aria-hidden="true"
					style={{ top: `${top + i * height}px`, height: `${height}px` }}
				>
					<span class={`bone bone-${i % 4}`} />
				</div>
			))}
		</>
	);
}

const STEPS: Record<string, (at: number, last: number) => number> = {
	ArrowDown: (at) => at + 1,
	ArrowUp: (at) => at - 1,
	PageDown: (at) => at + 10,
	PageUp: (at) => at - 10,
	Home: () => 0,
	End: (_, last) => last,
};

// How a row is drawn: to be spread on its outermost element, and on its link.
export interface Place {
	row: {
		role: "row";
		"aria-rowindex": number;
		style: { top: string; height: string };
		onClick?: (event: MouseEvent) => void;
		tabIndex?: number;
		"data-index"?: number;
	};
	link: { href: string; tabIndex: number; "data-index": number }; // of rows that lead somewhere
	now: number;
	active: boolean;
}

interface VirtualRowsProps<Row> {
	list: LiveList<Row, object>;
	heightOf: (row: Row, layout: Layout, now: number) => number; // in pixels
	bone: (layout: Layout) => number; // of a row that is not loaded
	hrefOf?: (row: Row) => string; // absent: rows lead nowhere
	onKey?: (key: string, row: Row) => boolean; // true: the key was for the row
	children: (row: Row, place: Place) => ComponentChildren;
}

export function VirtualRows<Row>({
	list,
	heightOf,
	bone,
	hrefOf,
	onKey,
	children: draw,
}: VirtualRowsProps<Row>) {
	const box = useRef<HTMLDivElement>(null);
	const layout = useLayout(box);
	const now = useNow();
	const [from, to] = useView(box, list);
	const [, setActive] = useState(list.activeId);
	const wantFocus = useRef(router.moved && list.activeId !== null);
	const { activeId, rows } = list;
	const setActiveId = (id: string | null) => {
		list.activeId = id;
		setActive(id);
	};
	const idAt = (index: number) => (rows[index] ? list.idOf(rows[index]) : null);

	const tops = new Float64Array(rows.length + 1);
	for (let i = 0; i < rows.length; i++) tops[i + 1] = tops[i]! + heightOf(rows[i]!, layout, now);
	const end = tops[rows.length] ?? 0;
	const loading = list.phase === "loading";
	const first = rowAt(tops, from);
	const last = rows.length === 0 ? -1 : rowAt(tops, to);
	const found = activeId === null ? -1 : rows.findIndex((row) => list.idOf(row) === activeId);
	// The one row that the tab key reaches: the last that had the focus, else the topmost in view.
	const active = found >= 0 ? found : rowAt(tops, from + OVERSCAN_PX + BAR_PX);

	const shown: number[] = [];
	for (let i = first; i <= last; i++) shown.push(i);
	// The focused row stays in the document when it is scrolled out of view.
	if (found >= 0 && found < first) shown.unshift(found);
	if (found > last) shown.push(found);

	useEffect(() => {
		if (!loading && !list.problem && last >= rows.length - LOAD_AHEAD_ROWS) void list.loadMore();
	});
	useLayoutEffect(() => {
		if (!wantFocus.current) return;
		wantFocus.current = false;
		const link = box.current?.querySelector<HTMLElement>(`[data-index="${active}"]`);
		if (!link) return;
		link.focus({ preventScroll: true });
		link.closest(".row")?.scrollIntoView({ block: "nearest" });
	});

	const key = (event: KeyboardEvent) => {
		const row = rows[active];
		const onLink = (event.target as HTMLElement).dataset["index"] !== undefined;
		if (row && onLink && onKey?.(event.key, row)) return event.preventDefault();
		const step = STEPS[event.key];
		if (!step || event.ctrlKey || event.metaKey || event.altKey || rows.length === 0) return;
		event.preventDefault();
		const go = () => {
			const last = list.rows.length - 1;
			const at = list.rows[Math.min(last, Math.max(0, step(active, last)))];
			wantFocus.current = true;
			setActiveId(at ? list.idOf(at) : null);
		};
		if (event.key === "End") void list.loadRest().then(go);
		else go();
	};
	const focus = (event: FocusEvent) => {
		const index = (event.target as HTMLElement).dataset["index"];
		if (index !== undefined) setActiveId(idAt(Number(index)));
	};
	const placeOf = (i: number): Place => {
		const href = hrefOf?.(rows[i]!) ?? "";
		const focus = { tabIndex: i === active ? 0 : -1, "data-index": i };
		const open = (event: MouseEvent) => {
			const onControl = (event.target as HTMLElement).closest("a, button, input, label");
			if (onControl || getSelection()?.toString()) return;
			router.go(href.slice(1));
		};
		return {
			row: {
				role: "row",
				"aria-rowindex": i + 2,
				style: { top: `${tops[i]!}px`, height: `${tops[i + 1]! - tops[i]!}px` },
				...(href ? { onClick: open } : focus),
			},
			link: { href, ...focus },
			now,
			active: i === active,
		};
	};

	const bones = loading || !list.complete;
	return (
		<>
			<div
				ref={box}
				role="rowgroup"
				class="rows"
				onKeyDown={key}
				onFocusIn={focus}
				style={{ height: `${end + (bones ? SKELETON_ROWS * bone(layout) : 0)}px` }}
			>
				{shown.map((i) => draw(rows[i]!, placeOf(i)))}
				{bones && to > end && <SkeletonRows top={end} height={bone(layout)} />}
			</div>
			{list.problem && list.phase === "ready" && (
				<ProblemNote
					problem={list.problem}
					retry={() => void (list.complete ? list.load() : list.loadMore())}
				/>
			)}
		</>
	);
}
