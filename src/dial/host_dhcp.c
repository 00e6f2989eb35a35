/*
 * One DHCPDISCOVER for all walks and probes that want to know at the same time.
 *
 * Happy path: the first asks the network and keeps the answer; whoever comes within the next
 * seconds, or waits meanwhile, gets the same. A wait for another's question ends with one's own
 * deadline, as DHCP_CUT_SHORT. What was cut short or forbidden is not kept.
 */
#include "dial/host.h"

#include <pthread.h>

#define KEPT_MS 3000

static pthread_mutex_t asking = PTHREAD_MUTEX_INITIALIZER;
static struct {
	int link; /* index; 0: nothing kept */
	int64_t at_us;
	enum dhcp_result result;
	struct dhcp_offer offer;
} kept;

static bool lock_until(struct deadline deadline)
{
	if (deadline.at_us == INT64_MAX)
		return pthread_mutex_lock(&asking) == 0;
	const struct timespec end = {
		.tv_sec = deadline.at_us / 1000000, .tv_nsec = deadline.at_us % 1000000 * 1000};
	return pthread_mutex_clocklock(&asking, CLOCK_MONOTONIC, &end) == 0;
}

enum dhcp_result host_ask_dhcp(const struct addressing_link *link, struct deadline deadline,
	const struct cancel *cancel, struct dhcp_offer *offer)
{
	*offer = (struct dhcp_offer){.dns_count = 0};
	if (!link->ethernet || !link->working)
		return DHCP_IMPOSSIBLE;
	if (!lock_until(deadline))
		return DHCP_CUT_SHORT;
	enum dhcp_result result = kept.result;
	if (kept.link == link->index && clock_ms_since(kept.at_us) < KEPT_MS) {
		*offer = kept.offer;
	} else {
		result = dhcp_discover(link->name, link->mac, deadline, cancel, offer);
		kept.link = result == DHCP_OFFERED || result == DHCP_SILENT ? link->index : 0;
		kept.at_us = clock_mono_us();
		kept.result = result;
		kept.offer = *offer;
	}
	pthread_mutex_unlock(&asking);
	return result;
}
