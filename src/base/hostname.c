#include "base/hostname.h"

#include <string.h>

#define MAX_NAME 253

bool hostname_fits(const char *host)
{
	if (strlen(host) > MAX_NAME)
		return false;
	for (const char *label = host;;) {
		size_t len = strcspn(label, ".");
		if (!len || len > 63)
			return false;
		if (!label[len] || !label[len + 1])
			return true;
		label += len + 1;
	}
}
