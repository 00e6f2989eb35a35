/*
 * The steps of one check, in their order; private to check/. check.c runs them.
 */
#ifndef CHECK_PARTS_H
#define CHECK_PARTS_H

#include "check/check.h"

/* requirements.c: the list, nothing tried yet. Everything is unknown until something decides. */
void requirements_build(const struct check_options *options, struct check_result *result);

/* walks.c: walks every requirement that has an endpoint or the hub, several at a time, and closes
 * what they opened. */
void walks_run(const struct check_options *options, struct check_result *result);

/* join.c: one cause out of findings that have one root. Returns its index. The finding is copied.
 */
size_t join_finding(struct check_result *result, const struct finding *finding,
	enum severity severity, size_t requirement);
/* Puts the causes into the order of the report and makes the requirements follow. */
void join_sort(struct check_result *result);

/* judge.c: the status of each requirement, and the verdict. */
void judge_walks(const struct check_options *options, struct check_result *result);
void judge_rest(const struct check_options *options, struct check_result *result);
void judge_verdict(struct check_result *result);

struct requirement *requirement_by_id(struct check_result *result, const char *id);
void requirement_decide(
	struct requirement *requirement, enum requirement_status status, const char *reason);

#endif
