/* A ClientHello at the gate: looked at before anybody answers. */
#include "fuzz.h"
#include "hub/net/client_hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool h2 = client_hello_offers(data, size, "h2");
	client_hello_offers(data, size, "");
	/* What was cut off in the middle offers nothing that the whole does not. */
	if (client_hello_offers(data, size / 2, "h2"))
		assert(h2);
	return 0;
}
