// The hosts that somebody pasted or uploaded, read as the hub and the connector read them
// (src/wire/host_list.h has the form), so that a mistake is told while it is written. The hub's word
// is the authority. Here every line that is wrong is told, not the first alone.

export const MAX_TEXT = 65_536; // bytes
export const MAX_HOSTS = 1024;
const MAX_HOST = 253;
const MAX_USER = 64;
const MAX_NAME = 128;
const MAX_FIELDS = 16;
const MAX_WRONGS = 100;
const LEAST_PREFIX = 22;
const COLUMNS = ["host", "port", "user", "name"];

export interface Wrong {
	line: number; // from 1; 0: the whole list
	words: string;
}

export interface HostEntry {
	host: string;
	port: number;
	user: string;
	name: string;
	fromRange: boolean; // that it does not answer is no failure
}

export interface HostList {
	hosts: HostEntry[];
	wrongs: Wrong[];
}

class Mistake extends Error {}

const fail = (word: string, why: string): never => {
	const shown = word.slice(0, 60).replace(/[^\x20-\x7e]|"/g, "?");
	throw new Mistake(`“${shown}${word.length > 60 ? "…" : ""}”: ${why}.`);
};

const bytesIn = (text: string) => new TextEncoder().encode(text).length;

// Decimal, without sign or spaces; null when it is none or above `max`.
function readNumber(text: string, max: number): number | null {
	return /^\d{1,6}$/.test(text) && Number(text) <= max ? Number(text) : null;
}

function readAddress(text: string): number | null {
	if (!/^(\d{1,3}\.){3}\d{1,3}$/.test(text)) return null;
	const parts = text.split(".");
	if (parts.some((part) => Number(part) > 255 || (part.length > 1 && part.startsWith("0")))) return null;
	return parts.reduce((sum, part) => sum * 256 + Number(part), 0);
}

const writeAddress = (address: number) =>
	[24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");

// As the browser writes it; null when it is none.
function readSix(text: string): string | null {
	if (!text.includes(":")) return null;
	try {
		return new URL(`http://[${text}]/`).hostname.slice(1, -1);
	} catch {
		return null;
	}
}

// RFC 1123 section 2.1, and the underscores that people use all the same.
function namedProblem(name: string): string {
	if (bytesIn(name) > MAX_HOST) return "a host's name has at most 253 bytes";
	if (/[^\w.-]/.test(name))
		return "that is no name of a host; a list with commas needs a first line that names its columns: host,port,user,name";
	const labels = name.split(".");
	if (labels.some((label) => label === "" || label.length > 63 || /^-|-$/.test(label)))
		return "that is no name of a host";
	return /^\d+$/.test(labels.at(-1) ?? "") ? "that is no IPv4 address" : "";
}

class Reader {
	hosts: HostEntry[] = [];
	wrongs: Wrong[] = [];
	#places = new Map<string, HostEntry>();
	#separator: string | null = null; // of the fields; "": words
	#columns: string[] = [];

	constructor(
		readonly port: number,
		readonly user: string,
	) {}

	read(text: string): HostList {
		if (bytesIn(text) > MAX_TEXT) {
			this.wrongs.push({ line: 0, words: "The list is longer than 64 KiB. Make two of it." });
			return this;
		}
		for (const [i, line] of text
			.replace(/^\ufeff/, "")
			.split("\n")
			.entries()) {
			try {
				this.#readLine(line);
			} catch (error) {
				if (!(error instanceof Mistake)) throw error;
				this.wrongs.push({ line: i + 1, words: error.message });
				if (this.wrongs.length >= MAX_WRONGS || this.hosts.length >= MAX_HOSTS) break;
			}
		}
		return this;
	}

	#readLine(line: string): void {
		const first = line.trimStart();
		if (first === "" || first.startsWith("#")) return;
		if (this.#separator === null) {
			this.#separator = first.match(/[,;]/)?.[0] ?? (/^host\t/i.test(first) ? "\t" : "");
			if (this.#separator) return this.#readHeader(line);
		}
		if (this.#separator) this.#readRow(line);
		else this.#readWords(line);
	}

	/* --- words --- */

	#readWords(line: string): void {
		for (const word of line.split(/\s+/).filter(Boolean)) {
			if (word.startsWith("#")) return;
			this.#addWord(this.#cut(word));
		}
	}

	// USER@HOST:PORT. A user of a directory has an @ of its own.
	#cut(text: string): HostEntry {
		const entry = { host: text, port: this.port, user: this.user, name: "", fromRange: false };
		const at = text.lastIndexOf("@");
		if (at === 0) fail("@", "a user's name is missing before it");
		if (at > 0) {
			entry.user = this.#readUser(text.slice(0, at));
			entry.host = text.slice(at + 1);
		}
		const { host } = entry;
		const inBrackets = host.match(/^\[([^\]]*)\](?::(.*))?$/);
		const beforePort = host.match(/^([^:]*):([^:]*)$/);
		const [, cut, port] = inBrackets ?? beforePort ?? [];
		if (cut !== undefined) entry.host = cut;
		if (port !== undefined) entry.port = this.#readPort(port);
		if (entry.host === "") fail(text, "a host is missing");
		return entry;
	}

	#readPort(text: string): number {
		return readNumber(text, 65_535) || fail(text, "a port is a number from 1 to 65535");
	}

	#readUser(user: string): string {
		if (bytesIn(user) > MAX_USER || /^-|[\x00-\x20\x7f]/.test(user))
			fail(user, "a user's name has at most 64 bytes, no spaces and no - at its beginning");
		return user;
	}

	/* --- CSV --- */

	#split(line: string): string[] {
		const end = this.#separator === "\t" ? "\\t" : (this.#separator ?? "");
		const field = new RegExp(` *(?:"((?:[^"]|"")*)" *\\r?|((?!")[^${end}]*))(${end}|$)`, "gy");
		const fields: string[] = [];
		for (let match = field.exec(line); match; match = field.exec(line)) {
			fields.push((match[1]?.replaceAll('""', '"') ?? match[2] ?? "").trim());
			if (match[3] === "") break;
		}
		if (field.lastIndex < line.length || fields.length > MAX_FIELDS)
			throw new Mistake(`Its quotes are not closed, or it has more than ${MAX_FIELDS} fields.`);
		return fields;
	}

	#readHeader(line: string): void {
		const names = this.#split(line).map((name) => name.toLowerCase());
		for (const [i, name] of names.entries()) {
			if (!COLUMNS.includes(name))
				fail(
					name,
					"that column is not known; a list with commas begins with a line of host,port,user,name, in any order",
				);
			if (names.indexOf(name) < i) fail(name, "that column is there twice");
		}
		if (!names.includes("host")) throw new Mistake("No column is called host.");
		this.#columns = names;
	}

	#readRow(line: string): void {
		if (this.#columns.length === 0) return; // what was wrong with the first line has been told
		const fields = this.#split(line);
		if (fields.length > this.#columns.length)
			throw new Mistake("It has more fields than the first line has columns.");
		const field = (name: string) => fields[this.#columns.indexOf(name)] ?? "";
		if (field("host") === "") throw new Mistake("The column host is empty.");
		const entry = this.#cut(field("host"));
		if (field("port")) entry.port = this.#readPort(field("port"));
		if (field("user")) entry.user = this.#readUser(field("user"));
		entry.name = field("name");
		if (bytesIn(entry.name) > MAX_NAME || /[\x00-\x1f\x7f]/.test(entry.name))
			fail(entry.name, "a name has at most 128 bytes and no control characters");
		this.#addWord(entry);
	}

	/* --- hosts and ranges --- */

	#addWord(entry: HostEntry): void {
		const { host } = entry;
		if (host.includes("/")) return this.#addNetwork(entry);
		const [from = "", ...rest] = host.split("-");
		const first = rest.length > 0 ? readAddress(from) : null;
		if (first === null) return this.#addSingle(entry);
		const to = rest.join("-");
		const octet = readNumber(to, 255);
		const last = octet === null ? readAddress(to) : Math.floor(first / 256) * 256 + octet;
		if (last === null) return fail(host, "a range is written like 10.0.0.5-20 or 10.0.0.5-10.0.1.9");
		return this.#addRange(entry, first, last);
	}

	#addNetwork(entry: HostEntry): void {
		const [network = "", length = ""] = entry.host.split(/\/(.*)/s);
		const address = readAddress(network);
		const prefix = readNumber(length, 32);
		if (address === null || prefix === null)
			return fail(entry.host, "a range is written like 10.0.0.0/28 or 10.0.0.5-20");
		const size = 2 ** (32 - prefix);
		const first = address - (address % size);
		// The network's own and the broadcast address are no hosts, but for RFC 3021.
		const edge = size > 2 ? 1 : 0;
		if (prefix < LEAST_PREFIX) return this.#addRange(entry, 0, MAX_HOSTS);
		return this.#addRange(entry, first + edge, first + size - 1 - edge);
	}

	#addRange(entry: HostEntry, first: number, last: number): void {
		if (last < first) fail(entry.host, "the range ends before it begins");
		if (last - first >= MAX_HOSTS)
			fail(
				entry.host,
				"a range has at most 1024 addresses (/22); write smaller ones, one after the other",
			);
		for (let address = first; address <= last; address++)
			this.#add({ ...entry, host: writeAddress(address), fromRange: true }, entry.host);
	}

	#addSingle(entry: HostEntry): void {
		const { host } = entry;
		if (readAddress(host) !== null) return this.#add(entry, host);
		const six = readSix(host);
		if (six) return this.#add({ ...entry, host: six }, host);
		const name = (host.length > 1 ? host.replace(/\.$/, "") : host).toLowerCase();
		const problem = namedProblem(name);
		return problem ? fail(host, problem) : this.#add({ ...entry, host: name }, host);
	}

	// One that stands there already, told and of a range, is told; two users are a mistake.
	#add(entry: HostEntry, word: string): void {
		const place = `${entry.host} ${entry.port}`;
		const there = this.#places.get(place);
		if (!there) {
			if (this.hosts.length === MAX_HOSTS)
				fail(word, "with it the list has more than 1024 hosts; make two of it");
			this.#places.set(place, entry);
			this.hosts.push(entry);
		} else if (!entry.fromRange) {
			if (!there.fromRange && there.user !== entry.user)
				fail(word, "it stands in the list twice, with different users");
			if (there.fromRange) there.user = entry.user;
			there.fromRange = false;
			there.name ||= entry.name;
		}
	}
}

export function readHosts(text: string, port: number, user: string): HostList {
	const { hosts, wrongs } = new Reader(port, user).read(text);
	return { hosts, wrongs };
}
