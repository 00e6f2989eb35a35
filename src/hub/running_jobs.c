/*
 * What jobs need of the running hub: its clocks, its sessions, and the consoles that watch.
 */
#include "hub/api/rows.h"
#include "hub/state.h"

static void on_deliver(uv_timer_t *timer)
{
	struct hub *hub = timer->data;
	jobs_deliver(hub->jobs, hub_now_ms());
}

/* A timer of no time fires once in each turn of the loop: whatever else there is gets its turn. */
static void deliver_again(void *data, int64_t after_ms)
{
	struct hub *hub = data;
	if (uv_is_active((uv_handle_t *)&hub->jobs_timer) &&
		uv_timer_get_due_in(&hub->jobs_timer) <= (uint64_t)after_ms)
		return;
	uv_timer_start(&hub->jobs_timer, on_deliver, (uint64_t)after_ms, 0);
}

uint64_t hub_session_number(void *data, const char *server, bool *ready)
{
	const struct hub *hub = data;
	const struct session *session = roster_session(hub->roster, server);
	*ready = false;
	return session ? session_number(session, ready) : 0;
}

/* The session of that number, or NULL. */
static struct session *find_session(const struct hub *hub, const char *server, uint64_t number)
{
	bool ready;
	struct session *session = roster_session(hub->roster, server);
	return session && session_number(session, &ready) == number ? session : NULL;
}

int64_t hub_send_request(
	void *data, const char *server, uint64_t number, const char *method, json_t *params)
{
	struct session *session = find_session(data, server, number);
	if (session)
		return session_send_request(session, method, params);
	json_decref(params);
	return 0;
}

void hub_confirm(void *data, const struct jobs_receipt *receipt)
{
	struct session *session = find_session(data, receipt->server, receipt->session);
	if (session)
		session_confirm_job(session, receipt);
}

static bool is_watched(void *data)
{
	const struct hub *hub = data;
	return events_watched(hub->events);
}

static void job_changed(void *data, const struct store_job *job, int64_t silent,
	const int64_t *runs, size_t count, bool more)
{
	struct hub *hub = data;
	events_send_at(hub->events, job->location, "job", job_json(job, silent));
	json_t *rows = json_array();
	for (size_t i = 0; i < count; i++) {
		struct store_run run;
		if (hub->store->driver->runs.find(hub->store, runs[i], &run, NULL) != STORE_OK)
			continue;
		json_array_append_new(rows, run_json(hub, &run));
		store_run_free(&run);
	}
	events_send_at(hub->events, job->location, "runs",
		json_pack("{s:s,s:o,s:b}", "job", job->id, "runs", rows, "more", more));
}

const struct jobs_hooks hub_jobs_hooks = {
	.wake = hub_wake,
	.again = deliver_again,
	.session = hub_session_number,
	.send = hub_send_request,
	.confirm = hub_confirm,
	.changed = job_changed,
	.watched = is_watched,
};
