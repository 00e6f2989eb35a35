/*
 * The hub's log: stderr, one line an event, no secrets.
 *
 * Under systemd the line carries its priority for the journal, elsewhere the time. What a peer sent
 * is made printable here, so callers pass it as it is.
 */
#ifndef HUB_LOG_H
#define HUB_LOG_H

#include "base/mem.h"

enum log_level { LOG_SILENT = 0, LOG_ERROR = 3, LOG_WARNING = 4, LOG_NOTE = 5, LOG_DETAIL = 6 };

/* Lines above this level are not written. The start is LOG_DETAIL. */
void log_set_level(enum log_level level);
void log_line(enum log_level level, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
