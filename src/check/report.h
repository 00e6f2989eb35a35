/*
 * One check result, written down: for people, for programs, for CI systems.
 *
 * The formats stand in one table; each only reads the result. No secret can get in: a result holds
 * none, and everything that a peer sent is printable already (diagnosis/finding.h).
 */
#ifndef CHECK_REPORT_H
#define CHECK_REPORT_H

#include "check/check.h"

#include <stdio.h>

struct report_format {
	const char *name;
	void (*write)(FILE *out, const struct check_result *result, bool colour);
};

/* NULL when there is none of that name. */
const struct report_format *report_format_find(const char *name);

void report_text(FILE *out, const struct check_result *result, bool colour);
void report_json(FILE *out, const struct check_result *result, bool colour);
void report_junit(FILE *out, const struct check_result *result, bool colour);
/* The same as report_json(), in one line. */
void report_json_line(FILE *out, const struct check_result *result);
/* The object of schema sallyport.check/1; new reference. */
json_t *report_to_json(const struct check_result *result);

#endif
