/*
 * What connectors say of one install on four hosts: a message a line, as JSON-RPC. "@" and a digit
 * stand for the id of that target, "@" and a letter for a machine (@A the first one), "@" alone for
 * the install; a digit before the message is the machine that says it. A line that is a word is
 * what the hub or a person does between, see `doings`.
 *
 * Whatever they say: what is kept is bounded and printable, only the target that was meant changes,
 * a final one does not, and online is what the hub has seen.
 */
#include "base/json.h"
#include "diagnosis/outcomes.h"
#include "fuzz.h"
#include "hub/api/rows.h"
#include "hub/log.h"
#include "lib/installs_bench.h"
#include "wire/messages.h"

#include <stdio.h>

#define INPUTS_A_STORE 500
#define TARGETS        4
#define ALL            ((1u << TARGETS) - 1)
#define MAX_WORD       403  /* of a connector's: what is cut ends in "..." */
#define MAX_OWN        1500 /* of the hub's, with such a word in it */
#define MAX_NAME       48
#define MAX_PRINT      100
#define MAX_EVIDENCE   24
#define MAX_FACTS      16
#define MAX_JSON       24576
#define MAX_SIZE       (INT64_C(1) << 40)

static struct installs_bench bench;
static char connector[IDENTITY_ID_SIZE]; /* that works on it */
static size_t owed;                      /* confirmations */
static int64_t now;
static struct {
	enum store_target_state state;
	char *text; /* all that was kept of it; owned */
	bool late;  /* it may still come online */
} kept[TARGETS];

/* --- what may be kept ----------------------------------------------------------------------- */

static void must_be_printable(const char *text, size_t max)
{
	json_t *utf8 = json_string(text);
	assert(utf8 && strlen(text) <= max);
	json_decref(utf8);
	for (const unsigned char *at = (const unsigned char *)text; *at; at++)
		assert(*at >= 0x20 && *at != 0x7f && !(at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0));
}

