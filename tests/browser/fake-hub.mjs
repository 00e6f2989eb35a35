// A small stand-in for the hub, for states that the real one cannot produce on demand: ten
// thousand servers, an answer that takes seconds, an error, a dropped event stream, a machine that
// lies in its report. It speaks the hub's API over plain HTTP on loopback and serves the built
// console with the hub's own Content-Security-Policy. What can be tested against the real hub is
// tested there (real.test.mjs).

import { readFile } from "node:fs/promises";
import http from "node:http";
import path from "node:path";
import { fileURLToPath } from "node:url";

const TOP = fileURLToPath(new URL("../../", import.meta.url));
const CONSOLE = path.resolve(TOP, process.env.SALLYPORT_BUILD ?? "build", "console");
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css" };
const CSP =
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const HOUR = 3_600_000;
const ago = (ms) => new Date(Date.now() - ms).toISOString();

export const PASSWORD = "correct horse battery";
export const SETUP_CODE = "first-code";

// The `i`th server of a made-up fleet.
export function makeServer(i, over = {}) {
	const systems = [
		"Debian GNU/Linux 12 (bookworm)",
		"Ubuntu 24.04.1 LTS",
		"Rocky Linux 9.4",
		"Windows Server 2022",
	];
	const roles = ["web", "db", "cache", "build", "mail"];
	const os = systems[i % systems.length];
	return {
		id: `srv${String(i).padStart(8, "0")}`,
		name: `${roles[i % roles.length]}-${String(i).padStart(2, "0")}`,
		status: "online",
		reason: null,
		cause: null,
		since: ago(((i * 37) % 700) * 0.3 * HOUR + 60_000),
		address: `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`,
		mac: `52:54:00:00:${((i >> 8) & 255).toString(16).padStart(2, "0")}:${(i & 255).toString(16).padStart(2, "0")}`,
		os_name: os,
		platform: os.startsWith("Windows") ? "windows" : "linux",
		location: ["Zürich", "Bern", ""][i % 3],
		version: "0.1.0",
		last_seen: ago(20_000),
		...over,
	};
}

export const OFFLINE = {
	status: "offline",
	cause: "proxy-auth-rejected",
	reason: "The proxy http://10.0.0.9:3128 rejects the credentials of user sallyport.",
	since: ago(12 * 60_000),
	last_seen: ago(12 * 60_000),
};

export const STAGES = [
	{
		stage: "resolve",
		status: "pass",
		ms: 1.8,
		evidence: { name: "proxy.example.net", resolver: "10.0.0.2", address: "10.0.0.9" },
	},
	{ stage: "connect", status: "pass", ms: 0.6, evidence: { address: "10.0.0.9", port: "3128" } },
	{
		stage: "tunnel",
		status: "pass",
		ms: 4.2,
		evidence: { proxy: "http://10.0.0.9:3128", status: "200", auth: "Basic" },
	},
	{
		stage: "secure",
		status: "pass",
		ms: 22.4,
		evidence: { version: "TLSv1.3", cipher: "TLS_AES_256_GCM_SHA384", issuer: "Sallyport hub CA" },
	},
	{ stage: "hello", status: "pass", ms: 8.9, evidence: { status: "101", "hub-key": "SHA256:5f1c…" } },
];

export const REPORT = {
	schema: "sallyport.check/1",
	profile: { id: "citrix-smart-tools", title: "Citrix Smart Tools Agent" },
	host: { name: "web-01", os: "linux" },
	verdict: "fail",
	proxy: { url: "http://10.0.0.9:3128", auth: "basic", from: "HTTPS_PROXY (environment)" },
	causes: [
		{
			id: "proxy-denied",
			stage: "tunnel",
			severity: "fail",
			confidence: "certain",
			who: "proxy administrator",
			sentence: "The proxy http://10.0.0.9:3128 forbids rttf.citrix.com:443 (HTTP 403).",
			remedy: "Allow CONNECT to rttf.citrix.com:443 in the proxy's rules.",
			affects: ["endpoint.upload"],
			evidence: [
				{ name: "status", value: "403" },
				{ name: "via", value: "squid/5.7" },
			],
		},
	],
	requirements: [
		{
			id: "endpoint.console",
			title: "smart.cloud.com:443, console and API",
			section: "Port requirements",
			row: "R7",
			status: "pass",
			cause: null,
			stages: STAGES,
		},
		{
			id: "endpoint.upload",
			title: "rttf.citrix.com:443, upload",
			section: "Port requirements",
			row: "R7",
			status: "fail",
			cause: "proxy-denied",
			stages: [
				STAGES[0],
				STAGES[1],
				{ stage: "tunnel", status: "fail", ms: 3.1, evidence: { status: "403" } },
			],
		},
		{
			id: "addressing.dhcp-server",
			title: "A DHCP server hands out addresses",
			section: "Network",
			row: "R1",
			status: "unknown",
			cause: null,
			stages: [],
		},
		{
			id: "clock",
			title: "The clock is right",
			section: "Network",
			row: "",
			status: "pass",
			cause: null,
			stages: [],
		},
	],
};

// A check as the history has it, with its report; `over` says what is another.
export function makeCheck(id, over = {}) {
	const report = "report" in over ? over.report : REPORT;
	return {
		id,
		state: "done",
		requested_by: null,
		requested_at: ago(HOUR),
		started_at: ago(HOUR),
		finished_at: ago(HOUR),
		profile: { id: report?.profile?.id ?? null, title: report?.profile?.title ?? null },
		deep: false,
		verdict: report?.verdict ?? null,
		causes: (Array.isArray(report?.causes) ? report.causes : []).map((cause) => ({
			id: cause?.id,
			severity: cause?.severity,
			sentence: cause?.sentence,
		})),
		reason: null,
		repeats: 1,
		report,
		...over,
	};
}

