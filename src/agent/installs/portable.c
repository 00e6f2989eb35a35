/*
 * Happy path: the file is here and its SHA-256 is right; or it is fetched piece by piece into
 * .ARCH-SHA256, which gets its name once the sum is right.
 *
 * Failure modes: the hub cannot be had or has another file (told), the connection is lost (again,
 * from where it was), somebody else fetches the same (waited for), the sum is wrong (once more from
 * the beginning, then told), the disk is full (what there is goes, and that is told).
 */
#include "agent/installs/portable.h"

#include "base/file.h"
#include "base/json.h"
#include "os/os.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define HASH_BYTES crypto_hash_sha256_BYTES
#define MAX_ARCH   32
#define MAX_PATH   200
#define LOCK_MS    200   /* between two looks whether the other one is done */
#define KEEP_S     86400 /* after somebody asked for it */

struct fetch {
	const struct portable_source *source;
	struct proven proven;
	char arch[MAX_ARCH + 1];
	const char *path; /* at the hub */
	char sha256[2 * HASH_BYTES + 1];
	unsigned char hash[HASH_BYTES];
	int64_t size;
	char *file, *part; /* owned */
	int fd;            /* of the part, locked; -1 */
};

/* --- the row ------------------------------------------------------------------------------- */

static bool is_word(const char *text, size_t max, const char *others)
{
	if (!text || !*text || strlen(text) > max)
		return false;
	for (; *text; text++)
		if (!isascii((unsigned char)*text) ||
			!(isalnum((unsigned char)*text) || strchr(others, *text)))
			return false;
	return true;
}

static int read_row(struct fetch *fetch, const char *arch, const json_t *row, struct err *err)
{
	const char *sum = json_get_text(row, "sha256");
	size_t len = 0;
	fetch->path = json_get_text(row, "path");
	fetch->size = json_get_int(row, "size", 0);
	if (!is_word(arch, MAX_ARCH, "_-") || !is_word(fetch->path, MAX_PATH, "/._-") ||
		*fetch->path != '/' || !sum || strlen(sum) != sizeof fetch->sha256 - 1 ||
		sodium_hex2bin(fetch->hash, sizeof fetch->hash, sum, strlen(sum), NULL, &len, NULL) ||
		len != sizeof fetch->hash || fetch->size < 1 || fetch->size > PORTABLE_MAX_BYTES) {
		err_set(err, "the hub tells no portable agent for %.32s", arch);
		return -1;
	}
	snprintf(fetch->arch, sizeof fetch->arch, "%s", arch);
	sodium_bin2hex(fetch->sha256, sizeof fetch->sha256, fetch->hash, sizeof fetch->hash);
	const char *dir = fetch->source->paths->portable;
	fetch->file = xasprintf("%s/%s-%s", dir, arch, fetch->sha256);
	fetch->part = xasprintf("%s/.%s-%s", dir, arch, fetch->sha256);
	return 0;
}

/* --- what is here -------------------------------------------------------------------------- */

/* True when the open file is the one. */
static bool is_right(const struct fetch *fetch, int fd)
{
	crypto_hash_sha256_state state;
	unsigned char hash[HASH_BYTES], chunk[16384];
	struct stat st;
	ssize_t got;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size != fetch->size)
		return false;
	crypto_hash_sha256_init(&state);
	for (off_t at = 0; (got = pread(fd, chunk, sizeof chunk, at)) > 0; at += got)
		crypto_hash_sha256_update(&state, chunk, (unsigned long long)got);
	crypto_hash_sha256_final(&state, hash);
	return got == 0 && memcmp(hash, fetch->hash, sizeof hash) == 0;
}

static bool is_here(const struct fetch *fetch, const char *file)
{
	int fd = file ? open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
	if (fd < 0)
		return false;
	bool right = is_right(fetch, fd);
	close(fd);
	return right;
}

/* Files of this architecture that nobody has asked for in a day, and parts of them. */
static void remove_old(const struct fetch *fetch)
{
	const char *path = fetch->source->paths->portable;
	DIR *dir = opendir(path);
	for (struct dirent *each; dir && (each = readdir(dir));) {
		struct stat st;
		if (fstatat(dirfd(dir), each->d_name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode) ||
			st.st_mtime > time(NULL) - KEEP_S ||
			strcmp(each->d_name, strrchr(fetch->file, '/') + 1) == 0)
			continue;
		unlinkat(dirfd(dir), each->d_name, 0);
	}
	if (dir)
		closedir(dir);
}

/* --- the way of it ------------------------------------------------------------------------- */

/* Opens the part and locks it; -1 with err, or when it is cancelled. Another one may have finished
 * the file meanwhile. */
