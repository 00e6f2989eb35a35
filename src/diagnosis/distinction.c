#include "diagnosis/distinction.h"

/* The rows name their look-alikes as causes.def does. */
enum {
#define CAUSE(symbol, id, stage, severity, who, sentence, remedy) symbol = CAUSE_##symbol,
#include "diagnosis/causes.def"
#undef CAUSE
};

static const struct cause_distinction distinctions[CAUSE_COUNT] = {
#define DISTINCTION(symbol, text, ...) [CAUSE_##symbol] = {text, {__VA_ARGS__}},
#include "diagnosis/distinctions.def"
#undef DISTINCTION
};

const struct cause_distinction *cause_distinction(enum cause cause)
{
	return &distinctions[(unsigned)cause < CAUSE_COUNT ? cause : CAUSE_NONE];
}
