/*
 * The runs of jobs at the agent: takes them from the hub into the journal, lets at most
 * RUNS_AT_ONCE run side by side, judges what was interrupted, restarts the machine when a run asks
 * for it, and tells the hub what became of each until the hub has it.
 *
 * It lives as long as the agent and works without a session, too: the caller polls runs_fd(), keeps
 * runs_deadline(), and calls runs_step() after either.
 *
 *     runs_init() runs_keep_open() ( runs_step() | runs_online() ( runs_take() | runs_cancel() )*
 * runs_offline() )* runs_close()
 *
 * runs.c keeps the table, take.c takes from the hub, judge.c decides on the machine,
 * talk.c tells the hub.
 */
#ifndef AGENT_RUNS_H
#define AGENT_RUNS_H

#include "agent/runs/journal.h"
#include "agent/session.h"
#include "agent/state.h"
#include "base/clock.h"
#include "base/logfile.h"
#include "os/boot.h"

#define RUNS_AT_ONCE 4

struct run; /* parts.h */

/* All borrowed. */
struct runs_options {
	const struct agent_paths *paths;
	const struct agent_state *state; /* whose runs they are */
	struct logfile *log;
	const char *root;           /* may be NULL */
	const char *program;        /* of the supervisors; NULL: this one */
	const char *reboot_program; /* NULL: the system's */
};

struct runs {
	struct runs_options options;
	char server_id[IDENTITY_ID_SIZE];
	unsigned char hub_key[IDENTITY_KEY_BYTES]; /* of the state that it was opened with */
	struct run **list;                         /* owned, in the order in which they came */
	size_t count, room;
	int epoll; /* readable when a supervisor has news */
	int64_t next_order;
	size_t ended; /* RUN.end files */
	int64_t purged_us;
	char boot[BOOT_ID_SIZE];
	struct {
		int64_t ahead; /* of this machine's clock, in seconds; as the disk has it */
		int64_t told;  /* what the hub last said, seconds since 1970; 0: nothing yet */
		int64_t at;    /* when, in seconds of the boot */
	} hub_clock;
	struct {
		bool wanted, due; /* due: nothing runs any more */
		int tries;
		struct deadline at; /* of the next try */
	} reboot;
	char *complaint;         /* owned; what the log says of supervisors that do not start */
	struct session *session; /* borrowed; NULL while offline */
	bool held_told;          /* the hub has answered jobs.held in this session */
};

/* What `sallyport status` tells. */
struct runs_count {
	int64_t by_status[RUN_STATUSES];
};

void runs_init(struct runs *runs);
/* Opens the journal unless it is open, and anew when this machine has another hub or identity than
 * before. -1 with err when it cannot be used: then there are no runs, and every job.run is refused
 * until it can. */
int runs_keep_open(struct runs *runs, const struct runs_options *options, struct err *err);
void runs_close(struct runs *runs); /* as runs_init() left it */

int runs_fd(const struct runs *runs);
/* False when there is nothing to wait for but news. */
bool runs_deadline(const struct runs *runs, struct deadline *deadline);
void runs_step(struct runs *runs);
/* The hub's clock, as hello told it just now. */
void runs_set_clock(struct runs *runs, time_t hub_now);

/* The session is open: tells what is held, then what is new, as it comes. */
void runs_online(struct runs *runs, struct session *session);
void runs_offline(struct runs *runs);
/* For the table of calls. */
enum refusal runs_take(struct runs *runs, const struct msg_job_run *msg);
enum refusal runs_cancel(struct runs *runs, const struct msg_job_cancel *msg);

/* From the disk, for programs beside the service. */
void runs_count(const struct agent_paths *paths, struct runs_count *count);

#endif
