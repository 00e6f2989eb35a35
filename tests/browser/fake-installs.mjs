// The fake hub's locations, connectors and installs: made from what the console posts, moved on by the
// tests. A real connector cannot be in the middle of a copy, or see a changed key, on demand. Its keys are
// real, so that what the browser seals can be opened (openBox).

import { execFile } from "node:child_process";
import { createHash, createPrivateKey, createPublicKey } from "node:crypto";
import { promisify } from "node:util";
import { ago, makeServer } from "./fake-data.mjs";
import { page } from "./fake-jobs.mjs";

const run = promisify(execFile);
// In the hub's order.
const STATES = [
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
const FINAL = ["online", "kept", "removed", "absent", "failed", "cancelled"];
const order = (a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state) || a.id - b.id;
const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex"); // before an Ed25519 seed, RFC 8410

// The key pair of a seed of one repeated byte, and the id that it proves.
export function makeKey(byte) {
	const seed = Buffer.alloc(32, byte);
	const key = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: "der", type: "pkcs8" });
	const { x } = createPublicKey(key).export({ format: "jwk" });
	const id = createHash("sha256").update(Buffer.from(x, "base64url")).digest("hex").slice(0, 32);
	return { id, key: x, seed };
}

// libsodium opens the box, as a connector does: the credentials in it.
const OPENER = `
import base64, ctypes, sys
sodium = ctypes.CDLL("libsodium.so.23")
seed, box = (base64.urlsafe_b64decode(line.strip() + "==") for line in sys.stdin)
public, secret = ctypes.create_string_buffer(32), ctypes.create_string_buffer(64)
x_public, x_secret = ctypes.create_string_buffer(32), ctypes.create_string_buffer(32)
plain = ctypes.create_string_buffer(len(box))
assert sodium.crypto_sign_seed_keypair(public, secret, seed) == 0
assert sodium.crypto_sign_ed25519_pk_to_curve25519(x_public, public) == 0
assert sodium.crypto_sign_ed25519_sk_to_curve25519(x_secret, secret) == 0
if sodium.crypto_box_seal_open(plain, box, ctypes.c_ulonglong(len(box)), x_public, x_secret):
    sys.exit("the box cannot be opened")
sys.stdout.buffer.write(plain.raw[: len(box) - 48])
`;

export async function openBox(seed, box) {
	const opening = run("/usr/bin/python3", ["-c", OPENER]);
	opening.child.stdin.end(`${seed.toString("base64url")}\n${box}\n`);
	return JSON.parse((await opening).stdout);
}

const shown = ({ forgotten: _, ...target }) => target;

export class InstallStore {
	places = new Map(); // name -> {addressing, connectors: [ids], breaks}
	keys = new Map(); // id of a connector -> its key pair
	list = []; // the newest first
	pinned = [];
	asked = []; // the bodies of what was posted
	#hub;
	#targets = 0;

	constructor(hub) {
		this.#hub = hub;
	}

	place(name) {
		if (!this.places.has(name)) this.places.set(name, { addressing: "any", connectors: [], breaks: [] });
		return this.places.get(name);
	}

