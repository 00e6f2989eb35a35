/* A hub's discovery document: what is made of it is a profile that loads, or an error. */
#include "base/json.h"
#include "profile/profile.h"
#include "fuzz.h"
#include "wire/hub_profile.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64];
	struct err err = {""};
	struct buf text = {0};
	json_t *document = json_parse((const char *)data, size, NULL);
	if (hub_profile_write(document, "A remark.", 0, &text, &err)) {
		assert(err.text[0] && !text.len);
	} else {
		int fd = memfd_create("profile", 0);
		if (fd < 0 || write(fd, text.data, text.len) != (ssize_t)text.len)
			abort();
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		struct profile *profile = profile_load(path, &err);
		assert(profile && profile->endpoints_count >= 1);
		profile_free(profile);
		close(fd);
	}
	buf_free(&text);
	json_decref(document);
	return 0;
}
