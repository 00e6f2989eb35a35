/*
 * Logs of machines that somebody looks at: from a machine's session to the event streams of those
 * who look (rows R28, S2).
 *
 * A machine sends its log once however many look on. What came is kept, within bounds, while
 * anybody looks, so that the next one gets the last lines from here. When the last one goes, the
 * machine is told to stop. Runs on the core.
 */
#ifndef HUB_LOG_STREAMS_H
#define HUB_LOG_STREAMS_H

#include "hub/net/exchange.h"

#define LOG_STREAMS_MAX        64 /* machines at a time */
#define LOG_STREAMS_VIEWERS    16 /* of one machine */
#define LOG_STREAMS_KEPT       1000
#define LOG_STREAMS_KEPT_BYTES 262144
#define LOG_STREAM_ID_SIZE     33

struct session;
struct log_streams;

struct log_streams *log_streams_new(void);
void log_streams_free(struct log_streams *streams);

/* Turns the exchange into a stream; -1 when there are too many already. */
int log_streams_watch(struct log_streams *streams, struct exchange *exchange, const char *server,
	struct session *session, int lines);
/* What the machine sent; a stream that is over is passed over. */
void log_streams_lines(struct log_streams *streams, const char *server, const char *stream,
	const json_t *lines, int64_t skipped);
/* It cannot or will not, or its session is over: everybody is told, and their streams end. */
void log_streams_end(struct log_streams *streams, const char *server, const char *reason);
/* A comment for each, so that nothing on the way calls it idle; who may no longer look is cut. */
void log_streams_comment(struct log_streams *streams);

#endif
