/*
 * How the commands tell a person about a finding and a path. Text for terminals; everything in it
 * has been made printable where it was met.
 */
#ifndef CLI_SAY_H
#define CLI_SAY_H

#include "diagnosis/finding.h"

#include <jansson.h>
#include <stdio.h>

/* Cause, evidence, remedy and who applies it, indented, below a line that the caller has printed.
 */
void say_finding(FILE *to, const struct finding *finding);
/* The same from the members of status.json. */
void say_finding_json(FILE *to, const json_t *object);
/* "name      value", indented. */
void say_row(FILE *to, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
