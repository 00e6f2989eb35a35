/* The targets of an install; /v1/targets: machines that were expected and are not here. */
#include "hub/api/install_request.h"
#include "hub/api/request.h"
#include "hub/api/route.h"
#include "hub/api/rows.h"
#include "hub/audit.h"

#include <string.h>

#define DEFAULT_LIMIT 50

static void answer_targets(struct exchange *exchange, const struct store_target_query *query)
{
	struct hub *hub = exchange->hub;
	struct store_target_page page;
	struct err err = {0};
	enum store_status status = hub->store->driver->installs.targets(hub->store, query, &page, &err);
	if (status != STORE_OK) {
		answer_store_problem(exchange, status, &err);
		return;
	}
	json_t *rows = json_array();
	for (size_t i = 0; i < page.count; i++)
		json_array_append_new(rows, target_json(&page.rows[i]));
	answer_page(exchange, "targets", rows, page.next);
	store_target_page_free(&page);
}

void install_targets_get(struct exchange *exchange)
{
	struct store_install install;
	struct request_page wanted;
	const char *state = arg_text(exchange, "state");
	struct store_target_query query = {
		.states = state ? target_states_find(state) : STORE_TARGETS_ALL};
	if (!query.states) {
		request_invalid(exchange, "state", "it is no state of a target.");
		return;
	}
	if (request_read_page(exchange, STORE_MAX_LIST, DEFAULT_LIMIT, &wanted) ||
		install_of_request(exchange, &install))
		return;
	query.install = install.seq;
	query.limit = wanted.limit;
	query.after = wanted.before;
	answer_targets(exchange, &query);
	store_install_free(&install);
}

/* The target that an operand names; -1 after a problem was answered. */
static int find_target(struct exchange *exchange, const char *id, struct store_target *target)
{
	struct hub *hub = exchange->hub;
	struct err err = {0};
	hub_flush(hub);
	enum store_status status =
		hub->store->driver->installs.target(hub->store, installs_target_number(id), target, &err);
	if (status == STORE_OK && actor_sees(&exchange->actor, target->location))
		return 0;
	if (status == STORE_OK)
		store_target_free(target);
	if (status == STORE_OK || status == STORE_NOT_FOUND)
		exchange_problem(exchange, 404, "There is no such target (any more).");
	else
		answer_store_problem(exchange, status, &err);
	return -1;
}

void install_target_get(struct exchange *exchange)
{
	struct store_target target;
	if (find_target(exchange, exchange->operands[1], &target))
		return;
	if (strcmp(target.install, exchange->operands[0]) == 0)
		exchange_json(exchange, 200, target_json(&target));
	else
		exchange_problem(exchange, 404, "There is no such target (any more).");
	store_target_free(&target);
}

void targets_get(struct exchange *exchange)
{
	struct request_page wanted;
	struct store_target_query query = {0};
	if (request_read_page(exchange, STORE_MAX_LIST, DEFAULT_LIMIT, &wanted))
		return;
	if (!install_read_location(exchange, &query.location)) {
		answer_page(exchange, "targets", json_array(), 0);
		return;
	}
	query.limit = wanted.limit;
	query.after = wanted.before;
	hub_flush(exchange->hub);
	answer_targets(exchange, &query);
}

void target_delete(struct exchange *exchange)
{
	struct hub *hub = exchange->hub;
	struct store_target target;
	struct err err = {0};
	if (find_target(exchange, exchange->operands[0], &target))
		return;
	enum store_status status = hub->store->driver->installs.forget(hub->store, target.seq, &err);
	if (status == STORE_OK) {
		audit_note(hub, &exchange->actor, AUDIT_TARGET_FORGET, target.host, target.location);
		exchange_empty(exchange, 204);
	} else {
		answer_store_problem(exchange, status, &err);
	}
	store_target_free(&target);
}
