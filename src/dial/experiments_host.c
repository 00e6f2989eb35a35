/*
 * A second look at this machine's own side, for a walk that found no way out.
 *
 * What is nearest is looked at first: without a link, an address or a lease, every walk fails, in
 * ways that depend on what the kernel still tries. Nothing is asked of the endpoint.
 */
#include "dial/host.h"
#include "dial/stage.h"

#include <string.h>

/* Where the failure is about a server on this machine itself, the way out has no part in it. The
 * stub of systemd-resolved is no such server: it fails when there is no way out. */
static bool stayed_here(const struct walker *walker)
{
	const char *to = evidence_get(
		&walker->walk->failure.evidence, walker->stage == STAGE_RESOLVE ? "resolver" : "address");
	return to && strncmp(to, "127.", 4) == 0 && strcmp(to, "127.0.0.53") != 0 &&
		   strcmp(to, "127.0.0.54") != 0;
}

void experiment_host(struct walker *walker)
{
	struct finding *failure = &walker->walk->failure;
	const struct dial_options *options = walker->options;
	const struct host_question question = {
		.root = options->root,
		.route = failure->cause == CAUSE_NO_ROUTE,
		.leases = evidence_get(&failure->evidence, "arp") != NULL,
		.deadline = options->overall,
		.cancel = options->cancel,
	};
	struct host_view view;
	if (stayed_here(walker))
		return;
	host_look(&question, &view);
	if (cancel_fired(options->cancel)) {
		walker->walk->cancelled = true;
	} else if (view.cause != CAUSE_NONE) {
		evidence_add(&failure->evidence, "met-as", "%s", cause_info(failure->cause)->id);
		evidence_copy(&failure->evidence, &view.evidence);
		finding_set(failure, view.cause, STAGE_HOST, view.confidence);
	}
	host_view_free(&view);
}
