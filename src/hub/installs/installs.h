/*
 * Installs: connectors put the agent on the hosts around them, upgrade it or take it off.
 *
 * installs_ask() makes the rows and has a connector look at the hosts; installs_go() starts what a
 * person has confirmed; the connector tells how each target is, and this decides what that means. A
 * target moves along one table of transitions (installs.c). `online` is the hub's own word: the
 * session of what the target became is up. Nothing is confirmed to a connector before it is
 * committed: installs_flush() writes what was gathered, then confirms, then tells those who watch.
 *
 * The credentials are boxes that only their connectors can open. They are here in memory alone,
 * until the install ends, for INSTALLS_BOX_MS at most; a hub that was restarted has none, and ends
 * what was under way. When a connector is away for INSTALLS_AWAY_MS, or its worker ends before its
 * time, another one that there is a box for begins anew with what is not final.
 *
 * What a connector says counts only for an install that it works on, and for its targets. A server
 * that it names has to be the one that came with the target's own token, or one of the location.
 *
 * Live installs are in memory, the others in the store only. The store is borrowed. A session is
 * known by its number; the hooks find it again. Times are given, in seconds since 1970 (now) and in
 * monotonic milliseconds (now_ms).
 */
#ifndef HUB_INSTALLS_H
#define HUB_INSTALLS_H

#include "hub/jobs/jobs.h"
#include "store/store.h"

#include <jansson.h>

#define INSTALLS_MAX_LIVE    20
#define INSTALLS_MAX_TARGETS 1024   /* of one install */
#define INSTALLS_FLUSH_ROWS  500    /* targets that one flush writes */
#define INSTALLS_FLUSH_MS    20     /* what is said waits so long for more */
#define INSTALLS_EVENT_MS    250    /* between two events of one install */
#define INSTALLS_EVENT_ROWS  200    /* targets in one event */
#define INSTALLS_AWAY_MS     20000  /* that a connector may be without a session */
#define INSTALLS_SILENT_MS   120000 /* that a command on a connector may say nothing */
#define INSTALLS_ASK_MS      10000  /* before a connector that has enough to do is asked again */
#define INSTALLS_APPEAR_S    90     /* from joined to online */
#define INSTALLS_LATE_S      600    /* that it may still come after that */
#define INSTALLS_END_MS      60000  /* that a connector has to take back what is under way */
#define INSTALLS_BOX_MS      3600000
#define INSTALLS_MAX_MOVES   4 /* from one connector to another */
#define INSTALLS_KEEP_S      (180 * INT64_C(86400))
#define INSTALLS_KEEP_COUNT  2000
#define INSTALLS_MAX_EVENT   8192 /* bytes of JSON */

struct installs;
struct msg_install_event;
struct msg_install_over;
struct rpc;

struct installs_hooks {
	void (*wake)(void *data, int64_t after_ms); /* installs_flush() then, or sooner */
	/* The number of the session of a server that is online, or 0. *ready: its agent is at work;
	 * *instance: another one for each life of the agent, 0: unknown. */
	uint64_t (*session)(void *data, const char *server, bool *ready, uint64_t *instance);
	/* Sends a request, whose parameters are taken; its id, or 0 when the session is gone. */
	int64_t (*send)(
		void *data, const char *server, uint64_t session, const char *method, json_t *params);
	void (*confirm)(void *data, const struct jobs_receipt *receipt);
	/* Makes a join token for the target; *text is wiped and freed by whoever asked. */
	enum store_status (*token)(void *data, const char *location, int64_t target, const char *host,
		const char *by, char **text, struct err *err);
	json_t *(*portable)(void *data); /* by architecture; new reference */
	json_t *(*hub)(void *data);      /* what targets join: {"url"}; new reference */
	/* The install stands in the store like this, and so do these targets; `more`: others too. May
	 * change nothing here. */
	void (*changed)(void *data, const char *install, const char *location, const int64_t *targets,
		size_t count, bool more);
	bool (*watched)(void *data);
	void *data;
};

struct installs *installs_new(struct store *store, const struct installs_hooks *hooks);
void installs_free(struct installs *installs);
/* At start: ends what cannot go on without its credentials. */
enum store_status installs_load(struct installs *installs, int64_t now, struct err *err);

