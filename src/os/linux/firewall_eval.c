/*
 * A packet on its way through the chains.
 *
 * Conditions are true, false or undetermined, and an undetermined rule both acts and lets the
 * packet pass on: what comes out is the set of all fates that are possible. One fate is certain;
 * where there are two, the first undetermined rule is named. A chain's accept ends that chain
 * alone, a drop is final. Steps and depth are bounded; past the bound anything is possible.
 */
#include "os/linux/firewall_model.h"

#include <stdio.h>
#include <string.h>

/* Possible fates, a set of bits. */
enum fate {
	FATE_ACCEPT = 1,
	FATE_DROP = 2,
	FATE_REJECT = 4,
	FATE_UNKNOWN = 8,
	FATE_RETURN = 16, /* of a chain: goes on where it was called */
	FATE_ON = 32,     /* of a rule: goes on to the next */
};

enum truth { NO, MAYBE, YES };

struct run {
	const struct firewall *firewall;
	const struct firewall_packet *packet;
	struct fw_fact facts[FW_FIELD_COUNT];
	size_t steps;
	bool assumed;
	bool unlisted; /* no rule names the sender */
	/* the first rule, or chain for its policy, that leads to a fate; NULL: none */
	const struct fw_rule *rule_of[FATE_UNKNOWN + 1];
	const struct fw_chain *policy_of[FATE_UNKNOWN + 1];
	const struct fw_rule *undetermined; /* the first */
	bool sender_asked;                  /* an undetermined rule hangs on the sender */
	bool other_asked;                   /* ... or on something else */
};

/* --- conditions --------------------------------------------------------------------------- */

static bool text_matches(const char *pattern, const char *text)
{
	size_t len = strlen(pattern);
	if (len && pattern[len - 1] == '*')
		return strncmp(pattern, text, len - 1) == 0;
	return strcmp(pattern, text) == 0;
}

static enum truth compare_value(
	const struct fw_fact *fact, const struct fw_value *value, uint64_t mask, bool unlisted)
{
	if (!fact->known || value->unknown)
		return MAYBE;
	if (value->text || fact->text)
		return value->text && fact->text && text_matches(value->text, fact->text) ? YES : NO;
	if (mask && fact->low != fact->high)
		return MAYBE;
	uint64_t low = mask ? fact->low & mask : fact->low;
	uint64_t high = mask ? low : fact->high;
	if (value->low <= low && high <= value->high)
		return YES;
	if (value->high < low || high < value->low)
		return NO;
	return unlisted ? NO : MAYBE;
}

static enum truth compare_row(
	const struct run *run, const struct fw_match *match, const struct fw_value *row)
{
	enum truth all = YES;
	for (size_t i = 0; i < match->width && all != NO; i++) {
		enum fw_field field = match->fields[i];
		bool unlisted = run->unlisted && field == FW_FROM;
		enum truth one = compare_value(&run->facts[field], &row[i], match->mask, unlisted);
		all = one < all ? one : all;
	}
	return all;
}

static enum truth compare_bits(const struct run *run, const struct fw_match *match)
{
	const struct fw_fact *fact = &run->facts[match->fields[0]];
	const struct fw_list *list = match->looked_in;
	uint64_t bits = 0;
	if (!fact->known)
		return MAYBE;
	for (size_t i = 0; i < list->rows; i++) {
		if (list->values[i].unknown || list->values[i].low != list->values[i].high)
			return MAYBE;
		bits |= list->values[i].low;
	}
	return fact->low & bits ? YES : NO;
}

static enum truth compare(const struct run *run, const struct fw_match *match)
{
	const struct fw_list *list = match->looked_in;
	enum truth best = NO;
	if (!list || list->width != match->width)
		return MAYBE;
	if (match->any_bit)
		best = compare_bits(run, match);
	for (size_t i = 0; !match->any_bit && i < list->rows && best != YES; i++) {
		enum truth one = compare_row(run, match, &list->values[i * list->width]);
		best = one > best ? one : best;
	}
	return match->negated ? (enum truth)(YES - best) : best;
}