static void must_be_name(const char *text)
{
	size_t len = strlen(text);
	assert(len && len <= MAX_NAME && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-_") == len);
}

static void must_be_text(const json_t *value, size_t max)
{
	assert(json_is_string(value));
	must_be_printable(json_string_value(value), max);
}

/* NULL: nothing is kept yet. */
static json_t *parse(const char *text)
{
	must_be_printable(text, MAX_JSON);
	json_t *tree = *text ? json_parse(text, strlen(text), NULL) : NULL;
	assert(tree || !*text);
	return tree;
}

static void look_at_evidence(const char *text)
{
	cleanup(json_drop) json_t *list = parse(text);
	size_t at;
	json_t *row;
	assert(!list || (json_is_array(list) && json_array_size(list) <= MAX_EVIDENCE));
	json_array_foreach(list, at, row)
	{
		assert(json_object_size(row) == 2 && json_get_text(row, "name"));
		must_be_name(json_get_text(row, "name"));
		must_be_text(json_object_get(row, "value"), MAX_WORD);
	}
}

static void look_at_facts(const char *text)
{
	cleanup(json_drop) json_t *facts = parse(text);
	const char *name;
	json_t *value;
	assert(!facts || (json_is_object(facts) && json_object_size(facts) <= MAX_FACTS));
	json_object_foreach(facts, name, value)
	{
		must_be_name(name);
		if (!json_is_boolean(value) && !json_is_integer(value))
			must_be_text(value, MAX_WORD);
	}
}

/* What is shown as known is what is pinned, and what is shown is what can be confirmed. */
static void look_at_host_key(const struct store_target *target)
{
	cleanup(json_drop) json_t *key = parse(target->host_key);
	cleanup(free_ptr) char *pinned = NULL;
	if (!key)
		return;
	const char *state = json_get_text(key, "state");
	assert(state && json_object_size(key) == (strcmp(state, "changed") == 0 ? 4 : 3));
	must_be_text(json_object_get(key, "type"), MAX_WORD);
	must_be_text(json_object_get(key, "fingerprint"), MAX_PRINT);
	if (json_object_get(key, "expected"))
		must_be_text(json_object_get(key, "expected"), MAX_PRINT);
	bench.memory->store->driver->locations.pinned(
		bench.memory->store, PLACE, target->host, target->port, &pinned, NULL);
	bool same = pinned && strcmp(pinned, json_get_text(key, "fingerprint")) == 0;
	assert(strcmp(state, "known") != 0 || same);
	assert(!target->confirmed || same || target->state != TARGET_READY);
}

/* The hub has seen it, and it is the location's. */
static void look_at_server(const struct store_target *target)
{
	struct store_server server;
	if (!*target->server) {
		assert(target->state != TARGET_ONLINE);
		return;
	}
	enum store_status status = bench.memory->store->driver->servers.find(
		bench.memory->store, target->server, &server, NULL, NULL);
	assert(status == STORE_OK && strcmp(server.location, PLACE) == 0);
	store_server_free(&server);
}

static void look_at(const struct store_target *target)
{
	assert(!*target->stage || install_stage_by_name(target->stage) < INSTALL_STAGE_COUNT);
	if (*target->outcome)
		must_be_name(target->outcome);
	must_be_printable(target->sentence, MAX_OWN);
	must_be_printable(target->remedy, MAX_OWN);
	look_at_evidence(target->evidence);
	look_at_facts(target->facts);
	look_at_host_key(target);
	look_at_server(target);
	assert(target->sent >= -1 && target->sent <= MAX_SIZE);
	assert(target->total >= -1 && target->total <= MAX_SIZE);
	assert(
		target->confirmed || (target->state != TARGET_WORKING && target->state != TARGET_JOINED &&
								 target->state != TARGET_ONLINE));
}

/* --- what may change ------------------------------------------------------------------------ */

static bool is_online(const char *server)
{
	for (int i = 0; i < MACHINES; i++)
		if (strcmp(bench.machines[i].id, server) == 0)
			return bench.machines[i].session;
	return false;
}

static bool is_final(enum store_target_state state)
{
	return !(STORE_TARGETS_LIVE & 1u << state);
}

/* Target number `i` stands in the store like that. */
static void compare(int i, const struct store_target *target, bool may_change, bool by_hub)
{
	enum store_target_state before = kept[i].state, state = target->state;
	char *text = xasprintf("%d %d %s %s %s %s %s %s %s %s %lld %lld", (int)state,
		(int)target->confirmed, target->stage, target->outcome, target->sentence, target->remedy,
		target->evidence, target->host_key, target->facts, target->server, (long long)target->sent,
		(long long)target->total);
	bool comes_late = by_hub && kept[i].late && state == TARGET_ONLINE;
	bool changed = kept[i].text && strcmp(kept[i].text, text) != 0;
	assert(!changed || (may_change && (!is_final(before) || comes_late)));
	assert(!changed || state != TARGET_ONLINE || is_online(target->server));
	kept[i].late |= by_hub && before == TARGET_JOINED && state == TARGET_FAILED &&
					strcmp(target->outcome, "never-appeared") == 0;
	kept[i].state = state;
	free(kept[i].text);
	kept[i].text = text;
}

/* Bits of targets that what was done last may have changed. */
static void look(unsigned may_change, bool by_hub)
{
	installs_bench_flush(&bench);
	for (int i = 0; i < TARGETS; i++) {
		struct store_target target;
		enum store_status status = bench.memory->store->driver->installs.target(
			bench.memory->store, bench.first_target + i, &target, NULL);
		assert(status == STORE_OK);
		look_at(&target);
		compare(i, &target, may_change & 1u << i, by_hub);
		store_target_free(&target);
	}
	struct store_install install;
	enum store_status status = bench.memory->store->driver->installs.find(
		bench.memory->store, bench.install, &install, NULL);
	assert(status == STORE_OK);
	must_be_printable(install.reason, MAX_OWN);
	memcpy(connector, install.connector, sizeof connector);
	store_install_free(&install);
	assert(bench.sent_count < MAX_SENT && bench.confirmed == owed);
	installs_bench_forget_sent(&bench);
	owed = 0;
}

/* --- what is said --------------------------------------------------------------------------- */

static bool is_taken(enum installs_said said, int machine)
{
	assert(said == INSTALLS_NEW || said == INSTALLS_BEFORE || said == INSTALLS_UNKNOWN ||
		   said == INSTALLS_WRONG);
	bool taken = said == INSTALLS_NEW || said == INSTALLS_BEFORE;
	assert(!taken || strcmp(bench.machines[machine].id, connector) == 0);
	owed += taken;
	return taken;
}

/* A step that is none changes nothing of the target either. */
static void say_event(
	int machine, const struct jobs_receipt *receipt, const struct msg_install_event *told)
{
	const char *said = json_get_text(told->event, "state");
	int64_t number = installs_target_number(told->target) - bench.first_target;
	struct store_target target;
	if (!is_taken(installs_told(bench.installs, receipt, told, now, bench.now_ms), machine)) {
		look(0, false);
		return;
	}
	assert(said && number >= 0 && number < TARGETS);
	installs_bench_flush(&bench);
	enum store_status status = bench.memory->store->driver->installs.target(
		bench.memory->store, bench.first_target + number, &target, NULL);
	assert(status == STORE_OK);
	bool is_step = target.state != kept[number].state ||
				   strcmp(target_state_name((int)target.state), said) == 0;
	store_target_free(&target);
	look(is_step ? 1u << number : 0, false);
}

/* What has joined already is no longer the connector's. */
static void say_over(
	int machine, const struct jobs_receipt *receipt, const struct msg_install_over *over)
{
	unsigned may_change = 0;
	if (is_taken(installs_over(bench.installs, receipt, over, now), machine))
		for (int i = 0; i < TARGETS; i++)
			may_change |= kept[i].state != TARGET_JOINED ? 1u << i : 0;
	look(may_change, false);
}

static void say(int machine, const struct rpc *rpc)
{
	struct jobs_receipt receipt = {.session = 1, .rpc_id = rpc->id};
	struct msg_install_event told = {0};
	struct msg_install_over over = {0};
	memcpy(receipt.server, bench.machines[machine].id, sizeof receipt.server);
	if (rpc->kind == RPC_RESULT || rpc->kind == RPC_ERROR) {
		installs_answered(bench.installs, receipt.server, rpc, now, bench.now_ms);
		look(ALL, false);
	} else if (message_read(MSG_install_event, rpc->body, &told, NULL) == 0) {
		say_event(machine, &receipt, &told);
	} else if (message_read(MSG_install_over, rpc->body, &over, NULL) == 0) {
		say_over(machine, &receipt, &over);
	}
	message_free(MSG_install_event, &told);
	message_free(MSG_install_over, &over);
}

/* --- what happens between ------------------------------------------------------------------- */

static void pass(int64_t seconds)
{
	now += seconds;
	bench.now_ms += seconds * 1000;
	installs_sweep(bench.installs, now, bench.now_ms);
}

static void short_while(void)
{
	pass(INSTALLS_APPEAR_S);
}

static void long_while(void)
{
	pass(INSTALLS_BOX_MS / 1000);
}

/* Somebody starts all that he sees ready. */
static void go(void)
{
	cleanup(json_drop) json_t *keys = json_object();
	struct err err;
	for (int i = 0; i < TARGETS; i++) {
		struct store_target target;
		char id[24];
		snprintf(id, sizeof id, "%lld", (long long)bench.first_target + i);
		enum store_status status = bench.memory->store->driver->installs.target(
			bench.memory->store, bench.first_target + i, &target, NULL);
		assert(status == STORE_OK);
		cleanup(json_drop) json_t *key = parse(target.host_key);
		if (key)
			json_object_set(keys, id, json_object_get(key, "fingerprint"));
		store_target_free(&target);
	}
	enum installs_said said =
		installs_go(bench.installs, bench.install, keys, NULL, "alice", now, &err);
	assert(said == INSTALLS_NEW || said == INSTALLS_NOT_NOW);
}

static void cancel(void)
{
	installs_cancel(bench.installs, bench.install, now);
}

static void join(void)
{
	installs_enrolled(bench.installs, bench.first_target, bench.machines[TARGET].id, now);
}

static void set_sessions(int from, int to, bool up)
{
	static uint64_t session = MACHINES;
	for (int i = from; i <= to; i++) {
		bench.machines[i].session = up ? ++session : 0;
		bench.machines[i].instance++;
		if (up)
			installs_session_ready(
				bench.installs, bench.machines[i].id, bench.machines[i].session, now);
	}
}

static void up(void)
{
	set_sessions(TARGET, LOOSE, true);
}

static void down(void)
{
	set_sessions(TARGET, LOOSE, false);
}

static void back(void)
{
	set_sessions(FIRST, FIRST, true);
}

static void lost(void)
{
	set_sessions(FIRST, FIRST, false);
}

static const struct {
	const char *word;
	void (*run)(void);
} doings[] = {
	{"go", go},
	{"cancel", cancel},
	{"join", join}, /* a machine, with the token of the first target */
	{"up", up},     /* the machines that targets become are online, or not */
	{"down", down}, /* until they are up again */
	{"back", back}, /* the first connector was restarted */
	{"lost", lost}, /* it is away */
	{"while", short_while},
	{"hour", long_while},
};

/* --- one input ------------------------------------------------------------------------------ */

/* The line with ids in the place of each "@". */
static void fill(struct buf *text, const char *line, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		int next = line[i] == '@' && i + 1 < len ? line[i + 1] : 0;
		bool target = next >= '0' && next < '0' + TARGETS;
		bool machine = next >= 'A' && next < 'A' + MACHINES;
		if (target)
			buf_printf(text, "%lld", (long long)bench.first_target + next - '0');
		else if (machine)
			buf_puts(text, bench.machines[next - 'A'].id);
		else if (line[i] == '@')
			buf_puts(text, bench.install);
		else
			buf_append(text, &line[i], 1);
		i += target || machine;
	}
}

