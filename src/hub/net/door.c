/*
 * The thread at the door: it turns the gate, and gives each connection that is ready to the loop
 * of its row that has the fewest: machines share all loops but one, which is there for people.
 *
 * Happy path: a loop has at most ENTERING_MAX handshakes before it; as soon as it has begun one the
 * next may come. So those who come in a rush wait here, in the order of their coming, and no loop
 * is kept from its other connections for longer than a few handshakes take. While the core is
 * behind with what the machines say, or enough machines are on their way in, no machine is let in:
 * it would only wait there. A person meets no machine before the core, where requests go first.
 *
 * What goes wrong: too many wait (the gate closes the oldest silent ones), a rush that takes long
 * (who asks for a session is told to come back later, see admission.h).
 */
#include "base/clock.h"
#include "hub/net/gate.h"
#include "hub/net/listener_parts.h"
#include "hub/state.h"
#include "hub/net/thread.h"

#define SWEEP_MS     500
#define ENTERING_MAX 8
#define CORE_LAG_US  100000
/* Handshakes and proofs under way, all loops together. More would only be begun sooner, not done
 * sooner, and their agents would lose patience one after the other. */
#define UNDER_WAY_MAX 1024
#define STUCK_MS      4000 /* one that is older does not keep others waiting */
#define LAG_LOOK_MS   5

struct door {
	struct listener *listener;
	struct gate *gate;
	uv_loop_t loop;
	pthread_t thread;
	bool running;
	uv_async_t look, stop;
	uv_timer_t sweep, lag;
	uv_prepare_t prepare;
	_Atomic int64_t waiting, ready, since_ms;
};

static void publish(struct door *door)
{
	atomic_store(&door->waiting, (int64_t)gate_waiting(door->gate));
	atomic_store(&door->since_ms, gate_ready_since_ms(door->gate));
	atomic_store(&door->ready, (int64_t)gate_ready(door->gate));
}

/* Before it sleeps. A loop that had time again before `ready` was told did not wake anybody: hence
 * the second look. */
static void on_prepare(uv_prepare_t *prepare)
{
	struct door *door = prepare->data;
	publish(door);
	if (gate_ready(door->gate)) {
		gate_look(door->gate);
		publish(door);
	}
}

static struct loop *emptiest(const struct listener *listener, enum gate_row row)
{
	struct loop *best = NULL;
	for (unsigned i = 0; i < listener->count; i++) {
		struct loop *loop = listener->loops[i];
		if (loop->row == row && atomic_load(&loop->entering) < ENTERING_MAX &&
			(!best || atomic_load(&loop->open) < atomic_load(&best->open)))
			best = loop;
	}
	return best;
}

static void on_lag(uv_timer_t *timer)
{
	(void)timer; /* on_prepare() looks */
}

static bool are_enough_under_way(const struct listener *listener, int64_t now_us)
{
	int64_t count = 0, oldest_ms = INT64_MAX;
	for (unsigned i = 0; i < listener->count; i++) {
		int64_t since_ms = atomic_load(&listener->loops[i]->young_since_ms);
		count += atomic_load(&listener->loops[i]->young_now);
		oldest_ms = since_ms && since_ms < oldest_ms ? since_ms : oldest_ms;
	}
	return count >= UNDER_WAY_MAX && now_us / 1000 - oldest_ms < STUCK_MS;
}

static bool has_time(void *data, enum gate_row row)
{
	struct door *door = data;
	int64_t now_us = clock_mono_us();
	if (row == GATE_MACHINES && (mailbox_wait_us(&door->listener->core, now_us) > CORE_LAG_US ||
									are_enough_under_way(door->listener, now_us))) {
		uv_timer_start(&door->lag, on_lag, LAG_LOOK_MS, 0);
		return false;
	}
	return emptiest(door->listener, row) != NULL;
}

static void on_enter(void *data, enum gate_row row, int fd)
{
	const struct door *door = data;
	loop_enter(emptiest(door->listener, row), fd);
}

static int64_t room(void *data)
{
	const struct door *door = data;
	int64_t open = (int64_t)gate_waiting(door->gate);
	for (unsigned i = 0; i < door->listener->count; i++)
		open += atomic_load(&door->listener->loops[i]->open);
	return door->listener->open_max - open;
}

static void on_refused(void *data)
{
	struct door *door = data;
	metric_add(&door->listener->hub->metrics, METRIC_REFUSED, 1);
}

static void on_look(uv_async_t *async)
{
	(void)async; /* on_prepare() looks */
}

static void on_sweep(uv_timer_t *timer)
{
	struct door *door = timer->data;
	gate_sweep(door->gate, clock_mono_us() / 1000);
}

static void on_stop(uv_async_t *async)
{
	uv_stop(&((struct door *)async->data)->loop);
}

static void close_handle(uv_handle_t *handle, void *data)
{
	(void)data;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

static void free_door(struct door *door)
{
	uv_walk(&door->loop, close_handle, NULL);
	uv_run(&door->loop, UV_RUN_DEFAULT);
	uv_loop_close(&door->loop);
	free(door);
}

struct door *door_open(struct listener *listener, const char *host, uint16_t port, struct err *err)
{
	struct door *door = xcalloc(1, sizeof *door);
	struct gate_hooks hooks = {has_time, on_enter, room, on_refused, door};
	door->listener = listener;
	uv_loop_init(&door->loop);
	uv_async_init(&door->loop, &door->look, on_look);
	uv_async_init(&door->loop, &door->stop, on_stop);
	uv_timer_init(&door->loop, &door->sweep);
	uv_timer_init(&door->loop, &door->lag);
	uv_prepare_init(&door->loop, &door->prepare);
	door->stop.data = door->sweep.data = door->prepare.data = door;
	door->gate = gate_open(&door->loop, host, port, &hooks, err);
	if (!door->gate) {
		free_door(door);
		return NULL;
	}
	uv_timer_start(&door->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
	uv_prepare_start(&door->prepare, on_prepare);
	return door;
}

static void *run(void *data)
{
	struct door *door = data;
	uv_run(&door->loop, UV_RUN_DEFAULT);
	return NULL;
}

int door_start(struct door *door, struct err *err)
{
	door->running = thread_start(&door->thread, "door", run, door) == 0;
	return door->running ? 0 : err_set(err, "a thread could not be started");
}

uint16_t door_port(const struct door *door)
{
	return gate_port(door->gate);
}

void door_look(struct door *door)
{
	if (atomic_load(&door->ready))
		uv_async_send(&door->look);
}

size_t door_queue(const struct door *door)
{
	return (size_t)atomic_load_explicit(&door->ready, memory_order_relaxed);
}

int64_t door_wait_us(const struct door *door, int64_t now_us)
{
	int64_t since_ms = atomic_load_explicit(&door->since_ms, memory_order_relaxed);
	return since_ms && now_us / 1000 > since_ms ? now_us - since_ms * 1000 : 0;
}

int64_t door_waiting(const struct door *door)
{
	return atomic_load_explicit(&door->waiting, memory_order_relaxed);
}

void door_close(struct door *door)
{
	if (door->running) {
		uv_async_send(&door->stop);
		pthread_join(door->thread, NULL);
	}
	gate_close(door->gate);
	free_door(door);
}
