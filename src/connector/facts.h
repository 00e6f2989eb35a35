/*
 * What a target is, as two scripts there tell it: lines of NAME=VALUE between two marks, so that
 * whatever a login says besides is passed over. Private to connector/.
 *
 * Everything in it is the target's word: bounded, printable, and believed only where it harms
 * nobody but that target.
 */
#ifndef CONNECTOR_FACTS_H
#define CONNECTOR_FACTS_H

#include "connector/shell.h"

#include <stdint.h>

#define FACTS_BEGIN      "sallyport-facts"
#define FACTS_END        "sallyport-facts-end"
#define FACTS_MAX_VALUE  200 /* bytes */
#define FACTS_MAX_OUTPUT 65536
#define FACTS_MAX_PLACES 8

/* A folder where the agent could be staged, or has to be placed. */
struct facts_place {
	char path[64];
	int64_t free_kb; /* -1: unknown */
	char state[16];  /* "ok", "read-only", "full", "noexec", "denied" */
};

struct facts {
	bool complete; /* the second mark came */
	char user[FACTS_MAX_VALUE], uid[16];
	char system[64], arch[32], os[FACTS_MAX_VALUE], init[16];
	char sudo[FACTS_MAX_VALUE]; /* "free", "none", or what `sudo -n` said */
	int64_t clock;              /* seconds since 1970; 0: unknown */
	bool gunzip;
	char agent[64], agent_version[64], agent_sha256[80]; /* of an agent that is there */
	struct facts_place stages[FACTS_MAX_PLACES];         /* where it could be staged */
	size_t stage_count;
	struct facts_place finals[FACTS_MAX_PLACES]; /* where it will live */
	size_t final_count;
};

/* Adds what the output of a script says. */
void facts_parse(const char *output, size_t len, struct facts *facts);

/* system: as the user. */
int facts_of_login(const struct shell *shell, struct facts *facts, struct ending *ending);
/* space and existing: as root. */
int facts_of_root(const struct shell *shell, struct facts *facts, struct ending *ending);

#endif
