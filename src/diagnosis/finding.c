#include "diagnosis/finding.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct cause_info causes[CAUSE_COUNT] = {
	[CAUSE_NONE] = {"none", STAGE_HOST, SEVERITY_WARN, "", "Nothing is in the way.", ""},
#define CAUSE(symbol, id, stage, severity, who, sentence, remedy)                                  \
	[CAUSE_##symbol] = {id, STAGE_##stage, SEVERITY_##severity, who, sentence, remedy},
#include "diagnosis/causes.def"
#undef CAUSE
};

static const char *const stage_names[STAGE_COUNT] = {
	[STAGE_HOST] = "host",
	[STAGE_RESOLVE] = "resolve",
	[STAGE_CONNECT] = "connect",
	[STAGE_TUNNEL] = "tunnel",
	[STAGE_SECURE] = "secure",
	[STAGE_HELLO] = "hello",
	[STAGE_SESSION] = "session",
};

const struct cause_info *cause_info(enum cause cause)
{
	return &causes[(unsigned)cause < CAUSE_COUNT ? cause : CAUSE_NONE];
}

enum cause cause_by_id(const char *id)
{
	for (unsigned i = CAUSE_NONE + 1; i < CAUSE_COUNT; i++)
		if (strcmp(causes[i].id, id) == 0)
			return (enum cause)i;
	return CAUSE_NONE;
}

const char *stage_name(enum stage stage)
{
	return (unsigned)stage < STAGE_COUNT ? stage_names[stage] : "unknown";
}

/* The length of the valid UTF-8 sequence at text, 0 for an invalid one. */
static size_t utf8_length(const unsigned char *text)
{
	static const struct {
		unsigned char mask, lead;
		unsigned least;
	} forms[] = {{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
	for (size_t len = 1; len <= ARRAY_LEN(forms); len++) {
		if ((text[0] & forms[len - 1].mask) != forms[len - 1].lead)
			continue;
		unsigned point = text[0] & (unsigned char)~forms[len - 1].mask;
		for (size_t i = 1; i < len; i++) {
			if ((text[i] & 0xc0) != 0x80)
				return 0;
			point = point << 6 | (text[i] & 0x3f);
		}
		bool surrogate = point >= 0xd800 && point <= 0xdfff;
		return point >= forms[len - 1].least && point <= 0x10ffff && !surrogate ? len : 0;
	}
	return 0;
}

/* Printable UTF-8 passes; control bytes and broken sequences become \xNN. */
static char *printable(const char *text)
{
	struct buf out = {.max = EVIDENCE_MAX_VALUE};
	const unsigned char *at = (const unsigned char *)text;
	int full = 0;
	while (*at && !full) {
		size_t len = utf8_length(at);
		bool control = len == 1 && (*at < 0x20 || *at == 0x7f);
		bool c1_control = len == 2 && at[0] == 0xc2 && at[1] < 0xa0;
		if (len && !control && !c1_control) {
			full = buf_append(&out, at, len);
			at += len;
		} else {
			full = buf_printf(&out, "\\x%02x", *at++);
		}
	}
	if (full) {
		out.max = 0;
		buf_puts(&out, "...");
	}
	return out.data ? out.data : xstrdup("");
}

void evidence_add(struct evidence *evidence, const char *name, const char *format, ...)
{
	char *raw = NULL;
	va_list args;
	va_start(args, format);
	if (vasprintf(&raw, format, args) < 0)
		abort();
	va_end(args);
	char *value = printable(raw);
	free(raw);
	for (size_t i = 0; i < evidence->count; i++) {
		if (strcmp(evidence->items[i].name, name) == 0) {
			free(evidence->items[i].value);
			evidence->items[i].value = value;
			return;
		}
	}
	if (evidence->count == EVIDENCE_MAX_ITEMS) {
		free(value);
		return;
	}
	evidence->items[evidence->count++] = (struct evidence_item){name, value};
}

const char *evidence_get(const struct evidence *evidence, const char *name)
{
	for (size_t i = 0; i < evidence->count; i++)
		if (strcmp(evidence->items[i].name, name) == 0)
			return evidence->items[i].value;
	return NULL;
}

void evidence_copy(struct evidence *to, const struct evidence *from)
{
	for (size_t i = 0; i < from->count; i++)
		evidence_add(to, from->items[i].name, "%s", from->items[i].value);
}

void evidence_free(struct evidence *evidence)
{
	for (size_t i = 0; i < evidence->count; i++)
		free(evidence->items[i].value);
	*evidence = (struct evidence){.count = 0};
}

void finding_set(
	struct finding *finding, enum cause cause, enum stage stage, enum confidence confidence)
{
	finding->cause = cause;
	finding->stage = stage;
	finding->confidence = confidence;
}

void finding_copy(struct finding *to, const struct finding *from)
{
	finding_set(to, from->cause, from->stage, from->confidence);
	evidence_copy(&to->evidence, &from->evidence);
}

/* Replaces {name} and {name|words} by the evidence, or by the words where there is none. */
char *evidence_fill(const char *text, const struct evidence *evidence)
{
	struct buf out = {0};
	for (const char *open; (open = strchr(text, '{'));) {
		const char *close = strchr(open, '}');
		if (!close)
			break;
		buf_append(&out, text, (size_t)(open - text));
		cleanup(free_ptr) char *name = xstrndup(open + 1, (size_t)(close - open - 1));
		char *words = strchr(name, '|');
		if (words)
			*words++ = '\0';
		const char *value = evidence ? evidence_get(evidence, name) : NULL;
		buf_puts(&out, value ? value : words ? words : name);
		text = close + 1;
	}
	buf_puts(&out, text);
	return out.data;
}

char *finding_sentence(const struct finding *finding)
{
	return evidence_fill(cause_info(finding->cause)->sentence, &finding->evidence);
}

char *finding_remedy(const struct finding *finding)
{
	return evidence_fill(cause_info(finding->cause)->remedy, &finding->evidence);
}

char *cause_sentence(enum cause cause)
{
	return evidence_fill(cause_info(cause)->sentence, NULL);
}

char *cause_remedy(enum cause cause)
{
	return evidence_fill(cause_info(cause)->remedy, NULL);
}

void finding_free(struct finding *finding)
{
	evidence_free(&finding->evidence);
	*finding = (struct finding){.cause = CAUSE_NONE};
}
