// A small stand-in for the hub, for states that the real one cannot produce on demand: ten
// thousand servers, an answer that takes seconds, an error, a dropped event stream, a machine that
// lies in its report. It speaks the hub's API over plain HTTP on loopback and serves the built
// console with the hub's own Content-Security-Policy. What can be tested against the real hub is
// tested there (real.test.mjs).

import { readFile } from "node:fs/promises";
import http from "node:http";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { accessRoutes, AccessStore } from "./fake-access.mjs";
import { ago, HOUR, INVENTORY, makeCheck, makeServer, PASSWORD, SETUP_CODE, STAGES } from "./fake-data.mjs";
import { InstallStore, installRoutes } from "./fake-installs.mjs";
import { JobStore, jobRoutes } from "./fake-jobs.mjs";
import { SupportStore, supportRoutes } from "./fake-support.mjs";

export * from "./fake-data.mjs";

const TOP = fileURLToPath(new URL("../../", import.meta.url));
const CONSOLE = path.resolve(TOP, process.env.SALLYPORT_BUILD ?? "build", "console");
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css" };
const CSP =
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

const serverRoutes = {
	"POST /v1/logout": (hub, { send }) => {
		hub.signedIn = false;
		send(204);
	},
	"GET /v1/events": (hub, { response }) => {
		if (hub.mute) return;
		response.writeHead(200, { "Content-Type": "text/event-stream" });
		response.write(": here\n\n");
		hub.streams.add(response);
		response.on("close", () => hub.streams.delete(response));
	},
	"GET /v1/servers": (hub, { search, send }) => send(200, hub.page(search)),
	"GET /v1/servers/:id": (hub, { send, problem }, id) => {
		const row = hub.servers.get(id);
		if (!row) return problem(404, "There is no such server");
		return send(200, {
			fingerprint: "SHA256:c0ffee",
			created_at: ago(90 * HOUR),
			inventory: INVENTORY,
			path: { stages: STAGES, proxy: "http://10.0.0.9:3128", at: row.since },
			...row,
			...hub.detail,
		});
	},
	"DELETE /v1/servers/:id": (hub, { send }, id) => {
		send(204);
		hub.remove(id);
	},
	"GET /v1/servers/:id/checks": (hub, { search, send }, id) => {
		const limit = Number(search.get("limit") ?? 20);
		send(200, {
			checks: hub.checks.slice(0, limit).map((each) => hub.checkRow(id, each)),
			next_cursor: hub.checks.length > limit ? "9" : null,
		});
	},
	"GET /v1/servers/:id/checks/:id": (hub, { send, problem }, id, check) => {
		const found = hub.checks.find((each) => each.id === check);
		return found ? send(200, { ...found, server: id }) : problem(404, "There is no such check");
	},
	"POST /v1/servers/:id/checks": (hub, { body, send }, id) => {
		hub.asked.push(body);
		const made = makeCheck(`asked${hub.asked.length}`, {
			state: "queued",
			requested_by: "admin",
			requested_at: ago(0),
			started_at: null,
			finished_at: null,
			profile: { id: body.profile ?? null, title: null },
			deep: body.deep ?? false,
			verdict: null,
			causes: [],
			report: null,
		});
		hub.checks.unshift(made);
		send(202, hub.checkRow(id, made));
	},
	"GET /v1/tokens": (hub, { send }) => send(200, { tokens: hub.tokens }),
	"POST /v1/tokens": (hub, { body, send }) => send(201, hub.makeToken(body)),
	"DELETE /v1/tokens/:id": (hub, { send }, id) => {
		hub.tokens.find((token) => token.id === id).state = "revoked";
		send(204);
	},
};

const routes = Object.entries({
	...serverRoutes,
	...jobRoutes,
	...supportRoutes,
	...accessRoutes,
	...installRoutes,
}).map(([pattern, handler]) => {
	const [method, path] = pattern.split(" ");
	return { method, path: new RegExp(`^${path.replaceAll(":id", "([^/]+)")}$`), handler };
});

function findRoute(method, pathname) {
	for (const { method: wanted, path, handler } of routes) {
		const match = method === wanted && pathname.match(path);
		if (match) return { handler, operands: match.slice(1).map(decodeURIComponent) };
	}
	return null;
}

