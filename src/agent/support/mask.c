#include "agent/support/mask.h"

#include <ctype.h>
#include <sodium.h>
#include <string.h>

static void keep(struct mask *mask, const char *text, size_t len)
{
	if (len < MASK_LEAST || mask->count == MASK_MAX)
		return;
	for (size_t i = 0; i < mask->count; i++)
		if (mask->forms[i].len == len && memcmp(mask->forms[i].text, text, len) == 0)
			return;
	char *copy = xcalloc(len, 1); /* a key may hold zeros */
	memcpy(copy, text, len);
	mask->forms[mask->count].text = copy;
	mask->forms[mask->count++].len = len;
}

static void wipe(struct buf *text)
{
	if (text->data)
		sodium_memzero(text->data, text->cap);
	buf_free(text);
}

/* Reserved characters only, or everything that is no letter or digit: both are met. */
static void keep_percent(
	struct mask *mask, const unsigned char *secret, size_t len, const char *as_is)
{
	struct buf text = {0};
	for (size_t i = 0; i < len; i++)
		buf_printf(&text,
			isalnum(secret[i]) || (secret[i] && strchr(as_is, secret[i])) ? "%c" : "%%%02X",
			secret[i]);
	keep(mask, buf_text(&text), text.len);
	wipe(&text);
}

static void keep_json(struct mask *mask, const unsigned char *secret, size_t len)
{
	struct buf text = {0};
	for (size_t i = 0; i < len; i++) {
		if (secret[i] == '"' || secret[i] == '\\')
			buf_puts(&text, "\\");
		buf_append(&text, &secret[i], 1);
	}
	keep(mask, buf_text(&text), text.len);
	wipe(&text);
}

static void keep_base64(struct mask *mask, const unsigned char *secret, size_t len)
{
	static const int variants[] = {
		sodium_base64_VARIANT_ORIGINAL_NO_PADDING, sodium_base64_VARIANT_URLSAFE_NO_PADDING};
	for (size_t i = 0; i < ARRAY_LEN(variants); i++) {
		size_t size = sodium_base64_encoded_len(len, variants[i]);
		char *text = xcalloc(size, 1);
		sodium_bin2base64(text, size, secret, len, variants[i]);
		keep(mask, text, size - 1);
		sodium_memzero(text, size);
		free(text);
	}
}

static void keep_hex(struct mask *mask, const unsigned char *secret, size_t len)
{
	char *text = xcalloc(2 * len + 1, 1);
	sodium_bin2hex(text, 2 * len + 1, secret, len);
	keep(mask, text, 2 * len);
	for (char *at = text; *at; at++)
		*at = (char)toupper((unsigned char)*at);
	keep(mask, text, 2 * len);
	sodium_memzero(text, 2 * len);
	free(text);
}

void mask_add(struct mask *mask, const void *secret, size_t len)
{
	if (len < MASK_LEAST)
		return;
	keep(mask, secret, len);
	keep_percent(mask, secret, len, "-._~");
	keep_percent(mask, secret, len, "-._~/");
	keep_json(mask, secret, len);
	keep_base64(mask, secret, len);
	keep_hex(mask, secret, len);
}

size_t mask_apply(const struct mask *mask, struct buf *text)
{
	size_t found = 0;
	for (size_t i = 0; i < mask->count; i++) {
		char *at = text->data, *end = text->data + text->len;
		size_t len = mask->forms[i].len;
		while (at && (at = memmem(at, (size_t)(end - at), mask->forms[i].text, len))) {
			memset(at, '*', len);
			at += len;
			found++;
		}
	}
	return found;
}

void mask_free(struct mask *mask)
{
	for (size_t i = 0; i < mask->count; i++) {
		sodium_memzero(mask->forms[i].text, mask->forms[i].len);
		free(mask->forms[i].text);
	}
	*mask = (struct mask){0};
}
