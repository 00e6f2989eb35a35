/* What the files of agent/runs/runs.h share. */
#ifndef AGENT_RUNS_PARTS_H
#define AGENT_RUNS_PARTS_H

#include "agent/runs/runs.h"

#define RUNS_AGAIN_MS 10000 /* until what could not be started or written is tried again */

struct run {
	char id[JOB_ID_SIZE];
	enum run_status status;
	int64_t attempt, expires, order;
	int news;      /* FIFO of its supervisor; -1: none is expected */
	bool launched; /* a supervisor was started for this attempt */
	bool was_down; /* it waits for a restart that there was; the disk is to hear of it */
	struct deadline launch_at; /* not before */
	struct {
		bool valid;
		enum run_status status;
		int64_t attempt;
	} told, asked;            /* what the hub has of it; what is on its way to it */
	bool output_asked;        /* a piece is on its way */
	bool output_fresh;        /* there may be more than the hub has */
	int64_t output_at;        /* where the hub's next piece begins */
	struct deadline talk_at;  /* not before: the hub refused something */
	struct deadline quiet_at; /* "running" and output not before: it may end at once */
	struct deadline piece_at; /* output not before: it comes in drops */
};

/* A script that takes no time is told as ended, and costs the hub one message less. */
#define RUNS_QUIET_MS 150

/* --- runs.c */
struct run *runs_find(struct runs *runs, const char *id);
struct run *runs_find_order(struct runs *runs, int64_t order);
/* The machine has restarted since that was written. */
bool runs_went_down(const struct runs *runs, const struct run_state *state);
struct run *runs_add(struct runs *runs, const char *id, const struct run_state *state);
/* Adds what stands in the journal to the table; NULL when it cannot be read. */
struct run *runs_adopt(struct runs *runs, const char *id);
void runs_drop(struct runs *runs, struct run *run);
void runs_purge(struct runs *runs);            /* of RUN.end files whose time has come */
int64_t runs_hub_now(const struct runs *runs); /* seconds since 1970, as well as it is known */

/* --- judge.c */
/* Looks at the disk; decides what nobody else can decide, when no supervisor is there. */
void runs_refresh(struct runs *runs, struct run *run);
/* Starts what may start, expires what may not, restarts the machine. */
void runs_schedule(struct runs *runs);
bool runs_schedule_deadline(const struct runs *runs, struct deadline *deadline);

/* --- talk.c */
void runs_talk(struct runs *runs);
bool runs_talk_deadline(const struct runs *runs, struct deadline *deadline);

#endif
