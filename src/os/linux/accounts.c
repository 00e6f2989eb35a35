#include "os/accounts.h"

#include "base/file.h"

#include <errno.h>
#include <shadow.h>
#include <stdio.h>
#include <string.h>

#define SHADOW_FILE "/etc/shadow"
#define MAX_LINE    4096
#define DAY         (24L * 60 * 60)
#define NO_LIMIT    99999 /* what useradd writes for "never" */

/* Reads on until the name is found; a line that does not parse is passed over. */
static int find_entry(FILE *file, const char *name, struct spwd *entry, char line[MAX_LINE])
{
	struct spwd *found;
	for (;;) {
		int error = fgetspent_r(file, entry, line, MAX_LINE, &found);
		if (error == EINTR || error == EINVAL)
			continue;
		if (error)
			return -1;
		if (strcmp(entry->sp_namp, name) == 0)
			return 0;
	}
}

static bool has_password(const struct spwd *entry)
{
	const char *hash = entry->sp_pwdp;
	return hash && *hash && *hash != '!' && *hash != '*';
}

static enum account_result judge(const struct spwd *entry, time_t now, struct account_state *state)
{
	long today = (long)(now / DAY), changed = entry->sp_lstchg, max = entry->sp_max;
	if (!has_password(entry))
		return ACCOUNT_NO_PASSWORD;
	if (changed == 0)
		return ACCOUNT_MUST_CHANGE;
	if (changed < 0 || max < 0 || max >= NO_LIMIT || changed > today || today - changed <= max)
		return ACCOUNT_FINE;
	state->days = today - changed - max;
	return ACCOUNT_EXPIRED;
}

enum account_result account_read(
	const char *root, const char *name, time_t now, struct account_state *state, struct err *err)
{
	cleanup(free_ptr) char *path = file_under(root, SHADOW_FILE);
	char line[MAX_LINE];
	struct spwd entry;
	*state = (struct account_state){.days = 0};
	FILE *file = fopen(path, "re");
	if (!file) {
		enum account_result result =
			errno == EACCES || errno == EPERM ? ACCOUNT_NO_RIGHTS : ACCOUNT_UNREADABLE;
		err_set(err, "%s: %s", path, strerror(errno));
		return result;
	}
	enum account_result result = ACCOUNT_MISSING;
	if (find_entry(file, name, &entry, line) == 0)
		result = judge(&entry, now, state);
	fclose(file);
	explicit_bzero(line, sizeof line);
	return result;
}
