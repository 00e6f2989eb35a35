// The rows of the list of servers.

import type { Live } from "../live";
import type { Roster } from "../roster";
import type { ServerRow } from "../types";
import { ago, moment, shortSystem } from "../words";
import { remedyFor, StatusSince } from "./status";
import { type Layout, type Place, VirtualRows } from "./virtual";
import { Why, whyHeight } from "./why";

// In rem, as in servers.css: a row, and below it, when offline, lines of text that leave `beside` free.
const TABLE = { row: 2.75, line: 1.375, pad: 0.5, beside: 14.75, font: 0.875, lines: 2 };
const CARDS = { row: 4.5, line: 1.3125, pad: 0.625, beside: 2, font: 0.8125, lines: 3 };
const PICK = 2; // what the box to pick a server takes of the width

const measures = ({ narrow }: Layout) => (narrow ? CARDS : TABLE);

function heightOf(row: ServerRow, layout: Layout, now: number, pickable: boolean): number {
	const { beside, ...measured } = measures(layout);
	const reason = row.status === "online" ? "" : (row.reason ?? "");
	const remedy = remedyFor(row, now)?.remedy ?? "";
	return whyHeight({ reason, remedy }, layout, { ...measured, beside: beside + (pickable ? PICK : 0) });
}

interface RowProps {
	row: ServerRow;
	place: Place;
	fresh: boolean;
	lost: boolean;
	picked: boolean | null; // null: nothing to pick for
	onPick: (wanted: boolean) => void;
}

function Row({ row, place, fresh, lost, picked, onPick }: RowProps) {
	const { now } = place;
	const remedy = row.status === "offline" ? remedyFor(row, now) : null;
	return (
		<div
			{...place.row}
			class={`row row-${row.status}${fresh ? " row-fresh" : ""}${picked ? " row-picked" : ""}`}
		>
			<div class="row-grid">
				{picked !== null && (
					<div role="cell" class="cell-pick">
						<label>
							<input
								type="checkbox"
								checked={picked}
								tabIndex={place.active ? 0 : -1}
								aria-label={`Pick ${row.name || row.id}`}
								onChange={(event) => onPick(event.currentTarget.checked)}
							/>
						</label>
					</div>
				)}
				<div role="cell" class="cell-status">
					<StatusSince row={row} now={now} />
				</div>
				<div role="cell" class="cell-name">
					<a {...place.link} title={row.name}>
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
				<Why reason={row.reason} remedy={remedy?.remedy ?? ""} />
			)}
		</div>
	);
}

interface ServerRowsProps {
	roster: Roster;
	live: Live;
	pickable: boolean;
}

// With the keyboard the space bar picks the row that has the focus.
export function ServerRows({ roster, live, pickable }: ServerRowsProps) {
	return (
		<VirtualRows
			list={roster}
			heightOf={(row, layout, now) => heightOf(row, layout, now, pickable)}
			bone={(layout) => measures(layout).row * layout.rem}
			hrefOf={(row) => `#/servers/${encodeURIComponent(row.id)}`}
			onKey={(key, row) => {
				if (key !== " " || !pickable) return false;
				roster.pick(row, !roster.picked.has(row.id));
				return true;
			}}
		>
			{(row, place) => (
				<Row
					key={row.id}
					row={row}
					place={place}
					fresh={roster.fresh.has(row.id)}
					lost={live.state === "lost"}
					picked={pickable ? roster.picked.has(row.id) : null}
					onPick={(wanted) => roster.pick(row, wanted)}
				/>
			)}
		</VirtualRows>
	);
}
