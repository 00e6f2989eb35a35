/*
 * What a connector says of its targets.
 *
 * Happy path: the install is this connector's, the target is of that install, the event is one, the
 * table lets the target go there; the row is written, then confirmed. What goes wrong: an install
 * that is not live or not its own any more (unknown: it forgets it), somebody else's (a protocol
 * error), an event that is none (likewise), a step that the table does not know, such as a late
 * word of a target that was cancelled (confirmed, and nothing changes).
 *
 * What a connector says is bounded and made printable before it is kept.
 */
#include "hub/installs/parts.h"

#include "base/json.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define MAX_FACTS    16
#define MAX_NAME     48
#define STEP_BYTES   262144 /* that are worth telling */
#define MAX_SIZE     (INT64_C(1) << 40)
#define MAX_EVIDENCE 24

/* What a connector may say; `online` is the hub's word. */
static const struct {
	const char *name;
	enum store_target_state state;
} says[] = {
	{"waiting", TARGET_WAITING},
	{"looking", TARGET_LOOKING},
	{"ready", TARGET_READY},
	{"working", TARGET_WORKING},
	{"joined", TARGET_JOINED},
	{"kept", TARGET_KEPT},
	{"removed", TARGET_REMOVED},
	{"absent", TARGET_ABSENT},
	{"failed", TARGET_FAILED},
	{"cancelled", TARGET_CANCELLED},
};

static bool read_state(const json_t *event, enum store_target_state *state)
{
	const char *name = json_get_text(event, "state");
	for (size_t i = 0; name && i < ARRAY_LEN(says); i++) {
		if (strcmp(says[i].name, name) == 0) {
			*state = says[i].state;
			return true;
		}
	}
	return false;
}

/* --- texts ---------------------------------------------------------------------------------- */

static bool is_name(const char *text)
{
	size_t len = strlen(text);
	return len && len <= MAX_NAME && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-_") == len;
}

/* The text, bounded and printable, in the place of the one before. */
static void take_text(char **to, const char *text)
{
	struct evidence evidence = {0};
	evidence_add(&evidence, "text", "%s", text ? text : "");
	installs_set_text(to, evidence_get(&evidence, "text"));
	evidence_free(&evidence);
}

static void take_evidence(char **to, const json_t *list)
{
	struct evidence evidence = {0};
	cleanup(json_drop) json_t *kept = json_array();
	size_t at;
	json_t *row;
	json_array_foreach((json_t *)list, at, row)
	{
		const char *name = json_get_text(row, "name"), *value = json_get_text(row, "value");
		if (name && is_name(name) && value && evidence.count < MAX_EVIDENCE)
			evidence_add(&evidence, name, "%s", value);
	}
	for (size_t i = 0; i < evidence.count; i++)
		json_array_append_new(kept, json_pack("{s:s,s:s}", "name", evidence.items[i].name, "value",
										evidence.items[i].value));
	free(*to);
	*to = json_text(kept);
	evidence_free(&evidence);
}

static void take_facts(char **to, const json_t *facts)
{
	cleanup(json_drop) json_t *kept = json_object();
	const char *name;
	json_t *value;
	if (!json_is_object(facts))
		return;
	json_object_foreach((json_t *)facts, name, value)
	{
		if (!is_name(name) || json_object_size(kept) == MAX_FACTS)
			continue;
		if (json_is_string(value)) {
			char *text = NULL;
			take_text(&text, json_string_value(value));
			json_object_set_new(kept, name, json_string(text));
			free(text);
		} else if (json_is_boolean(value) || json_is_integer(value)) {
			json_object_set(kept, name, value);
		}
	}
	free(*to);
	*to = json_text(kept);
}

/* --- the host key --------------------------------------------------------------------------- */

/* Whether it is the one that was confirmed is this hub's to say. False: another one was. */
static bool take_host_key(
	struct installs *installs, struct installs_target *target, const json_t *key)
{
	const char *print = json_get_text(key, "fingerprint"), *type = json_get_text(key, "type");
	cleanup(free_ptr) char *pinned = NULL;
	cleanup(free_ptr) char *shown = NULL;
	cleanup(free_ptr) char *kind = NULL;
	take_text(&shown, print);
	/* One that would have to be made printable is none: nobody could confirm what is shown. */
	if (!print || strlen(print) >= sizeof target->print || strncmp(print, "SHA256:", 7) != 0 ||
		strcmp(shown, print) != 0)
		return true;
	installs->store->driver->locations.pinned(installs->store, target->install->row.location,
		target->row.host, target->row.port, &pinned, NULL);
	take_text(&kind, type);
	snprintf(target->print, sizeof target->print, "%s", shown);
	target->known = pinned && strcmp(pinned, target->print) == 0;
	bool changed = pinned && !target->known;
	cleanup(json_drop) json_t *kept =
		json_pack("{s:s,s:s,s:s}", "type", kind, "fingerprint", shown, "state",
			target->known ? "known"
			: changed     ? "changed"
						  : "new");
	if (changed)
		json_object_set_new(kept, "expected", json_string(pinned));
	free(target->row.host_key);
	target->row.host_key = json_text(kept);
	return !changed;
}

