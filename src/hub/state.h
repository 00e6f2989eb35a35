/*
 * The running hub, as its parts see it. Private to hub/.
 *
 * hub.c builds and takes down, running.c is what happens in between; everything runs on the thread
 * of its loop, but for the password hashing in passwords.c.
 */
#ifndef HUB_STATE_H
#define HUB_STATE_H

#include "hub/net/certificate.h"
#include "hub/support/bundles.h"
#include "hub/checks.h"
#include "hub/events.h"
#include "hub/hub.h"
#include "hub/installs/installs.h"
#include "hub/jobs/jobs.h"
#include "hub/throttle.h"
#include "hub/net/listener.h"
#include "hub/support/log_streams.h"
#include "hub/metrics.h"
#include "hub/outside.h"
#include "hub/passwords.h"
#include "hub/roster.h"
#include "store/store.h"
#include "wire/token.h"

#include <uv.h>

struct portable;

struct hub {
	struct hub_options options;
	char *dir; /* HUB_STATE_DIR below root */
	uv_loop_t loop;
	struct store *store;
	struct identity identity;
	struct keys_certificate certificate;
	char host[TOKEN_MAX_HOST + 1]; /* the name that goes into tokens */
	uint16_t port;
	char *url;                  /* of the console: "https://HOST:PORT" */
	struct endpoints endpoints; /* where each role is */

	struct roster *roster;
	struct checks *checks;
	struct jobs *jobs;
	struct installs *installs;
	struct portable *portable;
	struct bundles *bundles;
	struct log_streams *log_streams;
	struct outside *outside; /* NULL when switched off */
	struct session_context sessions;
	struct session_dues dues;
	struct listener *listener;
	struct certificate_watch certificates;
	int64_t fleet; /* servers that have joined, as of the last look */
	struct events *events;
	struct passwords *passwords;
	struct throttle logins; /* failed sign-ins */
	struct metrics metrics;

	uv_signal_t signals[3];
	uv_timer_t flush_timer; /* the roster's */
	uv_timer_t sweep_timer; /* silence, connections without proof */
	uv_timer_t slow_timer;  /* comments on event streams, certificate */
	uv_timer_t end_timer;   /* bounds the shutdown */
	uv_timer_t jobs_timer;  /* jobs_deliver() */
	int64_t flush_at_ms;    /* 0: none is due */
	bool counts_due;        /* those who watch get the counts with the next flush */

	char *trouble; /* what the store said when it last failed; NULL while it works */
	int64_t probed_ms;
	bool draining; /* going down */
};

int64_t hub_now_ms(void);
/* Timers and signals; then the timers that go on for ever. */
void hub_set_up_loop(struct hub *hub);
void hub_start_timers(struct hub *hub);
/* The administrator's certificate, or the private CA's. */
int hub_get_certificate(struct hub *hub, struct keys_certificate *certificate, struct err *err);
/* Hooks of the roster and of the checks. */
void hub_wake(void *hub, int64_t after_ms);
void hub_row_changed(void *hub, const char *id);
void hub_check_changed(void *hub, const struct store_check *check);
void hub_bundle_changed(void *hub, const struct store_bundle *bundle, int64_t received);
/* Of the jobs; see running_jobs.c. */
extern const struct jobs_hooks hub_jobs_hooks; /* `data` is the hub */
/* What these and the installs want of sessions. */
uint64_t hub_session_number(void *hub, const char *server, bool *ready);
int64_t hub_send_request(
	void *hub, const char *server, uint64_t number, const char *method, json_t *params);
void hub_confirm(void *hub, const struct jobs_receipt *receipt);
/* Of the installs; see running_installs.c. */
extern const struct installs_hooks hub_installs_hooks; /* `data` is the hub */
/* The list of locations, of connectors or of their states changed there. */
void hub_locations_changed(struct hub *hub, const char *location);
/* What the hub saw of a machine's ports. */
outside_done hub_looked;
/* Notes what the store answered, for /readyz and the log; returns it. */
enum store_status hub_store_said(struct hub *hub, enum store_status status, const struct err *err);
/* Writes what roster and checks hold, so that reading the store sees it. */
void hub_flush(struct hub *hub);
/* A server was removed: tells those who watch. */
void hub_server_removed(void *hub, const char *id);

#endif
