#include "check/proxy_split.h"

#include "base/file.h"
#include "check/parts.h"

#include <string.h>
#include <unistd.h>

static char *shown(const struct proxy_settings *settings)
{
	char *url = proxy_url(settings);
	return url ? url : xstrdup("no proxy");
}

/* In what two settings differ, in words; NULL when they do not. Credentials are compared and never
 * shown. */
static const char *difference(const struct proxy_settings *a, const struct proxy_settings *b)
{
	cleanup(free_ptr) char *one = proxy_url(a);
	cleanup(free_ptr) char *other = proxy_url(b);
	if (!text_equals(one, other))
		return "the proxy";
	if (!text_equals(a->user, b->user) || !text_equals(a->password, b->password))
		return "the credentials";
	return text_equals(a->no_proxy, b->no_proxy) ? NULL : "NO_PROXY";
}

bool proxy_split_hidden(const struct proxy_settings *here, const char *root)
{
	cleanup(free_ptr) char *path = file_under(root, "/etc/sallyport/proxy.env");
	bool from_file = here->set && strstr(here->origin, path);
	return here->set && !from_file && access(path, F_OK) == 0 && access(path, R_OK) != 0;
}

bool proxy_split_find(
	const struct proxy_settings *here, bool service_joined, const char *root, struct finding *split)
{
	struct proxy_settings service;
	struct finding invalid = {.cause = CAUSE_NONE};
	bool usable = proxy_settings_of_service(root, &service, &invalid) == 0;
	const char *differs = usable ? difference(here, &service) : "the proxy";
	bool found = here->set && !proxy_split_hidden(here, root) && differs &&
				 (service_joined || service.set || !usable);
	if (found) {
		cleanup(free_ptr) char *of_shell = shown(here);
		cleanup(free_ptr) char *of_service =
			usable ? shown(&service) : xstrdup("a setting that cannot be used");
		finding_set(split, CAUSE_PROXY_SETTINGS_SPLIT, STAGE_HOST,
			service.set || !usable ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY);
		evidence_add(&split->evidence, "service-proxy", "%s", of_service);
		evidence_add(&split->evidence, "shell-proxy", "%s", of_shell);
		evidence_add(&split->evidence, "shell-origin", "%s", here->origin);
		if (service.set)
			evidence_add(&split->evidence, "service-origin", "%s", service.origin);
		evidence_add(&split->evidence, "difference", "%s", differs);
		if (strcmp(differs, "the proxy") != 0)
			evidence_add(&split->evidence, "difference-note", "; what differs: %s", differs);
		if (!usable)
			evidence_add(
				&split->evidence, "problem", "%s", evidence_get(&invalid.evidence, "problem"));
	}
	proxy_settings_free(&service);
	finding_free(&invalid);
	return found;
}