static int open_part(struct fetch *fetch, struct err *err)
{
	if (file_make_dirs(fetch->source->paths->portable, 0700, err))
		return -1;
	fetch->fd = open(fetch->part, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fetch->fd < 0)
		return err_set(err, "%s: %s", fetch->part, strerror(errno));
	while (flock(fetch->fd, LOCK_EX | LOCK_NB)) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_set(err, "%s: %s", fetch->part, strerror(errno));
		if (wait_fd(-1, 0, deadline_in_ms(LOCK_MS), fetch->source->cancel) == WAIT_CANCELLED)
			return err_set(err, "interrupted");
	}
	return 0;
}

static void empty_part(const struct fetch *fetch)
{
	if (ftruncate(fetch->fd, 0))
		unlink(fetch->part);
}

static int write_piece(
	const struct fetch *fetch, const struct buf *piece, off_t at, struct err *err)
{
	for (size_t done = 0; done < piece->len;) {
		ssize_t put = pwrite(fetch->fd, piece->data + done, piece->len - done, at + (off_t)done);
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0) {
			err_set(err, "%s: %s", fetch->part, put ? strerror(errno) : "nothing is written");
			empty_part(fetch);
			return -1;
		}
		done += (size_t)put;
	}
	return 0;
}

/* One piece from `at` on. */
static int fetch_piece(struct fetch *fetch, off_t at, struct err *err)
{
	int64_t last =
		at + PORTABLE_PIECE_BYTES < fetch->size ? at + PORTABLE_PIECE_BYTES - 1 : fetch->size - 1;
	cleanup(free_ptr) char *headers =
		xasprintf("Range: bytes=%lld-%lld\r\n", (long long)at, (long long)last);
	const struct request request = {.method = "GET", .path = fetch->path, .headers = headers};
	int status = proven_insist(&fetch->proven, &request, PORTABLE_PIECE_BYTES, PORTABLE_TRIES,
		fetch->source->retry_ms, err);
	if (!status)
		return -1;
	const struct buf *body = &fetch->proven.response.body;
	/* A file that is no longer than a piece may come whole. */
	bool whole = status == 200 && at == 0 && last + 1 == fetch->size;
	if (status != 206 && !whole) {
		proven_words(&fetch->proven, err);
		return -1;
	}
	if ((int64_t)body->len != last - at + 1)
		return err_set(err, "the hub's file is another one than it told");
	return write_piece(fetch, body, at, err);
}

static int fetch_rest(struct fetch *fetch, struct err *err)
{
	struct stat st;
	if (fstat(fetch->fd, &st))
		return err_set(err, "%s: %s", fetch->part, strerror(errno));
	off_t at = st.st_size <= fetch->size ? st.st_size : 0;
	if (ftruncate(fetch->fd, at))
		return err_set(err, "%s: %s", fetch->part, strerror(errno));
	for (; at < fetch->size; at += PORTABLE_PIECE_BYTES)
		if (fetch_piece(fetch, at, err))
			return -1;
	if (!is_right(fetch, fetch->fd)) {
		empty_part(fetch);
		return err_set(err,
			"the hub's portable agent for %s is damaged: its SHA-256 is not the one "
			"that the hub tells",
			fetch->arch);
	}
	return 0;
}

/* What an earlier try has left may be wrong: then all of it is fetched once more. */
static int fetch_all(struct fetch *fetch, struct err *err)
{
	struct stat st;
	bool left = fstat(fetch->fd, &st) == 0 && st.st_size > 0;
	int rc = fetch_rest(fetch, err);
	bool emptied = fstat(fetch->fd, &st) == 0 && st.st_size == 0;
	return rc && left && emptied ? fetch_rest(fetch, err) : rc;
}

static int fetch_file(struct fetch *fetch, struct err *err)
{
	if (open_part(fetch, err))
		return -1;
	if (is_here(fetch, fetch->file))
		return 0;
	if (fetch_all(fetch, err))
		return -1;
	if (fsync(fetch->fd) || rename(fetch->part, fetch->file))
		return err_set(err, "%s: %s", fetch->file, strerror(errno));
	return 0;
}

/* --- the whole ----------------------------------------------------------------------------- */

static int find_or_fetch(struct fetch *fetch, char **file, struct err *err)
{
	cleanup(free_ptr) char *own = os_own_path();
	if (is_here(fetch, own)) {
		*file = xstrdup(own);
		return 0;
	}
	if (!is_here(fetch, fetch->file) && fetch_file(fetch, err))
		return -1;
	utimensat(AT_FDCWD, fetch->file, NULL, 0);
	remove_old(fetch);
	*file = xstrdup(fetch->file);
	return 0;
}

int portable_get(const struct portable_source *source, const char *arch, const json_t *row,
	char **file, struct err *err)
{
	struct fetch fetch = {
		.source = source,
		.proven = {.root = source->root,
			.paths = source->paths,
			.state = source->state,
			.cancel = source->cancel},
		.fd = -1,
	};
	int rc = read_row(&fetch, arch, row, err);
	if (!rc)
		rc = find_or_fetch(&fetch, file, err);
	if (fetch.fd >= 0)
		close(fetch.fd);
	proven_free(&fetch.proven);
	free(fetch.file);
	free(fetch.part);
	return rc;
}
