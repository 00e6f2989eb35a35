/*
 * Who is there: the presence of every server, in memory, and its way to the store.
 *
 * A machine that is connected is a member and has a session; the oldest-heard member is always at
 * hand, so that silence is noticed without looking at everybody. What changes is gathered and
 * written in one step by roster_flush(), which whoever owns the clock calls after `wake` asked for
 * it; until the store took it, it stays here, so a full disk costs no presence. After a flush
 * `changed` is told each id whose row is another now; it may read the roster and change nothing.
 *
 * A member belongs to the roster. Its session holds on to it only until it leaves, is replaced or
 * is forgotten.
 *
 * The roster borrows the store and the sessions. It knows no clock: times are given, in seconds
 * since 1970 (now) and in monotonic milliseconds (now_ms).
 */
#ifndef HUB_ROSTER_H
#define HUB_ROSTER_H

#include "diagnosis/finding.h"
#include "store/store.h"

struct session;
struct member;
struct roster;

#define ROSTER_FLUSH_MS 100  /* after a change that people see */
#define ROSTER_SEEN_MS  5000 /* after one that only says "still there" */
#define ROSTER_SEEN_S   60   /* how old last_seen may grow in the store */
/* One flush writes so many; a fleet that comes back at once keeps nobody waiting for the rest. */
#define ROSTER_FLUSH_ROWS 256
#define ROSTER_MORE_MS    5

struct roster_hooks {
	void (*wake)(void *data, int64_t after_ms); /* flush then, or sooner */
	void (*changed)(void *data, const char *id);
	void *data;
};

enum roster_note { ROSTER_INVENTORY, ROSTER_PATH, ROSTER_NOTES };

struct roster *roster_new(struct store *store, const struct roster_hooks *hooks);
void roster_free(struct roster *roster);

/* The machine is online with this session. *replaced is the session it had before, which the caller
 * ends, or NULL. */
struct member *roster_join(struct roster *roster, const char *id, struct session *session,
	int64_t now, int64_t now_ms, struct session **replaced);
/* That session is over. Nothing happens when the member has a newer one. */
void roster_leave(struct roster *roster, struct member *member, const struct session *session,
	enum cause cause, const char *reason, int64_t now);
/* Another machine with the same key was turned away: the row says so, although the server is
 * online. NULL: no longer. Forgotten when the session ends or is replaced. */
void roster_contest(struct roster *roster, struct member *member, const char *reason);
void roster_heard(struct roster *roster, struct member *member, int64_t now, int64_t now_ms);
/* The session heard last before that time, or NULL. */
struct session *roster_overdue(const struct roster *roster, int64_t before_ms);
/* What a machine tells of itself: JSON text, taken. */
void roster_note(struct roster *roster, struct member *member, enum roster_note note, char *json);

/* The session of a server that is online, or NULL. */
struct session *roster_session(const struct roster *roster, const char *id);
size_t roster_online(const struct roster *roster);
void roster_each(
	const struct roster *roster, void (*each)(void *data, struct session *session), void *data);
/* Puts what is known here over a row from the store. */
void roster_overlay(const struct roster *roster, struct store_server *server);
/* The server is gone from the store: nothing of it is written any more. */
void roster_forget(struct roster *roster, const char *id);

/* STORE_OK too when there was nothing to do; where more is left, it asks to be woken again. After a
 * failure everything is still here. */
enum store_status roster_flush(struct roster *roster, int64_t now, struct err *err);
bool roster_is_flushed(const struct roster *roster);

#endif
