#include "hub/metrics.h"

static const struct {
	const char *name, *kind, *help;
} rows[METRIC_COUNT] = {
#define METRIC(symbol, name, kind, help) [METRIC_##symbol] = {name, kind, help},
#include "hub/metrics.def"
#undef METRIC
};

void metrics_print(const struct metrics *metrics, struct buf *out)
{
	for (int i = 0; i < METRIC_COUNT; i++)
		buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %lld\n", rows[i].name, rows[i].help,
			rows[i].name, rows[i].kind, rows[i].name, (long long)metrics->values[i]);
	buf_printf(out,
		"# HELP sallyport_build_info The release.\n# TYPE sallyport_build_info gauge\n"
		"sallyport_build_info{version=\"%s\"} 1\n",
		SALLYPORT_VERSION);
}
