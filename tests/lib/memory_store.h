/*
 * The real store in memory, with servers, which fails on command.
 */
#ifndef LIB_MEMORY_STORE_H
#define LIB_MEMORY_STORE_H

#include "store/store.h"

struct memory_store {
	struct store *store;
	struct store_driver driver; /* SQLite's but for begin */
	enum store_status (*real_begin)(struct store *store, bool lasting, struct err *err);
	enum store_status fail_with; /* what begin comes to; STORE_OK: it works */
};

/* There is one at a time. Owned by the test, closed with memory_store_close(). */
struct memory_store *memory_store_open(void);
void memory_store_close(struct memory_store *memory);
/* Enrols server number N, or only tells its id. The text lives until the next call. */
const char *memory_store_add(struct memory_store *memory, unsigned number, const char *inventory);
const char *memory_store_id(unsigned number);

#endif