/* --- the server ----------------------------------------------------------------------------- */

/* The server that it says the target is: what came with the target's own token, or one that is at
 * the location, or at none, which comes there so. One of another location is nothing that this
 * connector may speak of. */
static bool take_server(struct installs *installs, struct installs_target *target, const char *id)
{
	struct store_server server;
	if (!id || !*id || strcmp(target->row.server, id) == 0)
		return true;
	if (strlen(id) >= sizeof target->row.server || *target->row.server ||
		installs->store->driver->servers.find(installs->store, id, &server, NULL, NULL) != STORE_OK)
		return false;
	const char *location = target->install->row.location;
	bool here = strcasecmp(server.location, location) == 0 ||
				(!*server.location && installs->store->driver->locations.place(
										  installs->store, id, location, NULL) == STORE_OK);
	store_server_free(&server);
	if (here)
		snprintf(target->row.server, sizeof target->row.server, "%s", id);
	return here;
}

/* --- one event ------------------------------------------------------------------------------ */

static int64_t size_of(const json_t *event, const char *name)
{
	int64_t size = json_get_int(event, name, -1);
	return size >= 0 && size <= MAX_SIZE ? size : -1;
}

static void take_words(struct installs_target *target, const json_t *event)
{
	struct store_target *row = &target->row;
	const char *stage = json_get_text(event, "stage"), *outcome = json_get_text(event, "outcome");
	const char *sentence = json_get_text(event, "sentence");
	const char *remedy = json_get_text(event, "remedy");
	enum outcome known = outcome ? outcome_by_id(outcome) : OUTCOME_NONE;
	if (stage && install_stage_by_name(stage) < INSTALL_STAGE_COUNT)
		installs_set_text(&row->stage, stage);
	installs_set_text(&row->outcome, outcome && is_name(outcome) ? outcome : "");
	take_text(&row->sentence, sentence ? sentence : known ? outcome_info(known)->sentence : "");
	take_text(&row->remedy, remedy ? remedy : known ? outcome_info(known)->remedy : "");
	take_evidence(&row->evidence, json_object_get(event, "evidence"));
	take_facts(&row->facts, json_object_get(event, "facts"));
	row->sent = size_of(event, "sent");
	row->total = size_of(event, "total");
}

/* True when it goes further than anything that was said before. */
static bool is_further(struct installs_target *target, const json_t *event, int64_t sent_before)
{
	const char *name = json_get_text(event, "stage");
	unsigned stage = name ? (unsigned)install_stage_by_name(name) + 1 : 0;
	bool further = stage > target->stage && stage <= INSTALL_STAGE_COUNT;
	if (further)
		target->stage = stage;
	return further ||
		   (target->row.sent > 0 &&
			   target->row.sent / STEP_BYTES > (sent_before > 0 ? sent_before : 0) / STEP_BYTES);
}

/* A connector may neither bring a target back nor say what the action is not about. */
static bool may_say(const struct installs_target *target, enum store_target_state state)
{
	bool install = strcmp(target->install->row.action, "install") == 0;
	return state == target->row.state ||
		   (state != TARGET_WAITING && (state != TARGET_JOINED || install) &&
			   (state != TARGET_REMOVED || !install) &&
			   (state != TARGET_ABSENT || target->row.from_range) &&
			   ((state != TARGET_WORKING && state != TARGET_JOINED) || target->row.confirmed));
}

static bool apply(struct installs *installs, struct installs_target *target, const json_t *event,
	enum store_target_state state, int64_t now)
{
	enum store_target_state before = target->row.state;
	int64_t sent_before = target->row.sent;
	if (!installs_target_is_live(before) || !may_say(target, state))
		return false;
	if (state != before && !installs_move(installs, target, state, now))
		return false;
	bool same_key = take_host_key(installs, target, json_object_get(event, "host_key"));
	bool own = take_server(installs, target, json_get_text(event, "server"));
	if (!same_key && state == TARGET_READY) {
		installs_fail(installs, target, OUTCOME_HOST_KEY_CHANGED, NULL, now);
		return true;
	}
	if (!own && state == TARGET_JOINED) {
		installs_fail(installs, target, OUTCOME_AGENT_OTHER_LOCATION, NULL, now);
		return true;
	}
	take_words(target, event);
	installs_touch(installs, target, now);
	target->install->go_due |= state == TARGET_READY && target->row.confirmed && !target->gone;
	installs_look_online(installs, target, now);
	return is_further(target, event, sent_before) || state != before;
}

