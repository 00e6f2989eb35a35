/*
 * glibc's look-ups of users, groups, services and hosts, for the agent that is linked statically.
 * glibc's own would load plugins of the machine's glibc, which is another version or is not there,
 * and crash; so each has a form of its own here, and the link fails for one that has none.
 *
 * Users: /etc/passwd; who is not in it is asked of the machine's own `getent`, which knows LDAP,
 * SSSD and whatever else is set up. Groups of a user: of the machine's own `id`; /etc/group where
 * there is none. Hosts and services: of nobody. Names are resolved by dial, through c-ares, and
 * ports are numbers; the libraries that call these get addresses that are known already.
 *
 * Failure modes: no such user (errno 0); a `getent` that does not answer in time (errno ETIMEDOUT).
 */
#include "os/child.h"

#include <errno.h>
#include <grp.h>
#include <netdb.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PASSWD_FILE    "/etc/passwd"
#define GROUP_FILE     "/etc/group"
#define LINE_MAX_BYTES 4096
#define ANSWER_MAX     16384
#define MAX_GROUPS     1024
#define PATIENCE_MS    10000

struct user_key {
	const char *name; /* NULL: the uid */
	uid_t uid;
};

/* ENOENT: not in there. */
static int find_in(
	FILE *file, const struct user_key *key, struct passwd *user, char *line, size_t len)
{
	struct passwd *found;
	int error;
	while ((error = fgetpwent_r(file, user, line, len, &found)) == 0)
		if (key->name ? strcmp(user->pw_name, key->name) == 0 : user->pw_uid == key->uid)
			return 0;
	return error;
}

/* What one of the machine's own programs answers. ENOENT: it is not here, or knows nothing. */
static int ask(const char *program, const char *what, const char *of, struct buf *answer)
{
	cleanup(free_ptr) char *path = child_find(program);
	const char *const argv[] = {path, what, of, NULL};
	struct err err;
	if (!path)
		return ENOENT;
	answer->max = ANSWER_MAX;
	int code = child_run(argv, deadline_in_ms(PATIENCE_MS), NULL, answer, &err);
	return code < 0 ? ETIMEDOUT : code == 0 && answer->len ? 0 : ENOENT;
}

static int find_elsewhere(const struct user_key *key, struct passwd *user, char *line, size_t len)
{
	cleanup(buf_free) struct buf answer = {.max = 0};
	char uid[16];
	snprintf(uid, sizeof uid, "%u", (unsigned)key->uid);
	int error = ask("getent", "passwd", key->name ? key->name : uid, &answer);
	FILE *file = error ? NULL : fmemopen(answer.data, answer.len, "r");
	if (!error)
		error = file ? find_in(file, key, user, line, len) : errno;
	if (file)
		fclose(file);
	return error;
}

static int find_user(
	const struct user_key *key, struct passwd *user, char *line, size_t len, struct passwd **found)
{
	FILE *file = fopen(PASSWD_FILE, "re");
	int error = file ? find_in(file, key, user, line, len) : errno;
	if (file)
		fclose(file);
	if (error == ENOENT)
		error = find_elsewhere(key, user, line, len);
	*found = error ? NULL : user;
	return error == ENOENT ? 0 : error;
}

int getpwnam_r(const char *name, struct passwd *user, char *line, size_t len, struct passwd **found)
{
	return find_user(&(struct user_key){.name = name}, user, line, len, found);
}

int getpwuid_r(uid_t uid, struct passwd *user, char *line, size_t len, struct passwd **found)
{
	return find_user(&(struct user_key){.uid = uid}, user, line, len, found);
}

/* libc itself calls them by these names. NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c) */
int __getpwnam_r(
	const char *name, struct passwd *user, char *line, size_t len, struct passwd **found);
int __getpwuid_r(uid_t uid, struct passwd *user, char *line, size_t len, struct passwd **found);

int __getpwnam_r(
	const char *name, struct passwd *user, char *line, size_t len, struct passwd **found)
{
	return getpwnam_r(name, user, line, len, found);
}

int __getpwuid_r(uid_t uid, struct passwd *user, char *line, size_t len, struct passwd **found)
{
	return getpwuid_r(uid, user, line, len, found);
}
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c) */

static struct passwd *find_static(const struct user_key *key)
{
	static struct passwd user;
	static char line[LINE_MAX_BYTES];
	struct passwd *found;
	int error = find_user(key, &user, line, sizeof line, &found);
	errno = error; /* 0: there is no such user; the files that were tried have left theirs */
	return found;
}

struct passwd *getpwnam(const char *name)
{
	return find_static(&(struct user_key){.name = name});
}

struct passwd *getpwuid(uid_t uid)
{
	return find_static(&(struct user_key){.uid = uid});
}

/* --- groups ------------------------------------------------------------------------------------
 */

struct groups {
	gid_t list[MAX_GROUPS];
	size_t count;
};

static void add_group(struct groups *groups, gid_t gid)
{
	for (size_t i = 0; i < groups->count; i++)
		if (groups->list[i] == gid)
			return;
	if (groups->count < MAX_GROUPS)
		groups->list[groups->count++] = gid;
}

static int groups_of_id(struct groups *groups, const char *name)
{
	cleanup(buf_free) struct buf answer = {.max = 0};
	if (ask("id", "-G", name, &answer))
		return -1;
	char *next = NULL;
	for (const char *word = buf_text(&answer);; word = next) {
		unsigned long gid = strtoul(word, &next, 10);
		if (next == word)
			return 0;
		add_group(groups, (gid_t)gid);
	}
}

static void groups_of_file(struct groups *groups, const char *name)
{
	FILE *file = fopen(GROUP_FILE, "re");
	char line[ANSWER_MAX];
	struct group group, *found;
	while (file && fgetgrent_r(file, &group, line, sizeof line, &found) == 0)
		for (char **member = group.gr_mem; *member; member++)
			if (strcmp(*member, name) == 0)
				add_group(groups, group.gr_gid);
	if (file)
		fclose(file);
}

int initgroups(const char *name, gid_t gid)
{
	struct groups groups = {.count = 0};
	add_group(&groups, gid);
	if (groups_of_id(&groups, name))
		groups_of_file(&groups, name);
	return setgroups(groups.count, groups.list);
}

/* --- hosts and services: nobody's --------------------------------------------------------------
 */

/* Their parameters are libc's. NOLINTBEGIN(readability-non-const-parameter) */

int getaddrinfo(
	const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
	(void)host, (void)service, (void)hints;
	*found = NULL;
	return EAI_FAIL;
}

int getnameinfo(const struct sockaddr *address, socklen_t address_len, char *host,
	socklen_t host_len, char *service, socklen_t service_len, int flags)
{
	(void)address, (void)address_len, (void)host, (void)host_len;
	(void)service, (void)service_len, (void)flags;
	return EAI_FAIL;
}

struct hostent *gethostbyname(const char *name)
{
	(void)name;
	return NULL;
}

void freeaddrinfo(struct addrinfo *list)
{
	(void)list;
}

struct servent *getservbyname(const char *name, const char *protocol)
{
	(void)name, (void)protocol;
	return NULL;
}

int getservbyport_r(int port, const char *protocol, struct servent *entry, char *line, size_t len,
	struct servent **found)
{
	(void)port, (void)protocol, (void)entry, (void)line, (void)len;
	*found = NULL;
	return 0;
}
/* NOLINTEND(readability-non-const-parameter) */
