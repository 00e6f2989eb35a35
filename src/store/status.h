/*
 * What a call of the store answers.
 */
#ifndef STORE_STATUS_H
#define STORE_STATUS_H

enum store_status {
	STORE_OK,
	STORE_NOT_FOUND,
	STORE_EXISTS,
	STORE_FULL, /* the disk is full; nothing was changed */
	STORE_ERROR,
	STORE_TOO_BIG, /* a report that is larger than STORE_MAX_REPORT; nothing was changed */
	STORE_LAST,    /* the last one of its kind, which has to stay; nothing was changed */
};

#endif