/* The connector's install and target; WRONG for what was never its own. */
static enum installs_said find(struct installs *installs, const char *server, const char *id,
	const char *name, struct installs_target **target)
{
	struct installs_one *one = installs_find(installs, id);
	*target = one ? installs_find_target(one, installs_target_number(name)) : NULL;
	if (!one)
		return INSTALLS_UNKNOWN;
	if (strcmp(one->row.connector, server) == 0)
		return *target ? INSTALLS_NEW : INSTALLS_WRONG;
	for (size_t i = 0; i < one->box_count; i++)
		if (strcmp(one->boxes[i].server, server) == 0)
			return INSTALLS_UNKNOWN; /* another one took it over */
	return one->box_count ? INSTALLS_WRONG : INSTALLS_UNKNOWN;
}

static void owe(struct installs_owed **owed, const struct jobs_receipt *receipt)
{
	struct installs_owed *one = xcalloc(1, sizeof *one);
	one->receipt = *receipt;
	one->receipt.next = -1;
	one->next = *owed;
	*owed = one;
}

enum installs_said installs_told(struct installs *installs, const struct jobs_receipt *receipt,
	const struct msg_install_event *told, int64_t now, int64_t now_ms)
{
	struct installs_target *target = NULL;
	enum store_target_state state;
	enum installs_said said = find(installs, receipt->server, told->install, told->target, &target);
	if (said != INSTALLS_NEW)
		return said;
	if (!read_state(told->event, &state))
		return INSTALLS_WRONG;
	cleanup(free_ptr) char *text = json_text(told->event);
	if (strlen(text) > INSTALLS_MAX_EVENT)
		return INSTALLS_WRONG;
	target->install->heard_ms = now_ms;
	bool further = apply(installs, target, told->event, state, now);
	owe(&target->owed, receipt);
	installs_touch(installs, target, target->row.updated);
	return further ? INSTALLS_NEW : INSTALLS_BEFORE;
}

bool installs_command_knows(const struct installs *installs, const char *server, const char *id)
{
	const struct installs_one *one = installs_find(installs, id);
	return one && one->row.by_command && strcmp(one->row.connector, server) == 0;
}

enum installs_said installs_command_told(struct installs *installs, const char *server,
	const char *id, const char *name, const json_t *event, int64_t now, int64_t now_ms)
{
	struct installs_target *target = NULL;
	enum store_target_state state;
	enum installs_said said = find(installs, server, id, name, &target);
	if (said != INSTALLS_NEW || !target->install->row.by_command)
		return said == INSTALLS_NEW ? INSTALLS_UNKNOWN : said;
	cleanup(free_ptr) char *text = json_text(event);
	if (!text || strlen(text) > INSTALLS_MAX_EVENT || !read_state(event, &state))
		return INSTALLS_WRONG;
	target->install->heard_ms = now_ms;
	apply(installs, target, event, state, now);
	return INSTALLS_NEW;
}

/* --- the end of a worker -------------------------------------------------------------------- */

static bool has_work(const struct installs_one *one)
{
	for (size_t i = 0; i < one->count; i++)
		if (one->targets[i].row.state != TARGET_JOINED &&
			installs_target_is_live(one->targets[i].row.state))
			return true;
	return false;
}

enum installs_said installs_over(struct installs *installs, const struct jobs_receipt *receipt,
	const struct msg_install_over *over, int64_t now)
{
	struct installs_one *one = installs_find(installs, over->install);
	char *why = NULL;
	if (!one)
		return INSTALLS_UNKNOWN;
	if (strcmp(one->row.connector, receipt->server) != 0 || one->row.by_command)
		return INSTALLS_UNKNOWN;
	owe(&one->owed, receipt);
	installs_touch_one(installs, one);
	if (!has_work(one))
		return INSTALLS_BEFORE;
	for (size_t i = 0; i < one->box_count; i++)
		one->boxes[i].spent |= strcmp(one->boxes[i].server, receipt->server) == 0;
	take_text(&why, over->reason ? over->reason : "The connector's worker ended before its time.");
	installs_hand_over(installs, one, why, now);
	free(why);
	return INSTALLS_BEFORE;
}

enum installs_said installs_command_over(
	struct installs *installs, const char *server, const char *id, int64_t now)
{
	struct installs_one *one = installs_find(installs, id);
	if (!one || !one->row.by_command || strcmp(one->row.connector, server) != 0)
		return INSTALLS_UNKNOWN;
	if (has_work(one))
		installs_hand_over(installs, one, "The command ended before its time.", now);
	return INSTALLS_NEW;
}
