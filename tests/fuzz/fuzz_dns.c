/* A DNS answer, from a server or from somebody in its place. */
#include "dial/dns.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum dns_type types[] = {DNS_A, DNS_AAAA};
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		struct dns_answer answer = {.rcode = -1};
		dns_classify(data, size, types[i], &answer);
		assert(answer.outcome < DNS_OUTCOME_COUNT && answer.count <= DNS_MAX_ADDRESSES);
	}
	return 0;
}
