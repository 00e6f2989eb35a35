/*
 * Happy path: the file is read whole (bounded), mapped, read by the schema and checked by the
 * rules; what comes out is complete. The first mistake is the error, the linter gets all of them.
 * Finding one by its id goes through a few folders in order, and a file that is there but wrong is
 * an error, never skipped in favour of a later folder.
 */
#include "profile/schema.h"

#include "base/file.h"
#include "base/suggest.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

#define PLACES_MAX 4

/* Adds what is wrong to the problems; with `doubts` also what is doubtful. NULL after an error. */
static struct profile *load_text(
	const char *file, const struct buf *text, bool doubts, struct problems *problems)
{
	struct yaml_map map;
	struct err err;
	if (yaml_map_read(file, buf_text(text), text->len, &map, &err)) {
		problems_add_err(problems, &err);
		return NULL;
	}
	if (!map.count) {
		err_set(&err, "%s:1: the file is empty; a profile begins with `profile: ID`", file);
		problems_add_err(problems, &err);
		return NULL;
	}
	struct profile *profile =
		yaml_schema_load(&map, text->data, text->len, &profile_schema, problems);
	if (profile) {
		profile->file = xstrdup(file);
		profile_rules_check(profile, &map, problems);
		profile_fill_hosts(profile);
	}
	if (profile && doubts)
		profile_doubts(profile, &map, problems);
	if (problems->errors) {
		profile_free(profile);
		profile = NULL;
	}
	yaml_map_free(&map);
	return profile;
}

static int read_text(const char *file, struct buf *text, struct err *err)
{
	if (!file_read(file, PROFILE_MAX_BYTES, text, err))
		return 0;
	bool large = errno == EFBIG;
	return err_set(err,
		large ? "%s: larger than 1 MiB, the most that a profile may have; is it the right file?"
			  : "%s: cannot be read (%s); --profile takes the id or the file of a profile, see "
				"`sallyport profiles`",
		file, strerror(errno));
}

struct profile *profile_load(const char *file, struct err *err)
{
	cleanup(buf_free) struct buf text = {0};
	struct problems problems = {.items = NULL};
	if (read_text(file, &text, err))
		return NULL;
	struct profile *profile = load_text(file, &text, false, &problems);
	problems_first_error(&problems, err);
	problems_free(&problems);
	return profile;
}

void profile_lint(const char *file, struct problems *problems)
{
	cleanup(buf_free) struct buf text = {0};
	struct err err;
	if (read_text(file, &text, &err))
		problems_add_err(problems, &err);
	else
		profile_free(load_text(file, &text, true, problems));
	problems_sort(problems);
}

void profile_free(struct profile *profile)
{
	if (!profile)
		return;
	for (unsigned i = 0; i < profile->endpoints_count; i++) {
		free(profile->endpoints[i].ca_pem);
		free(profile->endpoints[i].host);
		free(profile->endpoints[i].untested);
	}
	free(profile->file);
	yaml_schema_free(&profile_schema, profile);
}

const char *profile_topic_id(enum profile_topic topic)
{
	static const char *const ids[TOPIC_COUNT] = {
		[TOPIC_ADDRESSING_IPV4] = "addressing.ipv4",
		[TOPIC_ADDRESSING_DNS] = "addressing.dns",
		[TOPIC_ADDRESSING_DHCP_SERVER] = "addressing.dhcp-server",
		[TOPIC_ADDRESSING_IPV6] = "addressing.ipv6",
		[TOPIC_DNS_EXTERNAL] = "dns.external",
		[TOPIC_INTERNET] = "internet",
		[TOPIC_PROXY] = "proxy",
		[TOPIC_CLOCK] = "clock",
	};
	return ids[topic];
}

/* --- by id -------------------------------------------------------------------------------- */

static size_t folders_of(const struct profile_places *places, char *folders[PLACES_MAX])
{
	size_t count = 0;
	folders[count++] = file_under(places->root, "/etc/sallyport/profiles");
	folders[count++] = file_under(places->root, "/usr/share/sallyport/profiles");
	/* PREFIX/bin/sallyport finds those installed with it, build/sallyport those of its source. */
	static const char *const beside[] = {"../share/sallyport/profiles", "../profiles"};
	const char *slash = places->own_path ? strrchr(places->own_path, '/') : NULL;
	for (size_t i = 0; slash && i < ARRAY_LEN(beside); i++) {
		cleanup(free_ptr) char *path =
			xasprintf("%.*s/%s", (int)(slash - places->own_path), places->own_path, beside[i]);
		char *real = realpath(path, NULL);
		if (real && strcmp(real, folders[1]) != 0)
			folders[count++] = real;
		else
			free(real);
	}
	return count;
}

