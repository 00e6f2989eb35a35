/*
 * Many targets side by side: a bounded pool of threads, a queue each way.
 *
 * A thread takes the next target that is to be walked (`go` before `look`, so that what a person
 * waits for comes first), walks it, and takes another; it ends when there is none, and is started
 * anew when there is. An event says what is so at the time when the owner fetches it: of the
 * changes in between only the last is told. The owner's calls take the lock for moments only.
 *
 * A cancel is one descriptor a walk, in which everything waits that waits; the walk then takes back
 * what it did, over the same line.
 */
#include "connector/connector.h"

#include "connector/visit.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define STACK_BYTES ((size_t)512 * 1024)

/* Of a target, under the lock; the visit itself is its walking thread's while `walking`. */
struct slot {
	struct connector *connector;
	struct visit visit;
	struct cancel cancel;
	bool wanted; /* waits for a thread */
	bool walking;
	bool ended;             /* cancelled before or while it walked */
	json_t *event;          /* owned; not yet fetched */
	enum visit_state state; /* as the last event said */
};

struct connector {
	pthread_mutex_t lock;
	pthread_cond_t idle; /* a thread has ended */
	struct plan plan;
	struct logins *logins;
	struct connector_hooks hooks;
	struct payload payloads[PLAN_MAX_PORTABLE];
	struct slot *slots; /* one a target */
	size_t threads;     /* at work */
	size_t next_event;  /* where to look first, so that nobody is passed over */
	int fd;             /* readable while an event may wait */
};

/* --- under the lock -----------------------------------------------------------------------------
 */

static void wake_owner(struct connector *connector)
{
	uint64_t one = 1;
	while (write(connector->fd, &one, sizeof one) < 0 && errno == EINTR)
		continue;
}

static void post(struct slot *slot)
{
	json_decref(slot->event);
	slot->event = visit_event(&slot->visit);
	slot->state = slot->visit.state;
	wake_owner(slot->connector);
}

static struct slot *next_wanted(struct connector *connector)
{
	struct slot *look = NULL;
	for (size_t i = 0; i < connector->plan.target_count; i++) {
		struct slot *slot = &connector->slots[i];
		if (slot->wanted && slot->visit.phase == VISIT_GO)
			return slot;
		if (slot->wanted && !look)
			look = slot;
	}
	return look;
}

static bool is_final(enum visit_state state)
{
	return state >= VISIT_JOINED;
}

/* --- the threads --------------------------------------------------------------------------------
 */

static void on_change(void *data, const struct visit *visit)
{
	struct slot *slot = data;
	pthread_mutex_lock(&slot->connector->lock);
	/* Who hears of `ready` may go on with it at once, and so it has to have stopped walking. */
	if (visit->state != VISIT_READY)
		post(slot);
	pthread_mutex_unlock(&slot->connector->lock);
}

static void *work(void *data)
{
	struct connector *connector = data;
	struct slot *slot;
	pthread_mutex_lock(&connector->lock);
	while ((slot = next_wanted(connector))) {
		slot->wanted = false;
		slot->walking = true;
		pthread_mutex_unlock(&connector->lock);
		visit_walk(&slot->visit);
		pthread_mutex_lock(&connector->lock);
		slot->walking = false;
		if (slot->visit.state == VISIT_READY)
			post(slot);
		wake_owner(connector);
	}
	channel_leave_thread(); /* whoever waits for the last thread may end the process at once */
	connector->threads--;
	pthread_cond_broadcast(&connector->idle);
	pthread_mutex_unlock(&connector->lock);
	return NULL;
}

/* Under the lock: one thread more, if the plan allows it and there is work. */
static void start_thread(struct connector *connector)
{
	pthread_attr_t attr;
	pthread_t thread;
	if (connector->threads >= connector->plan.parallel)
		return;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	connector->threads++;
	int error = pthread_create(&thread, &attr, work, connector);
	pthread_attr_destroy(&attr);
	if (!error)
		return;
	connector->threads--;
	if (!connector->threads)
		abort(); /* nothing would ever go on */
}

static void want(struct slot *slot, enum visit_phase phase)
{
	slot->visit.phase = phase;
	slot->wanted = true;
	start_thread(slot->connector);
}

/* --- the owner ----------------------------------------------------------------------------------
 */

static void init_slot(struct connector *connector, size_t i)
{
	struct slot *slot = &connector->slots[i];
	slot->connector = connector;
	if (cancel_init(&slot->cancel))
		abort(); /* no descriptor left for what the plan's bound allows */
	slot->visit = (struct visit){
		.plan = &connector->plan,
		.target = &connector->plan.targets[i],
		.logins = connector->logins,
		.payloads = connector->payloads,
		.root = connector->hooks.root,
		.cancel = &slot->cancel,
		.on_change = on_change,
		.data = slot,
	};
}