	// A server that is a connector of a location: its id is that of its key.
	addConnector(location, name, over = {}) {
		const pair = makeKey(this.keys.size + 1);
		this.keys.set(pair.id, pair);
		this.#hub.servers.set(
			pair.id,
			makeServer(900 + 4 * this.keys.size, { id: pair.id, name, location, connector: true, ...over }),
		);
		this.place(location).connectors.push(pair.id);
		return pair;
	}

	connectorOf(id) {
		const { name, status } = this.#hub.servers.get(id);
		const key = (this.keys.get(id) ?? makeKey(200)).key;
		return { id, name, online: status === "online", key, since: ago(86_400_000) };
	}

	locations() {
		const names = new Set(this.places.keys());
		for (const { location } of this.#hub.servers.values()) if (location) names.add(location);
		return [...names].sort().map((name) => this.location(name));
	}

	location(name) {
		const place = this.place(name);
		const rows = [...this.#hub.servers.values()].filter((row) => row.location === name);
		return {
			name,
			servers: rows.length,
			online: rows.filter((row) => row.status === "online").length,
			addressing: place.addressing,
			breaking: place.breaks.length,
			connectors: place.connectors.map((id) => this.connectorOf(id)),
			created_at: ago(1e9),
		};
	}

	// An install on those hosts; `targetOver(i)` says what of each target is another.
	add(hosts, over = {}, targetOver = () => ({})) {
		const id = `install${this.list.length + 1}`;
		const location = over.location ?? "hall 2";
		const [connector] = this.place(location).connectors;
		const install = {
			id,
			location,
			connector: connector ?? null,
			connector_name: connector ? this.#hub.servers.get(connector).name : null,
			action: "install",
			hosts: hosts.join("\n"),
			user: "root",
			port: 22,
			parallel: 16,
			state: "looking",
			created_by: "admin",
			created_at: ago(90_000),
			finished_at: null,
			reason: null,
			...over,
		};
		install.rows = new Map(
			hosts.map((host, i) => {
				const target = this.#makeTarget(install, host, targetOver(i, host));
				return [target.id, target];
			}),
		);
		this.list.unshift(install);
		return install;
	}

	#makeTarget(install, host, over) {
		return {
			id: String(++this.#targets),
			install: install.id,
			location: install.location,
			action: install.action,
			host,
			port: 22,
			user: install.user,
			name: "",
			state: "waiting",
			stage: null,
			outcome: null,
			sentence: null,
			remedy: null,
			evidence: [],
			host_key: null,
			facts: null,
			server: null,
			sent: null,
			total: null,
			updated_at: ago(720_000),
			...over,
		};
	}

	row({ rows, ...install }) {
		const counts = { total: rows.size, ...Object.fromEntries(STATES.map((state) => [state, 0])) };
		for (const { state } of rows.values()) counts[state]++;
		return { ...install, counts };
	}

	// Targets turned; the console is told, in pieces as the hub does it.
	turn(install, ids, over) {
		const changed = ids.map((id, i) => {
			const old = install.rows.get(id);
			const target = {
				...old,
				...(typeof over === "function" ? over(old, i) : over),
				updated_at: ago(0),
			};
			install.rows.set(id, target);
			return target;
		});
		const all = [...install.rows.values()];
		if (all.every(({ state }) => FINAL.includes(state)))
			Object.assign(install, {
				state: install.state === "cancelled" ? "cancelled" : "done",
				finished_at: ago(0),
			});
		else if (all.every(({ state }) => [...FINAL, "ready"].includes(state))) install.state = "waiting";
		for (let i = 0; i < changed.length; i += 200)
			this.#hub.emit("installs", {
				install: this.row(install),
				targets: changed.slice(i, i + 200).map(shown),
				more: false,
			});
	}

	missing() {
		const newest = new Map(); // the list is from the newest on
		for (const install of this.list)
			for (const target of install.rows.values()) {
				const place = `${target.location} ${target.host} ${target.port}`;
				if (!newest.has(place)) newest.set(place, target);
			}
		return [...newest.values()].filter(
			({ state, action, forgotten }) => state === "failed" && action === "install" && !forgotten,
		);
	}
}

function withPlace(use) {
	return (hub, answer, name, ...rest) =>
		hub.installs.locations().some((each) => each.name === name)
			? use(hub, answer, name, ...rest)
			: answer.problem(404, "There is no such location");
}

function withInstall(use) {
	return ({ installs }, answer, id, target) => {
		const install = installs.list.find((each) => each.id === id);
		if (!install) return answer.problem(404, "There is no such install");
		if (target === undefined) return use(installs, answer, install);
		const row = install.rows.get(target);
		return row ? use(installs, answer, install, row) : answer.problem(404, "There is no such target");
	};
}

function setConnector(is) {
	return (hub, { send, problem }, id) => {
		const row = hub.servers.get(id);
		if (!row.location) return problem(409, "The server is in no location");
		const place = hub.installs.place(row.location);
		place.connectors = place.connectors.filter((each) => each !== id);
		if (is) place.connectors.push(id);
		hub.put({ ...row, connector: is });
		hub.emit("locations", {});
		return send(200, hub.servers.get(id));
	};
}

