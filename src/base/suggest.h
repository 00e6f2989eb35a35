/*
 * What somebody may have meant: the nearest of the words that exist.
 */
#ifndef BASE_SUGGEST_H
#define BASE_SUGGEST_H

#include <stddef.h>

#define SUGGEST_MAX 3

/* Up to SUGGEST_MAX indexes of `words`, the nearest first, into best; returns how many are near
 * enough to be worth a line. */
size_t suggest_nearest(
	const char *word, const char *const *words, size_t count, size_t best[SUGGEST_MAX]);

#endif
