// Installs and their targets, kept live: the newest of a location, one of them, and its targets.

import { useEffect, useState } from "preact/hooks";
import { api, type Paging } from "./api";
import { useFetched } from "./fetched";
import type { Live } from "./live";
import { LiveList, type Page } from "./live-list";
import { useWhole } from "./parts/list";
import { type Install, type Target, type TargetState } from "./types";
import { asText, asTree } from "./untrusted";

export const STAGES = [
	"resolve",
	"connect",
	"ssh",
	"host-key",
	"authenticate",
	"system",
	"privilege",
	"space",
	"existing",
	"copy",
	"way",
	"setup",
	"online",
];

const GOING_ON: readonly TargetState[] = ["waiting", "looking", "working", "joined"];
const RECENT = 20; // installs of a location that are shown

export const isOver = (install: Install) => install.state === "done" || install.state === "cancelled";
export const countOf = (install: Install, states: readonly TargetState[]) =>
	states.reduce((sum, state) => sum + (install.counts[state] ?? 0), 0);
export const goingOn = (install: Install) => countOf(install, GOING_ON);

export const hostOf = ({ host, port }: Pick<Target, "host" | "port">) =>
	port === 22 ? host : host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;

export interface HostKey {
	type: string;
	fingerprint: string;
	state: string; // new, known, changed
	expected: string; // of one that has changed: what it was
}

export function hostKeyOf(target: Target): HostKey {
	const key = asTree(target.host_key);
	return {
		type: asText(key["type"]),
		fingerprint: asText(key["fingerprint"]),
		state: asText(key["state"]),
		expected: asText(key["expected"]),
	};
}

export function useInstallRows(query: { location?: string }, live: Live) {
	const fetchRecent = async (signal: AbortSignal) =>
		(await api.installs(query, { limit: RECENT, cursor: null, signal })).installs;
	return useWhole(fetchRecent, live, ["installs"]);
}

/* --- one install ---------------------------------------------------------------------------- */

const ASK_EVERY_MS = 5000; // while the hub's events do not come

export function useInstall(id: string, live: Live) {
	const { value, ...rest } = useFetched<Install>(
		id,
		live,
		(signal) => api.install(id, signal),
		({ put, load }) => {
			const timer = setInterval(() => live.state !== "live" && void load(), ASK_EVERY_MS);
			return [
				live.on("installs", ({ install: row }) => row.id === id && put(row)),
				() => clearInterval(timer),
			];
		},
	);
	return { install: value, ...rest };
}

/* --- its targets ---------------------------------------------------------------------------- */

// The hub's order: problems first, then what waits for a person, then what goes on, then what is over.
const ORDER: TargetState[] = [
	"failed",
	"ready",
	"working",
	"looking",
	"joined",
	"waiting",
	"cancelled",
	"online",
	"kept",
	"removed",
	"absent",
];
const RANK = new Map(ORDER.map((state, rank) => [state, rank]));
const rankOf = ({ state }: Target) => RANK.get(state) ?? 0;
const targetOrder = (a: Target, b: Target) => rankOf(a) - rankOf(b) || Number(a.id) - Number(b.id);

export class TargetList extends LiveList<Target, { state: string }> {
	constructor(
		live: Live,
		readonly install: string,
		state = "",
	) {
		super({ state });
		this.stops = [
			live.on("installs", ({ install: of, targets, more }) => {
				if (of.id !== install) return;
				for (const target of targets) this.change(target.id, target);
				if (more) void this.load();
			}),
			live.on("live", () => this.phase !== "loading" && void this.load()),
		];
		const timer = setInterval(() => live.state !== "live" && void this.load(), ASK_EVERY_MS);
		this.stops.push(() => clearInterval(timer));
	}

	override idOf(target: Target): string {
		return target.id;
	}

	async loadAll(): Promise<void> {
		await this.load();
		await this.loadRest();
	}

	protected override async fetch(query: { state: string }, paging: Paging): Promise<Page<Target>> {
		const page = await api.targets(this.install, query, paging);
		return { rows: page.targets, next_cursor: page.next_cursor };
	}

	protected override order() {
		return targetOrder;
	}

	protected override wants(target: Target, { state }: { state: string }): boolean {
		return state === "" || target.state === state;
	}

	protected override turned(old: Target | undefined, target: Target): boolean {
		return old !== undefined && old.state !== target.state;
	}
}

// `state`: the one that is wanted from the beginning; then every target in it is fetched.
export function useTargetList(live: Live, install: string, state = ""): TargetList {
	const [list] = useState(() => new TargetList(live, install, state));
	useEffect(() => {
		void (state ? list.loadAll() : list.load());
		return () => list.close();
	}, []);
	return list;
}
