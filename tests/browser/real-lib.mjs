// The real hub and the real agent, for the tests that tell a story of them in a browser.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { openPage, saveScreen, useBrowser } from "./lib.mjs";

const top = fileURLToPath(new URL("../../", import.meta.url));
const build = path.resolve(top, process.env.SALLYPORT_BUILD ?? "build");
export const program = (name) => path.join(build, name);
export const PASSWORD = "seven quiet lanterns";
const QUICK = [
	"--heartbeat-ms",
	"500",
	"--heartbeat-jitter-ms",
	"0",
	"--heartbeat-timeout-ms",
	"20000",
	"--backoff-cap-ms",
	"500",
];

// No proxy of this machine's environment: everything stays on loopback.
export const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/proxy/i.test(name)));

export const run = promisify(execFile);

function start(name, args, marker) {
	const child = spawn(program(name), args, { env, stdio: ["ignore", "pipe", "pipe"] });
	child.ended = new Promise((resolve) => child.once("exit", resolve));
	child.said = "";
	child.ready = new Promise((resolve, reject) => {
		const hear = (chunk) => {
			child.said += chunk;
			if (!marker || marker.test(child.said)) resolve(child);
		};
		child.stdout.on("data", hear);
		child.stderr.on("data", hear);
		if (!marker) resolve(child);
		child.once("exit", (code) => reject(new Error(`${name} ended with ${code}: ${child.said}`)));
	});
	child.ready.catch(() => {});
	return child;
}

export async function end(child, signal = "SIGTERM") {
	if (!child || child.exitCode !== null || child.signalCode !== null) return;
	child.kill(signal);
	await child.ended;
}

// One hub, one machine and one page, in the order of the tests of a file. `real.page` is there once
// enter() has made the first administrator.
export function useReal() {
	const chromium = useBrowser();
	const real = {
		startHub: async (listen) => {
			const hub = start(
				"sallyport-hub",
				[
					"serve",
					"--root",
					path.join(real.root, "hub"),
					"--listen",
					listen,
					"--name",
					"127.0.0.1",
					...QUICK,
				],
				/^ready$/m,
			);
			real.hub = hub;
			await hub.ready;
			real.origin = hub.said.match(/https:\/\/127\.0\.0\.1:\d+/)[0];
		},
		startAgent: () => {
			real.agent = start("sallyport", ["agent", "--verbose", "--root", path.join(real.root, "agent")]);
		},
		// Runs a command as the console shows it, as a person would, but with this build and root, without sudo.
		runShown: (command, place) => {
			assert.match(command, /(^|\| )sudo sallyport join /);
			const line = command.replace("sudo sallyport", '"$PROGRAM"');
			return run("/bin/sh", ["-c", `${line} --root "$PLACE"`], {
				env: { ...env, PROGRAM: program("sallyport"), PLACE: path.join(real.root, place) },
			});
		},
		link: () => real.hub.said.match(/first administrator: (\S+)/)[1],
		open: (url) =>
			openPage(chromium.browser, url, { permissions: ["clipboard-read", "clipboard-write"] }),
		enter: async () => {
			real.opened = await real.open(real.link());
			real.page = real.opened.page;
			await real.page.getByLabel("Name").fill("keeper");
			await real.page.getByLabel("Password", { exact: true }).fill(PASSWORD);
			await real.page.getByRole("button", { name: "Make administrator and sign in" }).click();
			await real.page.getByRole("heading", { name: "No servers yet" }).waitFor();
		},
		// The first machine joins with the command that the console shows, and its agent is started.
		addMachine: async (label) => {
			const { page } = real;
			await page.getByRole("link", { name: "Add server" }).first().click();
			await page.getByLabel("Label").fill(label);
			await page.getByRole("button", { name: "Make token" }).click();
			await page.getByRole("button", { name: "Copy: the command that joins" }).click();
			await page.getByText("Copied").first().waitFor();
			await page.getByText("Waiting for the server…").waitFor();
			await real.runShown(await page.evaluate(() => navigator.clipboard.readText()), "agent");
			real.startAgent();
			await page.getByText("It is here:").waitFor();
			await page.getByRole("button", { name: "Done" }).click();
			await page.getByRole("dialog").waitFor({ state: "detached" });
		},
		// A test of the story: keeps a picture when it fails.
		tell: (title, use) =>
			test(title, async () => {
				try {
					await use(real.page);
				} catch (error) {
					if (real.page) await saveScreen(real.page);
					throw error;
				}
				assert.deepEqual(real.opened.wrongs, []);
			}),
	};
	before(async () => {
		for (const name of ["sallyport", "sallyport-hub"])
			assert.ok(existsSync(program(name)), `${program(name)} is missing: ./dev build`);
		real.root = await mkdtemp(path.join(os.tmpdir(), "sallyport-real-"));
		await real.startHub("127.0.0.1:0");
	});
	after(async () => {
		await real.opened?.session.close();
		await end(real.agent);
		await end(real.hub);
		await rm(real.root, { recursive: true, force: true });
	});
	return real;
}
