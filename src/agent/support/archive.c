#include "agent/support/archive.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define BLOCK 512

/* One header, every field text in ASCII. */
struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], changed[12], sum[8], type, link[100];
	char magic[6], version[2], user[32], group[32], major[8], minor[8], prefix[155], rest[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a header is one block");

struct archive {
	gzFile file;
};

struct archive *archive_open(int fd, struct err *err)
{
	gzFile file = gzdopen(fd, "wb6");
	if (!file) {
		err_set(err, "no memory to compress with");
		close(fd);
		return NULL;
	}
	struct archive *archive = xcalloc(1, sizeof *archive);
	archive->file = file;
	return archive;
}

static int put(struct archive *archive, const void *data, size_t len, struct err *err)
{
	if (!len || gzwrite(archive->file, data, (unsigned)len) == (int)len)
		return 0;
	int code = 0;
	const char *words = gzerror(archive->file, &code);
	return err_set(err, "%s", code == Z_ERRNO ? strerror(errno) : words);
}

/* The sum of all bytes, its own field taken as blanks. */
static void sum_up(struct header *header)
{
	unsigned sum = 0;
	memset(header->sum, ' ', sizeof header->sum);
	for (size_t i = 0; i < sizeof *header; i++)
		sum += ((const unsigned char *)header)[i];
	snprintf(header->sum, sizeof header->sum, "%06o", sum);
	header->sum[7] = ' ';
}

int archive_add(struct archive *archive, const char *name, const void *data, size_t len,
	time_t changed, struct err *err)
{
	static const char zeros[BLOCK];
	struct header header = {.type = '0', .magic = "ustar", .version = {'0', '0'}};
	if (strlen(name) > ARCHIVE_MAX_NAME)
		return err_set(err, "%s: a name too long for the archive", name);
	snprintf(header.name, sizeof header.name, "%s", name);
	snprintf(header.mode, sizeof header.mode, "%07o", 0600U);
	snprintf(header.uid, sizeof header.uid, "%07o", 0U);
	snprintf(header.gid, sizeof header.gid, "%07o", 0U);
	snprintf(header.size, sizeof header.size, "%011lo", (unsigned long)len & 077777777777UL);
	snprintf(header.changed, sizeof header.changed, "%011lo",
		(unsigned long)(changed > 0 ? changed : 0) & 077777777777UL);
	sum_up(&header);
	if (put(archive, &header, sizeof header, err) || put(archive, data, len, err))
		return -1;
	return put(archive, zeros, (BLOCK - len % BLOCK) % BLOCK, err);
}

int archive_close(struct archive *archive, struct err *err)
{
	static const char end[2 * BLOCK];
	int rc = put(archive, end, sizeof end, err);
	int code = gzclose(archive->file);
	if (!rc && code != Z_OK)
		rc = err_set(err, "%s", code == Z_ERRNO ? strerror(errno) : "it could not be compressed");
	free(archive);
	return rc;
}
