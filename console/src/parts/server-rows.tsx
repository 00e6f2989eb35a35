// The rows of the list, of which only those in view are in the document.
//
// Each row's height follows from what it says (see Layout), so its place is known before it is
// drawn; rows stand absolutely in a box as tall as all of them. The page scrolls, not the box.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { useNow } from "../clock";
import type { Live } from "../live";
import { linesOf } from "../measure";
import type { Roster } from "../roster";
import { router } from "../router";
import type { ServerRow } from "../types";
import { ago, moment, shortSystem } from "../words";
import { ProblemNote, Prose } from "./basics";
import { remedyFor, StatusSince } from "./status";

const OVERSCAN_PX = 600;
const BAR_PX = 100; // of the view, covered by the bar and the head
const LOAD_AHEAD_ROWS = 60;
const SKELETON_ROWS = 8;

// In rem, as in servers.css: a row, and below it, when offline, lines of text that leave `beside` free.
const TABLE = { row: 2.75, line: 1.375, pad: 0.5, beside: 14.75, font: 0.875, lines: 2 };
const CARDS = { row: 4.5, line: 1.3125, pad: 0.625, beside: 2, font: 0.8125, lines: 3 };
const NARROW = "(max-width: 56rem)";
const TO_DO = "To do:";

// The same in pixels, for the width that the box has now.
interface Layout {
	row: number;
	line: number;
	pad: number;
	width: number; // of the text below a row
	font: string;
	lines: number; // at most, of each text
}

