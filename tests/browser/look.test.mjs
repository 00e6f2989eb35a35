// How the pages look and whether everybody can use them, as far as a program can tell: enough contrast,
// names for every control, nothing that axe-core calls serious, no sideways scrolling, both themes, at
// a desk's width and a phone's.

import assert from "node:assert/strict";
import { test } from "node:test";
import { findBarriers, lowContrast, nameless, painted, paintIn, useBrowser, withHub } from "./lib.mjs";
import { fleet, PAGES } from "./pages.mjs";

const chromium = useBrowser();

for (const { name, path, arrange, see, act } of PAGES) {
	test(`${name}: wide and on a phone, light and dark`, () =>
		withHub(chromium.browser, { arrange, path, reducedMotion: "reduce" }, async (page, hub) => {
			await page.getByText(see).first().waitFor();
			await act?.(page, hub);
			for (const width of [1280, 390]) {
				await page.setViewportSize({ width, height: 800 });
				for (const colorScheme of ["light", "dark"]) {
					await paintIn(page, colorScheme);
					const where = `${colorScheme}, ${width} px`;
					assert.deepEqual(await page.evaluate(lowContrast), [], `contrast, ${where}`);
				}
				// Of what axe-core looks at, the theme changes the colours alone, and those were looked at.
				await paintIn(page, "light");
				assert.deepEqual(await findBarriers(page), [], `axe-core, ${width} px`);
				assert.deepEqual(await page.evaluate(nameless), []);
				const overflow = await page.evaluate(
					() => document.documentElement.scrollWidth - document.documentElement.clientWidth,
				);
				assert.ok(overflow <= 0, `${overflow} px too wide at ${width} px`);
			}
		}));
}

test("the theme follows the system until one is chosen, and the choice is kept", () =>
	withHub(chromium.browser, { colorScheme: "dark" }, async (page) => {
		const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
		const press = () => page.getByRole("button", { name: /^Colours/ }).click();
		await page.getByRole("button", { name: "Colours: as the system" }).waitFor();
		const dark = await paper();
		await press();
		const light = await paper();
		assert.notEqual(dark, light);
		await page.reload();
		await page.getByRole("button", { name: "Colours: light" }).waitFor();
		assert.equal(await paper(), light);
		await press();
		assert.equal(await paper(), dark);
		await press();
		assert.deepEqual(await page.evaluate(() => Object.keys(localStorage)), []);
	}));

test("with reduced motion nothing moves", () =>
	withHub(
		chromium.browser,
		{
			arrange: (hub) => {
				hub.fill(2);
			},
			path: "/#/add",
			reducedMotion: "reduce",
		},
		async (page) => {
			await page.getByRole("button", { name: "Make token" }).click();
			await page.locator(".pulse").waitFor();
			const moving = await page.evaluate(() => document.getAnimations().length);
			assert.equal(moving, 0);
		},
	));

test("rows are tall enough for what they say", async () => {
	for (const width of [1280, 760, 390]) {
		await withHub(chromium.browser, { arrange: fleet, width }, async (page) => {
			await page.getByText("rejects the credentials").first().waitFor();
			await painted(page);
			const cut = await page.evaluate(
				() =>
					[...document.querySelectorAll(".row-why")].filter((why) => {
						const row = why.closest(".row").getBoundingClientRect();
						const last = why.lastElementChild;
						return (
							last.getBoundingClientRect().bottom > row.bottom ||
							last.scrollHeight > last.clientHeight + 1
						);
					}).length,
			);
			assert.equal(cut, 0, `${cut} rows are cut at ${width} px`);
		});
	}
});
