/*
 * The hub while it runs: its clocks and signals, what it does when the store fails, and how the
 * consoles that watch learn of changes.
 */
#include "base/clock.h"
#include "hub/api/rows.h"
#include "hub/log.h"
#include "hub/portable.h"
#include "hub/state.h"

#include <signal.h>
#include <string.h>

#define SWEEP_MS   500
#define RETRY_MS   2000     /* for a store that did not take a change */
#define RENEW_MS   86400000 /* a day: looks whether the certificate nears its end */
#define END_MS     4000
#define RESTART_MS 2000 /* machines come back spread over this, or longer */

int64_t hub_now_ms(void)
{
	return clock_mono_us() / 1000;
}

/* --- the store's state --------------------------------------------------------------------- */

enum store_status hub_store_said(struct hub *hub, enum store_status status, const struct err *err)
{
	if (status == STORE_FULL || status == STORE_ERROR) {
		metric_add(&hub->metrics, METRIC_STORE_FAILURES, 1);
		if (!hub->trouble || strcmp(hub->trouble, err->text) != 0)
			log_line(LOG_ERROR, "%s", err->text);
		free(hub->trouble);
		hub->trouble = xstrdup(err->text);
	} else if (hub->trouble) {
		log_line(LOG_NOTE, "the database can be written again");
		free(hub->trouble);
		hub->trouble = NULL;
	}
	return status;
}

static void on_flush(uv_timer_t *timer);

static void schedule_flush(struct hub *hub, int64_t after_ms)
{
	int64_t at = hub_now_ms() + after_ms;
	if (hub->flush_at_ms && hub->flush_at_ms <= at)
		return;
	hub->flush_at_ms = at;
	uv_timer_start(&hub->flush_timer, on_flush, (uint64_t)after_ms, 0);
}

static void send_counts(struct hub *hub)
{
	json_t *counts = hub->counts_due ? counts_json(hub, NULL) : NULL;
	hub->counts_due = false;
	if (counts)
		events_send(hub->events, "counts", counts);
}

void hub_flush(struct hub *hub)
{
	struct err err = {0};
	hub->flush_at_ms = 0;
	uv_timer_stop(&hub->flush_timer);
	enum store_status status = roster_flush(hub->roster, time(NULL), &err);
	if (status == STORE_OK)
		status = checks_flush(hub->checks, &err);
	if (status == STORE_OK)
		status = jobs_flush(hub->jobs, hub_now_ms(), &err);
	if (status == STORE_OK)
		status = installs_flush(hub->installs, hub_now_ms(), &err);
	if (hub_store_said(hub, status, &err) != STORE_OK)
		schedule_flush(hub, RETRY_MS);
	else
		send_counts(hub);
}

static void on_flush(uv_timer_t *timer)
{
	hub_flush(timer->data);
}

void hub_wake(void *data, int64_t after_ms)
{
	struct hub *hub = data;
	/* While the store fails, RETRY_MS decides. */
	if (!hub->trouble || !hub->flush_at_ms)
		schedule_flush(hub, after_ms);
}

void hub_row_changed(void *data, const char *id)
{
	struct hub *hub = data;
	struct store_server server;
	if (!events_watched(hub->events) ||
		hub->store->driver->servers.find(hub->store, id, &server, NULL, NULL) != STORE_OK)
		return;
	events_send_at(hub->events, server.location, "server", row_json(hub, &server));
	if (server.connector)
		hub_locations_changed(hub, server.location);
	store_server_free(&server);
	hub->counts_due = true;
}

void hub_check_changed(void *data, const struct store_check *check)
{
	struct hub *hub = data;
	struct store_server server = {0};
	if (!events_watched(hub->events))
		return;
	if (events_watched_by_location(hub->events))
		hub->store->driver->servers.find(hub->store, check->server, &server, NULL, NULL);
	events_send_at(hub->events, server.location, "check", check_json(check));
	store_server_free(&server);
}

void hub_bundle_changed(void *data, const struct store_bundle *bundle, int64_t received)
{
	struct hub *hub = data;
	if (events_watched(hub->events))
		events_send_at(hub->events, bundle->location, "bundle", bundle_json(bundle, received));
}

void hub_looked(void *data, const struct outside_question *question, json_t *ports)
{
	const struct hub *hub = data;
	struct session *session = roster_session(hub->roster, question->server);
	if (session)
		session_looked(session, question, ports);
	else
		json_decref(ports);
}

void hub_server_removed(void *data, const char *id)
{
	struct hub *hub = data;
	if (!events_watched(hub->events))
		return;
	events_send(hub->events, "removed", json_pack("{s:s}", "id", id));
	hub->counts_due = true;
	schedule_flush(hub, ROSTER_FLUSH_MS);
}

