/*
 * Happy path: a file is found -> its hash is worked out from a descriptor on the pool -> it is
 * served from that very descriptor. What goes wrong: a file that is none, is too large or is
 * replaced meanwhile is not there until the next look.
 */
#include "hub/portable.h"

#include "base/mem.h"
#include "hub/log.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_BYTES (64 << 20)

static const char *const arches[] = {"x86_64", "aarch64"};

/* One architecture's file. */
struct file {
	const char *arch;
	int fd; /* of what was hashed; -1: none */
	struct stat seen;
	char hash[PORTABLE_HASH_SIZE];
};

struct portable {
	uv_loop_t *loop;
	char *folder;
	struct file files[sizeof arches / sizeof *arches];
	size_t at_work;
	bool over;
};

/* A file that is being hashed. */
struct reading {
	uv_work_t work;
	struct portable *portable;
	struct file *file;
	struct stat stat;
	int fd;
	int bad;
	char hash[PORTABLE_HASH_SIZE];
};

static void free_now(struct portable *portable)
{
	for (size_t i = 0; i < ARRAY_LEN(portable->files); i++)
		if (portable->files[i].fd >= 0)
			close(portable->files[i].fd);
	free(portable->folder);
	free(portable);
}

static void hash_file(uv_work_t *work)
{
	struct reading *reading = work->data;
	unsigned char digest[32], piece[65536];
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	off_t at = 0;
	reading->bad = !context || !EVP_DigestInit_ex(context, EVP_sha256(), NULL);
	while (!reading->bad && at < reading->stat.st_size) {
		ssize_t got = pread(reading->fd, piece, sizeof piece, at);
		reading->bad = got <= 0 || !EVP_DigestUpdate(context, piece, (size_t)got);
		at += got;
	}
	reading->bad = reading->bad || !EVP_DigestFinal_ex(context, digest, NULL);
	EVP_MD_CTX_free(context);
	if (!reading->bad)
		sodium_bin2hex(reading->hash, sizeof reading->hash, digest, sizeof digest);
}

static void on_hashed(uv_work_t *work, int status)
{
	struct reading *reading = work->data;
	struct portable *portable = reading->portable;
	struct file *file = reading->file;
	portable->at_work--;
	if (status || reading->bad || portable->over) {
		close(reading->fd);
	} else {
		if (file->fd >= 0)
			close(file->fd);
		file->fd = reading->fd;
		memcpy(file->hash, reading->hash, sizeof file->hash);
		log_line(LOG_DETAIL, "portable agent for %s: %lld bytes", file->arch,
			(long long)reading->stat.st_size);
	}
	free(reading);
	if (portable->over && !portable->at_work)
		free_now(portable);
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_size == b->st_size && a->st_dev == b->st_dev &&
		   a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static void look_at(struct portable *portable, struct file *file)
{
	struct stat stat;
	cleanup(free_ptr) char *path = xasprintf("%s/sallyport-%s", portable->folder, file->arch);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &stat) || !S_ISREG(stat.st_mode) || !stat.st_size ||
		stat.st_size > MAX_BYTES) {
		if (fd >= 0)
			close(fd);
		if (file->fd >= 0)
			close(file->fd);
		file->fd = -1;
		file->seen = (struct stat){0};
		return;
	}
	if (is_same(&stat, &file->seen)) {
		close(fd);
		return;
	}
	struct reading *reading = xcalloc(1, sizeof *reading);
	file->seen = stat;
	reading->portable = portable;
	reading->file = file;
	reading->stat = stat;
	reading->fd = fd;
	reading->work.data = reading;
	portable->at_work++;
	if (uv_queue_work(portable->loop, &reading->work, hash_file, on_hashed))
		on_hashed(&reading->work, UV_ECANCELED);
}

void portable_look(struct portable *portable)
{
	for (size_t i = 0; !portable->at_work && i < ARRAY_LEN(portable->files); i++)
		look_at(portable, &portable->files[i]);
}

struct portable *portable_new(uv_loop_t *loop, const char *folder)
{
	struct portable *portable = xcalloc(1, sizeof *portable);
	portable->loop = loop;
	portable->folder = xstrdup(folder);
	for (size_t i = 0; i < ARRAY_LEN(arches); i++)
		portable->files[i] = (struct file){.arch = arches[i], .fd = -1};
	portable_look(portable);
	return portable;
}

void portable_free(struct portable *portable)
{
	if (!portable)
		return;
	portable->over = true;
	if (!portable->at_work)
		free_now(portable);
}

json_t *portable_json(const struct portable *portable)
{
	json_t *list = json_object();
	for (size_t i = 0; i < ARRAY_LEN(portable->files); i++) {
		const struct file *file = &portable->files[i];
		struct stat stat;
		if (file->fd < 0 || fstat(file->fd, &stat))
			continue;
		cleanup(free_ptr) char *path = xasprintf(PORTABLE_PATH "/%s", file->arch);
		json_object_set_new(list, file->arch,
			json_pack("{s:s,s:s,s:I}", "path", path, "sha256", file->hash, "size",
				(json_int_t)stat.st_size));
	}
	return list;
}

int portable_open(
	const struct portable *portable, const char *arch, int64_t *size, char hash[PORTABLE_HASH_SIZE])
{
	for (size_t i = 0; i < ARRAY_LEN(portable->files); i++) {
		const struct file *file = &portable->files[i];
		struct stat stat;
		if (strcmp(file->arch, arch) != 0 || file->fd < 0 || fstat(file->fd, &stat))
			continue;
		*size = stat.st_size;
		memcpy(hash, file->hash, PORTABLE_HASH_SIZE);
		return fcntl(file->fd, F_DUPFD_CLOEXEC, 0);
	}
	return -1;
}