enum installs_said {
	INSTALLS_NEW,     /* it will be confirmed, and brought something */
	INSTALLS_BEFORE,  /* it will be confirmed */
	INSTALLS_UNKNOWN, /* there is no such install, or another connector works on it */
	INSTALLS_LATER,   /* the store takes nothing for now */
	INSTALLS_WRONG,   /* it may not say that: a protocol error */
	INSTALLS_FULL,    /* too many are live */
	INSTALLS_NOBODY,  /* no connector with a box is online */
	INSTALLS_NOT_NOW, /* nothing is as this would need it */
	INSTALLS_CHANGED, /* the host key is not the one that was seen */
};

struct installs_wish {
	struct store_install row;     /* without id, state, connector; texts borrowed */
	struct store_target *targets; /* host, port, user, name, from_range; borrowed */
	size_t count;
	const json_t *boxes;      /* texts by connector; NULL with `command` */
	const char *command;      /* the connector that does it by a command; NULL: none */
	const char *id;           /* of a command; NULL: a new one */
	enum store_status status; /* with INSTALLS_LATER, and `err` */
	struct err err;
};

/* `id` gets that of the install. */
enum installs_said installs_ask(
	struct installs *installs, struct installs_wish *wish, char id[STORE_INSTALL_ID_SIZE]);
/* Somebody starts targets: `host_keys` fingerprints by target or NULL, `targets` a list of ids or
 * NULL for all that are ready. The keys are pinned in his name. */
enum installs_said installs_go(struct installs *installs, const char *id, const json_t *host_keys,
	const json_t *targets, const char *by, int64_t now, struct err *err);
/* The same by the command itself: *tokens gets [{id, host_key, token}], for
 * installs_forget_tokens(). */
enum installs_said installs_command_go(struct installs *installs, const char *id,
	const char *server, const json_t *targets, int64_t now, json_t **tokens, struct err *err);
/* What a connector needs for it: {id, location, targets, portable, hub}; new reference. */
json_t *installs_plan(struct installs *installs, const char *id);
enum installs_said installs_cancel(struct installs *installs, const char *id, int64_t now);

/* What a session brings. */
void installs_session_ready(
	struct installs *installs, const char *server, uint64_t session, int64_t now);
/* The answer to a request of ours; false: it was none of these. */
bool installs_answered(struct installs *installs, const char *server, const struct rpc *rpc,
	int64_t now, int64_t now_ms);
/* A machine joined with the token of a target. */
void installs_enrolled(struct installs *installs, int64_t target, const char *server, int64_t now);

enum installs_said installs_told(struct installs *installs, const struct jobs_receipt *receipt,
	const struct msg_install_event *told, int64_t now, int64_t now_ms);
enum installs_said installs_over(struct installs *installs, const struct jobs_receipt *receipt,
	const struct msg_install_over *over, int64_t now);
/* An event of a command; nothing is confirmed. */
enum installs_said installs_command_told(struct installs *installs, const char *server,
	const char *id, const char *target, const json_t *event, int64_t now, int64_t now_ms);
enum installs_said installs_command_over(
	struct installs *installs, const char *server, const char *id, int64_t now);

/* The server is no connector any more, or gone. */
void installs_lose_connector(struct installs *installs, const char *server, int64_t now);
void installs_renamed(struct installs *installs, const char *from, const char *to);
/* The number that the id of a target (or of a host key) is; 0: it is none. */
int64_t installs_target_number(const char *id);
/* Whether that live install is a command of this connector. */
bool installs_command_knows(const struct installs *installs, const char *server, const char *id);
/* Whether the install is live; its connector is put over what the store says anyway. */
bool installs_is_live(const struct installs *installs, const char *id);
/* Bytes of credentials in memory, for tests. */
size_t installs_box_bytes(const struct installs *installs);

/* What waited for too long; about twice a second. */
void installs_sweep(struct installs *installs, int64_t now, int64_t now_ms);
/* STORE_OK too when there was nothing to do. After a failure everything is still here. */
enum store_status installs_flush(struct installs *installs, int64_t now_ms, struct err *err);

#endif