/* --- timers and signals -------------------------------------------------------------------- */

/* Over how long the machines that are or were here have to be spread when they come back. */
static int64_t return_spread_ms(const struct hub *hub)
{
	int64_t online = (int64_t)roster_online(hub->roster);
	return admission_spread_ms(
		listener_admission(hub->listener), hub->fleet > online ? hub->fleet : online);
}

/* A machine learns it when it comes in, for the day on which the hub is gone without a word. */
static void spread_returns(struct hub *hub)
{
	struct session_timing *timing = &hub->sessions.timing;
	int64_t base = return_spread_ms(hub), least = hub->options.timing.backoff_base_ms;
	base = base > least ? base : least;
	timing->backoff_base_ms = base < timing->backoff_cap_ms ? base : timing->backoff_cap_ms;
}

static void count_fleet(struct hub *hub)
{
	struct store_counts counts = {0};
	if (hub->store->driver->servers.counts(hub->store, NULL, &counts, NULL) == STORE_OK)
		hub->fleet = counts.all;
}

static void on_sweep(uv_timer_t *timer)
{
	struct hub *hub = timer->data;
	int64_t now = hub_now_ms();
	struct session *silent;
	while ((silent = roster_overdue(hub->roster, now - session_silence_ms(&hub->sessions.timing))))
		session_lost(silent);
	checks_sweep(hub->checks, time(NULL), now);
	jobs_sweep(hub->jobs, time(NULL), now);
	installs_sweep(hub->installs, time(NULL), now);
	session_dues_sweep(&hub->dues, now);
	listener_sweep(hub->listener);
	spread_returns(hub);
}

static void on_slow(uv_timer_t *timer)
{
	struct hub *hub = timer->data;
	events_comment(hub->events);
	log_streams_comment(hub->log_streams);
	bundles_sweep(hub->bundles, time(NULL));
	portable_look(hub->portable);
	count_fleet(hub);
}

static void on_end_timeout(uv_timer_t *timer)
{
	struct hub *hub = timer->data;
	uv_stop(&hub->loop);
}

static void tell_restarting(void *data, struct session *session)
{
	const int64_t *spread_ms = data;
	session_send_restarting(session, *spread_ms);
}

static void on_stop(uv_signal_t *handle, int number)
{
	struct hub *hub = handle->data;
	if (hub->draining) {
		uv_stop(&hub->loop); /* asked twice */
		return;
	}
	int64_t spread_ms = return_spread_ms(hub);
	spread_ms = spread_ms > RESTART_MS ? spread_ms : RESTART_MS;
	log_line(LOG_NOTE, "signal %d: going down, %zu machines are told", number,
		roster_online(hub->roster));
	hub->draining = true;
	listener_drain(hub->listener);
	roster_each(hub->roster, tell_restarting, &spread_ms);
	uv_timer_start(&hub->end_timer, on_end_timeout, END_MS, 0);
}

static void on_reload(uv_signal_t *handle, int number)
{
	struct hub *hub = handle->data;
	(void)number;
	certificate_renew(&hub->certificates);
}

/* --- the loop ------------------------------------------------------------------------------ */

static void set_up_timer(struct hub *hub, uv_timer_t *timer)
{
	uv_timer_init(&hub->loop, timer);
	timer->data = hub;
}

void hub_set_up_loop(struct hub *hub)
{
	static const struct {
		int number;
		uv_signal_cb run;
	} signals[] = {{SIGTERM, on_stop}, {SIGINT, on_stop}, {SIGHUP, on_reload}};
	uv_loop_init(&hub->loop);
	set_up_timer(hub, &hub->flush_timer);
	set_up_timer(hub, &hub->sweep_timer);
	set_up_timer(hub, &hub->slow_timer);
	set_up_timer(hub, &hub->end_timer);
	set_up_timer(hub, &hub->jobs_timer);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
		uv_signal_init(&hub->loop, &hub->signals[i]);
		hub->signals[i].data = hub;
		uv_signal_start(&hub->signals[i], signals[i].run, signals[i].number);
	}
	signal(SIGPIPE, SIG_IGN);
}

void hub_start_timers(struct hub *hub)
{
	count_fleet(hub);
	spread_returns(hub);
	certificate_watch_start(&hub->certificates, hub);
	uv_timer_start(&hub->sweep_timer, on_sweep, SWEEP_MS, SWEEP_MS);
	uv_timer_start(&hub->slow_timer, on_slow, EVENTS_COMMENT_MS, EVENTS_COMMENT_MS);
}