struct connector *connector_new(
	const json_t *plan, struct logins *logins, const struct connector_hooks *hooks, struct err *err)
{
	struct connector *connector = xcalloc(1, sizeof *connector);
	connector->logins = logins;
	connector->hooks = *hooks;
	connector->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (connector->fd < 0 || plan_read(plan, &connector->plan, err)) {
		if (connector->fd < 0)
			err_set(err, "eventfd: %s", strerror(errno));
		else
			close(connector->fd);
		logins_free(logins);
		free(connector);
		return NULL;
	}
	pthread_mutex_init(&connector->lock, NULL);
	pthread_cond_init(&connector->idle, NULL);
	for (size_t i = 0; i < connector->plan.portable_count; i++)
		payload_init(&connector->payloads[i], &connector->plan.portable[i], &connector->hooks);
	connector->slots = xcalloc(connector->plan.target_count, sizeof *connector->slots);
	for (size_t i = 0; i < connector->plan.target_count; i++)
		init_slot(connector, i);
	pthread_mutex_lock(&connector->lock);
	for (size_t i = 0; i < connector->plan.target_count; i++)
		want(&connector->slots[i], VISIT_LOOK);
	pthread_mutex_unlock(&connector->lock);
	return connector;
}

int connector_fd(const struct connector *connector)
{
	return connector->fd;
}

json_t *connector_next(struct connector *connector)
{
	size_t count = connector->plan.target_count;
	json_t *told = NULL;
	uint64_t posts;
	pthread_mutex_lock(&connector->lock);
	for (size_t i = 0; i < count && !told; i++) {
		struct slot *slot = &connector->slots[(connector->next_event + i) % count];
		if (!slot->event)
			continue;
		told = json_pack("{s:s, s:s, s:o}", "install", connector->plan.install, "target",
			slot->visit.target->id, "event", slot->event);
		slot->event = NULL;
		connector->next_event = (connector->next_event + i + 1) % count;
	}
	if (!told)
		while (read(connector->fd, &posts, sizeof posts) < 0 && errno == EINTR)
			continue;
	pthread_mutex_unlock(&connector->lock);
	return told;
}

static struct slot *find(struct connector *connector, const char *target)
{
	for (size_t i = 0; i < connector->plan.target_count; i++)
		if (strcmp(connector->plan.targets[i].id, target) == 0)
			return &connector->slots[i];
	return NULL;
}

int connector_go(struct connector *connector, const char *target, const char *host_key,
	const char *token, struct err *err)
{
	int rc = 0;
	pthread_mutex_lock(&connector->lock);
	struct slot *slot = find(connector, target);
	if (!slot)
		rc = err_set(err, "target %.32s is not in the plan", target);
	else if (slot->wanted || slot->walking || slot->state != VISIT_READY)
		rc = err_set(err, "target %s is not ready", target);
	else {
		snprintf(
			slot->visit.confirmed, sizeof slot->visit.confirmed, "%s", host_key ? host_key : "");
		slot->visit.token = xstrdup(token);
		slot->visit.state = slot->state = VISIT_WORKING;
		want(slot, VISIT_GO);
	}
	pthread_mutex_unlock(&connector->lock);
	return rc;
}

/* Under the lock. A walk that is under way says so itself. */
static void cancel_slot(struct slot *slot)
{
	if (slot->ended || is_final(slot->state))
		return;
	slot->ended = true;
	cancel_fire(&slot->cancel);
	if (slot->walking)
		return;
	slot->wanted = false;
	slot->visit.state = VISIT_CANCELLED;
	ending_set(&slot->visit.ending, OUTCOME_CANCELLED);
	post(slot);
}

void connector_cancel(struct connector *connector, const char *target)
{
	pthread_mutex_lock(&connector->lock);
	for (size_t i = 0; i < connector->plan.target_count; i++)
		if (!target || strcmp(connector->plan.targets[i].id, target) == 0)
			cancel_slot(&connector->slots[i]);
	pthread_mutex_unlock(&connector->lock);
}

bool connector_settled(const struct connector *connector, size_t *ready)
{
	struct connector *locked = (struct connector *)connector;
	bool settled = true;
	size_t count = 0;
	pthread_mutex_lock(&locked->lock);
	for (size_t i = 0; i < connector->plan.target_count; i++) {
		const struct slot *slot = &connector->slots[i];
		count += slot->state == VISIT_READY;
		settled = settled && !slot->event && !slot->wanted && !slot->walking;
	}
	pthread_mutex_unlock(&locked->lock);
	if (ready)
		*ready = count;
	return settled;
}

void connector_free(struct connector *connector)
{
	if (!connector)
		return;
	connector_cancel(connector, NULL);
	pthread_mutex_lock(&connector->lock);
	while (connector->threads)
		pthread_cond_wait(&connector->idle, &connector->lock);
	pthread_mutex_unlock(&connector->lock);
	for (size_t i = 0; i < connector->plan.target_count; i++) {
		struct slot *slot = &connector->slots[i];
		json_decref(slot->event);
		visit_free(&slot->visit);
		cancel_fini(&slot->cancel);
	}
	for (size_t i = 0; i < connector->plan.portable_count; i++)
		payload_free(&connector->payloads[i]);
	free(connector->slots);
	logins_free(connector->logins);
	plan_free(&connector->plan);
	close(connector->fd);
	pthread_cond_destroy(&connector->idle);
	pthread_mutex_destroy(&connector->lock);
	free(connector);
}
