// The pages about locations and installs, in the states that are worth a look (see pages.mjs), and the
// made-up fleet behind them.

import { ago } from "./fake-data.mjs";

const MINUTE = 60_000;
export const HALL = "hall 2";
const print = (i) =>
	`SHA256:${Buffer.from(`a host key, no. ${i}, made up`.padEnd(32, "x")).toString("base64url").slice(0, 43)}`;
export const hostKey = (i, state = "new", over = {}) => ({
	type: "ssh-ed25519",
	fingerprint: print(i),
	state,
	...over,
});
export const FACTS = {
	os: "Debian GNU/Linux 12 (bookworm)",
	arch: "x86_64",
	init: "systemd",
	user: "root",
	privilege: "root",
	free_mb: 18_200,
};

export const WRONG_PASSWORD = {
	state: "failed",
	stage: "authenticate",
	outcome: "auth-failed",
	sentence: "The host does not let root in with the password.",
	remedy: "Check user name and password or key; for a key, its public part must stand in ~/.ssh/authorized_keys there, and root logins may be forbidden (PermitRootLogin).",
	evidence: [{ name: "offered", value: "publickey, password" }],
};
const CHANGED = {
	state: "failed",
	stage: "host-key",
	outcome: "host-key-changed",
	sentence: "The host shows another key than the one that was confirmed before. Nothing was sent to it.",
	remedy: "If the host was set up anew, compare the fingerprint on its own console and remove the old one in the location; otherwise somebody may stand in between.",
};
const SILENT = {
	state: "failed",
	stage: "connect",
	outcome: "host-silent",
	sentence: "Nothing answers at 10.7.0.44 port 22 within 10 seconds.",
	remedy: "Check that the host is switched on, and let the connector's address through to that port in the firewalls between them.",
};
const NO_WAY = {
	state: "failed",
	stage: "way",
	outcome: "no-way",
	sentence:
		"The host's own way to the hub ends: the proxy http://10.0.0.9:3128 forbids hub.example.net:443 (HTTP 403).",
	remedy: "Allow CONNECT to hub.example.net:443 in the proxy's rules.",
	host_key: hostKey(9, "known"),
	facts: FACTS,
};

const names = (n) => Array.from({ length: n }, (_, i) => `10.7.0.${i + 10}`);

// A fleet with three locations: one with two connectors, one whose only one is offline, one with none.
export function places(hub) {
	hub.fill(40);
	const first = hub.installs.addConnector(HALL, "jump-01");
	hub.installs.addConnector(HALL, "jump-02");
	hub.installs.addConnector("Bern", "relay-bern", {
		status: "offline",
		reason: "The machine was switched off.",
		since: ago(50 * MINUTE),
	});
	const place = hub.installs.place(HALL);
	place.addressing = "dhcp";
	place.breaks = [
		{
			id: first.id,
			name: "jump-01",
			address: "10.7.0.2",
			sentence: "Its address 10.7.0.2 was set by hand: no DHCP server gave it.",
		},
	];
	hub.installs.pinned = [1, 2, 3].map((i) => ({
		id: `k${i}`,
		host: `10.7.0.${i + 9}`,
		port: 22,
		fingerprint: print(i),
		confirmed_by: "nina",
		confirmed_at: ago(i * 300 * MINUTE),
	}));
	return hub;
}

const over = { state: "done", finished_at: ago(70 * MINUTE), created_at: ago(72 * MINUTE) };

// One install of each kind: over with problems, over, and one at work.
export function installs(hub) {
	places(hub);
	const online = { state: "online", stage: "online", facts: FACTS, host_key: hostKey(1, "known") };
	hub.installs.add(names(12), { ...over, location: HALL }, () => online);
	hub.installs.add(
		["10.7.0.9", "10.7.0.44", "10.7.0.45"],
		{ ...over, location: HALL },
		(i) => [{ ...WRONG_PASSWORD, name: "db-07" }, SILENT, NO_WAY][i],
	);
	hub.installs.add(names(24), { location: HALL, state: "working" }, (i) => {
		const known = { host_key: hostKey(i, "known"), facts: FACTS, name: `rack-${i + 1}` };
		if (i < 8) return { ...known, ...online };
		if (i < 14) return { ...known, state: "working", stage: "copy", sent: i * 360_000, total: 5_400_000 };
		if (i < 17) return { ...known, state: "working", stage: "setup" };
		if (i < 18) return { ...known, state: "joined", stage: "online" };
		if (i < 19) return { ...known, ...NO_WAY, host: "10.7.0.28" };
		if (i < 20)
			return {
				...known,
				state: "kept",
				stage: "existing",
				outcome: "agent-newer",
				sentence: "A newer agent (0.2.0) is there, and stays.",
			};
		return { ...known, state: "waiting" };
	});
	return hub;
}

