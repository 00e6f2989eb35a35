/*
 * A machine that asks by HTTP: it proves itself by the header of wire/upload.h, which is good for
 * this one connection; so there is neither cookie nor key, and no permission.
 */
#ifndef HUB_API_MACHINE_H
#define HUB_API_MACHINE_H

#include "hub/net/exchange.h"
#include "wire/identity.h"

/* Nothing but the status for HEAD, which has no body to say more in. */
#define MACHINE_REFUSE(exchange, status, ...)                                                      \
	do {                                                                                           \
		if ((exchange)->method == METHOD_HEAD)                                                     \
			exchange_empty(exchange, status);                                                      \
		else                                                                                       \
			exchange_problem(exchange, status, __VA_ARGS__);                                       \
	} while (0)

/* Who asks: fills the server's id. -1 after a problem was answered. */
int machine_find(struct exchange *exchange, char server[IDENTITY_ID_SIZE]);

#endif
