// What the browser tests share: one Chromium a file, a page that reports every wrong thing it does.

import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { after, before } from "node:test";
import assert from "node:assert/strict";
import { chromium } from "playwright-core";
import { FakeHub } from "./fake-hub.mjs";

const FLAGS = [
	"--headless",
	"--no-sandbox",
	"--disable-gpu",
	"--disable-quic",
	"--no-first-run",
	"--disable-background-networking",
	"--disable-component-update",
	"--disable-sync",
];

export function launch(profile) {
	return chromium.launch({
		executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
		args: FLAGS,
		env: { ...process.env, HOME: profile },
	});
}

// Only what is broken lasts so long, however busy the machine is.
const PATIENCE_MS = 60_000;

// Reads until it is as expected (a pattern, or a value of its own): for whatever comes a little after
// what the test has waited for. Answers with what was read last.
export async function until(read, expected) {
	for (const deadline = Date.now() + PATIENCE_MS; ; ) {
		const value = await read();
		try {
			if (expected instanceof RegExp) assert.match(value, expected);
			else assert.deepEqual(value, expected);
			return value;
		} catch (error) {
			if (Date.now() > deadline) throw error;
		}
		await new Promise((resolve) => setTimeout(resolve, 10));
	}
}

// One browser for the tests of a file, with a profile of its own, closed and removed after them.
export function useBrowser() {
	const state = {};
	before(async () => {
		state.profile = await mkdtemp(path.join(os.tmpdir(), "sallyport-browser-"));
		state.browser = await launch(state.profile);
	});
	after(async () => {
		await state.browser?.close();
		await rm(state.profile, { recursive: true, force: true });
	});
	return state;
}

// A page in a context of its own (nothing kept from other tests). Closing it fails the test when the
// page broke its Content-Security-Policy, threw, or asked anybody but its hub.
export async function openPage(browser, url, { width = 1280, height = 800, ...context } = {}) {
	const session = await browser.newContext({
		viewport: { width, height },
		ignoreHTTPSErrors: true,
		locale: "en-GB",
		timezoneId: "UTC",
		...context,
	});
	const page = await session.newPage();
	page.setDefaultTimeout(PATIENCE_MS);
	const wrongs = [];
	page.on("pageerror", (error) => wrongs.push(`threw: ${error.message}`));
	page.on("console", (message) => {
		const text = message.text();
		if (/Content.Security.Policy|Refused to/i.test(text)) wrongs.push(text);
	});
	page.on("request", (request) => {
		const asked = new URL(request.url());
		if (asked.protocol !== "data:" && asked.origin !== new URL(url).origin)
			wrongs.push(`asked ${request.url()}`);
	});
	await page.addInitScript(() => {
		addEventListener("securitypolicyviolation", (event) => {
			console.error(`Content Security Policy: ${event.violatedDirective} ${event.blockedURI}`);
		});
	});
	await page.goto(url);
	return {
		page,
		session,
		wrongs,
		close: async () => {
			await session.close();
			assert.deepEqual(wrongs, []);
		},
	};
}

// Runs in the page: texts whose colour is too near to what is behind them (WCAG 2.2 AA: 4.5, or 3 for
// large text). Answers with a list of "text: ratio".
export function lowContrast() {
	const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
	const rgba = (colour) => {
		canvas.clearRect(0, 0, 1, 1);
		canvas.fillStyle = colour;
		canvas.fillRect(0, 0, 1, 1);
		const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
		return [r, g, b, a / 255];
	};
	const over = (top, under) => top.slice(0, 3).map((c, i) => c * top[3] + under[i] * (1 - top[3]));
	const behind = (element) => {
		if (!element) return [255, 255, 255];
		const colour = rgba(getComputedStyle(element).backgroundColor);
		return colour[3] === 1 ? colour.slice(0, 3) : over(colour, behind(element.parentElement));
	};
	const light = (rgb) => {
		const [r, g, b] = rgb.map((c) =>
			c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4,
		);
		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	};
	const found = [];
	const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	while (walker.nextNode()) {
		const text = walker.currentNode.data.trim();
		const element = walker.currentNode.parentElement;
		if (!text || !element.checkVisibility({ visibilityProperty: true })) continue;
		if (element.closest(".unseen, .skip, noscript, :disabled, option")) continue;
		const style = getComputedStyle(element);
		const background = behind(element);
		const a = light(over(rgba(style.color), background));
		const b = light(background);
		const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
		const large =
			parseFloat(style.fontSize) >= 24 ||
			(parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
		if (ratio < (large ? 3 : 4.5)) found.push(`${text.slice(0, 40)}: ${ratio.toFixed(2)}`);
	}
	return [...new Set(found)];
}

// What the page has done is painted, and its scroll events are heard.
export const painted = (page) =>
	page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));

