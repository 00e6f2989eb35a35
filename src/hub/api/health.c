/* /healthz, /readyz, /metrics: for those who watch the hub itself. */
#include "hub/api/route.h"
#include "hub/state.h"

#define PROBE_EVERY_MS 1000

void health_get(struct exchange *exchange)
{
	static const unsigned char ok[] = "ok\n";
	exchange_fixed(exchange, "text/plain; charset=utf-8", ok, sizeof ok - 1);
}

/* Whether the database can be written is known only by writing; not oftener than once a second. */
static void probe(struct hub *hub)
{
	struct err err = {0};
	if (hub_now_ms() - hub->probed_ms < PROBE_EVERY_MS)
		return;
	hub->probed_ms = hub_now_ms();
	hub_store_said(hub, hub->store->driver->probe(hub->store, &err), &err);
}

void ready_get(struct exchange *exchange)
{
	struct hub *hub = exchange->hub;
	probe(hub);
	if (hub->draining)
		exchange_problem(exchange, 503, "The hub goes down.");
	else if (hub->trouble)
		exchange_problem(exchange, 503, "The database cannot be written: %s.", hub->trouble);
	else
		exchange_json(exchange, 200, json_pack("{s:b}", "ready", 1));
}

void metrics_get(struct exchange *exchange)
{
	struct hub *hub = exchange->hub;
	struct store_counts counts = {0};
	struct buf text = {0};
	if (hub->store->driver->servers.counts(hub->store, NULL, &counts, NULL) == STORE_OK)
		metric_set(&hub->metrics, METRIC_SERVERS, counts.all);
	metric_set(&hub->metrics, METRIC_ONLINE, (int64_t)roster_online(hub->roster));
	metrics_print(&hub->metrics, &text);
	listener_print(hub->listener, &text);
	exchange_text(exchange, "text/plain; version=0.0.4; charset=utf-8", &text);
}
