/*
 * What the files of setup share with each other and with nobody else: one setup under way.
 *
 * Functions of steps return 0, or -1 after setup_fail() has said why in the report.
 */
#ifndef SETUP_PARTS_H
#define SETUP_PARTS_H

#include "agent/paths.h"
#include "base/embed.h"
#include "os/service_install.h"
#include "setup/setup.h"
#include "setup/undo.h"

#define SERVICE_NAME  "sallyport"
#define PROGRAM_PATH  "/usr/local/bin/sallyport"
#define PACKAGED_PATH "/usr/bin/sallyport"
#define SETTINGS_DIR  "/etc/sallyport"
#define PROXY_FILE    SETTINGS_DIR "/proxy.env"
#define PROGRAM_MAX   ((int64_t)64 * 1024 * 1024) /* bytes */
#define STOP_MS       25000

struct setup {
	const struct setup_options *options;
	struct setup_report *report;
	struct agent_paths paths;
	struct undo undo;
	const struct service_manager *manager;
	enum install_stage stage;
	int lock;
	char *lock_path; /* owned */

	/* existing.c: what is there */
	char *program;    /* owned; of the agent that is to run, below root */
	bool packaged;    /* it is of a package of the distribution */
	char version[32]; /* of it; empty: there is none that runs */
	bool newer;       /* than this one */
	bool same;        /* it is this one, byte for byte */
	enum state_result joined;
	struct agent_state state; /* filled where joined is STATE_LOADED */

	/* what was done */
	bool placed, joined_now, changed;
	bool restart; /* a running agent is not what stands there now */
};

/* setup.c */
void setup_say(struct setup *setup, const char *step);
/* errno, or 0, chooses the outcome: a full or read-only disk has rows of its own. Returns -1. */
int setup_fail(struct setup *setup, int error, const char *format, ...) PRINTF_LIKE(3, 4);
int setup_fail_by(struct setup *setup, enum outcome outcome, const char *name, const char *format,
	...) PRINTF_LIKE(4, 5);
/* Why a walk failed, with its evidence; error and err where it was none. */
int setup_fail_walk(
	struct setup *setup, int error, const struct finding *failure, const struct err *err);
char *setup_path(const struct setup *setup, const char *path); /* below root; owned by the caller */
/* Takes the lock; setup_end() in any case. */
int setup_begin(
	struct setup *setup, const struct setup_options *options, struct setup_report *report);
/* Before the first change: opens the journal, and continues what was interrupted. */
int setup_note_begin(struct setup *setup);
/* The same for a removal, which notes nothing itself. */
void setup_note_continue(struct setup *setup);
void setup_roll_back(struct setup *setup);
void setup_end(struct setup *setup);

extern const struct embedded_file setup_files[];

/* existing.c */
void existing_look(struct setup *setup); /* at the program alone */
int existing_read(struct setup *setup);  /* at the identity too: may this go on? */
/* The version that a program says of itself; false when it does not run. errno is why it was not
 * started, 0 when it was. */
bool program_version(const char *path, char version[32]);
int version_compare(const char *one, const char *other);
/* This program's own file, for copying: a path. Owned by the caller. */
char *own_file(void);

/* place.c */
int place_folders(struct setup *setup);
int place_program(struct setup *setup);
int place_service(struct setup *setup);
char *program_beside(const struct setup *setup); /* its copy under way; owned by the caller */
int tree_remove(const char *path, struct err *err);

/* service_text.c: the manager's file for a program; version: of the manager, 0 unknown. Owned by
 * the caller. */
char *service_text(const char *manager, int version, const char *program);

/* running.c */
pid_t agent_running(const struct setup *setup); /* 0: it does not */
/* That running agent is the program that is installed. */
bool agent_is_current(const struct setup *setup, pid_t pid);
int agent_stop(struct setup *setup, struct err *err);
int agent_start(struct setup *setup, const struct cancel *cancel, struct err *err);
/* Until it has a session. With a token, a machine that its hub has removed joins again. */
int agent_wait_online(struct setup *setup);
bool agent_is_online(const struct setup *setup);

/* belong.c */
int belong_join(struct setup *setup);
/* Tells the hub and forgets it here, unless the identity that is there is the one named; "" names
 * none. 1: the hub could not be told (err says why). */
int belong_leave(struct setup *setup, const char *before, struct err *err);

#endif
