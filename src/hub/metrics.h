/*
 * The hub's counters, one row each, and their text for Prometheus (exposition format 0.0.4). They
 * may be changed from any thread.
 */
#ifndef HUB_METRICS_H
#define HUB_METRICS_H

#include "base/buf.h"

#include <stdatomic.h>
#include <stdint.h>

enum metric {
#define METRIC(symbol, name, kind, help) METRIC_##symbol,
#include "hub/metrics.def"
#undef METRIC
	METRIC_COUNT
};

struct metrics {
	_Atomic int64_t values[METRIC_COUNT];
};

static inline void metric_add(struct metrics *metrics, enum metric metric, int64_t by)
{
	atomic_fetch_add_explicit(&metrics->values[metric], by, memory_order_relaxed);
}

static inline void metric_set(struct metrics *metrics, enum metric metric, int64_t value)
{
	atomic_store_explicit(&metrics->values[metric], value, memory_order_relaxed);
}

void metrics_print(const struct metrics *metrics, struct buf *out);

#endif