const locationRoutes = {
	"GET /v1/locations": ({ installs }, { send }) => send(200, { locations: installs.locations() }),
	"POST /v1/locations": ({ installs }, { body, send }) => {
		installs.place(body.name).addressing = body.addressing ?? "any";
		send(201, { ...installs.location(body.name), breaks: [] });
	},
	"GET /v1/locations/:id": withPlace(({ installs }, { send }, name) =>
		send(200, { ...installs.location(name), breaks: installs.place(name).breaks }),
	),
	"PATCH /v1/locations/:id": withPlace((hub, { body, send }, name) => {
		const { installs } = hub;
		const place = installs.place(name);
		if (body.addressing) place.addressing = body.addressing;
		if (body.addressing === "any") place.breaks = [];
		if (body.name) {
			installs.places.delete(name);
			installs.places.set(body.name, place);
			for (const row of hub.servers.values()) if (row.location === name) row.location = body.name;
		}
		hub.emit("locations", {});
		send(200, { ...installs.location(body.name ?? name), breaks: place.breaks });
	}),
	"DELETE /v1/locations/:id": withPlace((hub, { send, problem }, name) => {
		if (hub.installs.location(name).servers > 0) return problem(409, "Servers are in it");
		hub.installs.places.delete(name);
		hub.emit("locations", {});
		return send(204);
	}),
	"GET /v1/locations/:id/host-keys": withPlace(({ installs }, { search, send }) =>
		send(200, page(installs.pinned, search, "host_keys")),
	),
	"DELETE /v1/locations/:id/host-keys/:id": withPlace(({ installs }, { send }, _, id) => {
		installs.pinned = installs.pinned.filter((key) => key.id !== id);
		send(204);
	}),
	"PATCH /v1/servers/:id": (hub, { body, send }, id) => {
		hub.put({ ...hub.servers.get(id), location: body.location ?? "" });
		hub.emit("locations", {});
		send(200, hub.servers.get(id));
	},
	"POST /v1/servers/:id/promote": setConnector(true),
	"POST /v1/servers/:id/demote": setConnector(false),
};

export const installRoutes = {
	...locationRoutes,
	"GET /v1/installs": ({ installs }, { search, send }) => {
		const location = search.get("location");
		const rows = installs.list.filter((each) => !location || each.location === location);
		const answer = page(rows, search, "installs");
		send(200, { ...answer, installs: answer.installs.map((each) => installs.row(each)) });
	},
	"POST /v1/installs": ({ installs }, { body, send }) => {
		installs.asked.push(body);
		const { credentials: _, hosts, ...fields } = body;
		const names = hosts.replace(/#.*/g, "").split(/\s+/).filter(Boolean);
		const install = installs.add(names, { ...fields, created_at: ago(0) });
		install.hosts = hosts;
		send(201, installs.row(install));
	},
	"GET /v1/installs/:id": withInstall((installs, { send }, install) => send(200, installs.row(install))),
	"GET /v1/installs/:id/targets": withInstall((_, { search, send }, install) => {
		const state = search.get("state");
		const rows = [...install.rows.values()].filter((each) => !state || each.state === state);
		send(200, page(rows.sort(order).map(shown), search, "targets"));
	}),
	"GET /v1/installs/:id/targets/:id": withInstall((_, { send }, install, target) =>
		send(200, shown(target)),
	),
	"POST /v1/installs/:id/start": withInstall((installs, { body, send }, install) => {
		installs.asked.push(body);
		const wanted = [...install.rows.values()].filter(
			({ id, state, host_key: key }) =>
				state === "ready" &&
				(body.targets ?? [id]).includes(id) &&
				(key.state === "known" || body.host_keys[id] === key.fingerprint),
		);
		install.state = "working";
		installs.turn(
			install,
			wanted.map(({ id }) => id),
			{ state: "working", stage: "copy", sent: 0, total: 5_400_000 },
		);
		send(202, installs.row(install));
	}),
	"POST /v1/installs/:id/cancel": withInstall((installs, { send }, install) => {
		install.state = "cancelled";
		const live = [...install.rows.values()].filter(({ state }) => !FINAL.includes(state));
		installs.turn(
			install,
			live.map(({ id }) => id),
			{ state: "cancelled", outcome: "cancelled" },
		);
		send(202, installs.row(install));
	}),
	"POST /v1/installs/:id/retry": withInstall((installs, { body, send }, install) => {
		installs.asked.push(body);
		const { rows, id: _, state: __, finished_at: ___, hosts, ...fields } = install;
		const again = [...rows.values()].filter(({ state }) => ["failed", "cancelled"].includes(state));
		const made = installs.add(
			again.map(({ host }) => host),
			{ ...fields, created_at: ago(0) },
		);
		made.hosts = hosts;
		send(201, installs.row(made));
	}),
	"GET /v1/targets": ({ installs }, { search, send }) =>
		send(200, page(installs.missing().map(shown), search, "targets")),
	"DELETE /v1/targets/:id": ({ installs }, { send }, id) => {
		const target = installs.missing().find((each) => each.id === id);
		target.forgotten = true;
		send(204);
	},
};
