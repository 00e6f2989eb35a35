#include "cli/address_origins.h"

#include "check/origin.h"

#include <time.h>

static uint8_t route_protocol(const struct addressing *addressing, int link)
{
	for (size_t i = 0; i < addressing->route_count; i++)
		if (addressing->routes[i].link == link)
			return addressing->routes[i].protocol;
	return 0;
}

static enum origin judge(
	const char *root, const struct addressing *addressing, const struct addressing_link *link)
{
	cleanup(free_ptr) struct witnesses *witnesses = xcalloc(1, sizeof *witnesses);
	witnesses_read(root, addressing, link, witnesses);
	const struct origin_question question = {
		.link = link,
		.address = &link->addresses[0],
		.route_protocol = route_protocol(addressing, link->index),
		.witnesses = witnesses,
		.asked = DHCP_SILENT,
		.now = time(NULL),
	};
	return origin_judge(origin_signals(&question)).origin;
}

json_t *address_origins(const char *root)
{
	static const char *const words[] = {[ORIGIN_DHCP] = "dhcp", [ORIGIN_STATIC] = "static"};
	json_t *origins = json_object();
	cleanup(free_ptr) struct addressing *addressing = xcalloc(1, sizeof *addressing);
	if (addressing_read(addressing, NULL))
		return origins;
	for (size_t i = 0; i < addressing->link_count; i++) {
		const struct addressing_link *link = &addressing->links[i];
		if (link->loopback || !link->address_count || !addressing_is_candidate(addressing, link))
			continue;
		enum origin origin = judge(root, addressing, link);
		if (origin != ORIGIN_UNKNOWN)
			json_object_set_new(origins, link->name, json_string(words[origin]));
	}
	return origins;
}
