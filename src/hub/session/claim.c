/*
 * Two sessions with one key: a machine that comes back, or a copy of it?
 *
 * Happy path: the machine lost its connection and comes again, while the hub still holds the dead
 * one; the new session takes over at once. Doubtful is one that comes from another machine, or from
 * a process whose session was taken over before (a process that was restarted never comes back), or
 * again and again from the same process: then the session that is there is asked whether it lives
 * ("present"). An answer proves that two run with one key: the newcomer is refused as
 * agent-duplicate and told who is there, and the row of the server says so. Silence for a few
 * seconds, or the end of the older session, lets the newcomer in.
 *
 * What waits for a time (claims, checks that measure idleness, rows that tell of a copy) stands in
 * one short list, which session_dues_sweep() goes through.
 */
#include "hub/log.h"
#include "hub/session/parts.h"
#include "store/summary.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define ANSWER_MOST_MS 5000            /* the agent's own patience with an answer is 10 s */
#define TOLD_MS        INT64_C(600000) /* the row tells of a copy this long after it last came */
#define RETURNS_MOST   3               /* of one process, within: */
#define RETURNS_MS     60000
#define LINGER_MOST    256 /* connections at a time that stay open to be idle */

/* --- what waits for a time -------------------------------------------------------------------- */

static void due_clear(struct session *session)
{
	struct session **at = &session->context->dues->first;
	while (*at && *at != session)
		at = &(*at)->next_due;
	if (!*at)
		return;
	*at = session->next_due;
	session->next_due = NULL;
	session->on_due = NULL;
	session->context->dues->count--;
}

static void due_set(
	struct session *session, int64_t after_ms, void (*on_due)(struct session *session))
{
	struct session_dues *dues = session->context->dues;
	due_clear(session);
	session->due_ms = session_now_ms() + after_ms;
	session->on_due = on_due;
	session->next_due = dues->first;
	dues->first = session;
	dues->count++;
}

void session_dues_sweep(struct session_dues *dues, int64_t now_ms)
{
	struct session *session = dues->first;
	while (session) {
		if (session->due_ms > now_ms) {
			session = session->next_due;
			continue;
		}
		void (*on_due)(struct session * session) = session->on_due;
		due_clear(session);
		on_due(session);
		session = dues->first; /* the list may be another now */
	}
}

/* --- lingering -------------------------------------------------------------------------------- */

static void end_linger(struct session *session)
{
	if (session->state != STATE_OVER)
		session_close(session, CLOSE_NORMAL, "checked");
}

void session_linger(struct session *session, int64_t ms)
{
	if (!ms || session->context->dues->count >= LINGER_MOST) {
		end_linger(session);
		return;
	}
	session->state = STATE_LINGER;
	session->link->proven(session->link_data);
	due_set(session, ms, end_linger);
}

/* --- doubt ------------------------------------------------------------------------------------ */

static bool same(const unsigned char *a, const unsigned char *b, size_t len)
{
	return !sodium_is_zero(a, len) && memcmp(a, b, len) == 0;
}

static bool other_machine(const struct session *a, const struct session *b)
{
	return !sodium_is_zero(a->machine, sizeof a->machine) &&
		   !sodium_is_zero(b->machine, sizeof b->machine) &&
		   memcmp(a->machine, b->machine, sizeof a->machine) != 0;
}

/* A check carries no instance, so for it only the machine counts. */
static bool is_doubtful(const struct session *newcomer, const struct session *holder)
{
	if (other_machine(newcomer, holder) ||
		same(newcomer->instance, holder->ousted, sizeof holder->ousted))
		return true;
	return same(newcomer->instance, holder->instance, sizeof holder->instance) &&
		   holder->returns >= RETURNS_MOST && session_now_ms() - holder->returns_ms < RETURNS_MS;
}

void session_takes_over(struct session *session, const struct session *older)
{
	int64_t now = session_now_ms();
	if (!same(session->instance, older->instance, sizeof session->instance)) {
		memcpy(session->ousted, older->instance, sizeof session->ousted);
		return;
	}
	memcpy(session->ousted, older->ousted, sizeof session->ousted);
	bool recent = older->returns && now - older->returns_ms < RETURNS_MS;
	session->returns = recent ? older->returns + 1 : 1;
	session->returns_ms = recent ? older->returns_ms : now;
}

/* --- claims ----------------------------------------------------------------------------------- */

static void claim_free(struct session *newcomer)
{
	struct claim *claim = newcomer->claim;
	newcomer->claim = NULL;
	due_clear(newcomer);
	if (claim)
		free(claim->entry.inventory);
	free(claim);
}

