/* The files of DHCP clients and network managers, and the command lines of processes. */
#include "fuzz.h"
#include "os/dhcp.h"
#include "os/linux/parts.h"

typedef bool parse_text(char *text, struct lease *lease);

static bool networkd(char *text, struct lease *lease)
{
	return lease_parse_networkd(text, 1700000000, lease);
}

static bool network_manager(char *text, struct lease *lease)
{
	return lease_parse_network_manager(text, 1700000000, lease);
}

static bool dhclient(char *text, struct lease *lease)
{
	return lease_parse_dhclient(text, "eth0", lease);
}

static void check_lease(bool found, const struct lease *lease)
{
	assert(found == (lease->address.s_addr != 0));
	assert(lease->dns_count <= LEASE_MAX_DNS && (found || !lease->dns_count));
	assert(lease->expires_at >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static parse_text *const parsers[] = {networkd, network_manager, dhclient};
	static const struct addressing addressing = {
		.links = {{.index = 1, .name = "lo"}, {.index = 2, .name = "eth0"}}, .link_count = 2};
	struct lease lease;
	for (size_t i = 0; i < ARRAY_LEN(parsers); i++) {
		char *text = fuzz_text(data, size);
		check_lease(parsers[i](text, &lease), &lease);
		free(text);
	}
	check_lease(lease_parse_packet(data, size, 1700000000, &lease), &lease);
	struct ini_line line = {.section = NULL};
	char *text = fuzz_text(data, size), *rest = text;
	while (ini_next(&rest, &line))
		assert(line.section && line.key && line.value);
	free(text);
	dhcp_client_match((const char *)data, size, &addressing, &addressing.links[1]);
	return 0;
}
