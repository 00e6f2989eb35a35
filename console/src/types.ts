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
	connector?: boolean; // puts the agent on its neighbours
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

export const PERMISSIONS = ["read", "operate", "enrol", "remove", "users", "keys", "audit"] as const;
export type Permission = (typeof PERMISSIONS)[number];
export const ROLES = ["administrator", "architect", "operator"] as const;

export interface Me {
	name: string;
	role: string;
	permissions?: Permission[];
	hub: { name: string; url: string; release: string; fingerprint: string };
}

// What one may not do is not offered; the hub refuses it too.
export const may = (me: Me, what: Permission) => me.permissions?.includes(what) ?? false;

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

/* --- jobs ----------------------------------------------------------------------------------- */

export const RUN_STATES = [
	"queued",
	"delivered",
	"running",
	"rebooting",
	"done",
	"failed",
	"cancelled",
	"expired",
	"undetermined",
] as const;
export type RunState = (typeof RUN_STATES)[number];

export interface JobRow {
	id: string;
	title: string;
	interpreter: string;
	user: string | null;
	cwd: string | null;
	timeout_s: number;
	output_limit: number;
	rerun: "never" | "safe";
	reboot: "never" | "after" | "on-request";
	created_by: string;
	created_at: string;
	expires_at: string;
	finished_at: string | null;
	state: "active" | "done" | "cancelled";
	runs: Record<RunState | "total", number>;
	silent: number; // runs of servers that have not answered and are not online
}

export interface Job extends JobRow {
	script: string;
	args: string[];
	env: Record<string, string | null>; // null: a secret, which is not shown again
}

export interface Run {
	id: string;
	job: string;
	server: string;
	server_name: string;
	state: RunState;
	attempt: number;
	exit_code: number | null;
	signal: number | null;
	reason: string | null;
	output_bytes: number;
	dropped_bytes: number;
	queued_at: string | null;
	delivered_at: string | null;
	started_at: string | null;
	finished_at: string | null;
	online: boolean;
}

export interface Output {
	offset: number;
	next: number;
	size: number;
	complete: boolean;
	dropped: number;
	text: string;
}

export interface ServerFilter {
	q?: string;
	platform?: string;
	status?: string;
	location?: string;
}

export interface NewJob {
	title?: string;
	interpreter: string;
	script: string;
	args?: string[];
	env?: Record<string, string | { secret: string }>;
	user?: string;
	cwd?: string;
	timeout_s?: number;
	output_limit?: number;
	expires_in_s?: number;
	rerun?: string;
	reboot?: string;
	servers?: string[];
	filter?: ServerFilter;
}

/* --- a server's past and future, and what it can be asked for -------------------------------- */

export interface Activity {
	kind: "run" | "check" | "bundle";
	id: string;
	job?: string | null;
	title: string | null;
	state: string;
	by: string | null; // null: the machine by itself
	at: string | null;
	finished_at: string | null;
}

export interface ActivityPage {
	upcoming: Activity[];
	past: Activity[];
	next_cursor: string | null;
}

export interface Bundle {
	id: string;
	server: string;
	server_name: string;
	state: "asked" | "uploading" | "ready" | "failed";
	reason: string | null;
	requested_by: string; // "": sent by the machine
	requested_at: string;
	finished_at: string | null;
	size: number | null;
	received: number;
	sha256: string | null;
	manifest: unknown; // the machine's own words
}

/* --- who may do what -------------------------------------------------------------------------- */

export interface User {
	name: string;
	role: string;
	created_at: string;
	last_login_at: string | null;
}

export interface Key {
	id: string;
	name: string;
	permissions: Permission[];
	location: string | null;
	created_by: string;
	created_at: string;
	expires_at: string;
	last_used_at: string | null;
	state: "valid" | "expired" | "revoked";
}

export interface AuditEntry {
	id: string | number;
	at: string;
	actor: string;
	actor_kind: string;
	action: string;
	target: string | null;
	detail: unknown;
	peer: string | null;
}

/* --- locations, connectors, installs ---------------------------------------------------------- */

export interface Connector {
	id: string; // of its server
	name: string;
	online: boolean;
	key: string; // base64url of its Ed25519 key
}

export const ADDRESSINGS = ["any", "dhcp"] as const;
export type Addressing = (typeof ADDRESSINGS)[number];

export interface Location {
	name: string;
	servers: number;
	online: number;
	addressing: Addressing; // what it demands of its machines
	breaking: number; // servers that do otherwise
	connectors: Connector[];
}

export interface LocationDetails extends Location {
	breaks: { id: string; name: string; address: string; sentence: string }[]; // the first 100
}

export interface PinnedKey {
	id: string;
	host: string;
	port: number;
	fingerprint: string;
	confirmed_by: string;
	confirmed_at: string;
}

export type Action = "install" | "remove";

export const TARGET_STATES = [
	"waiting",
	"looking",
	"ready",
	"working",
	"joined",
	"online",
	"kept",
	"removed",
	"absent",
	"failed",
	"cancelled",
] as const;
export type TargetState = (typeof TARGET_STATES)[number];

export interface Install {
	id: string;
	location: string;
	connector: string | null; // the server that works on it
	connector_name: string | null;
	action: Action;
	hosts: string; // as they were written
	user: string | null;
	port: number;
	state: "looking" | "waiting" | "working" | "done" | "cancelled";
	created_by: string;
	created_at: string;
	finished_at: string | null;
	counts: Record<TargetState | "total", number>;
	reason: string | null; // what last befell its connector
}

// Its sentence, remedy, evidence and facts come from the connector and from the host itself.
export interface Target {
	id: string;
	install: string;
	location: string;
	host: string;
	port: number;
	user: string;
	name: string;
	state: TargetState;
	stage: string | null;
	outcome: string | null;
	sentence: string | null;
	remedy: string | null;
	evidence: unknown;
	host_key: unknown;
	facts: unknown;
	server: string | null;
	sent: number | null;
	total: number | null;
	updated_at: string | null;
}

export interface NewInstall {
	location: string;
	action: Action;
	hosts: string;
	user?: string;
	port?: number;
	credentials: Record<string, string>;
}
