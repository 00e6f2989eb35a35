/*
 * The hub's counters, one row each, and their text for Prometheus (exposition format 0.0.4).
 */
#ifndef HUB_METRICS_H
#define HUB_METRICS_H

#include "base/buf.h"

#include <stdint.h>

enum metric {
#define METRIC(symbol, name, kind, help) METRIC_##symbol,
#include "hub/metrics.def"
#undef METRIC
	METRIC_COUNT
};

struct metrics {
	int64_t values[METRIC_COUNT];
};

static inline void metric_add(struct metrics *metrics, enum metric metric, int64_t by)
{
	metrics->values[metric] += by;
}

static inline void metric_set(struct metrics *metrics, enum metric metric, int64_t value)
{
	metrics->values[metric] = value;
}

void metrics_print(const struct metrics *metrics, struct buf *out);

#endif
