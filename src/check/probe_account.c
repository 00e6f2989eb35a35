/*
 * Accounts (row R5): can its password be used as it is, or does it have to be changed first.
 *
 * Only root may read that. Nothing of the password gets into the answer.
 */
#include "check/probe.h"
#include "os/accounts.h"

void probe_account(const struct probe_question *question, struct probe_answer *answer)
{
	const char *name = question->requirement->account->account;
	struct account_state state;
	struct err err;
	enum account_result result =
		account_read(question->options->root, name, time(NULL), &state, &err);
	struct finding *finding;
	evidence_add(&answer->evidence, "account", "%s", name);
	switch (result) {
	case ACCOUNT_FINE:
		probe_pass(answer, NULL);
		return;
	case ACCOUNT_NO_PASSWORD:
		probe_pass(answer, "the account is locked or has no password, so there is none to change");
		return;
	case ACCOUNT_MISSING:
		probe_unknown(answer, "this machine has no account of that name");
		return;
	case ACCOUNT_NO_RIGHTS:
		probe_unknown(answer, PROBE_WITHOUT_PRIVILEGES);
		return;
	case ACCOUNT_UNREADABLE:
		probe_unknown(answer, "it cannot be read: %s", err.text);
		return;
	case ACCOUNT_MUST_CHANGE:
	case ACCOUNT_EXPIRED:
		break;
	}
	finding = probe_blame(answer, CAUSE_ACCOUNT_PASSWORD_EXPIRED, CONFIDENCE_CERTAIN);
	if (result == ACCOUNT_EXPIRED)
		evidence_add(&finding->evidence, "expiry", "it expired %ld day%s ago", state.days,
			state.days == 1 ? "" : "s");
	else
		evidence_add(
			&finding->evidence, "expiry", "at the next logon, as its administrator set it");
}