/* All conditions of a rule but a verdict map. */
static enum truth test_rule(struct run *run, const struct fw_rule *rule)
{
	size_t count = rule->match_count - (rule->is_map && rule->match_count ? 1 : 0);
	enum truth all = rule->unknown ? MAYBE : YES;
	for (size_t i = 0; i < count && all != NO; i++) {
		enum truth one = compare(run, &rule->matches[i]);
		all = one < all ? one : all;
	}
	if (all == NO || (rule->target.action == FW_NONE && !rule->is_map))
		return all;
	if (rule->over_limit || rule->within_limit)
		run->assumed = true;
	return rule->over_limit ? NO : all;
}

/* An undetermined rule with an effect. What a sender that no rule names settles hangs on the
 * sender. */
static void note_doubt(struct run *run, const struct fw_rule *rule)
{
	bool other = rule->unknown, before = run->unlisted;
	run->unlisted = true;
	for (size_t i = 0; i < rule->match_count; i++)
		other |= compare(run, &rule->matches[i]) == MAYBE;
	run->unlisted = before;
	run->other_asked |= other;
	run->sender_asked |= !other;
	if (!run->undetermined)
		run->undetermined = rule;
}

/* --- rules and chains --------------------------------------------------------------------- */

static unsigned walk_chain(struct run *run, const struct fw_chain *chain, int depth);

static void note_fate(struct run *run, enum fate fate, const struct fw_rule *rule)
{
	if (!run->rule_of[fate] && !run->policy_of[fate])
		run->rule_of[fate] = rule;
}

static unsigned final_fate(struct run *run, enum fate fate, const struct fw_rule *rule)
{
	note_fate(run, fate, rule);
	return fate;
}

static void forget(struct run *run, enum fw_field field)
{
	run->facts[field].known = false;
}

static unsigned walk_into(
	struct run *run, const struct fw_rule *rule, const struct fw_target *target, int depth)
{
	if (!target->chain)
		return final_fate(run, FATE_UNKNOWN, rule);
	unsigned fates = walk_chain(run, target->chain, depth + 1);
	if (target->action == FW_JUMP && fates & FATE_RETURN)
		fates = (fates & ~(unsigned)FATE_RETURN) | FATE_ON;
	return fates;
}

static unsigned act(
	struct run *run, const struct fw_rule *rule, const struct fw_target *target, int depth)
{
	switch (target->action) {
	case FW_NONE:
		return FATE_ON;
	case FW_ACCEPT:
		return final_fate(run, FATE_ACCEPT, rule);
	case FW_DROP:
		return final_fate(run, FATE_DROP, rule);
	case FW_REJECT:
		return final_fate(run, FATE_REJECT, rule);
	case FW_RETURN:
		return FATE_RETURN;
	case FW_JUMP:
	case FW_GOTO:
		return walk_into(run, rule, target, depth);
	case FW_SOMEWHERE:
		return final_fate(run, FATE_UNKNOWN, rule);
	case FW_ANYTHING:
		return final_fate(run, FATE_UNKNOWN, rule) | FATE_ON;
	case FW_SET_MARK:
		forget(run, FW_MARK);
		forget(run, FW_CT_MARK);
		return FATE_ON;
	case FW_NO_TRACKING:
		forget(run, FW_STATE);
		return FATE_ON;
	}
	return FATE_UNKNOWN;
}

/* The rows of a verdict map: the first that is true acts, one that may be true may act. */
static unsigned act_by_map(struct run *run, const struct fw_rule *rule, int depth)
{
	const struct fw_match *match = &rule->matches[rule->match_count - 1];
	const struct fw_list *list = match->looked_in;
	unsigned fates = 0;
	if (!list || !list->targets || list->width != match->width)
		return final_fate(run, FATE_UNKNOWN, rule) | FATE_ON;
	for (size_t i = 0; i < list->rows; i++) {
		enum truth truth = compare_row(run, match, &list->values[i * list->width]);
		if (truth == NO)
			continue;
		fates |= act(run, rule, &list->targets[i], depth);
		if (truth == YES)
			return fates;
		note_doubt(run, rule);
	}
	return fates | FATE_ON;
}

