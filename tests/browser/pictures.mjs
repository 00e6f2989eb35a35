// Draws the pictures of every page that docs/console.md shows: node tests/browser/pictures.mjs [OUTDIR]
//
// The fleet is made up (the fake hub), so that the same sources give the same pictures but for the
// times in them. PAGE-light.png, of some PAGE-dark.png, and of some PAGE-phone.png.

import { mkdir, mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { FakeHub } from "./fake-hub.mjs";
import { launch, openPage, paintIn } from "./lib.mjs";
import { PAGES } from "./pages.mjs";

const OUT = path.resolve(process.argv[2] ?? fileURLToPath(new URL("../../docs/images/", import.meta.url)));
const WIDE = { width: 1280, height: 820 };
const PHONE = { width: 390, height: 780 };
const ON_A_PHONE = ["servers", "jobs", "job", "new-job", "install", "add-servers"];
const ALSO_DARK = ["servers", "job", "log", "install"];

async function draw(browser, { path: at, arrange, see, act, picture, whole }) {
	const hub = await new FakeHub().start();
	arrange(hub);
	const phone = ON_A_PHONE.includes(picture) ? [PHONE] : [];
	for (const size of [WIDE, ...phone]) {
		const { page, close } = await openPage(browser, hub.url + at, { ...size, reducedMotion: "reduce" });
		await page.getByText(see).first().waitFor();
		await act?.(page, hub);
		await page.evaluate(() => {
			document.activeElement?.blur();
			scrollTo(0, 0);
		});
		if (whole && size === WIDE) {
			const height = await page.evaluate(() => document.documentElement.scrollHeight);
			await page.setViewportSize({ ...size, height });
		}
		const dark = size === WIDE && ALSO_DARK.includes(picture) ? ["dark"] : [];
		for (const theme of ["light", ...dark]) {
			await paintIn(page, theme);
			const name = `${picture}-${size === PHONE ? "phone" : theme}.png`;
			await page.screenshot({ path: path.join(OUT, name) });
			console.log(name);
		}
		await close();
	}
	await hub.stop();
}

await mkdir(OUT, { recursive: true });
const profile = await mkdtemp(path.join(os.tmpdir(), "sallyport-pictures-"));
const browser = await launch(profile);
try {
	for (const page of PAGES.filter(({ picture }) => picture)) await draw(browser, page);
} finally {
	await browser.close();
	await rm(profile, { recursive: true, force: true });
}
