// A made-up fleet for the fake hub: servers, the ways they took, their checks.

export const HOUR = 3_600_000;
export const ago = (ms) => new Date(Date.now() - ms).toISOString();

export const PASSWORD = "correct horse battery";
export const SETUP_CODE = "first-code";

// The `i`th server of a made-up fleet.
export function makeServer(i, over = {}) {
	const systems = [
		"Debian GNU/Linux 12 (bookworm)",
		"Ubuntu 24.04.1 LTS",
		"Rocky Linux 9.4",
		"Windows Server 2022",
	];
	const roles = ["web", "db", "cache", "build", "mail"];
	const os = systems[i % systems.length];
	return {
		id: `srv${String(i).padStart(8, "0")}`,
		name: `${roles[i % roles.length]}-${String(i).padStart(2, "0")}`,
		status: "online",
		reason: null,
		cause: null,
		since: ago(((i * 37) % 700) * 0.3 * HOUR + 60_000),
		address: `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`,
		mac: `52:54:00:00:${((i >> 8) & 255).toString(16).padStart(2, "0")}:${(i & 255).toString(16).padStart(2, "0")}`,
		os_name: os,
		platform: os.startsWith("Windows") ? "windows" : "linux",
		location: ["Zürich", "Bern", ""][i % 3],
		version: "0.1.0",
		last_seen: ago(20_000),
		...over,
	};
}

export const OFFLINE = {
	status: "offline",
	cause: "proxy-auth-rejected",
	reason: "The proxy http://10.0.0.9:3128 rejects the credentials of user sallyport.",
	since: ago(12 * 60_000),
	last_seen: ago(12 * 60_000),
};

export const STAGES = [
	{
		stage: "resolve",
		status: "pass",
		ms: 1.8,
		evidence: { name: "proxy.example.net", resolver: "10.0.0.2", address: "10.0.0.9" },
	},
	{ stage: "connect", status: "pass", ms: 0.6, evidence: { address: "10.0.0.9", port: "3128" } },
	{
		stage: "tunnel",
		status: "pass",
		ms: 4.2,
		evidence: { proxy: "http://10.0.0.9:3128", status: "200", auth: "Basic" },
	},
	{
		stage: "secure",
		status: "pass",
		ms: 22.4,
		evidence: { version: "TLSv1.3", cipher: "TLS_AES_256_GCM_SHA384", issuer: "Sallyport hub CA" },
	},
	{ stage: "hello", status: "pass", ms: 8.9, evidence: { status: "101", "hub-key": "SHA256:5f1c…" } },
];

export const REPORT = {
	schema: "sallyport.check/1",
	profile: { id: "citrix-smart-tools", title: "Citrix Smart Tools Agent" },
	host: { name: "web-01", os: "linux" },
	verdict: "fail",
	proxy: { url: "http://10.0.0.9:3128", auth: "basic", from: "HTTPS_PROXY (environment)" },
	causes: [
		{
			id: "proxy-denied",
			stage: "tunnel",
			severity: "fail",
			confidence: "certain",
			who: "proxy administrator",
			sentence: "The proxy http://10.0.0.9:3128 forbids rttf.citrix.com:443 (HTTP 403).",
			remedy: "Allow CONNECT to rttf.citrix.com:443 in the proxy's rules.",
			affects: ["endpoint.upload"],
			evidence: [
				{ name: "status", value: "403" },
				{ name: "via", value: "squid/5.7" },
			],
		},
	],
	requirements: [
		{
			id: "endpoint.console",
			title: "smart.cloud.com:443, console and API",
			section: "Port requirements",
			row: "R7",
			status: "pass",
			cause: null,
			stages: STAGES,
		},
		{
			id: "endpoint.upload",
			title: "rttf.citrix.com:443, upload",
			section: "Port requirements",
			row: "R7",
			status: "fail",
			cause: "proxy-denied",
			stages: [
				STAGES[0],
				STAGES[1],
				{ stage: "tunnel", status: "fail", ms: 3.1, evidence: { status: "403" } },
			],
		},
		{
			id: "addressing.dhcp-server",
			title: "A DHCP server hands out addresses",
			section: "Network",
			row: "R1",
			status: "unknown",
			cause: null,
			stages: [],
		},
		{
			id: "clock",
			title: "The clock is right",
			section: "Network",
			row: "",
			status: "pass",
			cause: null,
			stages: [],
		},
	],
};

// A check as the history has it, with its report; `over` says what is another.
export function makeCheck(id, over = {}) {
	const report = "report" in over ? over.report : REPORT;
	return {
		id,
		state: "done",
		requested_by: null,
		requested_at: ago(HOUR),
		started_at: ago(HOUR),
		finished_at: ago(HOUR),
		profile: { id: report?.profile?.id ?? null, title: report?.profile?.title ?? null },
		deep: false,
		verdict: report?.verdict ?? null,
		causes: (Array.isArray(report?.causes) ? report.causes : []).map((cause) => ({
			id: cause?.id,
			severity: cause?.severity,
			sentence: cause?.sentence,
		})),
		reason: null,
		repeats: 1,
		report,
		...over,
	};
}

export const INVENTORY = {
	name: "web-01",
	machine_id: "b0f6a2f1c0de4a19",
	platform: "linux",
	os: "linux",
	os_name: "Debian GNU/Linux 12 (bookworm)",
	os_version: "12",
	kernel: "6.1.0-26-amd64",
	arch: "x86_64",
	agent_version: "0.1.0",
	cpu: { model: "AMD EPYC 7543", count: 4 },
	memory: { total: 8_330_000_000, free: 3_120_000_000 },
	uptime_s: 1_210_000,
	interfaces: [{ name: "eth0", mac: "52:54:00:00:00:01", ipv4: "10.0.0.1", ipv6: "", up: true }],
	disks: [{ mount: "/", type: "ext4", size: 42_000_000_000, free: 19_500_000_000 }],
	profiles: [
		{ id: "citrix-smart-tools", title: "Citrix Smart Tools Agent" },
		{ id: "debian-mirrors", title: "Debian mirrors" },
	],
};
