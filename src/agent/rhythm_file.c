/*
 * rhythm.json: what was learnt about the way, beside the identity. Losing it costs a few sessions
 * until it is learnt again, so it is written without ceremony and read with suspicion.
 */
#include "agent/rhythm.h"

#include "base/file.h"
#include "base/json.h"

#include <stddef.h>
#include <string.h>

#define RHYTHM_VERSION   1
#define RHYTHM_MAX_BYTES 4096
#define HOUR_MS          3600000

struct record {
	int64_t version;
	char *way;
	int64_t lives_ms, dies_ms, gap_ms, failed;
	bool closed;
};

static const struct json_field fields[] = {
	{"version", JSON_FIELD_INT, offsetof(struct record, version), 1000, true},
	{"way", JSON_FIELD_TEXT, offsetof(struct record, way), RHYTHM_MAX_WAY, true},
	{"lives_ms", JSON_FIELD_INT, offsetof(struct record, lives_ms), HOUR_MS, true},
	{"dies_ms", JSON_FIELD_INT, offsetof(struct record, dies_ms), HOUR_MS, true},
	{"gap_ms", JSON_FIELD_INT, offsetof(struct record, gap_ms), HOUR_MS, true},
	{"failed", JSON_FIELD_INT, offsetof(struct record, failed), 1000, true},
	{"closed", JSON_FIELD_BOOL, offsetof(struct record, closed), 0, true},
};

static bool makes_sense(const struct record *record)
{
	return record->version == RHYTHM_VERSION && record->gap_ms > 0 &&
		   (!record->dies_ms || record->lives_ms < record->dies_ms);
}

void rhythm_load(const struct agent_paths *paths, struct rhythm *rhythm)
{
	cleanup(buf_free) struct buf text = {0};
	struct record record = {0};
	struct err err;
	*rhythm = (struct rhythm){.way = NULL};
	if (file_read(paths->rhythm, RHYTHM_MAX_BYTES, &text, &err))
		return;
	cleanup(json_drop) json_t *object = json_parse(buf_text(&text), text.len, &err);
	if (!object || json_record_read(object, fields, ARRAY_LEN(fields), &record, &err))
		return;
	if (makes_sense(&record)) {
		*rhythm = (struct rhythm){.way = record.way,
			.lives_ms = record.lives_ms,
			.dies_ms = record.dies_ms,
			.gap_ms = record.gap_ms,
			.failed = record.failed,
			.closed = record.closed};
		record.way = NULL;
	}
	json_record_free(fields, ARRAY_LEN(fields), &record);
}

int rhythm_save(const struct agent_paths *paths, const struct rhythm *rhythm, struct err *err)
{
	const struct record record = {.version = RHYTHM_VERSION,
		.way = rhythm->way ? rhythm->way : (char *)"",
		.lives_ms = rhythm->lives_ms,
		.dies_ms = rhythm->dies_ms,
		.gap_ms = rhythm->gap_ms,
		.failed = rhythm->failed,
		.closed = rhythm->closed};
	cleanup(json_drop) json_t *object = json_record_write(fields, ARRAY_LEN(fields), &record);
	cleanup(free_ptr) char *text = json_dumps(object, JSON_INDENT(2));
	if (!text)
		return err_set(err, "%s: its content is no UTF-8", paths->rhythm);
	return file_replace(paths->rhythm, text, strlen(text), 0600, err);
}
