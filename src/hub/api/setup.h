/*
 * The one-time code that makes the first administrator.
 */
#ifndef HUB_API_SETUP_H
#define HUB_API_SETUP_H

#include "store/store.h"

#define SETUP_CODE_SIZE 33 /* 128 bits in 32 hexadecimal digits, and NUL */

/* While there is no user: makes a code, which replaces the one before, and stores its hash. The
 * code is empty when there is a user already. */
enum store_status setup_new_code(struct store *store, char code[SETUP_CODE_SIZE], struct err *err);

#endif
