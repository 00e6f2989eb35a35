/*
 * Letters between threads, each of which turns a loop of its own.
 *
 * A letter is made by its sender and belongs to its reader from the moment it is posted; its open()
 * runs once, on the reader's thread, and takes it. Letters of one lane are opened in the order in
 * which one sender posted them; those of the prompt lane go ahead of the patient one, of which only
 * `slice` are opened in a turn of the loop, so that a crowd there keeps nobody else waiting.
 *
 *     mailbox_open() ( mailbox_post() )* [the reader's thread has ended] mailbox_drain()
 * mailbox_close()
 */
#ifndef HUB_MAILBOX_H
#define HUB_MAILBOX_H

#include "base/mem.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct letter {
	struct letter *next;
	void (*open)(struct letter *letter); /* takes the letter */
	int64_t posted_us;
};

enum mailbox_lane { LANE_PROMPT, LANE_PATIENT, LANE_COUNT };

struct letter_queue {
	struct letter *first, *last;
	size_t count;
};

struct mailbox {
	pthread_mutex_t lock;
	struct letter_queue lanes[LANE_COUNT]; /* under the lock */
	bool awake;                            /* the reader will look again; under the lock */
	uv_async_t async;
	size_t slice;
	_Atomic int64_t opened;    /* letters since the beginning */
	_Atomic int64_t oldest_us; /* when the patient letter that is next was posted; 0: none waits */
	_Atomic int64_t lag_us;    /* how long a letter has waited, at most, since somebody took this */
};

/* Read on the thread of this loop. */
void mailbox_open(struct mailbox *mailbox, uv_loop_t *loop, size_t slice);
/* From any thread. Takes the letter. */
void mailbox_post(struct mailbox *mailbox, enum mailbox_lane lane, struct letter *letter);
/* How long the patient letter that is next has waited by now. */
int64_t mailbox_wait_us(const struct mailbox *mailbox, int64_t now_us);
/* The longest that a letter has waited since the last call. */
int64_t mailbox_take_lag_us(struct mailbox *mailbox);
/* Opens what is there, on the calling thread, when the reader's has ended. */
void mailbox_drain(struct mailbox *mailbox);
/* Its handle goes with the loop's next turn; nobody may post any more. */
void mailbox_close(struct mailbox *mailbox);

#endif
