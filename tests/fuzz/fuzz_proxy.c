/* A proxy setting, its credentials and its exceptions, from an environment: three lines. */
#include "dial/proxy.h"
#include "fuzz.h"

static char *take_line(char **rest, const char *name)
{
	char *line = strsep(rest, "\n");
	return xasprintf("%s=%s", name, line ? line : "");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct proxy_settings settings;
	struct finding invalid = {.cause = CAUSE_NONE};
	char entry[256];
	char *text = fuzz_text(data, size), *rest = text;
	char *environment[] = {take_line(&rest, "https_proxy"),
		take_line(&rest, "HTTPS_PROXY_PASSWORD"), take_line(&rest, "no_proxy"), NULL};
	if (proxy_settings_read(environment, "/nonexistent", &settings, &invalid) == 0) {
		char *url = proxy_url(&settings);
		assert(!settings.set == !url && (!settings.set || settings.port));
		proxy_bypass(&settings, "host.example.com", 443, entry);
		proxy_bypass(&settings, "10.1.2.3", 443, entry);
		free(url);
	} else {
		assert(invalid.cause == CAUSE_PROXY_SETTINGS_INVALID);
	}
	proxy_settings_free(&settings);
	finding_free(&invalid);
	for (char **each = environment; *each; each++)
		free(*each);
	free(text);
	return 0;
}