function layoutOf(box: HTMLElement | null): Layout {
	const rem = parseFloat(getComputedStyle(document.documentElement).fontSize) || 16;
	const { row, line, pad, beside, font, lines } = matchMedia(NARROW).matches ? CARDS : TABLE;
	return {
		row: row * rem,
		line: line * rem,
		pad: pad * rem,
		width: (box?.clientWidth ?? 0) - beside * rem,
		font: `${font * rem}px ${getComputedStyle(document.body).fontFamily}`,
		lines,
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

function heightOf(row: ServerRow, layout: Layout, now: number): number {
	if (row.status === "online" || !row.reason) return layout.row;
	const remedy = remedyFor(row, now);
	const lines = (text: string) =>
		linesOf(text.replaceAll("`", ""), layout.font, layout.width, layout.lines);
	const below = lines(row.reason) + (remedy ? lines(`${TO_DO} ${remedy.remedy}`) : 0);
	return layout.row + below * layout.line + layout.pad;
}

function topsOf(rows: ServerRow[], layout: Layout, now: number): Float64Array {
	const tops = new Float64Array(rows.length + 1);
	for (let i = 0; i < rows.length; i++) tops[i + 1] = tops[i]! + heightOf(rows[i]!, layout, now);
	return tops;
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
function useView(box: { current: HTMLElement | null }, roster: Roster): [from: number, to: number] {
	const [view, setView] = useState<[number, number]>([0, 1200]);
	useLayoutEffect(() => {
		const look = () => {
			if (!box.current) return;
			const top = -box.current.getBoundingClientRect().top;
			setView([top - OVERSCAN_PX, top + innerHeight + OVERSCAN_PX]);
		};
		const scrolled = () => {
			roster.scrollY = scrollY;
			look();
		};
		scrollTo(0, roster.scrollY);
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

interface RowProps {
	row: ServerRow;
	index: number;
	top: number;
	height: number;
	now: number;
	active: boolean;
	fresh: boolean;
	lost: boolean;
}

function Row({ row, index, top, height, now, active, fresh, lost }: RowProps) {
	const remedy = row.status === "offline" ? remedyFor(row, now) : null;
	const href = `#/servers/${encodeURIComponent(row.id)}`;
	const open = (event: MouseEvent) => {
		const onControl = (event.target as HTMLElement).closest("a, button");
		if (onControl || getSelection()?.toString()) return;
		router.go(href.slice(1));
	};
	return (
		<div
			role="row"
			aria-rowindex={index + 2}
			onClick={open}
			class={`row row-${row.status}${fresh ? " row-fresh" : ""}`}
			style={{ top: `${top}px`, height: `${height}px` }}
		>
			<div class="row-grid">
				<div role="cell" class="cell-status">
					<StatusSince row={row} now={now} />
				</div>
				<div role="cell" class="cell-name">
					<a href={href} title={row.name} tabIndex={active ? 0 : -1} data-index={index}>
						{row.name || row.id}
					</a>
				</div>
				<div role="cell" class="cell-address" title={row.mac ? `MAC ${row.mac}` : undefined}>
					{row.address}
				</div>
				<div role="cell" class="cell-os" title={row.os_name}>
					{shortSystem(row.os_name || row.platform || "")}
				</div>
				<div role="cell" class="cell-location" title={row.location}>
					{row.location || "–"}
				</div>
				<div role="cell" class="cell-version">
					{row.version}
				</div>
				<div role="cell" class="cell-last_seen" title={moment(row.last_seen, now)}>
					{row.status === "online" && !lost ? "now" : ago(row.last_seen, now)}
				</div>
			</div>
			{row.status === "offline" && row.reason && (
				<div role="cell" class="row-why">
					<p class="row-reason" title={row.reason}>
						{row.reason}
					</p>
					{remedy && (
						<p class="row-remedy" title={remedy.remedy}>
							<span class="row-do">{TO_DO}</span> <Prose text={remedy.remedy} />
						</p>
					)}
				</div>
			)}
		</div>
	);
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

export function ServerRows({ roster, live }: { roster: Roster; live: Live }) {
	const box = useRef<HTMLDivElement>(null);
	const layout = useLayout(box);
	const now = useNow();
	const [from, to] = useView(box, roster);
	const [, setActive] = useState(roster.activeId);
	const wantFocus = useRef(router.moved && roster.activeId !== null);
	const { activeId } = roster;
	const setActiveId = (id: string | null) => {
		roster.activeId = id;
		setActive(id);
	};

	const { rows } = roster;
	const tops = topsOf(rows, layout, now);
	const end = tops[rows.length] ?? 0;
	const loading = roster.phase === "loading";
	const first = rowAt(tops, from);
	const last = rows.length === 0 ? -1 : rowAt(tops, to);
	const found = activeId === null ? -1 : rows.findIndex((row) => row.id === activeId);
	// The one row that the tab key reaches: the last that had the focus, else the topmost in view.
	const active = found >= 0 ? found : rowAt(tops, from + OVERSCAN_PX + BAR_PX);

	const shown: number[] = [];
	for (let i = first; i <= last; i++) shown.push(i);
	// The focused row stays in the document when it is scrolled out of view.
	if (found >= 0 && found < first) shown.unshift(found);
	if (found > last) shown.push(found);

	useEffect(() => {
		if (!loading && !roster.problem && last >= rows.length - LOAD_AHEAD_ROWS) void roster.loadMore();
	});
	useLayoutEffect(() => {
		if (!wantFocus.current) return;
		wantFocus.current = false;
		const link = box.current?.querySelector<HTMLElement>(`a[data-index="${active}"]`);
		if (!link) return;
		link.focus({ preventScroll: true });
		link.closest(".row")?.scrollIntoView({ block: "nearest" });
	});

	const key = (event: KeyboardEvent) => {
		const step = STEPS[event.key];
		if (!step || event.ctrlKey || event.metaKey || event.altKey || rows.length === 0) return;
		event.preventDefault();
		const go = () => {
			const { rows } = roster;
			const at = Math.min(rows.length - 1, Math.max(0, step(active, rows.length - 1)));
			wantFocus.current = true;
			setActiveId(rows[at]?.id ?? null);
		};
		if (event.key === "End") void roster.loadRest().then(go);
		else go();
	};
	const focus = (event: FocusEvent) => {
		const index = (event.target as HTMLElement).dataset["index"];
		if (index !== undefined) setActiveId(rows[Number(index)]?.id ?? null);
	};

	const bones = loading || !roster.complete;
	return (
		<>
			<div
				ref={box}
				role="rowgroup"
				class="rows"
				onKeyDown={key}
				onFocusIn={focus}
				style={{ height: `${end + (bones ? SKELETON_ROWS * layout.row : 0)}px` }}
			>
				{shown.map((i) => {
					const row = rows[i]!;
					return (
						<Row
							key={row.id}
							row={row}
							index={i}
							top={tops[i]!}
							height={tops[i + 1]! - tops[i]!}
							now={now}
							active={i === active}
							fresh={roster.fresh.has(row.id)}
							lost={live.state === "lost"}
						/>
					);
				})}
				{bones && to > end && <SkeletonRows top={end} height={layout.row} />}
			</div>
			{roster.problem && roster.phase === "ready" && (
				<ProblemNote
					problem={roster.problem}
					retry={() => void (roster.complete ? roster.load() : roster.loadMore())}
				/>
			)}
		</>
	);
}
