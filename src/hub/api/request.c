#include "hub/api/request.h"

#include "base/clock.h"
#include "base/json.h"
#include "hub/state.h"

#include <stdio.h>
#include <string.h>

void request_invalid(struct exchange *exchange, const char *where, const char *format, ...)
{
	bool pointer = where[0] == '/';
	va_list args;
	va_start(args, format);
	cleanup(free_ptr) char *detail = xvasprintf(format, args);
	va_end(args);
	json_t *errors =
		json_pack("[{s:s,s:s}]", pointer ? "pointer" : "parameter", where, "detail", detail);
	exchange_problem_of(exchange, 422, "invalid", errors, "\"%s\": %s", where + pointer, detail);
}

void answer_store_problem(
	struct exchange *exchange, enum store_status status, const struct err *err)
{
	hub_store_said(exchange->hub, status, err);
	if (status == STORE_FULL)
		exchange_problem(exchange, 507, "The hub could not store it: %s.", err->text);
	else if (status == STORE_NOT_FOUND)
		exchange_problem(exchange, 404, "There is no such thing here (any more).");
	else
		exchange_problem(exchange, 500, "The hub could not do it: %s.", err->text);
}

static void invalid_text(struct exchange *exchange, const char *name, size_t least, size_t most)
{
	cleanup(free_ptr) char *pointer = xasprintf("/%s", name);
	request_invalid(exchange, pointer, "a text of %zu to %zu bytes was expected.", least, most);
}

const char *body_text(struct exchange *exchange, const char *name, size_t least, size_t most)
{
	const char *text = json_get_text(exchange->json, name);
	if (text && strlen(text) >= least && strlen(text) <= most)
		return text;
	invalid_text(exchange, name, least, most);
	return NULL;
}

int body_optional(struct exchange *exchange, const char *name, size_t least, size_t most,
	const char *otherwise, const char **text)
{
	const json_t *value = json_object_get(exchange->json, name);
	*text = otherwise;
	if (!value || json_is_null(value))
		return 0;
	*text = body_text(exchange, name, least, most);
	return *text ? 0 : -1;
}

int64_t body_number(
	struct exchange *exchange, const char *name, int64_t least, int64_t most, int64_t otherwise)
{
	const json_t *value = json_object_get(exchange->json, name);
	if (!value || json_is_null(value))
		return otherwise;
	if (json_is_integer(value) && json_integer_value(value) >= least &&
		json_integer_value(value) <= most)
		return json_integer_value(value);
	cleanup(free_ptr) char *pointer = xasprintf("/%s", name);
	request_invalid(exchange, pointer, "a number from %lld to %lld was expected.", (long long)least,
		(long long)most);
	return -1;
}

const char *arg_text(const struct exchange *exchange, const char *name)
{
	const char *text = exchange_arg(exchange, name);
	return text && *text ? text : NULL;
}

int64_t arg_number(struct exchange *exchange, const char *name, int64_t most, int64_t otherwise)
{
	const char *text = arg_text(exchange, name);
	char *end = NULL;
	if (!text)
		return otherwise;
	long long number = *text >= '0' && *text <= '9' ? strtoll(text, &end, 10) : -1;
	if (number >= 1 && number <= most && !*end)
		return number;
	request_invalid(exchange, name, "a number from 1 to %lld was expected.", (long long)most);
	return -1;
}

int request_read_page(struct exchange *exchange, int most, int otherwise, struct request_page *page)
{
	int64_t limit = arg_number(exchange, "limit", most, otherwise);
	page->before = limit < 0 ? -1 : arg_number(exchange, "cursor", INT64_MAX, 0);
	page->limit = (int)limit;
	return page->before < 0 ? -1 : 0;
}

void answer_page(struct exchange *exchange, const char *name, json_t *rows, int64_t next)
{
	cleanup(free_ptr) char *cursor = next ? xasprintf("%lld", (long long)next) : NULL;
	exchange_json(
		exchange, 200, json_pack("{s:o,s:o}", name, rows, "next_cursor", text_or_null(cursor)));
}

json_t *time_json(int64_t when)
{
	char text[CLOCK_TEXT_SIZE];
	return when ? json_string(clock_rfc3339((time_t)when, text)) : json_null();
}

json_t *text_or_null(const char *text)
{
	return text && *text ? json_string(text) : json_null();
}

json_t *stored_json(const char *text)
{
	json_t *json = text ? json_parse(text, strlen(text), NULL) : NULL;
	return json ? json : json_null();
}
