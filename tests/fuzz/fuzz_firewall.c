/* The listing of nft or iptables-save: what the authors of rules, and programs that make them,
 * wrote. */
#include "fuzz.h"

#include "os/linux/firewall_model.h"

static void follow(const struct firewall *firewall)
{
	static const struct firewall_packet packets[] = {
		{.direction = FIREWALL_OUT, .protocol = IPPROTO_TCP, .to_port = 443, .interface = "eth0"},
		{.direction = FIREWALL_OUT, .protocol = IPPROTO_UDP, .to_port = 53},
		{.direction = FIREWALL_IN, .protocol = IPPROTO_TCP, .from_port = 443, .answer = true},
		{.direction = FIREWALL_IN,
			.protocol = IPPROTO_TCP,
			.to_port = 22,
			.sender = FIREWALL_SENDER_ANY,
			.interface = "eth0"},
		{.direction = FIREWALL_IN,
			.protocol = IPPROTO_UDP,
			.to_port = 22,
			.sender = FIREWALL_SENDER_UNLISTED},
	};
	for (size_t i = 0; i < ARRAY_LEN(packets); i++) {
		struct firewall_answer answer;
		const struct fw_rule *rule = fw_evaluate(firewall, &packets[i], &answer);
		assert(!answer.by_sender || packets[i].sender == FIREWALL_SENDER_ANY);
		assert(answer.verdict != FIREWALL_UNKNOWN || answer.reason[0]);
		assert(!rule || answer.place[0]);
		assert(!firewall->incomplete || answer.verdict == FIREWALL_UNKNOWN);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(fw_drop) struct firewall *firewall = fw_new();
	const char *text = (const char *)data;
	struct err err;
	int rc = size && *data == '{' ? fw_read_nft(firewall, text, size, &err)
								  : fw_read_iptables(firewall, "ip", true, text, size, &err);
	if (rc == 0) {
		fw_link(firewall);
		follow(firewall);
	}
	return 0;
}
