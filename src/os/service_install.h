/*
 * Making a service of a program: the manager that this system was started by, and its few verbs.
 *
 * service_manager_here() finds the row; the caller writes the manager's file (which text is its
 * matter), then service_do() RELOAD, ENABLE, START; back again STOP, DISABLE, the file removed,
 * RELOAD. Every verb may be said again. A system without a manager has the last row: its file is
 * NULL, its verbs do nothing, and service_start_detached() starts the program until the next boot.
 * Each verb runs programs of the system, so it has a deadline of its own.
 */
#ifndef OS_SERVICE_INSTALL_H
#define OS_SERVICE_INSTALL_H

#include "base/err.h"
#include "os/wait.h"

#include <stdbool.h>
#include <sys/types.h>

enum service_verb {
	SERVICE_RELOAD, /* read the files again */
	SERVICE_ENABLE, /* start at every boot */
	SERVICE_DISABLE,
	SERVICE_START,
	SERVICE_STOP,
	SERVICE_VERB_COUNT,
};

#define SERVICE_MAX_WORDS 7

struct service_manager {
	const char *id;   /* "systemd", "openrc", "sysv", "none" */
	const char *file; /* that describes a service, @ for its name; NULL: none */
	mode_t mode;      /* of that file */
	/* Private: how it is told from others, and what it is told. @ is the service's name. */
	const char *folder;        /* there where it runs; NULL: always */
	const char *first_process; /* the name of process 1; NULL: any */
	const char *program;       /* in a folder of the system; NULL: any */
	const char *enabled;       /* pattern of the files that start a service at boot */
	const char *verbs[SERVICE_VERB_COUNT][SERVICE_MAX_WORDS];
};

/* Borrowed, never NULL. With a root other than the system's own nothing there runs, so it is the
 * last row. */
const struct service_manager *service_manager_here(const char *root);
/* The rows one after the other, for clearing away what another manager was told; NULL at the end.
 */
const struct service_manager *service_manager_at(size_t row);
/* The first number that the manager says of its version; 0 where it says none. */
int service_manager_version(const struct service_manager *manager);
/* Below root; owned by the caller, NULL where there is no file. */
char *service_file(const struct service_manager *manager, const char *name, const char *root);
bool service_is_enabled(const struct service_manager *manager, const char *name, const char *root);
int service_do(const struct service_manager *manager, enum service_verb verb, const char *name,
	const struct cancel *cancel, struct err *err);
/* argv[0] is a path; with no terminal, no descriptor and no parent of ours, so that it outlives
 * whoever started it. -1 when it cannot be started. */
int service_start_detached(const char *const argv[], struct err *err);

#endif
