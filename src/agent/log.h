/*
 * What the agent tells in connector.log about its way to the hub (rows R26, S13).
 *
 * A walk that fails, or a session that ends, is told as a short block of cause, evidence and
 * remedy, once; the same again is only counted, until the cause or what is essential in its
 * evidence changes. The walk that passes ends the outage with one line.
 *
 *     agent_log_open() ... agent_log_failure()* agent_log_online() ... agent_log_close()
 */
#ifndef AGENT_LOG_H
#define AGENT_LOG_H

#include "agent/paths.h"
#include "base/err.h"
#include "base/logfile.h"
#include "diagnosis/finding.h"
#include "dial/dial.h"

struct agent_log {
	struct logfile *file; /* owned; plain lines go to it with logfile_line() */
	char *told;           /* owned; what the last block was about, NULL while all is well */
	int64_t outage_us;    /* when the outage began, 0 for none */
	unsigned failures;    /* in this outage */
	bool told_busy;       /* likewise */
	bool was_online;
};

void agent_log_open(struct agent_log *log, const struct agent_paths *paths, bool to_stderr);
/* True when something was written: the failure is news. What was told in an earlier outage and
 * is expected (news: false) takes one line in place of the block. */
bool agent_log_failure(
	struct agent_log *log, const char *hub, const struct finding *finding, bool news);
/* The hub asks to come back later: one line in an outage, for that is no failure. True when it was
 * written. */
bool agent_log_busy(struct agent_log *log, const char *hub, int64_t retry_after_ms);
void agent_log_online(struct agent_log *log, const char *hub, const struct walk *walk);
void agent_log_close(struct agent_log *log);

#endif
