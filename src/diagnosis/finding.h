/*
 * What was found to be in the way: one cause, where, how sure, and with what evidence.
 *
 * A stage that fails fills one finding and the walk ends. The sentences and remedies live in
 * causes.def, one row a cause; a finding only adds the evidence, and the sentence's placeholders
 * ("{proxy}") are filled from evidence of that name. Everything that a peer sent passes through
 * evidence_add(), which bounds it and makes it printable, so a finding can go to a terminal, a
 * log and JSON as it is. Never give it a secret.
 */
#ifndef DIAGNOSIS_FINDING_H
#define DIAGNOSIS_FINDING_H

#include "base/buf.h"

#include <stdbool.h>

/* In the order in which a machine walks out. */
enum stage {
	STAGE_HOST,
	STAGE_RESOLVE,
	STAGE_CONNECT,
	STAGE_TUNNEL,
	STAGE_SECURE,
	STAGE_HELLO,
	STAGE_SESSION,
	STAGE_COUNT,
};

enum severity {
	SEVERITY_FAIL,
	SEVERITY_WARN,
};

enum confidence {
	CONFIDENCE_CERTAIN, /* the evidence leaves no look-alike */
	CONFIDENCE_LIKELY,
};

enum cause {
	CAUSE_NONE,
#define CAUSE(symbol, id, stage, severity, who, sentence, remedy) CAUSE_##symbol,
#include "diagnosis/causes.def"
#undef CAUSE
	CAUSE_COUNT,
};

/* One row of causes.def. */
struct cause_info {
	const char *id; /* stable: reports, `explain`, scenarios and docs hold on to it */
	enum stage stage;
	enum severity severity;
	const char *who;      /* who can apply the remedy */
	const char *sentence; /* with placeholders: {name} or {name|words without evidence} */
	const char *remedy;   /* likewise */
};

#define EVIDENCE_MAX_ITEMS 32
#define EVIDENCE_MAX_VALUE 400 /* bytes; what is longer is cut and ends in "..." */

struct evidence_item {
	const char *name; /* a string literal */
	char *value;      /* owned */
};

struct evidence {
	struct evidence_item items[EVIDENCE_MAX_ITEMS];
	size_t count;
};

struct finding {
	enum cause cause;
	enum stage stage; /* where it was met; a resolve cause can be met on the way to the proxy */
	enum confidence confidence;
	struct evidence evidence;
};

const struct cause_info *cause_info(enum cause cause); /* never NULL, CAUSE_NONE included */
enum cause cause_by_id(const char *id);                /* CAUSE_NONE when unknown */
const char *stage_name(enum stage stage);

/* Adds name = value, or replaces the value. Past the bound of items it is dropped. */
void evidence_add(struct evidence *evidence, const char *name, const char *format, ...)
	PRINTF_LIKE(3, 4);
/* The value, or NULL. Borrowed. */
const char *evidence_get(const struct evidence *evidence, const char *name);
void evidence_copy(struct evidence *to, const struct evidence *from); /* adds all of `from` */
void evidence_free(struct evidence *evidence);
/* The text with {name} and {name|words} replaced by the evidence, or by the words where there is
 * none. `evidence` may be NULL. Owned by the caller. */
char *evidence_fill(const char *text, const struct evidence *evidence);

/* Starts a finding in zeroed memory; its evidence is added afterwards. */
void finding_set(
	struct finding *finding, enum cause cause, enum stage stage, enum confidence confidence);
void finding_copy(struct finding *to, const struct finding *from);
/* The sentence and the remedy with their placeholders filled. Owned by the caller. */
char *finding_sentence(const struct finding *finding);
char *finding_remedy(const struct finding *finding);
/* The same for a cause alone, as `explain` prints it. */
char *cause_sentence(enum cause cause);
char *cause_remedy(enum cause cause);
void finding_free(struct finding *finding);

#endif
