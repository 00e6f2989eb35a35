/* What came in answer to a DHCPDISCOVER: one packet, from IP on. */
#include "fuzz.h"
#include "os/dhcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned char mac[DHCP_MAC_BYTES] = {2, 0, 0, 0, 0, 7};
	struct dhcp_offer offer = {.dns_count = 0};
	struct dhcp_message message;
	if (dhcp_read_offer(data, size, 0x01020304, mac, &offer))
		assert(offer.address.s_addr && offer.dns_told);
	assert(offer.dns_count <= LEASE_MAX_DNS);
	if (dhcp_message_read(data, size, &message))
		assert(message.dns_count <= LEASE_MAX_DNS);
	return 0;
}