// One whose look is over: keys to confirm, one that has changed, some that are known.
export function waiting(hub) {
	places(hub);
	hub.installs.add(names(10), { location: HALL, state: "waiting" }, (i) => {
		const key = { host_key: hostKey(i), stage: "host-key", state: "ready", name: `rack-${i + 1}` };
		if (i === 2) return { ...key, ...WRONG_PASSWORD, host_key: hostKey(i, "known") };
		if (i === 5) return { ...key, ...CHANGED, host_key: hostKey(i, "changed", { expected: print(50) }) };
		if (i === 8) return { ...key, state: "absent", host_key: null, stage: "connect" };
		if (i === 7 || i === 9)
			return { ...key, state: "ready", stage: "existing", facts: FACTS, host_key: hostKey(i, "known") };
		return key;
	});
	return hub;
}

export async function fillHosts(page, text) {
	await page.getByLabel("Hosts", { exact: true }).fill(text);
}

export const PLACES = [
	{ name: "locations", path: "/#/locations", arrange: places, see: "relay-bern", picture: "locations" },
	{
		name: "a location",
		path: "/#/locations/hall%202",
		arrange: installs,
		see: "was set by hand",
		picture: "location",
		whole: true,
		act: (page) => page.getByText("Install on 24 hosts").waitFor(),
	},
	{
		name: "servers that are added",
		path: "/#/add-servers",
		arrange: places,
		see: "What may stand in the list",
		picture: "add-servers",
		whole: true,
		act: async (page) => {
			await page.getByLabel("Location").selectOption(HALL);
			await fillHosts(
				page,
				"rack-1.example.net\nadmin@10.7.0.9:2222   # the old one\n10.7.0.16/28\n10.7.1.5-20\n",
			);
			await page.getByLabel("Password", { exact: true }).fill("a made-up password");
			await page.getByRole("button", { name: "Look at 32 hosts" }).waitFor();
		},
	},
	{
		name: "servers that are added, with everything wrong",
		path: "/#/add-servers?location=hall+2",
		arrange: places,
		see: "What may stand in the list",
		act: async (page) => {
			await fillHosts(page, "10.0.0.0/8\nhost name,22\nroot@\n");
			await page.getByLabel("User").fill("");
			await page.getByText("With both").click();
			await page.getByLabel("Private key", { exact: true }).fill("ssh-ed25519 AAAA me");
			await page.getByRole("button", { name: "Look at" }).click();
			await page.getByText("That is the public half.").waitFor();
		},
	},
	{
		name: "host keys to be confirmed",
		path: "/#/installs/install1",
		arrange: waiting,
		see: "All 5 new keys are right",
		picture: "host-keys",
		whole: true,
		act: async (page) => {
			await page.getByLabel("The key of 10.7.0.10 is right").check();
			await page.getByRole("button", { name: "Start on 3 hosts" }).waitFor();
		},
	},
	{
		name: "an install at work",
		path: "/#/installs/install3",
		arrange: installs,
		see: "forbids hub.example.net:443",
		picture: "install",
	},
	{
		name: "a host of an install",
		path: "/#/installs/install2",
		arrange: installs,
		see: "Nothing answers at 10.7.0.44",
		act: async (page) => {
			await page.getByRole("link", { name: "db-07" }).click();
			await page.getByRole("dialog", { name: "db-07" }).getByText("publickey, password").waitFor();
		},
		picture: "host",
	},
	{
		name: "servers that are expected",
		path: "/#/",
		arrange: installs,
		see: "Not here",
		picture: "missing",
	},
];
