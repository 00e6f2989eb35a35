// The fake hub's activity, logs and support bundles of its servers.

import { ago, HOUR } from "./fake-data.mjs";

export const MANIFEST = {
	schema: "sallyport.bundle/1",
	members: [
		{ name: "connector.log", size: 184_320, cut: 1_310_720 },
		{ name: "status.json", size: 912 },
		{ name: "check.json", size: 14_208 },
		{ name: "inventory.json", size: 3_120 },
		{ name: "proxy.env", size: 148, masked: 1 },
	],
	left_out: [{ what: "identity.key", why: "a private key never leaves the machine" }],
};

export class SupportStore {
	bundles = [];
	upcoming = [];
	past = [];
	#followers = new Map(); // server -> responses
	first = ["2026-11-22T08:00:01Z info agent 0.1.0 begins", "2026-11-22T08:00:02Z info session open"];
	#hub;

	constructor(hub) {
		this.#hub = hub;
	}

	follow(server, response) {
		const all = this.#followers.get(server) ?? new Set();
		this.#followers.set(server, all.add(response));
		response.on("close", () => all.delete(response));
	}

	followers(server) {
		return this.#followers.get(server)?.size ?? 0;
	}

	// The agent wrote lines; who follows it is told.
	log(server, lines, skipped = 0) {
		for (const each of this.#followers.get(server) ?? [])
			each.write(`event: lines\ndata: ${JSON.stringify({ lines, skipped })}\n\n`);
	}

	endLog(server, reason) {
		for (const each of this.#followers.get(server) ?? [])
			each.end(`event: end\ndata: ${JSON.stringify({ reason })}\n\n`);
	}

	addBundle(server, over = {}) {
		const bundle = {
			id: `bundle${this.bundles.length + 1}`,
			server,
			server_name: this.#hub.servers.get(server)?.name ?? "",
			state: "asked",
			reason: null,
			requested_by: "admin",
			requested_at: ago(0),
			finished_at: null,
			size: null,
			received: 0,
			sha256: null,
			manifest: null,
			...over,
		};
		this.bundles.unshift(bundle);
		return bundle;
	}

	turnBundle(bundle, over) {
		Object.assign(bundle, over);
		this.#hub.emit("bundle", bundle);
	}
}

export const READY = {
	state: "ready",
	size: 202_752,
	received: 202_752,
	finished_at: ago(HOUR / 2),
	sha256: "9f2c3b1a7d5e4f60812233445566778899aabbccddeeff00112233445566a7b8",
	manifest: MANIFEST,
};

export const supportRoutes = {
	"GET /v1/servers/:id/activity": ({ support }, { search, send }) => {
		const from = Number(search.get("cursor") ?? 0);
		const to = from + Number(search.get("limit") ?? 50);
		send(200, {
			upcoming: support.upcoming,
			past: support.past.slice(from, to),
			next_cursor: to < support.past.length ? String(to) : null,
		});
	},
	"GET /v1/servers/:id/log": ({ support, servers }, { response, problem }, id) => {
		if (servers.get(id)?.status !== "online") return problem(409, "The server is offline");
		response.writeHead(200, { "Content-Type": "text/event-stream" });
		response.write(`event: lines\ndata: ${JSON.stringify({ lines: support.first, skipped: 0 })}\n\n`);
		return support.follow(id, response);
	},
	"GET /v1/servers/:id/bundles": ({ support }, { send }, id) =>
		send(200, { bundles: support.bundles.filter(({ server }) => server === id), next_cursor: null }),
	"POST /v1/servers/:id/bundles": ({ support }, { send }, id) => send(202, support.addBundle(id)),
	"DELETE /v1/bundles/:id": ({ support }, { send }, id) => {
		support.bundles = support.bundles.filter((each) => each.id !== id);
		send(204);
	},
	"GET /v1/bundles/:id/file": (_, { response }, id) => {
		response.writeHead(200, {
			"Content-Type": "application/gzip",
			"Content-Disposition": `attachment; filename="${id}.tar.gz"`,
		});
		response.end("not really a bundle");
	},
};
