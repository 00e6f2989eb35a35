#include "cli/profile_names.h"

#include "profile/profile.h"
#include "os/os.h"

#include <string.h>

#define MAX_TITLE 200 /* bytes; one that is longer is no title */

json_t *profile_names(const char *root)
{
	cleanup(free_ptr) char *own_path = os_own_path();
	const struct profile_places places = {root, own_path};
	size_t count = 0;
	json_t *names = json_array();
	struct profile_entry *entries = profile_list(&places, &count);
	for (size_t i = 0; i < count && json_array_size(names) < PROFILE_NAMES_MAX; i++) {
		if (!entries[i].profile || entries[i].shadowed)
			continue;
		const char *title = entries[i].profile->title;
		json_t *row = json_pack("{s:s, s:s}", "id", entries[i].id, "title",
			strlen(title) > MAX_TITLE ? entries[i].id : title);
		if (row)
			json_array_append_new(names, row);
	}
	profile_list_free(entries, count);
	return names;
}
