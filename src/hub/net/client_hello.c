#include "hub/net/client_hello.h"

#include <string.h>

#define RECORD_HEADER    5
#define HANDSHAKE_RECORD 0x16
#define CLIENT_HELLO     1
#define VERSION_RANDOM   34
#define EXTENSION_ALPN   16

struct bytes {
	const unsigned char *at;
	size_t left;
};

static bool skip(struct bytes *bytes, size_t len)
{
	if (bytes->left < len)
		return false;
	bytes->at += len;
	bytes->left -= len;
	return true;
}

static bool number(struct bytes *bytes, size_t size, size_t *value)
{
	const unsigned char *at = bytes->at;
	*value = 0;
	if (!skip(bytes, size))
		return false;
	for (size_t i = 0; i < size; i++)
		*value = *value << 8 | at[i];
	return true;
}

/* A run of bytes that begins with its length, of which `size` bytes tell. */
static bool vector(struct bytes *bytes, size_t size, struct bytes *inside)
{
	size_t len;
	if (!number(bytes, size, &len))
		return false;
	*inside = (struct bytes){bytes->at, len};
	return skip(bytes, len);
}

static bool find_extensions(struct bytes hello, struct bytes *extensions)
{
	struct bytes body, skipped;
	size_t kind;
	return skip(&hello, RECORD_HEADER) && number(&hello, 1, &kind) && kind == CLIENT_HELLO &&
		   vector(&hello, 3, &body) && skip(&body, VERSION_RANDOM) && vector(&body, 1, &skipped) &&
		   vector(&body, 2, &skipped) && vector(&body, 1, &skipped) && vector(&body, 2, extensions);
}

static bool lists(struct bytes extension, const char *protocol)
{
	struct bytes names, name;
	if (!vector(&extension, 2, &names))
		return false;
	while (vector(&names, 1, &name))
		if (name.left == strlen(protocol) && memcmp(name.at, protocol, name.left) == 0)
			return true;
	return false;
}

bool client_hello_offers(const unsigned char *record, size_t len, const char *protocol)
{
	struct bytes extensions, extension;
	size_t kind;
	if (!len || record[0] != HANDSHAKE_RECORD ||
		!find_extensions((struct bytes){record, len}, &extensions))
		return false;
	while (number(&extensions, 2, &kind) && vector(&extensions, 2, &extension))
		if (kind == EXTENSION_ALPN)
			return lists(extension, protocol);
	return false;
}
