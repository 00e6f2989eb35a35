#include "connector/payload.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#define PIECE 65536

void payload_init(struct payload *payload, const struct plan_portable *portable,
	const struct connector_hooks *hooks)
{
	*payload =
		(struct payload){.portable = portable, .hooks = hooks, .raw_fd = -1, .packed_fd = -1};
	pthread_mutex_init(&payload->lock, NULL);
}

int64_t payload_size(const struct payload *payload, bool packed)
{
	return packed ? payload->packed_size : payload->portable->size;
}

ssize_t payload_read(
	const struct payload *payload, bool packed, void *room, size_t size, int64_t at)
{
	ssize_t got;
	do
		got = pread(packed ? payload->packed_fd : payload->raw_fd, room, size, at);
	while (got < 0 && errno == EINTR);
	return got;
}

int payload_hash(const struct payload *payload, bool packed, int64_t len, char hex[65])
{
	crypto_hash_sha256_state state;
	unsigned char hash[crypto_hash_sha256_BYTES];
	cleanup(free_ptr) unsigned char *piece = xcalloc(PIECE, 1);
	crypto_hash_sha256_init(&state);
	for (int64_t at = 0; at < len;) {
		size_t want = len - at < PIECE ? (size_t)(len - at) : PIECE;
		ssize_t got = payload_read(payload, packed, piece, want, at);
		if (got <= 0)
			return -1;
		crypto_hash_sha256_update(&state, piece, (unsigned long long)got);
		at += got;
	}
	crypto_hash_sha256_final(&state, hash);
	sodium_bin2hex(hex, 65, hash, sizeof hash);
	return 0;
}

static int verify(struct payload *payload)
{
	char hex[65];
	if (payload_hash(payload, false, payload->portable->size, hex))
		return err_set(&payload->err, "the file of the agent is shorter than the hub said");
	if (strcmp(hex, payload->portable->sha256) != 0)
		return err_set(&payload->err, "the file of the agent is not the one that the hub named");
	return 0;
}

static int write_all(int fd, const unsigned char *bytes, size_t len)
{
	while (len) {
		ssize_t put = write(fd, bytes, len);
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return -1;
		bytes += put;
		len -= (size_t)put;
	}
	return 0;
}

/* Everything that deflate has to say for now. */
static int drain(z_stream *zip, int flush, unsigned char *room, int fd)
{
	do {
		zip->next_out = room;
		zip->avail_out = PIECE;
		deflate(zip, flush);
		if (write_all(fd, room, PIECE - zip->avail_out))
			return -1;
	} while (!zip->avail_out);
	return 0;
}

/* Without a name, and in memory where the kernel (since 3.17) can do that. */
static int open_nameless(void)
{
	char path[] = P_tmpdir "/sallyport-XXXXXX";
	int fd = memfd_create("sallyport-portable", MFD_CLOEXEC);
	if (fd >= 0 || errno != ENOSYS)
		return fd;
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	return fd;
}

static int pack(struct payload *payload)
{
	z_stream zip = {.zalloc = NULL};
	cleanup(free_ptr) unsigned char *in = xcalloc(2, PIECE);
	int64_t size = payload->portable->size;
	int rc = 0;
	payload->packed_fd = open_nameless();
	if (payload->packed_fd < 0 || deflateInit2(&zip, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8,
									  Z_DEFAULT_STRATEGY) != Z_OK)
		return err_set(
			&payload->err, "the file of the agent could not be compressed: %s", strerror(errno));
	for (int64_t at = 0; at < size && !rc;) {
		ssize_t got = payload_read(payload, false, in, PIECE, at);
		if (got <= 0)
			rc = -1;
		zip.next_in = in;
		zip.avail_in = got > 0 ? (uInt)got : 0;
		at += got;
		rc = rc ? rc
				: drain(&zip, at < size ? Z_NO_FLUSH : Z_FINISH, in + PIECE, payload->packed_fd);
	}
	deflateEnd(&zip);
	payload->packed_size = lseek(payload->packed_fd, 0, SEEK_CUR);
	return rc ? err_set(&payload->err, "the file of the agent could not be compressed") : 0;
}

static int prepare(struct payload *payload)
{
	const struct connector_hooks *hooks = payload->hooks;
	cleanup(free_ptr) char *path =
		hooks->fetch(hooks->data, payload->portable->arch, payload->portable->row, &payload->err);
	if (!path)
		return -1;
	payload->raw_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (payload->raw_fd < 0)
		return err_set(&payload->err, "%s: %s", path, strerror(errno));
	return verify(payload) ? -1 : pack(payload);
}

int payload_ready(struct payload *payload, struct err *err)
{
	pthread_mutex_lock(&payload->lock);
	if (!payload->tried && prepare(payload) == 0)
		payload->err.text[0] = '\0';
	payload->tried = true;
	bool bad = payload->err.text[0] != '\0';
	if (bad)
		err_set(err, "%s", payload->err.text);
	pthread_mutex_unlock(&payload->lock);
	return bad ? -1 : 0;
}

void payload_free(struct payload *payload)
{
	if (payload->raw_fd >= 0)
		close(payload->raw_fd);
	if (payload->packed_fd >= 0)
		close(payload->packed_fd);
	pthread_mutex_destroy(&payload->lock);
}
