/*
 * The door: accepts connections and lets each in once its whole ClientHello is there.
 *
 * A connection that says nothing costs its socket and some hundred bytes here, no TLS. There is
 * room for `capacity` of them; past it the oldest makes room unless it has only just come. Whoever
 * waits longer than GATE_WAIT_MS is closed. What is let in belongs to the callback.
 */
#ifndef HUB_GATE_H
#define HUB_GATE_H

#include "base/err.h"

#include <stdbool.h>

#include <stdint.h>
#include <uv.h>

#define GATE_WAIT_MS 10000 /* for the ClientHello */
#define GATE_IDLE_MS 2000  /* who waits longer may make room */

struct gate;

struct gate_hooks {
	/* Takes the socket. */
	void (*enter)(void *data, int fd);
	/* How many more may be open, those that wait included; the gate closes newcomers at 0. */
	int64_t (*room)(void *data);
	void (*refused)(void *data);
	void *data;
};

/* Listens on an IPv4 address; port 0 takes any. */
struct gate *gate_open(uv_loop_t *loop, const char *host, uint16_t port,
	const struct gate_hooks *hooks, struct err *err);
uint16_t gate_port(const struct gate *gate);
size_t gate_waiting(const struct gate *gate);
void gate_sweep(struct gate *gate, int64_t now_ms);
/* Closes the port and all that wait; frees the gate once the loop has turned. */
void gate_close(struct gate *gate);

#endif
