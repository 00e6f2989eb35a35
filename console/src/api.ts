// The hub's HTTP API. Every call ends in its answer or in a Problem, whose message is fit to be shown.

import type {
	ActivityPage,
	AuditEntry,
	Bundle,
	CheckPage,
	CheckRow,
	Install,
	Job,
	JobRow,
	Key,
	Location,
	LocationDetails,
	Me,
	NewInstall,
	NewJob,
	NewToken,
	Output,
	PinnedKey,
	Run,
	Server,
	ServerFilter,
	ServerPage,
	ServerRow,
	Target,
	Token,
	User,
} from "./types";

export class Problem extends Error {
	constructor(
		readonly status: number, // 0: no answer at all
		message: string,
		readonly advice: string,
		readonly retryAfterS = 0,
	) {
		super(message);
	}
}

const ADVICE: Record<number, string> = {
	0: "Check that the hub runs and that this computer reaches it, then try again.",
	403: "Your account may not do this. Ask an administrator of the hub.",
	404: "It may have been removed. Go back to the list.",
	409: "Look at how it is now, then try again.",
	422: "Correct it, then try again.",
	429: "Wait a moment, then try again.",
	507: "Make room on the hub's disk, then try again.",
	503: "The hub is starting, stopping or cannot write its database. Its log says which.",
};
const ADVICE_OTHERWISE = "Try again. If it goes on, look at the hub's log: journalctl -u sallyport-hub.";

// Milliseconds by which the hub's clock is ahead of this computer's: "12 minutes ago" is reckoned on
// the clock that stamped the times.
let skewMs = 0;

export function hubNow(): number {
	return Date.now() + skewMs;
}

function noteDate(response: Response): void {
	const hub = Date.parse(response.headers.get("Date") ?? "");
	if (Number.isNaN(hub)) return;
	const skew = hub + 500 - Date.now(); // the header is cut to the second
	skewMs = Math.abs(skew) > 3000 ? skew : 0;
}

let signedOut: () => void = () => {};

// Called when the hub no longer takes the session's cookie.
export function onSignedOut(listener: () => void): void {
	signedOut = listener;
}

export async function problemOf(response: Response): Promise<Problem> {
	let title = `The hub answered ${response.status}.`;
	try {
		const body = (await response.json()) as { title?: unknown; detail?: unknown };
		if (typeof body.detail === "string" && body.detail !== "") title = body.detail;
		else if (typeof body.title === "string" && body.title !== "") title = body.title;
	} catch {
		// not problem+json: the status has to do
	}
	const advice = ADVICE[response.status] ?? ADVICE_OTHERWISE;
	return new Problem(response.status, title, advice, Number(response.headers.get("Retry-After")) || 0);
}

export function noAnswer(): Problem {
	return new Problem(0, "The hub does not answer.", ADVICE[0] ?? "");
}

interface Asking {
	signal?: AbortSignal | undefined;
	once?: string; // the idempotency key: asked again with it, the hub does it once
}

async function call<T>(
	method: string,
	path: string,
	body?: unknown,
	{ signal, once }: Asking = {},
): Promise<T> {
	const headers: Record<string, string> = { Accept: "application/json" };
	if (method !== "GET") headers["X-Sallyport"] = "1";
	if (once) headers["Idempotency-Key"] = once;
	if (body !== undefined) headers["Content-Type"] = "application/json";
	let response: Response;
	try {
		response = await fetch(path, {
			method,
			headers,
			credentials: "same-origin",
			cache: "no-store",
			...(body === undefined ? {} : { body: JSON.stringify(body) }),
			...(signal ? { signal } : {}),
		});
	} catch (error) {
		if (signal?.aborted) throw error;
		throw noAnswer();
	}
	noteDate(response);
	if (response.status === 401 && path !== "/v1/login") signedOut();
	if (!response.ok) throw await problemOf(response);
	if (response.status === 204) return undefined as T;
	try {
		return (await response.json()) as T;
	} catch {
		if (signal?.aborted) throw new DOMException("aborted", "AbortError");
		throw new Problem(response.status, "The hub's answer cannot be read.", ADVICE_OTHERWISE);
	}
}

const MAX_ALL = 2000;

export interface ServerQuery {
	q: string;
	status: string;
	platform: string;
	location: string;
	sort: string;
}

export interface Paging {
	limit: number;
	cursor: string | null;
	signal?: AbortSignal | undefined;
}

function get<T>(path: string, filters: object, { limit, cursor, signal }: Paging): Promise<T> {
	const search = new URLSearchParams({ limit: String(limit) });
	for (const [key, value] of Object.entries(filters)) if (value) search.set(key, String(value));
	if (cursor) search.set("cursor", cursor);
	return call<T>("GET", `${path}?${search}`, undefined, { signal });
}

