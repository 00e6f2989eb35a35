// Adding servers with the real hub and a real connector (rows R12, R25, S4, B8): a machine is promoted, its
// worker opens what this browser sealed, and says of a host that has no SSH server why it is not here.

import assert from "node:assert/strict";
import os from "node:os";
import net from "node:net";
import { findBarriers } from "./lib.mjs";
import { useReal } from "./real-lib.mjs";

const real = useReal();
const { tell } = real;
const PLACE = "hall 2";
const SECRET = "planted-5f1c-secret";
const press = (page, role, name) => page.getByRole(role, { name, exact: true }).click();
const heading = (page, name) => page.getByRole("heading", { level: 1, name, exact: true }).waitFor();

tell("a machine joins, is put into a location, and promoted", async () => {
	await real.enter();
	const { page } = real;
	await real.addMachine("the connector");
	await press(page, "link", "Locations");
	await press(page, "button", "New location");
	await page.getByRole("dialog", { name: "New location" }).getByLabel("Name").fill(PLACE);
	await page.keyboard.press("Enter");
	await heading(page, PLACE);
	await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Servers" }).click();
	await press(page, "link", os.hostname());
	await heading(page, os.hostname());
	await press(page, "button", "Move");
	const move = page.getByRole("dialog", { name: `Move ${os.hostname()}` });
	await move.getByLabel("Location").selectOption(PLACE);
	await press(move, "button", "Move");
	await page.getByRole("main").getByRole("link", { name: PLACE, exact: true }).waitFor();
	await press(page, "button", "Promote to connector");
	await press(page, "button", "Promote");
	await page.getByText("as a connector").waitFor();
});

tell("a host that refuses connections is told with its cause, and has its row in the list", async (page) => {
	const refusing = net.createServer();
	await new Promise((resolve) => refusing.listen(0, "127.0.0.1", resolve));
	const { port } = refusing.address();
	await new Promise((resolve) => refusing.close(resolve));

	await page.getByRole("main").getByRole("link", { name: PLACE, exact: true }).click();
	await heading(page, PLACE);
	await press(page, "link", "Add servers");
	await page.getByText("does the work.").waitFor();
	await page.getByLabel("Hosts", { exact: true }).fill(`127.0.0.1:${port}`);
	await page.getByLabel("Password", { exact: true }).fill(SECRET);
	const sent = page.waitForRequest((request) => request.method() === "POST");
	await press(page, "button", "Look at 1 host");
	assert.ok(!(await sent).postData().includes(SECRET));
	await heading(page, "Install on 1 host");
	await page.getByText(`refuses connections to port ${port}`).first().waitFor();
	await page.getByText("It is over.").waitFor();
	await press(page, "link", `127.0.0.1:${port}`);
	await page.getByRole("dialog").getByText("host-refused").waitFor();
	assert.deepEqual(await findBarriers(page), []);
	await page.keyboard.press("Escape");
	await page.getByRole("dialog").waitFor({ state: "detached" });

	await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Servers" }).click();
	const row = page.getByRole("row").filter({ hasText: "Not here" });
	await row.getByText("stopped at connection").waitFor();
	await row.getByRole("button", { name: "Expect it no longer" }).click();
	await row.waitFor({ state: "detached" });
	assert.ok(!(real.hub.said + real.agent.said).includes(SECRET));
});
