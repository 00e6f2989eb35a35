// What the hub's API answers. A server's inventory, path and reports come from the machine itself,
// so they stay `unknown` here and are read with the guards of untrusted.ts.

export type Status = "online" | "offline";

export interface ServerRow {
	id: string;
	name: string;
	status: Status;
	reason: string | null;
	cause: string | null;
	since: string | null;
	address: string;
	mac: string;
	os_name: string;
	platform: string;
	location: string;
	version: string;
	last_seen: string | null;
}

export interface Server extends ServerRow {
	fingerprint: string;
	created_at: string | null;
	inventory: unknown;
	path: { stages: unknown; proxy: string | null; at: string | null } | null;
}

// What the history says of a check. The texts of the causes are the machine's own.
export interface CheckRow {
	id: string;
	server: string;
	state: "queued" | "running" | "done" | "failed" | "lost";
	requested_by: string | null; // null: the machine checked by itself
	requested_at: string;
	started_at: string | null;
	finished_at: string | null;
	profile: { id: string | null; title: string | null }; // no id: the way to the hub
	deep: boolean;
	verdict: string | null;
	causes: unknown;
	reason: string | null; // why there is no report
	repeats: number; // how often in a row the machine's own checks came out like this
}

export interface CheckPage {
	checks: CheckRow[];
	next_cursor: string | null;
}

export interface Counts {
	all: number;
	online: number;
	offline: number;
}

export interface ServerPage {
	servers: ServerRow[];
	next_cursor: string | null;
	total: number;
	counts: Counts;
}

export interface Me {
	name: string;
	role: string;
	hub: { name: string; url: string; release: string; fingerprint: string };
}

export interface Token {
	id: string;
	label: string;
	created_at: string;
	created_by: string;
	expires_at: string;
	uses: number;
	used: number;
	state: "valid" | "expired" | "used-up" | "revoked";
}

export interface NewToken {
	id: string;
	token: string;
	label: string;
	expires_at: string;
	uses: number;
	commands: string[];
}
