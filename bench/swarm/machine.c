#include "swarm/machine.h"

#include <stdio.h>

static const struct {
	const char *id, *title;
} profiles[] = {
	{"aws-systems-manager", "AWS Systems Manager, SSM Agent"},
	{"azure-arc", "Azure Arc, Connected Machine agent"},
	{"citrix-smart-tools", "Citrix Smart Tools Agent"},
	{"debian-mirrors", "Debian packages and security updates"},
	{"docker-hub", "Docker Hub, pulling images"},
	{"elastic-agent", "Elastic Agent, managed by Fleet in Elastic Cloud"},
	{"github-actions-runner", "GitHub Actions self-hosted runner"},
	{"ubuntu-pro", "Ubuntu Pro Client"},
};

static const char *const sites[] = {"Frankfurt", "Dublin", "Ohio", "Singapore"};

const char *machine_name(int number, char name[MACHINE_NAME_SIZE])
{
	snprintf(name, MACHINE_NAME_SIZE, "swarm-%05d", number % 100000);
	return name;
}

static json_t *profile_list(void)
{
	json_t *list = json_array();
	for (size_t i = 0; i < sizeof profiles / sizeof *profiles; i++)
		json_array_append_new(
			list, json_pack("{s:s,s:s}", "id", profiles[i].id, "title", profiles[i].title));
	return list;
}

static json_t *interface_list(int number)
{
	char mac[32], ipv4[32], ipv6[48];
	unsigned high = (unsigned)number >> 8 & 0xff, low = (unsigned)number & 0xff;
	snprintf(mac, sizeof mac, "02:00:00:00:%02x:%02x", high, low);
	snprintf(ipv4, sizeof ipv4, "10.0.%u.%u/16", high, low);
	snprintf(ipv6, sizeof ipv6, "fd00::%x/64", (unsigned)number + 1);
	return json_pack(
		"[{s:s,s:s,s:s,s:s,s:b}]", "name", "eth0", "mac", mac, "ipv4", ipv4, "ipv6", ipv6, "up", 1);
}

json_t *machine_inventory(int number)
{
	char name[MACHINE_NAME_SIZE], id[33];
	snprintf(id, sizeof id, "5a11%028x", (unsigned)number);
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:o,s:{s:s,s:i},s:{s:I,s:I},s:i,s:o"
					 ",s:[{s:s,s:s,s:I,s:I}]}",
		"name", machine_name(number, name), "machine_id", id, "platform", "linux", "os", "debian",
		"os_name", "Debian GNU/Linux 12 (bookworm)", "os_version", "12", "kernel", "6.1.0-28-amd64",
		"arch", "x86_64", "agent_version", SALLYPORT_VERSION, "location",
		sites[(size_t)number % (sizeof sites / sizeof *sites)], "profiles", profile_list(), "cpu",
		"model", "simulated", "count", 2, "memory", "total", (json_int_t)4 << 30, "free",
		(json_int_t)2 << 30, "uptime_s", 1000 + number, "interfaces", interface_list(number),
		"disks", "mount", "/", "type", "ext4", "size", (json_int_t)50 << 30, "free",
		(json_int_t)20 << 30);
}

static json_t *stage(const char *name, double ms, json_t *evidence)
{
	return json_pack(
		"{s:s,s:s,s:f,s:o}", "stage", name, "status", "pass", "ms", ms, "evidence", evidence);
}

json_t *machine_path(int number, const char *hub, unsigned port)
{
	char port_text[8], local[32];
	json_t *stages = json_array();
	snprintf(port_text, sizeof port_text, "%u", port);
	snprintf(local, sizeof local, "10.0.%d.%d", number >> 8 & 0xff, number & 0xff);
	json_array_append_new(stages,
		stage("resolve", 1.25,
			json_pack("{s:s,s:s,s:s}", "name", hub, "source", "10.0.0.2", "addresses", hub)));
	json_array_append_new(stages, stage("connect", 12.5,
									  json_pack("{s:s,s:s,s:s,s:s}", "address", hub, "port",
										  port_text, "local", local, "rtt-ms", "12.1")));
	json_array_append_new(stages, json_pack("{s:s,s:s,s:f,s:{}}", "stage", "tunnel", "status",
									  "skipped", "ms", 0.0, "evidence"));
	json_array_append_new(stages,
		stage("secure", 27.75,
			json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "version", "TLSv1.3", "cipher",
				"TLS_AES_256_GCM_SHA384", "alpn", "http/1.1", "subject", "CN=hub", "issuer",
				"CN=Sallyport private CA d3a78e7a", "not-before", "2026-01-01T00:00:00Z",
				"not-after", "2028-04-04T00:00:00Z", "chain",
				"CN=hub < CN=Sallyport private CA d3a78e7a", "fingerprint",
				"sha256/074f074b386467c1797afbed3d3075bd0e0dce0592967bbfb744bb94f43b073d")));
	json_array_append_new(stages, stage("hello", 14.5,
									  json_pack("{s:s,s:s,s:s,s:s}", "status", "101", "hub-key",
										  "SHA256:h94j0aLyvWcptNJrPTR5a4yndU+Yf2/QetSsB21ashY",
										  "proof", "verified", "clock", "agrees")));
	return stages;
}
