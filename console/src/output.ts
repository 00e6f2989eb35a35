// The output of a run as it grows: its last part at first, and then what comes.
//
// The hub's word that a run changed says how many bytes there are; what is missing is fetched piece by
// piece. Of a long output the page keeps the end alone: all of it can be downloaded.

import { useEffect, useRef, useState } from "preact/hooks";
import { api, asProblem, type Problem } from "./api";
import type { Run } from "./types";

const FIRST_BYTES = 256 * 1024;
const KEPT_CHARS = 512 * 1024;

export interface OutputText {
	text: string;
	from: number; // bytes before it that are not shown
	loaded: boolean;
	problem: Problem | null;
	retry: () => void;
}

interface Held {
	text: string;
	from: number;
	next: number;
}

export function useOutput(run: Run | null): OutputText {
	const [held, setHeld] = useState<Held | null>(null);
	const [problem, setProblem] = useState<Problem | null>(null);
	const [attempt, setAttempt] = useState(0);
	const latest = useRef<Held | null>(null);
	const busy = useRef(false);
	const wanted = useRef(0);
	const abort = useRef<AbortController | null>(null);
	const size = run?.output_bytes ?? 0;
	wanted.current = size;
	const key = run ? `${run.job}/${run.server}` : "";

	useEffect(() => {
		latest.current = null;
		setHeld(null);
		return () => abort.current?.abort();
	}, [key]);
	useEffect(() => {
		if (!run || busy.current || (latest.current && latest.current.next >= size)) return;
		const mine = (abort.current = new AbortController());
		const fetchRest = async () => {
			busy.current = true;
			try {
				const begin = latest.current ?? { text: "", from: Math.max(0, size - FIRST_BYTES), next: -1 };
				let at = begin.next < 0 ? begin.from : begin.next;
				let { text, from } = begin;
				do {
					const part = await api.output(run.job, run.server, at, mine.signal);
					if (part.next <= at) break;
					text += part.text;
					at = part.next;
					if (text.length > KEPT_CHARS) {
						const cut = text.indexOf("\n", text.length - KEPT_CHARS) + 1;
						const gone = cut > 0 ? cut : text.length - KEPT_CHARS;
						from += new TextEncoder().encode(text.slice(0, gone)).length;
						text = text.slice(gone);
					}
				} while (at < wanted.current);
				latest.current = { text, from, next: at };
				setHeld(latest.current);
				setProblem(null);
			} catch (error) {
				if (!mine.signal.aborted) setProblem(asProblem(error));
			}
			busy.current = false;
		};
		void fetchRest();
	}, [key, size, attempt]);
	return {
		text: held?.text ?? "",
		from: held?.from ?? 0,
		loaded: held !== null,
		problem,
		retry: () => setAttempt((n) => n + 1),
	};
}
