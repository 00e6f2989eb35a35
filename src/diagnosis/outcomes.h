/*
 * How putting the agent on a host, or taking it off, ended.
 *
 * The walk of a connector to a host has stages of its own, and each way of ending is one row of
 * outcomes.def: what happened and what to do. Sentences and remedies have placeholders like those
 * of causes.def, filled from evidence. What keeps a host from its hub is no outcome of its own: it
 * is `no-way` with the root cause of the host's own check (finding.h) as its evidence.
 */
#ifndef DIAGNOSIS_OUTCOMES_H
#define DIAGNOSIS_OUTCOMES_H

#include "diagnosis/finding.h"

/* In the order in which a connector walks. */
enum install_stage {
	INSTALL_RESOLVE,
	INSTALL_CONNECT,
	INSTALL_SSH,
	INSTALL_HOST_KEY,
	INSTALL_AUTHENTICATE,
	INSTALL_SYSTEM,
	INSTALL_PRIVILEGE,
	INSTALL_SPACE,
	INSTALL_EXISTING,
	INSTALL_COPY,
	INSTALL_WAY,
	INSTALL_SETUP,
	INSTALL_ONLINE,
	INSTALL_STAGE_COUNT,
};

enum outcome {
	OUTCOME_NONE,
#define OUTCOME(symbol, id, stage, sentence, remedy) OUTCOME_##symbol,
#include "diagnosis/outcomes.def"
#undef OUTCOME
	OUTCOME_COUNT,
};

/* One row of outcomes.def. */
struct outcome_info {
	const char *id; /* stable: the API, the console and docs hold on to it */
	enum install_stage stage;
	const char *sentence; /* with placeholders: {name} or {name|words without evidence} */
	const char *remedy;   /* likewise */
};

const struct outcome_info *outcome_info(enum outcome outcome); /* never NULL */
enum outcome outcome_by_id(const char *id);                    /* OUTCOME_NONE when unknown */
const char *install_stage_name(enum install_stage stage);
/* INSTALL_STAGE_COUNT when it is none. */
enum install_stage install_stage_by_name(const char *name);
/* With their placeholders filled; evidence may be NULL. Owned by the caller. */
char *outcome_sentence(enum outcome outcome, const struct evidence *evidence);
char *outcome_remedy(enum outcome outcome, const struct evidence *evidence);

#endif
