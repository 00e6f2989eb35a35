#include "base/suggest.h"

#include "base/mem.h"

#include <stdint.h>
#include <string.h>

#define LONGEST 64

/* Edits (insert, delete, replace, swap neighbours) from a to b: optimal string alignment. */
static size_t distance(const char *a, const char *b)
{
	size_t alen = strnlen(a, LONGEST), blen = strnlen(b, LONGEST);
	size_t rows[3][LONGEST + 1];
	for (size_t j = 0; j <= blen; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= alen; i++) {
		size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
		row[0] = i;
		for (size_t j = 1; j <= blen; j++) {
			size_t least = above[j - 1] + (a[i - 1] != b[j - 1]);
			least = above[j] + 1 < least ? above[j] + 1 : least;
			least = row[j - 1] + 1 < least ? row[j - 1] + 1 : least;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
				two_above[j - 2] + 1 < least)
				least = two_above[j - 2] + 1;
			row[j] = least;
		}
	}
	return rows[alen % 3][blen];
}

/* A word that holds the other is near, however long the rest: "nxdomain" means "dns-nxdomain". */
static size_t score(const char *word, const char *known)
{
	size_t edits = distance(word, known);
	if (strlen(word) >= 3 && (strstr(known, word) || strstr(word, known)))
		return edits < 2 ? edits : 2;
	return edits;
}

size_t suggest_nearest(
	const char *word, const char *const *words, size_t count, size_t best[SUGGEST_MAX])
{
	size_t scores[SUGGEST_MAX], found = 0, near = strlen(word) / 3 + 1;
	for (size_t i = 0; i < count; i++) {
		size_t this = score(word, words[i]);
		if (this > near)
			continue;
		size_t at = found < SUGGEST_MAX ? found++ : SUGGEST_MAX;
		for (; at && scores[at - 1] > this; at--) {
			if (at < SUGGEST_MAX) {
				scores[at] = scores[at - 1];
				best[at] = best[at - 1];
			}
		}
		if (at < SUGGEST_MAX) {
			scores[at] = this;
			best[at] = i;
		}
	}
	return found;
}
