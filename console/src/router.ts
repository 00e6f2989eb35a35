import { Emitter } from "./emitter";

// Where the reader is: "#/servers/ID?q=web" -> {parts: ["servers", "ID"], query}.
class Router extends Emitter {
	parts: string[] = [];
	query = new URLSearchParams();
	moved = false; // the reader has gone from one place to another

	constructor() {
		super();
		this.#read();
		addEventListener("hashchange", () => {
			this.#read();
			this.moved = true;
			this.changed();
		});
	}

	go(path: string): void {
		location.hash = path;
	}

	// Without a step in the history: for filters while they are typed, and to forget a set-up code.
	replace(path: string): void {
		history.replaceState(history.state, "", `#${path}`);
		this.#read();
		this.changed();
	}

	#read(): void {
		const [path = "", search = ""] = location.hash.replace(/^#/, "").split("?", 2);
		this.parts = path.split("/").filter(Boolean).map(decode);
		this.query = new URLSearchParams(search);
	}
}

function decode(part: string): string {
	try {
		return decodeURIComponent(part);
	} catch {
		return part;
	}
}

export const router = new Router();
