/* A profile file: whatever it holds, it is a whole profile or an error with a sentence; the linter
 * agrees with the loader, and what a variable is set to never makes a host that is none. */
#include "base/problems.h"
#include "profile/profile.h"
#include "fuzz.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void check_hosts(const struct profile *profile)
{
	for (unsigned i = 0; i < profile->endpoints_count; i++) {
		const struct profile_endpoint *endpoint = &profile->endpoints[i];
		assert(endpoint->host && *endpoint->host);
		assert(endpoint->untested || !strpbrk(endpoint->host, "{}*/: \n"));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64];
	struct err err = {""};
	struct problems problems = {.items = NULL};
	int fd = memfd_create("profile", 0);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	struct profile *profile = profile_load(path, &err);
	assert(profile || err.text[0]);
	/* What the file itself says may be quoted in the sentence. */
	assert(profile || !strstr(err.text, "it cannot be read: ") ||
		   memmem(data, size, "cannot be read", 14));
	profile_lint(path, &problems);
	assert((profile != NULL) == (problems.errors == 0));
	problems_free(&problems);
	if (profile) {
		check_hosts(profile);
		profile_set(profile, "region=eu-1.x,site=a", &err);
		check_hosts(profile);
	}
	profile_free(profile);
	close(fd);
	return 0;
}
