// A server's log: followed as it is written, held still to be read, narrowed to lines with some words.

import { useMemo, useState } from "preact/hooks";
import { useLog } from "../follow-log";
import type { Server } from "../types";
import { number, plural } from "../words";
import { Command, ProblemNote } from "./basics";
import { Panel } from "./panel";
import { SearchBox } from "./search";
import { CopyButton, Tail } from "./tail";

const STATE = {
	connecting: "Asking the machine…",
	following: "Live",
	ended: "Not followed",
};

export function ServerLog({ server }: { server: Server }) {
	const online = server.status === "online";
	const log = useLog(server.id, online);
	const [held, setHeld] = useState<string[] | null>(null); // as it was when it was paused
	const [follow, setFollow] = useState(true);
	const [q, setQ] = useState("");
	const lines = held ?? log.lines;
	const shown = useMemo(() => {
		const word = q.toLowerCase();
		return word ? lines.filter((line) => line.toLowerCase().includes(word)) : lines;
	}, [lines, q]);
	const waiting = held ? log.lines.length - held.length : 0;
	if (!online && log.lines.length === 0) {
		return (
			<Panel title="Log">
				<p>It is offline, so its log cannot be followed from here. On the machine itself:</p>
				<Command text="sudo sallyport logs" label="the command that shows the log" />
				<p class="quiet">
					<code>sudo sallyport logs send</code> there brings it here as a bundle, also while its
					session cannot be had.
				</p>
			</Panel>
		);
	}
	return (
		<Panel
			title="Log"
			note={
				<span role="status">
					{held
						? `Paused${waiting > 0 ? `, ${plural(waiting, "new line")}` : ""}`
						: STATE[log.state]}
				</span>
			}
		>
			<div class="tail-tools">
				<SearchBox label="Only lines with" hint="Only lines with…" value={q} onChange={setQ} />
				<button
					class="button button-small"
					aria-pressed={held !== null}
					onClick={() => setHeld(held ? null : log.lines)}
				>
					{held ? "Go on" : "Pause"}
				</button>
				<label class="check-box">
					<input
						type="checkbox"
						checked={follow}
						onChange={(event) => setFollow(event.currentTarget.checked)}
					/>
					Follow the end
				</label>
				<CopyButton text={shown.join("\n")} label="Copy the lines that are shown" />
			</div>
			{log.problem && <ProblemNote problem={log.problem} retry={log.again} />}
			{log.state === "ended" && !log.problem && (
				<p class="note note-warn">
					{log.reason || "The log is not followed any more."}{" "}
					<button class="link" onClick={log.again}>
						Follow it again
					</button>
				</p>
			)}
			{log.skipped > 0 && (
				<p class="quiet">
					{plural(log.skipped, "earlier line")} {log.skipped === 1 ? "is" : "are"} not shown.
				</p>
			)}
			<Tail
				text={shown.join("\n")}
				label="Lines of the log"
				follow={follow && !held}
				onFollow={setFollow}
				empty={
					q && lines.length > 0
						? `None of ${number(lines.length)} lines has “${q}”.`
						: "No line yet."
				}
			/>
		</Panel>
	);
}
