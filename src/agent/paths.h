/*
 * Where the agent keeps its files, below --root.
 *
 * paths_init() once, paths_free() at the end; every path is owned by the struct.
 */
#ifndef AGENT_PATHS_H
#define AGENT_PATHS_H

struct agent_paths {
	char *state_dir; /* /var/lib/sallyport, mode 0700 */
	char *identity;  /* the key and the hub: agent/state.h */
	char *status;    /* what the service last said of itself: agent/status.h */
	char *endpoints; /* where the hub's roles are, as it last said: agent/state.h */
	char *rhythm;    /* what the way has taught the service: agent/rhythm.h */
	char *check;     /* the latest report of `sallyport check` */
	char *runs;      /* the runs of jobs, a folder each: agent/runs/journal.h */
	char *scripts;   /* /run/sallyport: their scripts while they run */
	char *portable;  /* agents for other machines: agent/installs/portable.h */
	char *lock;      /* held by the running service: agent/lock.h */
	char *log_dir;   /* /var/log/sallyport */
	char *log;       /* connector.log */
};

void paths_init(struct agent_paths *paths, const char *root); /* root may be NULL */
void paths_free(struct agent_paths *paths);

#endif
