/*
 * Whether an account's password has to be changed before it can be used.
 *
 * On Linux that stands in shadow(5) below root, which only root may read. Nothing of the password
 * itself is kept.
 */
#ifndef OS_ACCOUNTS_H
#define OS_ACCOUNTS_H

#include "base/err.h"

#include <time.h>

enum account_result {
	ACCOUNT_FINE,
	ACCOUNT_MUST_CHANGE, /* the administrator wants a new password at the next logon */
	ACCOUNT_EXPIRED,     /* the password is older than it may be */
	ACCOUNT_NO_PASSWORD, /* locked, or has none: there is nothing to change */
	ACCOUNT_MISSING,
	ACCOUNT_NO_RIGHTS,
	ACCOUNT_UNREADABLE, /* err says why */
};

struct account_state {
	long days; /* of ACCOUNT_EXPIRED: since how many days */
};

enum account_result account_read(
	const char *root, const char *name, time_t now, struct account_state *state, struct err *err);

#endif
