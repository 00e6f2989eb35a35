/*
 * The agent's file as it goes over the line to many targets at once. Private to connector/.
 *
 * Held once for all threads: it is fetched when the first target needs it, verified against the
 * plan, and compressed once into memory without a name (about half a portable agent); a target
 * without gunzip gets it as it is. The same file gives the same compressed bytes, so that a copy
 * that broke off can go on.
 */
#ifndef CONNECTOR_PAYLOAD_H
#define CONNECTOR_PAYLOAD_H

#include "connector/connector.h"
#include "connector/plan.h"

#include <pthread.h>

struct payload {
	pthread_mutex_t lock;
	const struct plan_portable *portable; /* borrowed */
	const struct connector_hooks *hooks;  /* borrowed */
	bool tried;                           /* ready, or it failed with `err` */
	struct err err;
	int raw_fd, packed_fd; /* -1: none */
	int64_t packed_size;   /* bytes */
};

void payload_init(struct payload *payload, const struct plan_portable *portable,
	const struct connector_hooks *hooks);
/* 0 when it is there; -1 with err. Blocks while it is fetched. */
int payload_ready(struct payload *payload, struct err *err);
int64_t payload_size(const struct payload *payload, bool packed);
/* Bytes from `at` on; 0 at the end, -1 with errno. From any thread, once it is ready. */
ssize_t payload_read(
	const struct payload *payload, bool packed, void *room, size_t size, int64_t at);
/* SHA-256 of the first `len` bytes, hexadecimal. */
int payload_hash(const struct payload *payload, bool packed, int64_t len, char hex[65]);
void payload_free(struct payload *payload);

#endif