static char *id_of_file(const char *name)
{
	size_t len = strlen(name);
	bool yaml = len > 5 && strcmp(name + len - 5, ".yaml") == 0;
	return yaml && *name != '.' ? xstrndup(name, len - 5) : NULL;
}

static int by_id(const void *a, const void *b)
{
	const struct profile_entry *left = a, *right = b;
	return strcmp(left->id, right->id);
}

/* The files of one folder, in alphabetical order, added at the end of the list. */
static void list_folder(const char *folder, struct profile_entry **entries, size_t *count)
{
	DIR *dir = opendir(folder);
	size_t first = *count;
	struct dirent *file;
	while (dir && (file = readdir(dir))) {
		char *id = id_of_file(file->d_name);
		if (!id)
			continue;
		*entries = xrealloc(*entries, *count + 1, sizeof **entries);
		struct profile_entry *entry = &(*entries)[(*count)++];
		*entry = (struct profile_entry){.id = id, .file = xasprintf("%s/%s", folder, file->d_name)};
		for (size_t i = 0; i < first; i++)
			entry->shadowed |= strcmp((*entries)[i].id, id) == 0;
	}
	if (dir)
		closedir(dir);
	if (*count > first)
		qsort(*entries + first, *count - first, sizeof **entries, by_id);
}

static struct profile_entry *list_files(const struct profile_places *places, size_t *count)
{
	char *folders[PLACES_MAX];
	struct profile_entry *entries = NULL;
	*count = 0;
	for (size_t i = 0, n = folders_of(places, folders); i < n; i++) {
		list_folder(folders[i], &entries, count);
		free(folders[i]);
	}
	return entries;
}

struct profile_entry *profile_list(const struct profile_places *places, size_t *count)
{
	struct profile_entry *entries = list_files(places, count);
	for (size_t i = 0; i < *count; i++)
		entries[i].profile = profile_load(entries[i].file, &entries[i].err);
	return entries;
}

void profile_list_free(struct profile_entry *entries, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(entries[i].id);
		free(entries[i].file);
		profile_free(entries[i].profile);
	}
	free(entries);
}

static int say_not_found(
	const char *name, const struct profile_entry *entries, size_t count, struct err *err)
{
	cleanup(free_ptr) const char **ids = xcalloc(count + 1, sizeof *ids);
	size_t best[SUGGEST_MAX];
	for (size_t i = 0; i < count; i++)
		ids[i] = entries[i].id;
	if (suggest_nearest(name, ids, count, best))
		return err_set(
			err, "there is no profile \"%.80s\"; did you mean \"%s\"?", name, ids[best[0]]);
	return err_set(err,
		"there is no profile \"%.80s\"; `sallyport profiles` lists those that are there, and a "
		"file "
		"is given with a slash (./%.80s)",
		name, name);
}

static struct profile *load_by_id(const char *file, const char *id, struct err *err)
{
	struct profile *profile = profile_load(file, err);
	if (profile && strcmp(profile->id, id) != 0) {
		err_set(err,
			"%s:1: profile: \"%s\" is not the name of its file (\"%s\"); make them the same", file,
			profile->id, id);
		profile_free(profile);
		profile = NULL;
	}
	return profile;
}

struct profile *profile_find(const struct profile_places *places, const char *name, struct err *err)
{
	size_t len = strlen(name), count;
	bool is_file = strchr(name, '/') || (len > 5 && strcmp(name + len - 5, ".yaml") == 0) ||
				   (len > 4 && strcmp(name + len - 4, ".yml") == 0);
	if (is_file)
		return profile_load(name, err);
	struct profile_entry *entries = list_files(places, &count);
	struct profile *profile = NULL;
	size_t at = 0;
	while (at < count && strcmp(entries[at].id, name) != 0)
		at++;
	if (at < count)
		profile = load_by_id(entries[at].file, name, err);
	else
		say_not_found(name, entries, count, err);
	profile_list_free(entries, count);
	return profile;
}
