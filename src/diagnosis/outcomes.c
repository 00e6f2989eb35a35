#include "diagnosis/outcomes.h"

#include <string.h>

static const struct outcome_info outcomes[OUTCOME_COUNT] = {
	[OUTCOME_NONE] = {"none", INSTALL_RESOLVE, "", ""},
#define OUTCOME(symbol, id, stage, sentence, remedy)                                               \
	[OUTCOME_##symbol] = {id, INSTALL_##stage, sentence, remedy},
#include "diagnosis/outcomes.def"
#undef OUTCOME
};

static const char *const names[INSTALL_STAGE_COUNT] = {
	[INSTALL_RESOLVE] = "resolve",
	[INSTALL_CONNECT] = "connect",
	[INSTALL_SSH] = "ssh",
	[INSTALL_HOST_KEY] = "host-key",
	[INSTALL_AUTHENTICATE] = "authenticate",
	[INSTALL_SYSTEM] = "system",
	[INSTALL_PRIVILEGE] = "privilege",
	[INSTALL_SPACE] = "space",
	[INSTALL_EXISTING] = "existing",
	[INSTALL_COPY] = "copy",
	[INSTALL_WAY] = "way",
	[INSTALL_SETUP] = "setup",
	[INSTALL_ONLINE] = "online",
};

const struct outcome_info *outcome_info(enum outcome outcome)
{
	return &outcomes[(unsigned)outcome < OUTCOME_COUNT ? outcome : OUTCOME_NONE];
}

enum outcome outcome_by_id(const char *id)
{
	for (unsigned i = OUTCOME_NONE + 1; i < OUTCOME_COUNT; i++)
		if (strcmp(outcomes[i].id, id) == 0)
			return (enum outcome)i;
	return OUTCOME_NONE;
}

const char *install_stage_name(enum install_stage stage)
{
	return (unsigned)stage < INSTALL_STAGE_COUNT ? names[stage] : "unknown";
}

enum install_stage install_stage_by_name(const char *name)
{
	unsigned stage = 0;
	while (stage < INSTALL_STAGE_COUNT && strcmp(names[stage], name) != 0)
		stage++;
	return (enum install_stage)stage;
}

char *outcome_sentence(enum outcome outcome, const struct evidence *evidence)
{
	return evidence_fill(outcome_info(outcome)->sentence, evidence);
}

char *outcome_remedy(enum outcome outcome, const struct evidence *evidence)
{
	return evidence_fill(outcome_info(outcome)->remedy, evidence);
}
