/*
 * The gate: accepts connections and lets each in once its whole ClientHello is there and whoever is
 * inside has time for it.
 *
 * A connection that says nothing costs its socket and some hundred bytes here, no TLS. There is
 * room for `capacity` of them; past it the oldest makes room unless it has only just come. Whoever
 * waits longer than GATE_WAIT_MS for its own ClientHello is closed. Those that are ready stand in
 * two rows, people (who offer HTTP/2, as browsers do) and machines, so that neither stands behind a
 * rush of the other. Whoever has given up meanwhile, or has stood there for GATE_PATIENCE_MS, is
 * closed in its turn. What is let in belongs to the callback.
 */
#ifndef HUB_GATE_H
#define HUB_GATE_H

#include "base/err.h"

#include <stdbool.h>

#include <stdint.h>
#include <uv.h>

#define GATE_WAIT_MS 10000 /* for the ClientHello */
#define GATE_IDLE_MS 2000  /* who waits longer may make room */

#define GATE_PATIENCE_MS                                                                           \
	5000 /* in a row; machines give a stage 10 s, which has to do for TLS as well */

enum gate_row { GATE_PEOPLE, GATE_MACHINES, GATE_ROWS };

struct gate;

struct gate_hooks {
	/* Whether there is time for one more of this row; gate_look() says that this may have changed.
	 */
	bool (*has_time)(void *data, enum gate_row row);
	/* Takes the socket. */
	void (*enter)(void *data, enum gate_row row, int fd);
	/* How many more may be open, those that wait included; the gate closes newcomers at 0. */
	int64_t (*room)(void *data);
	void (*refused)(void *data);
	void *data;
};

/* Listens on an IPv4 address; port 0 takes any. */
struct gate *gate_open(uv_loop_t *loop, const char *host, uint16_t port,
	const struct gate_hooks *hooks, struct err *err);
uint16_t gate_port(const struct gate *gate);
size_t gate_waiting(const struct gate *gate); /* all, those that are ready included */
size_t gate_ready(const struct gate *gate);
/* When the machine that is next was ready, in milliseconds of the monotonic clock; 0: none is. */
int64_t gate_ready_since_ms(const struct gate *gate);
/* There may be time for some of those that are ready. */
void gate_look(struct gate *gate);
void gate_sweep(struct gate *gate, int64_t now_ms);
/* Closes the port and all that wait; frees the gate once the loop has turned. */
void gate_close(struct gate *gate);

#endif
