/*
 * What the history says of a check, taken from its report (schema sallyport.check/1).
 *
 * A report comes from a machine, so it is looked at before it is kept: what has not the form of a
 * report is refused, texts are cut and made printable. What stands in it is still the machine's
 * word.
 */
#ifndef HUB_CHECK_REPORT_H
#define HUB_CHECK_REPORT_H

#include "store/store.h"

#include <jansson.h>

#define CHECK_REPORT_MAX_CAUSES 16 /* that are listed; the report has them all */

/* Fills verdict, causes, outcome, title and report of the row, and the profile of one that the
 * machine made by itself; what they held is freed. -1 when it is no report, with the row as it was.
 */
int check_report_take(const json_t *report, struct store_check *row);
/* An id of a profile: letters, digits, "-", "_" and ".", at most 64, and no file for `sallyport
 * check --profile`. */
bool check_profile_is_id(const char *text);

#endif