static void take(const char *line, size_t len)
{
	struct buf text = {.max = 65536};
	struct rpc rpc;
	for (size_t i = 0; i < ARRAY_LEN(doings); i++) {
		if (len == strlen(doings[i].word) && memcmp(line, doings[i].word, len) == 0) {
			doings[i].run();
			look(ALL, true);
			return;
		}
	}
	bool named = len && *line >= '0' && *line < '0' + MACHINES;
	fill(&text, line + named, len - named);
	if (rpc_parse(buf_text(&text), text.len, &rpc, NULL) == 0) {
		say(named ? *line - '0' : FIRST, &rpc);
		rpc_free(&rpc);
	}
	buf_free(&text);
}

static void begin(const char *action)
{
	static int inputs;
	const struct store_locations_ops *store;
	const struct store_host_key key = {.host = (char *)"10.0.0.3",
		.fingerprint = (char *)"SHA256:old",
		.confirmed_by = (char *)"alice",
		.port = 22 + inputs, /* another one in every input: what was pinned before is of no use */
		.confirmed = NOW};
	if (inputs++ % INPUTS_A_STORE == 0) {
		if (bench.memory)
			installs_bench_close(&bench);
		installs_bench_open(&bench);
		inputs = 1;
	}
	store = &bench.memory->store->driver->locations;
	enum store_status pinned = store->pin(bench.memory->store, PLACE, &key, NULL);
	enum store_status placed =
		store->place(bench.memory->store, bench.machines[LOOSE].id, NULL, NULL);
	assert(pinned == STORE_OK && placed == STORE_OK);
	for (int i = 0; i < MACHINES; i++)
		bench.machines[i].session = 1;
	bench.port = key.port;
	bench.last_id = 0;
	now = NOW;
	enum installs_said said =
		installs_bench_ask(&bench, TARGETS, 1u << FIRST | 1u << SECOND, action);
	assert(said == INSTALLS_NEW);
	look(ALL, true);
}

/* Whatever was said, it ends. */
static void end(void)
{
	static const int64_t steps[] = {1, INSTALLS_END_MS / 1000, INSTALLS_APPEAR_S, INSTALLS_LATE_S};
	cancel();
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		installs_bench_flush(&bench);
		pass(steps[i]);
	}
	look(ALL, true);
	assert(!installs_is_live(bench.installs, bench.install));
	assert(installs_box_bytes(bench.installs) == 0);
	for (int i = 0; i < TARGETS; i++)
		free(kept[i].text);
	memset(kept, 0, sizeof kept);
}

/* A first line "remove" makes it one that takes the agent off. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char removal[] = "remove\n";
	const char *line = (const char *)data, *end_of_input = line + size;
	bool removes = size >= strlen(removal) && memcmp(line, removal, strlen(removal)) == 0;
	log_set_level(LOG_SILENT);
	begin(removes ? "remove" : "install");
	for (line += removes ? strlen(removal) : 0; line < end_of_input;) {
		const char *stop = memchr(line, '\n', (size_t)(end_of_input - line));
		take(line, (size_t)((stop ? stop : end_of_input) - line));
		line = stop ? stop + 1 : end_of_input;
	}
	end();
	return 0;
}
