/*
 * The steps of one check, in their order; private to check/. check.c runs them.
 */
#ifndef CHECK_PARTS_H
#define CHECK_PARTS_H

#include "check/probe.h"

/* requirements.c: the list, nothing tried yet. Everything is unknown until something decides. */
void requirements_build(const struct check_options *options, struct check_result *result);

/* tries.c: walks to every requirement that has an endpoint or the hub, and probes this machine for
 * the others, several at a time. With a proxy that cannot be used nothing is walked. */
void tries_run(const struct check_options *options, struct check_result *result);

/* walks.c: one walk, closed again. */
struct walk_watch {
	void (*on_stage)(void *data, enum stage stage);
	void *data;
};
void walk_to(const struct check_options *options, struct deadline overall,
	const struct walk_watch *watch, struct requirement *requirement);
/* What a walk of this requirement is called on a terminal: its host. */
const char *walk_host(const struct requirement *requirement);

/* join.c: one cause out of findings that have one root. Returns its index. The finding is copied.
 */
size_t join_finding(struct check_result *result, const struct finding *finding,
	enum severity severity, size_t requirement);
/* Evidence may be a list, "a, b, c". The next entry of one, cut at LIST_ENTRY; returns the rest,
 * NULL at the end. */
#define LIST_ENTRY 300
const char *list_next(const char *list, char entry[LIST_ENTRY]);
/* True when two lists have an entry in common; NULL is an empty one. */
bool list_meets(const char *a, const char *b);
bool text_equals(const char *a, const char *b); /* NULL equals NULL alone */
/* The names of what is affected, of one finding added to those of another. */
void join_gather(struct evidence *to, const struct evidence *from);
void join_affect(struct check_cause *cause, size_t requirement);
/* Puts the causes into the order of the report and makes the requirements follow. */
void join_sort(struct check_result *result);

/* explain.c: takes out every cause that follows from another one, which then affects what it did,
 * and adds what all endpoints tell together. */
void explain_causes(struct check_result *result);
/* siblings.c, for it: before and after. */
void siblings_recognise(struct check_result *result);
void siblings_weigh(struct check_result *result);
/* True when something that went this way (a proxy's URL; NULL: directly) got through the stage. */
bool check_passed_stage(const struct check_result *result, const char *proxy, enum stage stage);

/* judge.c: the status of each requirement, and the verdict. judge_rest() comes after the causes are
 * explained, for it asks which are left. */
void judge_probes(struct check_result *result);
void judge_walks(const struct check_options *options, struct check_result *result);
void judge_rest(const struct check_options *options, struct check_result *result);
void judge_verdict(struct check_result *result);

struct requirement *requirement_by_id(struct check_result *result, const char *id);
void requirement_decide(
	struct requirement *requirement, enum requirement_status status, const char *reason);

#endif
