// The hub's HTTP API. Every call ends in its answer or in a Problem, whose message is fit to be shown.

import type { CheckPage, CheckRow, Me, NewToken, Server, ServerPage, Token } from "./types";

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

async function call<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
	const headers: Record<string, string> = { Accept: "application/json" };
	if (method !== "GET") headers["X-Sallyport"] = "1";
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

export interface ServerQuery {
	q: string;
	status: string;
	platform: string;
	sort: string;
}

const id = encodeURIComponent;

export const api = {
	setupNeeded: () => call<{ needed: boolean }>("GET", "/v1/setup"),
	setUp: (code: string, name: string, password: string) =>
		call<void>("POST", "/v1/setup", { code, name, password }),
	signIn: (name: string, password: string) => call<void>("POST", "/v1/login", { name, password }),
	signOut: () => call<void>("POST", "/v1/logout"),
	me: () => call<Me>("GET", "/v1/me"),

	servers: (query: ServerQuery, limit: number, cursor: string | null, signal: AbortSignal) => {
		const search = new URLSearchParams({ limit: String(limit) });
		for (const [key, value] of Object.entries(query)) if (value) search.set(key, value);
		if (cursor) search.set("cursor", cursor);
		return call<ServerPage>("GET", `/v1/servers?${search}`, undefined, signal);
	},
	server: (server: string, signal?: AbortSignal) =>
		call<Server>("GET", `/v1/servers/${id(server)}`, undefined, signal),
	checks: (server: string, limit: number, cursor: string | null, signal?: AbortSignal) => {
		const search = new URLSearchParams({ limit: String(limit) });
		if (cursor) search.set("cursor", cursor);
		return call<CheckPage>("GET", `/v1/servers/${id(server)}/checks?${search}`, undefined, signal);
	},
	check: (server: string, check: string, signal?: AbortSignal) =>
		call<CheckRow & { report: unknown }>(
			"GET",
			`/v1/servers/${id(server)}/checks/${id(check)}`,
			undefined,
			signal,
		),
	runCheck: (server: string, profile: string, deep: boolean) =>
		call<CheckRow>("POST", `/v1/servers/${id(server)}/checks`, profile ? { profile, deep } : { deep }),
	removeServer: (server: string) => call<void>("DELETE", `/v1/servers/${id(server)}`),

	tokens: (signal?: AbortSignal) => call<{ tokens: Token[] }>("GET", "/v1/tokens", undefined, signal),
	makeToken: (label: string, expiresInS: number, uses: number) =>
		call<NewToken>("POST", "/v1/tokens", { label, expires_in_s: expiresInS, uses }),
	revokeToken: (token: string) => call<void>("DELETE", `/v1/tokens/${id(token)}`),
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
