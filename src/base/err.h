/*
 * An error that ends in a sentence for a person: what went wrong, where, and how to mend it.
 *
 * A function that can fail takes a `struct err *` last, returns 0 or -1, and fills the struct only
 * on failure. What a *connection* meets is not an err but a struct finding (diagnosis/finding.h).
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/mem.h"

struct err {
	char text[1024];
};

/* Formats the sentence and returns -1, so that `return err_set(err, ...)` reads well. NULL is
 * allowed for callers that only want to know whether it failed. */
int err_set(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* Puts "prefix: " before the sentence that is there already; returns -1. */
int err_prefix(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