static unsigned walk_chain(struct run *run, const struct fw_chain *chain, int depth)
{
	unsigned fates = 0;
	if (depth > FW_MAX_DEPTH)
		return FATE_UNKNOWN;
	for (size_t i = 0; i < chain->rule_count; i++) {
		const struct fw_rule *rule = &chain->rules[i];
		if (++run->steps > FW_MAX_STEPS)
			return fates | final_fate(run, FATE_UNKNOWN, NULL);
		enum truth truth = test_rule(run, rule);
		if (truth == NO)
			continue;
		unsigned now =
			rule->is_map ? act_by_map(run, rule, depth) : act(run, rule, &rule->target, depth);
		if (truth == MAYBE && now != FATE_ON)
			note_doubt(run, rule);
		fates |= now & ~(unsigned)FATE_ON;
		if (truth == YES && !(now & FATE_ON))
			return fates;
	}
	return fates | FATE_RETURN;
}

/* --- hooks -------------------------------------------------------------------------------- */

static const enum fw_hook hooks_of[][3] = {
	[FIREWALL_IN] = {FW_INGRESS, FW_PREROUTING, FW_INPUT},
	[FIREWALL_OUT] = {FW_OUTPUT, FW_POSTROUTING, FW_NO_HOOK},
};

static bool applies(const struct run *run, const struct fw_chain *chain)
{
	const char *interface = run->packet->interface;
	if (chain->table->ignored || (chain->nat && run->packet->answer))
		return false;
	return chain->hook != FW_INGRESS || !chain->device || !*interface ||
		   strcmp(chain->device, interface) == 0;
}

static int by_priority(const void *a, const void *b)
{
	const struct fw_chain *left = *(const struct fw_chain *const *)a;
	const struct fw_chain *right = *(const struct fw_chain *const *)b;
	return left->priority == right->priority ? 0 : left->priority < right->priority ? -1 : 1;
}

/* The chains of one hook, in their order; owned by the caller. */
static const struct fw_chain **chains_at(const struct run *run, enum fw_hook hook, size_t *count)
{
	const struct firewall *firewall = run->firewall;
	const struct fw_chain **chains = xcalloc(firewall->chain_count + 1, sizeof(void *));
	*count = 0;
	for (size_t t = 0; t < firewall->table_count; t++) {
		const struct fw_table *table = firewall->tables[t];
		for (size_t c = 0; c < table->chain_count; c++)
			if (table->chains[c]->hook == hook && applies(run, table->chains[c]))
				chains[(*count)++] = table->chains[c];
	}
	if (*count)
		qsort(chains, *count, sizeof(void *), by_priority);
	return chains;
}

static unsigned walk_base(struct run *run, const struct fw_chain *chain)
{
	unsigned fates = walk_chain(run, chain, 0);
	if (!(fates & FATE_RETURN))
		return fates;
	enum fate fate = chain->policy == FW_DROP ? FATE_DROP : FATE_ACCEPT;
	if (!run->rule_of[fate] && !run->policy_of[fate])
		run->policy_of[fate] = chain;
	return (fates & ~(unsigned)FATE_RETURN) | fate;
}

static unsigned walk_hooks(struct run *run)
{
	const enum fw_hook *hooks = hooks_of[run->packet->direction];
	unsigned final = 0, alive = FATE_ACCEPT;
	for (size_t h = 0; h < ARRAY_LEN(hooks_of[0]) && hooks[h] != FW_NO_HOOK; h++) {
		size_t count;
		const struct fw_chain **chains = chains_at(run, hooks[h], &count);
		for (size_t i = 0; i < count && alive; i++) {
			unsigned fates = walk_base(run, chains[i]);
			final |= fates & ~(unsigned)FATE_ACCEPT;
			alive = fates & FATE_ACCEPT;
		}
		free(chains);
	}
	return final | alive;
}