const INVENTORY = {
	name: "web-01",
	machine_id: "b0f6a2f1c0de4a19",
	platform: "linux",
	os: "linux",
	os_name: "Debian GNU/Linux 12 (bookworm)",
	os_version: "12",
	kernel: "6.1.0-26-amd64",
	arch: "x86_64",
	agent_version: "0.1.0",
	cpu: { model: "AMD EPYC 7543", count: 4 },
	memory: { total: 8_330_000_000, free: 3_120_000_000 },
	uptime_s: 1_210_000,
	interfaces: [{ name: "eth0", mac: "52:54:00:00:00:01", ipv4: "10.0.0.1", ipv6: "", up: true }],
	disks: [{ mount: "/", type: "ext4", size: 42_000_000_000, free: 19_500_000_000 }],
	profiles: [
		{ id: "citrix-smart-tools", title: "Citrix Smart Tools Agent" },
		{ id: "debian-mirrors", title: "Debian mirrors" },
	],
};

const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

export class FakeHub {
	servers = new Map();
	tokens = [];
	needsSetup = false;
	signedIn = true;
	delayMs = 0;
	failures = new Map(); // "GET /v1/servers" -> {status, title, detail, headers}
	detail = {}; // laid over every server's page
	checks = [makeCheck("c1")]; // of every server, the newest first
	asked = []; // the bodies of what was asked for
	requests = [];
	#streams = new Set();
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
		this.emit("check", this.#checkRow(server, check));
	}

	#checkRow(server, { report: _, ...row }) {
		return { ...row, server };
	}

	emit(event, data) {
		for (const stream of this.#streams)
			stream.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
	}

	get listeners() {
		return this.#streams.size;
	}

	dropStreams() {
		for (const stream of this.#streams) stream.destroy();
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
		if (this.delayMs) await new Promise((resolve) => setTimeout(resolve, this.delayMs));
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
			if (this.#failedLogins >= 3) return problem(429, "Too many", { "Retry-After": "2" });
			this.signedIn = body.password === PASSWORD;
			if (!this.signedIn) this.#failedLogins++;
			return this.signedIn ? send(204) : problem(401, "Wrong name or password");
		}
		if (!this.signedIn) return problem(401, "Sign in first");
		return this.#signedIn(name, url, body, { response, send, problem });
	}

	#signedIn(name, url, body, { response, send, problem }) {
		const [, , , id = "", , check] = url.pathname.split("/").map(decodeURIComponent);
		const pattern = name.replace(id && `/${id}`, id && "/ID").replace(check ? `/${check}` : "", check ? "/CHECK" : "");
		switch (pattern) {
			case "POST /v1/logout":
				this.signedIn = false;
				return send(204);
			case "GET /v1/me":
				return send(200, {
					name: "admin",
					role: "administrator",
					hub: {
						name: "hub.example.net",
						url: "https://hub.example.net",
						release: "0.1.0",
						fingerprint: "SHA256:5f1c",
					},
				});
			case "GET /v1/events":
				response.writeHead(200, { "Content-Type": "text/event-stream" });
				response.write(": here\n\n");
				this.#streams.add(response);
				response.on("close", () => this.#streams.delete(response));
				return undefined;
			case "GET /v1/servers":
				return send(200, this.#page(url.searchParams));
			case "GET /v1/servers/ID": {
				const row = this.servers.get(id);
				if (!row) return problem(404, "There is no such server");
				return send(200, {
					fingerprint: "SHA256:c0ffee",
					created_at: ago(90 * HOUR),
					inventory: INVENTORY,
					path: { stages: STAGES, proxy: "http://10.0.0.9:3128", at: row.since },
					...row,
					...this.detail,
				});
			}
			case "GET /v1/servers/ID/checks": {
				const limit = Number(url.searchParams.get("limit") ?? 20);
				return send(200, {
					checks: this.checks.slice(0, limit).map((each) => this.#checkRow(id, each)),
					next_cursor: this.checks.length > limit ? "9" : null,
				});
			}
			case "GET /v1/servers/ID/checks/CHECK": {
				const found = this.checks.find((each) => each.id === check);
				return found ? send(200, { ...found, server: id }) : problem(404, "There is no such check");
			}
			case "POST /v1/servers/ID/checks": {
				this.asked.push(body);
				const made = makeCheck(`asked${this.asked.length}`, {
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
				this.checks.unshift(made);
				return send(202, this.#checkRow(id, made));
			}
			case "DELETE /v1/servers/ID":
				send(204);
				return this.remove(id);
			case "GET /v1/tokens":
				return send(200, { tokens: this.tokens });
			case "POST /v1/tokens":
				return send(201, this.#makeToken(body));
			case "DELETE /v1/tokens/ID":
				this.tokens.find((token) => token.id === id).state = "revoked";
				return send(204);
			default:
				return problem(404, "There is no such thing");
		}
	}

	#page(search) {
		const q = (search.get("q") ?? "").toLowerCase();
		const rows = [...this.servers.values()].filter(
			(row) =>
				(!search.get("status") || row.status === search.get("status")) &&
				(!search.get("platform") || row.platform === search.get("platform")) &&
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

	#makeToken({ label, expires_in_s: seconds, uses }) {
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
