/* What the files of agent/installs/ share: installs.c keeps the table, worker.c moves the lines,
 * talk.c tells the hub. */
#ifndef AGENT_INSTALLS_PARTS_H
#define AGENT_INSTALLS_PARTS_H

#include "agent/installs/installs.h"
#include "agent/self.h"
#include "base/buf.h"

#define INSTALL_ID_SIZE     33
#define INSTALL_MAX_PLACE   300
#define INSTALL_MAX_REASON  600
#define INSTALL_MAX_WAITING ((size_t)4 * 1024 * 1024) /* bytes that a worker has not read yet */

enum install_ending { ENDING_OPEN, ENDING_ASKED, ENDING_TOO_LONG };

struct install_target {
	char id[INSTALL_ID_SIZE];
	char *place;   /* owned; "HOST:PORT", for the log */
	json_t *event; /* owned; NULL: the hub has the last one */
	bool asked;    /* an event is on its way to the hub */
	bool fresh;    /* and another one has come since */
	bool final;    /* nothing more is to come of it */
	/* Stage and state of what the hub heard last: what has the same tells of progress only. */
	char said[64];
	struct deadline progress_at; /* none of these before */
};

struct install {
	char id[INSTALL_ID_SIZE];
	uint32_t serial; /* tells it from others that had its place */
	struct self worker;
	struct buf input;               /* what the worker has not read yet; wiped */
	struct buf output;              /* a line of it that has not ended */
	struct install_target *targets; /* owned */
	size_t count;
	enum install_ending ending;
	struct deadline deadline; /* of the worker */
	struct err complaint;     /* the worker's first; "": none */
	bool said_over;           /* by the worker */
	bool over;                /* there is no worker any more */
	bool over_asked;
	char reason[INSTALL_MAX_REASON + 1]; /* why it is over; "": it was done */
	struct deadline talk_at;             /* not before: the hub refused something */
};

/* --- installs.c */
void installs_drop(struct installs *installs, struct install *install);

/* --- worker.c */
/* -1 with err. */
int install_launch(struct installs *installs, struct install *install, struct err *err);
/* Adds the message to what the worker shall read; -1 when there is too much already. */
int install_tell(
	struct installs *installs, struct install *install, enum message message, const void *record);
/* Moves what can be moved; takes events; ends what has ended or is past its time. */
void install_step(struct installs *installs, struct install *install);

/* --- talk.c */
void installs_talk(struct installs *installs);
bool installs_talk_deadline(const struct installs *installs, struct deadline *deadline);

#endif