/* --- the answer --------------------------------------------------------------------------- */

static void put_place(
	struct firewall_answer *answer, const struct fw_chain *chain, const struct fw_rule *rule)
{
	const struct fw_table *table = chain->table;
	size_t size = sizeof answer->place;
	int len = snprintf(answer->place, size, "%s %s%s%.60s, chain %.60s, ",
		table->legacy ? "iptables table" : "table", table->legacy ? "" : table->family,
		table->legacy ? "" : " ", table->name, chain->name);
	if (len < 0 || (size_t)len >= size)
		return;
	if (!rule)
		snprintf(answer->place + len, size - (size_t)len, "whose policy is %s",
			chain->policy == FW_DROP ? "drop" : "accept");
	else if (rule->handle)
		snprintf(
			answer->place + len, size - (size_t)len, "rule handle %lld", (long long)rule->handle);
	else
		snprintf(
			answer->place + len, size - (size_t)len, "rule %zu", (size_t)(rule - chain->rules) + 1);
	if (!rule)
		snprintf(answer->rule, sizeof answer->rule, "policy %s",
			chain->policy == FW_DROP ? "drop" : "accept");
	else if (rule->text)
		snprintf(answer->rule, sizeof answer->rule, "%.390s", rule->text);
}

static const struct fw_rule *put_unknown(
	const struct run *run, unsigned fates, struct firewall_answer *answer)
{
	const struct fw_rule *rule = run->undetermined ? run->undetermined : run->rule_of[FATE_UNKNOWN];
	answer->verdict = FIREWALL_UNKNOWN;
	answer->by_sender = run->sender_asked && !run->other_asked && !(fates & FATE_UNKNOWN);
	if (rule)
		put_place(answer, rule->chain, rule);
	if (run->firewall->incomplete)
		snprintf(
			answer->reason, sizeof answer->reason, "the rules are more than this program reads");
	else if (answer->by_sender)
		snprintf(answer->reason, sizeof answer->reason,
			"a rule decides by the sender's address, which only a sender has");
	else if (rule)
		snprintf(answer->reason, sizeof answer->reason,
			"it hangs on a rule that cannot be worked out from here");
	else
		snprintf(answer->reason, sizeof answer->reason, "the rules are too deep to follow");
	return rule;
}

const struct fw_rule *fw_evaluate(const struct firewall *firewall,
	const struct firewall_packet *packet, struct firewall_answer *answer)
{
	static const struct {
		unsigned fates;
		enum fate told;
		enum firewall_verdict verdict;
	} verdicts[] = {
		{FATE_ACCEPT, FATE_ACCEPT, FIREWALL_ACCEPTS},
		{FATE_DROP, FATE_DROP, FIREWALL_DROPS},
		{FATE_REJECT, FATE_REJECT, FIREWALL_REJECTS},
		{FATE_DROP | FATE_REJECT, FATE_DROP, FIREWALL_DROPS},
	};
	struct run run = {.firewall = firewall,
		.packet = packet,
		.unlisted = packet->sender == FIREWALL_SENDER_UNLISTED};
	*answer = (struct firewall_answer){.verdict = FIREWALL_UNKNOWN};
	fw_learn(packet, run.facts);
	unsigned fates = walk_hooks(&run);
	answer->assumed = run.assumed;
	for (size_t i = 0; !firewall->incomplete && i < ARRAY_LEN(verdicts); i++) {
		if (fates != verdicts[i].fates)
			continue;
		enum fate told = verdicts[i].told;
		answer->verdict = verdicts[i].verdict;
		if (run.rule_of[told])
			put_place(answer, run.rule_of[told]->chain, run.rule_of[told]);
		else if (run.policy_of[told])
			put_place(answer, run.policy_of[told], NULL);
		return run.rule_of[told];
	}
	return put_unknown(&run, fates, answer);
}
