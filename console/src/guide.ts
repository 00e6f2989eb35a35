// Servers that are about to be added or removed over SSH: where, and which hosts. It outlives a look at
// another page. Passwords and keys are never in it: the form alone holds them, and only while it is shown.

import { onceKey } from "./api";
import { Emitter } from "./emitter";
import { type HostList, readHosts } from "./host-list";
import type { Action } from "./types";

export const SSH_PORT = 22;

interface Fields {
	action: Action;
	location: string;
	hosts: string;
	user: string;
	port: string;
}

const BLANK: Fields = { action: "install", location: "", hosts: "", user: "root", port: String(SSH_PORT) };

export function portOf(text: string): number | null {
	const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
	return port >= 1 && port <= 65_535 ? port : null;
}

export class Guide extends Emitter {
	fields: Fields = BLANK;
	#once = onceKey(); // stays while the same thing is sent again
	#list: { of: Fields; list: HostList } | null = null;

	set(change: Partial<Fields>): void {
		this.fields = { ...this.fields, ...change };
		this.touch();
	}

	clear(): void {
		this.set(BLANK);
	}

	// What is sent will be another thing: also when other credentials are given.
	touch(): void {
		this.#once = onceKey();
		this.changed();
	}

	get once(): string {
		return this.#once;
	}

	get list(): HostList {
		if (this.#list?.of !== this.fields) {
			const { hosts, port, user } = this.fields;
			this.#list = { of: this.fields, list: readHosts(hosts, portOf(port) ?? SSH_PORT, user.trim()) };
		}
		return this.#list.list;
	}
}
