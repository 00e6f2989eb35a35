/*
 * What handlers read of a request and how they refuse it: members of the body, arguments of the
 * query, pages of a list.
 *
 * A function that returns NULL or -1 has answered with a problem that names what is wrong (RFC
 * 9457: status 422, `errors` with a JSON pointer or the name of the query's argument); the handler
 * returns at once.
 */
#ifndef HUB_API_REQUEST_H
#define HUB_API_REQUEST_H

#include "hub/net/exchange.h"
#include "store/store.h"

/* Answers 422 about a member of the body ("/name", "/runs/0") or, without the slash, an argument of
 * the query. */
void request_invalid(struct exchange *exchange, const char *where, const char *format, ...)
	PRINTF_LIKE(3, 4);
/* Answers with the problem for a status of the store that is not STORE_OK. */
void answer_store_problem(
	struct exchange *exchange, enum store_status status, const struct err *err);

/* A text of the body within its bounds (bytes). */
const char *body_text(struct exchange *exchange, const char *name, size_t least, size_t most);
/* The same for one that may be absent or null: then *text is `otherwise`. */
int body_optional(struct exchange *exchange, const char *name, size_t least, size_t most,
	const char *otherwise, const char **text);
/* A number of the body; `otherwise` when absent. Bounds are not negative. */
int64_t body_number(
	struct exchange *exchange, const char *name, int64_t least, int64_t most, int64_t otherwise);
/* A number of the query from 1; `otherwise` when absent. */
int64_t arg_number(struct exchange *exchange, const char *name, int64_t most, int64_t otherwise);
/* A text of the query; NULL when absent or empty. */
const char *arg_text(const struct exchange *exchange, const char *name);

/* ?limit= and ?cursor= of lists that go from new to old by a number. */
struct request_page {
	int limit;
	int64_t before; /* rows with a smaller number; 0: from the newest on */
};

int request_read_page(
	struct exchange *exchange, int most, int otherwise, struct request_page *page);
/* {NAME: rows, "next_cursor": text or null}; takes the rows. `next` 0 is the last page. */
void answer_page(struct exchange *exchange, const char *name, json_t *rows, int64_t next);

json_t *time_json(int64_t when);        /* RFC 3339, or null for 0; new reference */
json_t *text_or_null(const char *text); /* null for NULL and ""; new reference */
json_t *stored_json(const char *text);  /* parsed; null when it is none; new reference */

#endif
