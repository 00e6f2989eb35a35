// Walking a page with the keyboard alone.

import assert from "node:assert/strict";
import { until } from "./lib.mjs";

// Where the focus is, in the words that a screen reader would say, and whether that can be seen.
export const focused = (page) =>
	page.evaluate(() => {
		const at = document.activeElement;
		const ring = [at, at.closest(".row"), at.closest(".script-editor")].some(
			(each) => each && getComputedStyle(each).outlineStyle === "solid",
		);
		const name =
			at.getAttribute("aria-label") ?? at.labels?.[0]?.textContent.trim() ?? at.textContent.trim();
		return { name: name.replace(/\s+/g, " "), ring, tag: at.tagName };
	});

// Presses the tab key until the focus is on what is called so; every stop on the way has to be seen.
export async function tabTo(page, name, key = "Tab") {
	const stops = [];
	for (let i = 0; i < 90; i++) {
		await page.keyboard.press(key);
		const at = await focused(page);
		if (!["BODY", "MAIN"].includes(at.tag)) assert.ok(at.ring, `the focus on “${at.name}” is not seen`);
		if (typeof name === "string" ? at.name === name : name.test(at.name)) return;
		stops.push(at.name.slice(0, 30));
	}
	throw new Error(`no way to “${name}”; passed: ${stops.join(" | ")}`);
}

// A page that was gone to has the focus at its top; a key before that would be lost to it.
export const arrived = (page) => until(async () => (await focused(page)).tag, "MAIN");
