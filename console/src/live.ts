// The hub's events, as they happen: GET /v1/events, text/event-stream.
//
// Read with fetch() and not with EventSource, which hides what is needed here: the comment line that
// the hub sends every 15 s (without it, a connection that died silently would be shown as live) and
// the status of a refusal (401 means signed out, 503 says why).
//
// Happy path: connect, hear events for hours. What goes wrong: no answer, a refusal, an end of the
// stream, silence. Each makes the state "lost" and is tried again with growing pauses; when the
// connection is there, `live` listeners fetch afresh what they may have missed.

import { hubNow } from "./api";
import { Emitter } from "./emitter";
import { readEvents } from "./sse";
import type { Bundle, CheckRow, Counts, Install, JobRow, Run, ServerRow, Target } from "./types";

const SILENCE_MS = 40_000; // two of the hub's comment lines and some
const PAUSES_MS = [1000, 2000, 4000, 8000, 15_000];

export interface Events {
	server: ServerRow;
	removed: { id: string };
	counts: Counts;
	check: CheckRow;
	job: JobRow;
	runs: { job: string; runs: Run[] }; // those that changed
	bundle: Bundle;
	installs: { install: Install; targets: Target[]; more?: boolean }; // those that changed; more: not all
	locations: object; // one of them, or a connector: fetch them again
	live: null; // the stream is open (again): fetch afresh what may have been missed before
}

type Listener<K extends keyof Events> = (data: Events[K]) => void;

export class Live extends Emitter {
	state: "connecting" | "live" | "lost" = "connecting";
	lostAt = 0; // the hub's time of the last thing heard
	refused: () => void = () => {}; // called when the hub says 401

	#listeners: { [K in keyof Events]: Set<Listener<K>> } = {
		server: new Set(),
		removed: new Set(),
		counts: new Set(),
		check: new Set(),
		job: new Set(),
		runs: new Set(),
		bundle: new Set(),
		installs: new Set(),
		locations: new Set(),
		live: new Set(),
	};
	#abort: AbortController | null = null;
	#retry: ReturnType<typeof setTimeout> | undefined;
	#silence: ReturnType<typeof setTimeout> | undefined;
	#failures = 0;

	on<K extends keyof Events>(event: K, listener: Listener<K>): () => void {
		this.#listeners[event].add(listener);
		return () => this.#listeners[event].delete(listener);
	}

	start(): void {
		addEventListener("online", this.tryNow);
		document.addEventListener("visibilitychange", this.tryNow);
		void this.#run();
	}

	stop(): void {
		removeEventListener("online", this.tryNow);
		document.removeEventListener("visibilitychange", this.tryNow);
		clearTimeout(this.#retry);
		clearTimeout(this.#silence);
		this.#abort?.abort();
		this.#abort = null;
		this.#failures = 0;
		this.state = "connecting";
	}

	tryNow = (): void => {
		if (this.state !== "lost" || document.hidden) return;
		clearTimeout(this.#retry);
		void this.#run();
	};

	async #run(): Promise<void> {
		this.#abort?.abort();
		const abort = new AbortController();
		this.#abort = abort;
		this.#heard();
		try {
			const response = await fetch("/v1/events", {
				headers: { Accept: "text/event-stream" },
				credentials: "same-origin",
				cache: "no-store",
				signal: abort.signal,
			});
			if (response.status === 401) return this.refused();
			if (!response.ok || !response.body) throw new Error(`events: ${response.status}`);
			this.#becameLive();
			await readEvents(response.body, this.#dispatch, () => this.#heard());
		} catch {
			// told below: whatever it was, the connection is gone
		}
		if (this.#abort === abort) this.#lost();
	}

	#dispatch = (event: string, data: string): void => {
		if (!(event in this.#listeners) || event === "live") return;
		this.#tell(event as keyof Events, JSON.parse(data));
	};

	#tell<K extends keyof Events>(event: K, data: Events[K]): void {
		for (const listener of [...this.#listeners[event]]) listener(data);
	}

	#heard(): void {
		clearTimeout(this.#silence);
		this.#silence = setTimeout(() => this.#abort?.abort(), SILENCE_MS);
	}

	#becameLive(): void {
		this.state = "live";
		this.#failures = 0;
		this.changed();
		this.#tell("live", null);
	}

	#lost(): void {
		clearTimeout(this.#silence);
		if (this.state !== "lost") this.lostAt = hubNow();
		this.state = "lost";
		const pause = PAUSES_MS[Math.min(this.#failures++, PAUSES_MS.length - 1)] ?? 15_000;
		this.#retry = setTimeout(() => void this.#run(), pause * (0.75 + Math.random() / 2));
		this.changed();
	}
}
