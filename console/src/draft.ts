// A job that is being written. It outlives a look at another page, and is kept nowhere but in this
// page's memory: it may hold secrets.

import { onceKey } from "./api";
import { Emitter } from "./emitter";
import type { Job, NewJob, ServerFilter, ServerRow } from "./types";

// Bounds of the hub (src/wire/job.h), to say early what it would refuse.
export const MAX_SCRIPT = 131_072;
export const MAX_ARGS = 64;
export const MAX_ENV = 64;
export const MAX_TIMEOUT_S = 604_800;
export const MAX_OUTPUT = 16_777_216;
const MAX_VALUE = 4096;

export const INTERPRETERS = {
	bash: "bash",
	sh: "sh",
	python: "Python",
	perl: "Perl",
	pwsh: "PowerShell",
};

export interface Variable {
	key: number; // tells the rows apart
	name: string;
	value: string;
	secret: boolean;
	lost: boolean; // a secret of the job that this one repeats, to be given again
}

export interface Fields {
	title: string;
	interpreter: string;
	script: string;
	args: string; // one a line
	env: Variable[];
	user: string;
	cwd: string;
	timeoutS: number;
	outputLimit: number;
	expiresInS: number;
	rerun: string;
	reboot: string;
}

const BLANK: Fields = {
	title: "",
	interpreter: "bash",
	script: "",
	args: "",
	env: [],
	user: "",
	cwd: "",
	timeoutS: 3600,
	outputLimit: 1_048_576,
	expiresInS: 86_400,
	rerun: "never",
	reboot: "never",
};

let lastKey = 0;

export const bytesOf = (text: string) => new TextEncoder().encode(text).length;
export const argsOf = (text: string) => text.split("\n").filter((line) => line !== "");

export class Draft extends Emitter {
	fields: Fields = BLANK;
	way: "filter" | "picked" = "filter"; // how the servers are chosen
	filter: ServerFilter = {};
	picked = new Map<string, ServerRow>();
	#once = onceKey(); // stays while the same thing is sent again

	set(change: Partial<Fields>): void {
		this.fields = { ...this.fields, ...change };
		this.#touched();
	}

	addVariable(): void {
		const fresh = { key: ++lastKey, name: "", value: "", secret: false, lost: false };
		this.set({ env: [...this.fields.env, fresh] });
	}

	setVariable(key: number, change: Partial<Variable>): void {
		this.set({
			env: this.fields.env.map((each) => (each.key === key ? { ...each, ...change } : each)),
		});
	}

	dropVariable(key: number): void {
		this.set({ env: this.fields.env.filter((each) => each.key !== key) });
	}

	byFilter(filter: ServerFilter): void {
		this.way = "filter";
		this.filter = filter;
		this.#touched();
	}

	byPicking(rows: Iterable<ServerRow>): void {
		this.way = "picked";
		this.picked = new Map([...rows].map((row) => [row.id, row]));
		this.#touched();
	}

	clear(): void {
		this.fields = BLANK;
		this.way = "filter";
		this.filter = {};
		this.picked = new Map();
		this.#touched();
	}

	// Everything of a job but its servers.
	copy(job: Job): void {
		this.set({
			title: job.title,
			interpreter: job.interpreter,
			script: job.script,
			args: job.args.join("\n"),
			env: Object.entries(job.env).map(([name, value]) => ({
				key: ++lastKey,
				name,
				value: value ?? "",
				secret: value === null,
				lost: value === null,
			})),
			user: job.user ?? "",
			cwd: job.cwd ?? "",
			timeoutS: job.timeout_s,
			outputLimit: job.output_limit,
			rerun: job.rerun,
			reboot: job.reboot,
		});
	}

	get once(): string {
		return this.#once;
	}

	// By the field's id: what has to be mended before it can be sent.
	get wrongs(): Record<string, string> {
		const { script, args, env, cwd } = this.fields;
		const wrong: Record<string, string> = {};
		if (script.trim() === "") wrong["script"] = "Write what is to run.";
		else if (bytesOf(script) > MAX_SCRIPT) wrong["script"] = "It is longer than 128 KiB.";
		if (argsOf(args).length > MAX_ARGS) wrong["args"] = `At most ${MAX_ARGS} arguments.`;
		else if (argsOf(args).some((arg) => bytesOf(arg) > MAX_VALUE))
			wrong["args"] = "One is longer than 4 KiB.";
		if (cwd !== "" && !cwd.startsWith("/")) wrong["cwd"] = "A whole path, from the root.";
		const seen = new Set<string>();
		for (const { key, name, value, lost } of env) {
			if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
				wrong[`env-${key}`] = "A name has letters, digits and _, and begins with no digit.";
			else if (seen.has(name)) wrong[`env-${key}`] = `${name} stands here twice.`;
			else if (bytesOf(value) > MAX_VALUE) wrong[`env-${key}`] = "It is longer than 4 KiB.";
			else if (lost) wrong[`env-${key}`] = "The hub does not show secrets again: give it anew.";
			seen.add(name);
		}
		return wrong;
	}

	asJob(): NewJob {
		const { title, interpreter, script, args, env, user, cwd } = this.fields;
		const { timeoutS, outputLimit, expiresInS, rerun, reboot } = this.fields;
		return {
			...(title.trim() && { title: title.trim() }),
			interpreter,
			script: script.endsWith("\n") ? script : `${script}\n`,
			...(args && { args: argsOf(args) }),
			...(env.length > 0 && {
				env: Object.fromEntries(
					env.map(({ name, value, secret }) => [name, secret ? { secret: value } : value]),
				),
			}),
			...(user && { user }),
			...(cwd && { cwd }),
			timeout_s: timeoutS,
			output_limit: outputLimit,
			expires_in_s: expiresInS,
			rerun,
			reboot,
			...(this.way === "filter" ? { filter: this.filter } : { servers: [...this.picked.keys()] }),
		};
	}

	#touched(): void {
		this.#once = onceKey();
		this.changed();
	}
}
