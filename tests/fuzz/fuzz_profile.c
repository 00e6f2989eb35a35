/* A profile file: whatever it holds, it is a whole profile or an error with a sentence. */
#include "check/profile.h"
#include "fuzz.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64];
	struct err err = {""};
	int fd = memfd_create("profile", 0);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	struct profile *profile = profile_load(path, &err);
	assert(profile || err.text[0]);
	profile_free(profile);
	close(fd);
	return 0;
}