/* It may have been removed in the console, or have left, while it waited. */
static bool still_known(const struct session *newcomer)
{
	const struct store_driver *driver = newcomer->context->store->driver;
	enum server_standing standing = SERVER_UNKNOWN;
	struct err err;
	return driver->servers.standing(newcomer->context->store, newcomer->transcript->agent_key,
			   &standing, &err) == STORE_OK &&
		   standing == SERVER_KNOWN;
}

static void grant(struct session *newcomer)
{
	struct session_entry entry = newcomer->claim->entry;
	bool waits = newcomer->state == STATE_CLAIM; /* else it was refused for what it said */
	newcomer->claim->entry.inventory = NULL;
	claim_free(newcomer);
	if (waits && still_known(newcomer)) {
		session_enter(newcomer, &entry);
		return;
	}
	free(entry.inventory);
	if (waits)
		session_refuse(newcomer, entry.rpc_id, REFUSAL_AGENT_UNKNOWN, NULL);
}

static void on_unanswered(struct session *newcomer)
{
	log_line(LOG_DETAIL, "server %s does not answer from %s any more; %s takes over", newcomer->id,
		newcomer->claim->holder->peer, newcomer->peer);
	grant(newcomer);
}

static void claim_begin(
	struct session *newcomer, struct session *holder, struct session_entry *entry)
{
	int64_t patience = newcomer->context->timing.heartbeat_timeout_ms;
	struct claim *claim = xcalloc(1, sizeof *claim);
	claim->holder = holder;
	claim->entry = *entry;
	entry->inventory = NULL;
	newcomer->claim = claim;
	newcomer->state = STATE_CLAIM;
	newcomer->link->proven(newcomer->link_data);
	due_set(newcomer, patience < ANSWER_MOST_MS ? patience : ANSWER_MOST_MS, on_unanswered);
	holder->present_id = ++holder->next_id;
	session_send_text(
		holder, rpc_request(holder->present_id, message_method(MSG_present), json_object()));
}

bool session_claims(struct session *newcomer, struct session_entry *entry)
{
	struct session *holder = roster_session(newcomer->context->roster, newcomer->id);
	if (!holder || !is_doubtful(newcomer, holder))
		return false;
	claim_begin(newcomer, holder, entry);
	return true;
}

/* Who is there: the row's name and address, and where the session comes from. */
static json_t *who_is_there(const struct session *holder)
{
	const struct store_driver *driver = holder->context->store->driver;
	struct store_server server;
	json_t *data = json_pack("{s:s}", "address", holder->peer);
	if (driver->servers.find(holder->context->store, holder->id, &server, NULL, NULL) != STORE_OK)
		return data;
	json_object_set_new(data, "name", json_string(server.name));
	json_object_set_new(data, "inside", json_string(server.address));
	store_server_free(&server);
	return data;
}

static void stop_telling(struct session *holder)
{
	if (holder->member)
		roster_contest(holder->context->roster, holder->member, NULL);
}

static void tell_row(struct session *holder, const struct session *newcomer)
{
	const char *inventory = newcomer->claim->entry.inventory;
	cleanup(json_drop) json_t *object =
		inventory ? json_parse(inventory, strlen(inventory), NULL) : NULL;
	struct summary summary;
	char reason[600];
	summary_of(object, &summary);
	snprintf(reason, sizeof reason,
		"Another machine (%.100s%s%s, seen from %s) has this machine's identity and was turned "
		"away. "
		"One of the two is a copy.",
		*summary.name ? summary.name : "without a name", *summary.address ? ", " : "",
		summary.address, newcomer->peer);
	roster_contest(holder->context->roster, holder->member, reason);
	due_set(holder, TOLD_MS, stop_telling);
}

static void refuse(struct session *newcomer, struct session *holder)
{
	int64_t rpc_id = newcomer->claim->entry.rpc_id;
	bool check_only = newcomer->claim->entry.check_only;
	log_line(LOG_WARNING, "server %s is here from %s; a copy of it at %s is turned away",
		holder->id, holder->peer, newcomer->peer);
	if (!check_only)
		tell_row(holder, newcomer);
	claim_free(newcomer);
	session_refuse(newcomer, rpc_id, REFUSAL_AGENT_DUPLICATE, who_is_there(holder));
}

static struct session *next_claim_on(const struct session *holder)
{
	struct session *session = holder->context->dues->first;
	while (session && !(session->claim && session->claim->holder == holder))
		session = session->next_due;
	return session;
}

void session_is_present(struct session *holder)
{
	struct session *newcomer;
	while ((newcomer = next_claim_on(holder)))
		refuse(newcomer, holder);
}

void session_claims_end(struct session *session)
{
	struct session *newcomer;
	claim_free(session);
	while ((newcomer = next_claim_on(session)))
		grant(newcomer);
}
