/*
 * Files that are part of the program: tools/embed.py turns them into C at build time.
 */
#ifndef BASE_EMBED_H
#define BASE_EMBED_H

#include <stddef.h>

struct embedded_file {
	const char *name; /* without folders; NULL ends the list */
	const unsigned char *data;
	size_t size;      /* bytes; data[size] is 0, so that a text is a C string */
	const char *hash; /* the first 32 hexadecimal digits of its SHA-256 */
};

#endif
