// The log of one server's agent, as it is written: GET /v1/servers/ID/log, text/event-stream.
//
// Happy path: the hub asks the agent, its last lines come, then each new one. It ends when the page
// is left, or with the server's reason, or with the connection; then it is begun again when asked.
// Of what came the last MAX_LINES stay.

import { useEffect, useRef, useState } from "preact/hooks";
import { asProblem, links, noAnswer, type Problem, problemOf } from "./api";
import { readEvents } from "./sse";
import { asList, asNumber, asText, asTree } from "./untrusted";

const FIRST_LINES = 200;
const MAX_LINES = 3000;
const DRAW_MS = 100;

export interface LogLines {
	state: "connecting" | "following" | "ended";
	lines: string[];
	skipped: number; // lines that were too many to send, or are no longer kept here
	reason: string; // why it ended
	problem: Problem | null;
	again: () => void;
}

export function useLog(server: string, wanted: boolean): LogLines {
	const [state, setState] = useState<LogLines["state"]>("connecting");
	const [drawn, setDrawn] = useState<{ lines: string[]; skipped: number }>({ lines: [], skipped: 0 });
	const [reason, setReason] = useState("");
	const [problem, setProblem] = useState<Problem | null>(null);
	const [round, setRound] = useState(0);
	const held = useRef<{ lines: string[]; skipped: number }>({ lines: [], skipped: 0 });

	useEffect(() => {
		if (!wanted) return undefined;
		const abort = new AbortController();
		let timer: ReturnType<typeof setTimeout> | undefined;
		const draw = () => {
			timer = undefined;
			setDrawn(held.current);
		};
		const take = (event: string, data: string) => {
			const tree = asTree(JSON.parse(data));
			if (event === "end") return setReason(asText(tree["reason"]));
			if (event !== "lines") return;
			const fresh = Array.isArray(tree["lines"]) ? tree["lines"].map(asText) : asList(null).map(asText);
			const lines = [...held.current.lines, ...fresh];
			const over = Math.max(0, lines.length - MAX_LINES);
			held.current = {
				lines: lines.slice(over),
				skipped: held.current.skipped + over + (asNumber(tree["skipped"]) ?? 0),
			};
			timer ??= setTimeout(draw, DRAW_MS);
		};
		const follow = async () => {
			setState("connecting");
			setReason("");
			setProblem(null);
			held.current = { lines: [], skipped: 0 };
			try {
				const response = await fetch(links.log(server, FIRST_LINES), {
					headers: { Accept: "text/event-stream" },
					credentials: "same-origin",
					cache: "no-store",
					signal: abort.signal,
				}).catch(() => {
					throw noAnswer();
				});
				if (!response.ok || !response.body) throw await problemOf(response);
				setState("following");
				draw();
				await readEvents(response.body, take);
			} catch (error) {
				if (abort.signal.aborted) return;
				// A stream that broke off is an end like any other.
				if (asProblem(error).status > 0) setProblem(asProblem(error));
				else setReason("The connection to the hub is lost.");
			}
			draw();
			if (!abort.signal.aborted) setState("ended");
		};
		void follow();
		return () => {
			clearTimeout(timer);
			abort.abort();
		};
	}, [server, wanted, round]);
	return { state, ...drawn, reason, problem, again: () => setRound((n) => n + 1) };
}
