/* /v1/audit: who did what. */
#include "hub/api/request.h"
#include "hub/api/route.h"
#include "hub/state.h"

#define DEFAULT_LIMIT 100
#define MAX_LIMIT     500

static json_t *entry_json(const struct store_audit *row)
{
	return json_pack("{s:I,s:o,s:s,s:s,s:s,s:s,s:s,s:s}", "id", (json_int_t)row->id, "at",
		time_json(row->at), "actor", row->actor, "actor_kind", row->actor_kind, "action",
		row->action, "target", row->target, "detail", row->detail, "peer", row->peer);
}

void audit_get(struct exchange *exchange)
{
	struct store *store = exchange->hub->store;
	struct request_page asked;
	struct store_audit_page page;
	struct err err = {0};
	if (request_read_page(exchange, MAX_LIMIT, DEFAULT_LIMIT, &asked))
		return;
	struct store_audit_query query = {
		.actor = arg_text(exchange, "actor"),
		.action = arg_text(exchange, "action"),
		.target = arg_text(exchange, "target"),
		.limit = asked.limit,
		.before = asked.before,
	};
	enum store_status status = store->driver->access.audit_list(store, &query, &page, &err);
	if (status != STORE_OK) {
		answer_store_problem(exchange, status, &err);
		return;
	}
	json_t *rows = json_array();
	for (size_t i = 0; i < page.count; i++)
		json_array_append_new(rows, entry_json(&page.rows[i]));
	answer_page(exchange, "entries", rows, page.next);
	store_audit_page_free(&page);
}
