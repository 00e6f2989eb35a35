#include "hub/net/mailbox.h"

#include "base/clock.h"

static void append(struct letter_queue *queue, struct letter *letter)
{
	letter->next = NULL;
	if (queue->last)
		queue->last->next = letter;
	else
		queue->first = letter;
	queue->last = letter;
	queue->count++;
}

/* The first `most` letters, as a queue of their own. */
static struct letter_queue take(struct letter_queue *queue, size_t most)
{
	struct letter_queue taken = *queue;
	if (queue->count <= most) {
		*queue = (struct letter_queue){0};
		return taken;
	}
	taken.count = most;
	taken.last = taken.first;
	for (size_t i = 1; i < most; i++)
		taken.last = taken.last->next;
	queue->first = taken.last->next;
	queue->count -= most;
	taken.last->next = NULL;
	return taken;
}

/* The letters are opened without the lock: opening may post. */
static void open_all(struct mailbox *mailbox, struct letter_queue *queue, int64_t *lag_us)
{
	int64_t now = queue->first ? clock_mono_us() : 0;
	atomic_fetch_add_explicit(&mailbox->opened, (int64_t)queue->count, memory_order_relaxed);
	for (struct letter *letter = queue->first, *next; letter; letter = next) {
		next = letter->next;
		if (now - letter->posted_us > *lag_us)
			*lag_us = now - letter->posted_us;
		letter->open(letter);
	}
}

/* True when there is more. */
static bool take_turn(struct mailbox *mailbox, size_t slice)
{
	int64_t lag_us = 0;
	pthread_mutex_lock(&mailbox->lock);
	struct letter_queue *patient = &mailbox->lanes[LANE_PATIENT];
	struct letter_queue prompt_turn = take(&mailbox->lanes[LANE_PROMPT], SIZE_MAX);
	struct letter_queue patient_turn = take(patient, slice);
	atomic_store_explicit(
		&mailbox->oldest_us, patient->first ? patient->first->posted_us : 0, memory_order_relaxed);
	pthread_mutex_unlock(&mailbox->lock);
	open_all(mailbox, &prompt_turn, &lag_us);
	open_all(mailbox, &patient_turn, &lag_us);
	if (lag_us > atomic_load_explicit(&mailbox->lag_us, memory_order_relaxed))
		atomic_store_explicit(&mailbox->lag_us, lag_us, memory_order_relaxed);
	pthread_mutex_lock(&mailbox->lock);
	bool more = mailbox->lanes[LANE_PROMPT].first || patient->first;
	mailbox->awake = more;
	pthread_mutex_unlock(&mailbox->lock);
	return more;
}

static void on_async(uv_async_t *async)
{
	struct mailbox *mailbox = async->data;
	if (take_turn(mailbox, mailbox->slice))
		uv_async_send(async); /* after this loop has looked at its sockets and clocks */
}

void mailbox_open(struct mailbox *mailbox, uv_loop_t *loop, size_t slice)
{
	*mailbox = (struct mailbox){.slice = slice};
	pthread_mutex_init(&mailbox->lock, NULL);
	uv_async_init(loop, &mailbox->async, on_async);
	mailbox->async.data = mailbox;
}

void mailbox_post(struct mailbox *mailbox, enum mailbox_lane lane, struct letter *letter)
{
	struct letter_queue *queue = &mailbox->lanes[lane];
	letter->posted_us = clock_mono_us();
	pthread_mutex_lock(&mailbox->lock);
	if (lane == LANE_PATIENT && !queue->first)
		atomic_store_explicit(&mailbox->oldest_us, letter->posted_us, memory_order_relaxed);
	append(queue, letter);
	bool wake = !mailbox->awake;
	mailbox->awake = true;
	pthread_mutex_unlock(&mailbox->lock);
	if (wake)
		uv_async_send(&mailbox->async);
}

int64_t mailbox_wait_us(const struct mailbox *mailbox, int64_t now_us)
{
	int64_t oldest = atomic_load_explicit(&mailbox->oldest_us, memory_order_relaxed);
	return oldest && now_us > oldest ? now_us - oldest : 0;
}

int64_t mailbox_take_lag_us(struct mailbox *mailbox)
{
	return atomic_exchange_explicit(&mailbox->lag_us, 0, memory_order_relaxed);
}

void mailbox_drain(struct mailbox *mailbox)
{
	while (take_turn(mailbox, SIZE_MAX))
		continue;
}

void mailbox_close(struct mailbox *mailbox)
{
	uv_close((uv_handle_t *)&mailbox->async, NULL);
	pthread_mutex_destroy(&mailbox->lock);
}