export class FakeHub {
	servers = new Map();
	tokens = [];
	needsSetup = false;
	signedIn = true;
	mute = false; // asked for events it says nothing: a page then fetches nothing anew by itself
	answering = 0; // requests without an answer, those for events and logs not counted
	failures = new Map(); // "GET /v1/servers" -> {status, title, detail, headers}
	detail = {}; // laid over every server's page
	checks = [makeCheck("c1")]; // of every server, the newest first
	asked = []; // the bodies of what was asked for
	requests = [];
	jobs = new JobStore(this);
	support = new SupportStore(this);
	access = new AccessStore();
	installs = new InstallStore(this);
	streams = new Set();
	#held = null;
	#failedLogins = 0;
	#server = http.createServer((request, response) => {
		this.#handle(request, response).catch((error) => response.destroy(error));
	});

	async start() {
		await new Promise((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
		this.url = `http://127.0.0.1:${this.#server.address().port}`;
		return this;
	}

	async stop() {
		this.dropStreams();
		this.#server.closeAllConnections();
		await new Promise((resolve) => this.#server.close(resolve));
	}

	// Nothing is answered until what comes back is called.
	hold() {
		let release;
		this.#held = new Promise((resolve) => {
			release = resolve;
		});
		return () => {
			this.#held = null;
			release();
		};
	}

	fill(n, over = () => ({})) {
		for (let i = 1; i <= n; i++) this.servers.set(makeServer(i).id, makeServer(i, over(i)));
		return this;
	}

	// A row changed or appeared; the console is told.
	put(row) {
		this.servers.set(row.id, {
			created_at: new Date().toISOString(),
			...this.servers.get(row.id),
			...row,
		});
		this.emit("server", row);
		this.emit("counts", this.counts());
	}

	remove(id) {
		this.servers.delete(id);
		this.emit("removed", { id });
		this.emit("counts", this.counts());
	}

	// A check of that server began or went on; the console is told.
	putCheck(server, check) {
		const at = this.checks.findIndex(({ id }) => id === check.id);
		if (at < 0) this.checks.unshift(check);
		else this.checks[at] = check;
		this.emit("check", this.checkRow(server, check));
	}

	checkRow(server, { report: _, ...row }) {
		return { ...row, server };
	}

	emit(event, data) {
		for (const stream of this.streams) stream.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
	}

	get listeners() {
		return this.streams.size;
	}

	dropStreams() {
		for (const stream of this.streams) stream.destroy();
	}

	counts() {
		const all = this.servers.size;
		const offline = [...this.servers.values()].filter((row) => row.status === "offline").length;
		return { all, online: all - offline, offline };
	}

	async #handle(request, response) {
		const url = new URL(request.url, this.url);
		const name = `${request.method} ${url.pathname}`;
		this.requests.push(`${request.method} ${request.url}`);
		const send = (status, body, headers = {}) => {
			const type = status >= 400 ? "application/problem+json" : "application/json";
			response.writeHead(status, { "Content-Type": type, "Content-Security-Policy": CSP, ...headers });
			response.end(body === undefined ? "" : JSON.stringify(body));
		};
		const problem = (status, title, headers) =>
			send(status, { type: "about:blank", title, status }, headers);
		if (!url.pathname.startsWith("/v1/")) return this.#asset(url.pathname, response);
		if (!/\/(events|log)$/.test(url.pathname) && !response.destroyed) {
			this.answering++;
			response.on("close", () => this.answering--);
		}
		await this.#held;
		const failure = this.failures.get(name);
		if (failure) return send(failure.status, { type: "about:blank", ...failure }, failure.headers);
		if (request.method !== "GET" && request.headers["x-sallyport"] !== "1")
			return problem(403, "Forbidden");

		let text = "";
		for await (const chunk of request) text += chunk;
		const body = text ? JSON.parse(text) : {};
		if (name === "GET /v1/setup") return send(200, { needed: this.needsSetup });
		if (name === "POST /v1/setup") {
			if (body.code !== SETUP_CODE) return problem(403, "The code is wrong");
			if (!this.needsSetup) return problem(410, "The code has been used");
			this.needsSetup = false;
			this.signedIn = true;
			return send(204);
		}
		if (name === "POST /v1/login") {
			if (this.#failedLogins >= 3) return problem(429, "Too many", { "Retry-After": "20" });
			this.signedIn = body.password === PASSWORD;
			if (!this.signedIn) this.#failedLogins++;
			return this.signedIn ? send(204) : problem(401, "Wrong name or password");
		}
		if (!this.signedIn) return problem(401, "Sign in first");
		const found = findRoute(request.method, url.pathname);
		if (!found) return problem(404, "There is no such thing");
		const answer = { response, request, search: url.searchParams, body, send, problem };
		return found.handler(this, answer, ...found.operands);
	}

	page(search) {
		const q = (search.get("q") ?? "").toLowerCase();
		const rows = [...this.servers.values()].filter(
			(row) =>
				(!search.get("status") || row.status === search.get("status")) &&
				(!search.get("platform") || row.platform === search.get("platform")) &&
				(!search.get("location") || row.location === search.get("location")) &&
				(!q || `${row.name} ${row.address} ${row.os_name} ${row.location}`.toLowerCase().includes(q)),
		);
		const sort = search.get("sort") ?? "status";
		const field = sort.replace("-", "").replace(/^os$/, "os_name");
		const key = field === "status" ? (row) => (row.status === "offline" ? 0 : 1) : (row) => row[field];
		const way = sort.startsWith("-") ? -1 : 1;
		rows.sort(
			(a, b) => way * (compare(key(a), key(b)) || compare(a.name, b.name) || compare(a.id, b.id)),
		);
		const from = Number(search.get("cursor") ?? 0);
		const to = from + Number(search.get("limit") ?? 100);
		return {
			servers: rows.slice(from, to),
			next_cursor: to < rows.length ? String(to) : null,
			total: rows.length,
			counts: this.counts(),
		};
	}

	makeToken({ label, expires_in_s: seconds, uses }) {
		const id = `tok${this.tokens.length + 1}`;
		const secret =
			"spj1eyJodWIiOiJodWIuZXhhbXBsZS5uZXQ6NDQzIiwia2V5IjoiU0hBMjU2OjVmMWMifQ.c2VjcmV0LW9mLXRlc3Q";
		const token = {
			id,
			label,
			created_at: ago(0),
			created_by: "admin",
			expires_at: ago(-seconds * 1000),
			uses,
			used: 0,
			state: "valid",
		};
		this.tokens.unshift(token);
		return {
			...token,
			token: secret,
			commands: [
				`echo ${secret} | sudo sallyport join --token-file -`,
				"sudo systemctl enable --now sallyport",
			],
		};
	}

	async #asset(pathname, response) {
		const file = path.basename(pathname) || "index.html";
		const known = ["app.js", "app.css"].includes(file) ? file : "index.html";
		response.writeHead(200, {
			"Content-Type": TYPES[path.extname(known)],
			"Content-Security-Policy": CSP,
		});
		response.end(await readFile(path.join(CONSOLE, known)));
	}
}