// Changes the system's theme, and waits until it is painted.
export async function paintIn(page, colorScheme) {
	await page.emulateMedia({ colorScheme });
	await painted(page);
}

// Where the page is, asked of the page: page.url() may be a step behind.
export const address = (page) => page.evaluate(() => location.href);

export const focusedId = (page) => page.evaluate(() => document.activeElement.id);
export const focusedText = (page) => page.evaluate(() => document.activeElement.textContent);

// A field by all of its label: as a part, "Script" is in "The script" too.
export const field = (page, label) =>
	page.getByLabel(new RegExp(`^\\s*${label}\\s*(\\(optional\\)\\s*)?$`));

// Runs in the page: controls and links without a name that a screen reader could say.
export function nameless() {
	return [...document.querySelectorAll("a, button, input, select, summary, meter, dialog, [role='table']")]
		.filter((element) => element.checkVisibility())
		.filter((element) => {
			const labels = [...(element.labels ?? [])].map((label) => label.textContent).join("");
			const by =
				document.getElementById(element.getAttribute("aria-labelledby") ?? "")?.textContent ?? "";
			return !(element.getAttribute("aria-label") || by || labels || element.textContent.trim());
		})
		.map((element) => element.outerHTML.slice(0, 80));
}

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

// What axe-core finds serious or critical, as "rule: element". It
// runs from outside the page, whose policy lets no script in.
export async function findBarriers(page) {
	if (!(await page.evaluate("'axe' in window"))) await page.evaluate(axe);
	const found = await page.evaluate(async () => {
		const { violations } = await window.axe.run(document, { resultTypes: ["violations"] });
		return violations.flatMap(({ id, impact, nodes }) =>
			nodes.map((node) => ({ impact, words: `${id}: ${node.html.slice(0, 120)}` })),
		);
	});
	return found.filter(({ impact }) => ["serious", "critical"].includes(impact)).map(({ words }) => words);
}

// The page hears the hub's events.
export const listening = (hub) => until(() => hub.listeners > 0, true);

// The page hears the hub's events, and has fetched once more what begins so, as it does when it hears
// them: nothing but the test moves it from here on.
export async function settled(hub, what) {
	await listening(hub);
	const fetched = () =>
		hub.requests.slice(hub.requests.lastIndexOf("GET /v1/me")).filter((each) => each.startsWith(what));
	await until(() => fetched().length >= 2, true);
	await until(() => hub.answering, 0);
}

// A fake hub and a page on it, for the length of one test. `arrange` runs before the page opens.
export async function withHub(browser, { arrange, path: at = "/", ...options }, use) {
	const hub = await new FakeHub().start();
	try {
		await arrange?.(hub);
		const opened = await openPage(browser, hub.url + at, options);
		try {
			await use(opened.page, hub, opened);
		} catch (error) {
			await saveScreen(opened.page);
			await opened.session.close();
			throw error;
		}
		await opened.close();
	} finally {
		await hub.stop();
	}
}

const OUT = fileURLToPath(new URL("./out/", import.meta.url));

// What the page showed when a test failed, in tests/browser/out.
export async function saveScreen(page) {
	await mkdir(OUT, { recursive: true });
	await page.screenshot({ path: path.join(OUT, `failed-${Date.now()}.png`) }).catch(() => {});
}
