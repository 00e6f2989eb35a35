/*
 * Putting the agent on this machine, from wherever its file was left, and taking it off again.
 *
 * What happens is one transaction: what was there before is noted on the disk before it is changed
 * (undo.h), and a failure at any step, a cancel among them, brings it back. A setup that was killed
 * is continued by the next one. Both functions are idempotent, and one of them works at a time.
 *
 * They run for seconds and block; they wait only under deadlines and the cancel. Everything in the
 * report is printable and holds no secret.
 */
#ifndef SETUP_SETUP_H
#define SETUP_SETUP_H

#include "agent/inventory.h"
#include "agent/state.h"
#include "diagnosis/outcomes.h"
#include "os/wait.h"

enum setup_result {
	SETUP_FAILED, /* outcome and evidence say why; all is as it was */
	SETUP_INSTALLED,
	SETUP_UPGRADED,
	SETUP_REPAIRED,
	SETUP_KEPT, /* nothing was to be done; an outcome says why nothing may be */
	SETUP_REMOVED,
	SETUP_RESULT_COUNT,
};

const char *setup_result_name(enum setup_result result);

/* What it is at. */
struct setup_event {
	enum install_stage stage;
	const char *state;    /* "working", "joined" */
	const char *step;     /* "folders", "program", ...: a word for logs; NULL: none */
	const char *sentence; /* may be NULL */
	const char *server;   /* with "joined"; may be NULL */
};

struct setup_options {
	const char *root;               /* borrowed, as all of these; may be NULL */
	const struct join_token *token; /* NULL: none was given */
	const char *location;           /* may be NULL */
	inventory_profiles *profiles;   /* may be NULL */
	const struct cancel *cancel;
	void (*say)(void *data, const struct setup_event *event);
	void *data;
	bool no_start;  /* leave it to the next boot */
	bool keep_logs; /* when removing */
};

struct setup_report {
	enum setup_result result;
	enum outcome outcome;
	enum install_stage stage; /* where a failure was met */
	struct evidence evidence; /* owned */
	char server[IDENTITY_ID_SIZE];
	char version[32];    /* of the program that is installed now; empty for none */
	const char *service; /* the manager's id; NULL when it was not looked for */
	char *note;          /* owned; what a person has to know of a success; NULL: nothing */
	char *advice;        /* owned; what to do about it */
};

void setup_install(const struct setup_options *options, struct setup_report *report);
void setup_remove(const struct setup_options *options, struct setup_report *report);
void setup_report_free(struct setup_report *report);

#endif
