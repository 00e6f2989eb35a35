// The fake hub's users, API keys and audit trail, and who is signed in.

import { ago, HOUR, PASSWORD } from "./fake-data.mjs";

export const ALL = ["read", "operate", "enrol", "remove", "users", "keys", "audit"];
export const OPERATOR = ["read", "operate", "enrol"];

export class AccessStore {
	name = "admin";
	role = "administrator";
	permissions = ALL;
	password = PASSWORD;
	users = [
		{ name: "admin", role: "administrator", created_at: ago(900 * HOUR), last_login_at: ago(HOUR / 6) },
		{ name: "nina", role: "operator", created_at: ago(300 * HOUR), last_login_at: ago(20 * HOUR) },
	];
	keys = [];
	entries = [];

	// `n` entries of a trail, the newest first.
	fill(n) {
		const actions = ["job.create", "login", "server.remove", "token.add", "login.failed", "user.add"];
		this.entries = Array.from({ length: n }, (_, i) => ({
			id: n - i,
			at: ago(i * 400_000),
			actor: i % 3 === 1 ? "nightly report" : i % 3 ? "nina" : "admin",
			actor_kind: i % 3 === 1 ? "key" : "user",
			action: actions[i % actions.length],
			target: `thing-${n - i}`,
			detail: i % 2 ? null : { servers: i + 1 },
			peer: `10.9.0.${i % 250}`,
		}));
		return this;
	}
}

export const accessRoutes = {
	"GET /v1/me": ({ access }, { send }) =>
		send(200, {
			name: access.name,
			role: access.role,
			permissions: access.permissions,
			hub: {
				name: "hub.example.net",
				url: "https://hub.example.net",
				release: "0.1.0",
				fingerprint: "SHA256:5f1c",
			},
		}),
	"POST /v1/me/password": ({ access }, { body, send, problem }) => {
		if (body.old !== access.password) return problem(403, "The old password is wrong");
		access.password = body.new;
		return send(204);
	},
	"GET /v1/users": ({ access }, { send }) => send(200, { users: access.users, next_cursor: null }),
	"POST /v1/users": ({ access }, { body, send }) => {
		const user = { name: body.name, role: body.role, created_at: ago(0), last_login_at: null };
		access.users.push(user);
		send(201, user);
	},
	"PATCH /v1/users/:id": ({ access }, { body, send, problem }, name) => {
		const user = access.users.find((each) => each.name === name);
		const last = access.users.filter((each) => each.role === "administrator").length === 1;
		if (user.role === "administrator" && last && body.role && body.role !== user.role)
			return problem(409, "This is the last administrator");
		if (body.role) user.role = body.role;
		return send(200, user);
	},
	"DELETE /v1/users/:id": ({ access }, { send }, name) => {
		access.users = access.users.filter((each) => each.name !== name);
		send(204);
	},
	"GET /v1/keys": ({ access }, { send }) => send(200, { keys: access.keys, next_cursor: null }),
	"POST /v1/keys": ({ access }, { body, send }) => {
		const key = {
			id: `key${access.keys.length + 1}`,
			name: body.name,
			permissions: body.permissions,
			location: body.location ?? null,
			created_by: access.name,
			created_at: ago(0),
			expires_at: ago(-body.expires_in_s * 1000),
			last_used_at: null,
			state: "valid",
		};
		access.keys.unshift(key);
		send(201, { ...key, key: "spk_bm90LWEtcmVhbC1rZXktb25seS1mb3ItdGhlLXRlc3Rz" });
	},
	"DELETE /v1/keys/:id": ({ access }, { send }, id) => {
		access.keys.find((each) => each.id === id).state = "revoked";
		send(204);
	},
	"GET /v1/audit": ({ access }, { search, send }) => {
		const wanted = ["actor", "action", "target"].filter((name) => search.get(name));
		const rows = access.entries.filter((entry) =>
			wanted.every((name) => entry[name] === search.get(name)),
		);
		const from = Number(search.get("cursor") ?? 0);
		const to = from + Number(search.get("limit") ?? 100);
		send(200, { entries: rows.slice(from, to), next_cursor: to < rows.length ? String(to) : null });
	},
};
