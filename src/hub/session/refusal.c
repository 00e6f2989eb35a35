#include "hub/session/parts.h"

const char *session_refusal_words(enum refusal refusal)
{
	static const struct {
		enum refusal refusal;
		const char *words;
	} rows[] = {
		{REFUSAL_CHECK_BUSY, "The machine runs another check that was asked for."},
		{REFUSAL_CHECK_UNKNOWN, "The agent does not take this for the id of a profile."},
		{REFUSAL_LOG_UNREADABLE, "The agent cannot read its log on this machine."},
		{REFUSAL_BUNDLE_BUSY, "The agent cannot make another bundle just now."},
		{REFUSAL_BAD_MESSAGE,
			"The agent on this machine is older than the hub and cannot do it: update it."},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].refusal == refusal)
			return rows[i].words;
	return "The agent could not do it; its connector.log says why.";
}
