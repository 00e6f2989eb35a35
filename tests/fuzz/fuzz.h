/*
 * A fuzz target: one function, called with bytes that a peer or a file could hold. It must neither
 * crash nor leak, whatever they are; what it finds true of every input it asserts.
 *
 * Built with clang, libFuzzer, ASan and UBSan by `./dev fuzz [TARGET [SECONDS]]`.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include "base/mem.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The bytes as a C string, owned by the caller: it ends at the first NUL among them. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
	return xstrndup((const char *)data, size);
}

#endif
