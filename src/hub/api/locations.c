/* /v1/locations: what the machines say where they are, for filters and keys. */
#include "hub/api/request.h"
#include "hub/api/route.h"
#include "hub/state.h"

struct locations_view {
	const struct actor *actor;
	json_t *list;
};

static void append_location(void *data, const char *location, int64_t servers)
{
	struct locations_view *view = data;
	if (actor_sees(view->actor, location))
		json_array_append_new(
			view->list, json_pack("{s:s,s:I}", "name", location, "servers", (json_int_t)servers));
}

void locations_get(struct exchange *exchange)
{
	struct hub *hub = exchange->hub;
	struct locations_view view = {&exchange->actor, json_array()};
	struct err err = {0};
	hub_flush(hub);
	enum store_status status =
		hub->store->driver->servers.locations(hub->store, append_location, &view, &err);
	if (status == STORE_OK) {
		exchange_json(exchange, 200, json_pack("{s:o}", "locations", view.list));
		return;
	}
	json_decref(view.list);
	answer_store_problem(exchange, status, &err);
}
