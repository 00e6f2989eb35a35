#include "tally.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"

#include <string.h>

static void *grown(void *items, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return items;
	*room = *room ? *room * 2 : 256;
	return xrealloc(items, *room, size);
}

static double ms_of(int64_t us)
{
	return (double)us / 1000;
}

void tally_arrival(struct tally *tally, int64_t started_us)
{
	tally->took_ms =
		grown(tally->took_ms, tally->arrived, &tally->took_room, sizeof *tally->took_ms);
	tally->took_ms[tally->arrived++] = clock_ms_since(started_us);
}

void tally_answer(struct tally *tally, int64_t now_us)
{
	tally->answers_us = grown(
		tally->answers_us, tally->answer_count, &tally->answer_room, sizeof *tally->answers_us);
	tally->answers_us[tally->answer_count++] = now_us;
}

void tally_online(struct tally *tally, int change, int64_t now_us)
{
	struct tally_point *last = tally->curve_count ? &tally->curve[tally->curve_count - 1] : NULL;
	tally->online += change;
	/* The last point is the newest; the one before it stands at least one step earlier. */
	if (tally->curve_count >= 2 && now_us - last[-1].at_us < TALLY_CURVE_US) {
		*last = (struct tally_point){now_us, tally->online};
		return;
	}
	tally->curve =
		grown(tally->curve, tally->curve_count, &tally->curve_room, sizeof *tally->curve);
	tally->curve[tally->curve_count++] = (struct tally_point){now_us, tally->online};
}

void tally_reason(struct tally *tally, const char *text)
{
	size_t i = 0;
	while (i < TALLY_REASONS - 1 && *tally->reasons[i].text &&
		   strcmp(tally->reasons[i].text, text) != 0)
		i++;
	if (!*tally->reasons[i].text)
		snprintf(tally->reasons[i].text, sizeof tally->reasons[i].text, "%s",
			i < TALLY_REASONS - 1 ? text : "something else");
	tally->reasons[i].count++;
}

void tally_clear(struct tally *tally)
{
	tally->answer_count = tally->curve_count = 0;
	memset(tally->reasons, 0, sizeof tally->reasons);
}

void tally_free(struct tally *tally)
{
	free(tally->answers_us);
	free(tally->curve);
	free(tally->took_ms);
	*tally = (struct tally){0};
}

void tally_print_arrivals(struct tally *tally, int64_t began_us, FILE *out)
{
	fprintf(out,
		"{\"online\": %d, \"failed\": %d, \"seconds\": %.3f, \"median_ms\": %.1f, \"p99_ms\": "
		"%.1f}\n",
		tally->online, tally->failed, clock_ms_since(began_us) / 1000,
		tally_share(tally->took_ms, tally->arrived, 0.5),
		tally_share(tally->took_ms, tally->arrived, 0.99));
	fflush(out);
}

void tally_print_status(const struct tally *tally, FILE *out)
{
	fprintf(out, "{\"online\": %d, \"failed\": %d, \"answers\": %zu, \"at_ms\": %.3f}\n",
		tally->online, tally->failed, tally->answer_count, ms_of(clock_mono_us()));
	fflush(out);
}

void tally_print_answers(const struct tally *tally, FILE *out)
{
	fputs("{\"answers_ms\": [", out);
	for (size_t i = 0; i < tally->answer_count; i++)
		fprintf(out, "%s%.3f", i ? ", " : "", ms_of(tally->answers_us[i]));
	fputs("]}\n", out);
	fflush(out);
}

void tally_print_curve(const struct tally *tally, FILE *out)
{
	fputs("{\"curve\": [", out);
	for (size_t i = 0; i < tally->curve_count; i++)
		fprintf(out, "%s[%.3f, %d]", i ? ", " : "", ms_of(tally->curve[i].at_us),
			tally->curve[i].online);
	fputs("]}\n", out);
	fflush(out);
}

void tally_print_reasons(const struct tally *tally, FILE *out)
{
	cleanup(json_drop) json_t *reasons = json_object();
	for (size_t i = 0; i < TALLY_REASONS && *tally->reasons[i].text; i++)
		json_object_set_new(
			reasons, tally->reasons[i].text, json_integer((json_int_t)tally->reasons[i].count));
	cleanup(free_ptr) char *text = json_text(reasons);
	fprintf(out, "{\"reasons\": %s}\n", text);
	fflush(out);
}

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;
	return (left > right) - (left < right);
}

double tally_share(double *values, size_t count, double share)
{
	if (!count)
		return 0;
	qsort(values, count, sizeof *values, compare);
	size_t at = (size_t)((double)count * share);
	return values[at < count ? at : count - 1];
}