// All rows of a list that is never long.
async function all<Name extends string, Row>(path: string, name: Name, signal?: AbortSignal): Promise<Row[]> {
	type Part = { [K in Name]: Row[] } & { next_cursor?: string | null };
	const rows: Row[] = [];
	let cursor: string | null = null;
	do {
		const part: Part = await get<Part>(path, {}, { limit: 200, cursor, signal });
		rows.push(...part[name]);
		cursor = part.next_cursor ?? null;
	} while (cursor && rows.length < MAX_ALL);
	return rows;
}

// For `once`: no two of them are the same.
export function onceKey(): string {
	return [...crypto.getRandomValues(new Uint8Array(16))]
		.map((byte) => byte.toString(16).padStart(2, "0"))
		.join("");
}

const id = encodeURIComponent;

export const api = {
	setupNeeded: () => call<{ needed: boolean }>("GET", "/v1/setup"),
	setUp: (code: string, name: string, password: string) =>
		call<void>("POST", "/v1/setup", { code, name, password }),
	signIn: (name: string, password: string) => call<void>("POST", "/v1/login", { name, password }),
	signOut: () => call<void>("POST", "/v1/logout"),
	me: () => call<Me>("GET", "/v1/me"),

	servers: (query: ServerQuery | ServerFilter, paging: Paging) =>
		get<ServerPage>("/v1/servers", query, paging),
	locations: async (signal?: AbortSignal) =>
		(await call<{ locations: Location[] }>("GET", "/v1/locations", undefined, { signal })).locations,
	location: (name: string, signal?: AbortSignal) =>
		call<LocationDetails>("GET", `/v1/locations/${id(name)}`, undefined, { signal }),
	pinnedKeys: (name: string, signal?: AbortSignal) =>
		all<"host_keys", PinnedKey>(`/v1/locations/${id(name)}/host-keys`, "host_keys", signal),
	forgetKey: (name: string, key: string) =>
		call<void>("DELETE", `/v1/locations/${id(name)}/host-keys/${id(key)}`),
	addLocation: (name: string, addressing: string) =>
		call<Location>("POST", "/v1/locations", { name, addressing }),
	changeLocation: (name: string, change: { name?: string; addressing?: string }) =>
		call<Location>("PATCH", `/v1/locations/${id(name)}`, change),
	removeLocation: (name: string) => call<void>("DELETE", `/v1/locations/${id(name)}`),
	// null: to where the machine itself says that it is
	moveServer: (server: string, location: string | null) =>
		call<ServerRow>("PATCH", `/v1/servers/${id(server)}`, { location }),
	promote: (server: string) => call<void>("POST", `/v1/servers/${id(server)}/promote`),
	demote: (server: string) => call<void>("POST", `/v1/servers/${id(server)}/demote`),
	server: (server: string, signal?: AbortSignal) =>
		call<Server>("GET", `/v1/servers/${id(server)}`, undefined, { signal }),
	checks: (server: string, paging: Paging) =>
		get<CheckPage>(`/v1/servers/${id(server)}/checks`, {}, paging),
	check: (server: string, check: string, signal?: AbortSignal) =>
		call<CheckRow & { report: unknown }>(
			"GET",
			`/v1/servers/${id(server)}/checks/${id(check)}`,
			undefined,
			{ signal },
		),
	runCheck: (server: string, profile: string, deep: boolean) =>
		call<CheckRow>("POST", `/v1/servers/${id(server)}/checks`, profile ? { profile, deep } : { deep }),
	removeServer: (server: string) => call<void>("DELETE", `/v1/servers/${id(server)}`),

	tokens: (signal?: AbortSignal) => call<{ tokens: Token[] }>("GET", "/v1/tokens", undefined, { signal }),
	makeToken: (label: string, expiresInS: number, uses: number) =>
		call<NewToken>("POST", "/v1/tokens", { label, expires_in_s: expiresInS, uses }),
	revokeToken: (token: string) => call<void>("DELETE", `/v1/tokens/${id(token)}`),

	jobs: (query: { state?: string; q?: string }, paging: Paging) =>
		get<{ jobs: JobRow[]; next_cursor: string | null }>("/v1/jobs", query, paging),
	job: (job: string, signal?: AbortSignal) =>
		call<Job>("GET", `/v1/jobs/${id(job)}`, undefined, { signal }),
	makeJob: (job: NewJob, once: string) => call<JobRow>("POST", "/v1/jobs", job, { once }),
	cancelJob: (job: string, servers?: string[]) =>
		call<JobRow>("POST", `/v1/jobs/${id(job)}/cancel`, servers ? { servers } : {}),
	repeatJob: (job: string, only: "failed" | "silent" | "all", once: string) =>
		call<JobRow>("POST", `/v1/jobs/${id(job)}/repeat`, { only }, { once }),
	runs: (job: string, query: { state?: string }, paging: Paging) =>
		get<{ runs: Run[]; next_cursor: string | null }>(`/v1/jobs/${id(job)}/runs`, query, paging),
	run: (job: string, server: string, signal?: AbortSignal) =>
		call<Run>("GET", `/v1/jobs/${id(job)}/runs/${id(server)}`, undefined, { signal }),
	output: (job: string, server: string, offset: number, signal?: AbortSignal) =>
		call<Output>("GET", `/v1/jobs/${id(job)}/runs/${id(server)}/output?offset=${offset}`, undefined, {
			signal,
		}),

	installs: (query: { location?: string; state?: string }, paging: Paging) =>
		get<{ installs: Install[]; next_cursor: string | null }>("/v1/installs", query, paging),
	install: (install: string, signal?: AbortSignal) =>
		call<Install>("GET", `/v1/installs/${id(install)}`, undefined, { signal }),
	makeInstall: (install: NewInstall, once: string) =>
		call<Install>("POST", "/v1/installs", install, { once }),
	startInstall: (install: string, hostKeys: Record<string, string>, targets: string[]) =>
		call<Install>("POST", `/v1/installs/${id(install)}/start`, { host_keys: hostKeys, targets }),
	cancelInstall: (install: string) => call<Install>("POST", `/v1/installs/${id(install)}/cancel`, {}),
	retryInstall: (install: string, credentials: Record<string, string>, once: string) =>
		call<Install>("POST", `/v1/installs/${id(install)}/retry`, { credentials }, { once }),
	targets: (install: string, query: { state?: string }, paging: Paging) =>
		get<{ targets: Target[]; next_cursor: string | null }>(
			`/v1/installs/${id(install)}/targets`,
			query,
			paging,
		),
	target: (install: string, target: string, signal?: AbortSignal) =>
		call<Target>("GET", `/v1/installs/${id(install)}/targets/${id(target)}`, undefined, { signal }),
	missing: (signal?: AbortSignal) => all<"targets", Target>("/v1/targets", "targets", signal),
	forgetMissing: (target: string) => call<void>("DELETE", `/v1/targets/${id(target)}`),

	activity: (server: string, paging: Paging) =>
		get<ActivityPage>(`/v1/servers/${id(server)}/activity`, {}, paging),
	bundles: (server: string, signal?: AbortSignal) =>
		all<"bundles", Bundle>(`/v1/servers/${id(server)}/bundles`, "bundles", signal),
	askBundle: (server: string, once: string) =>
		call<Bundle>("POST", `/v1/servers/${id(server)}/bundles`, {}, { once }),
	removeBundle: (bundle: string) => call<void>("DELETE", `/v1/bundles/${id(bundle)}`),

	audit: (query: { actor: string; action: string; target: string }, paging: Paging) =>
		get<{ entries: AuditEntry[]; next_cursor: string | null }>("/v1/audit", query, paging),
	users: (signal?: AbortSignal) => all<"users", User>("/v1/users", "users", signal),
	addUser: (name: string, password: string, role: string) =>
		call<User>("POST", "/v1/users", { name, password, role }),
	changeUser: (name: string, change: { role?: string; password?: string }) =>
		call<User>("PATCH", `/v1/users/${id(name)}`, change),
	removeUser: (name: string) => call<void>("DELETE", `/v1/users/${id(name)}`),
	changePassword: (old: string, fresh: string) =>
		call<void>("POST", "/v1/me/password", { old, new: fresh }),
	keys: (signal?: AbortSignal) => all<"keys", Key>("/v1/keys", "keys", signal),
	makeKey: (name: string, permissions: string[], location: string, expiresInS: number, once: string) =>
		call<Key & { key: string }>(
			"POST",
			"/v1/keys",
			{ name, permissions, expires_in_s: expiresInS, ...(location ? { location } : {}) },
			{ once },
		),
	revokeKey: (key: string) => call<void>("DELETE", `/v1/keys/${id(key)}`),
};

// Where the browser itself fetches a file from, for links.
export const links = {
	output: (job: string, server: string) => `/v1/jobs/${id(job)}/runs/${id(server)}/output/raw`,
	bundle: (bundle: string) => `/v1/bundles/${id(bundle)}/file`,
	log: (server: string, lines: number) => `/v1/servers/${id(server)}/log?lines=${lines}`,
};

export function asProblem(error: unknown): Problem {
	if (error instanceof Problem) return error;
	console.error(error);
	return new Problem(
		-1,
		"The console made a mistake.",
		"Reload the page. The browser's console has the details.",
	);
}
