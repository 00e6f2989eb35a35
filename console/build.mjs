// Builds the console: node console/build.mjs [--unchecked] [OUTDIR [DEPFILE]]
//
// Type-checks with tsc and bundles with esbuild, side by side, into OUTDIR/{index.html,app.js,app.css}
// (console/dist when not given). The same sources give the same bytes: no dates, no paths of the
// machine. DEPFILE, if given, gets a make rule of everything that was read, for Ninja. With --unchecked
// the types are not looked at: they change no byte.

import { spawn } from "node:child_process";
import { copyFile, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import { readCauses } from "./causes.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));
const top = path.dirname(here);
const unchecked = process.argv[2] === "--unchecked";
const [outdir, depfile] = process.argv.slice(unchecked ? 3 : 2);
const out = path.resolve(outdir ?? path.join(here, "dist"));
const causesFile = path.join(top, "src", "diagnosis", "causes.def");

// `import { causes } from "sallyport:causes"`: the catalogue that agent and hub use, so that the
// console's remedies can never say something else.
const causesPlugin = {
	name: "causes",
	setup(build) {
		build.onResolve({ filter: /^sallyport:causes$/ }, () => ({ path: "causes", namespace: "sallyport" }));
		build.onLoad({ filter: /.*/, namespace: "sallyport" }, async () => ({
			contents: `export const causes = ${JSON.stringify(readCauses(await readFile(causesFile, "utf8")))};`,
			loader: "js",
			watchFiles: [causesFile],
		}));
	},
};

function typeCheck() {
	const tsc = path.join(top, "node_modules", "typescript", "bin", "tsc");
	return new Promise((resolve, reject) => {
		const child = spawn(process.execPath, [tsc, "--noEmit", "-p", path.join(here, "tsconfig.json")], {
			stdio: "inherit",
		});
		child.on("error", reject);
		child.on("exit", (code) =>
			code === 0 ? resolve() : reject(new Error("the console has type errors")),
		);
	});
}

async function bundle() {
	await esbuild.build({
		absWorkingDir: top,
		entryPoints: { app: path.join(here, "src", "main.tsx") },
		outdir: out,
		bundle: true,
		minify: true,
		format: "iife",
		target: ["es2022"],
		jsx: "automatic",
		jsxImportSource: "preact",
		legalComments: "none",
		charset: "utf8",
		plugins: [causesPlugin],
		logLevel: "warning",
	});
}

async function build() {
	await mkdir(out, { recursive: true });
	await Promise.all([bundle(), unchecked ? null : typeCheck()]);
	await copyFile(path.join(here, "src", "index.html"), path.join(out, "index.html"));
	if (depfile) {
		// All of src: what holds types alone is checked, and not bundled. The lock stands for the packages.
		const sources = (await readdir(path.join(here, "src"), { recursive: true })).filter((name) =>
			/\.\w+$/.test(name),
		);
		const own = [
			"build.mjs",
			"causes.mjs",
			"tsconfig.json",
			...sources.map((name) => path.join("src", name)).sort(),
		];
		const read = [
			...own.map((name) => path.join(here, name)),
			path.join(top, "package-lock.json"),
			causesFile,
		];
		const target = path.relative(process.cwd(), path.join(out, "app.js"));
		await writeFile(depfile, `${target}: ${read.map((name) => name.replaceAll(" ", "\\ ")).join(" ")}\n`);
	}
}

try {
	await build();
} catch (error) {
	console.error(`console: ${error.message}`);
	process.exitCode = 1;
}
