/*
 * What `sallyport install` asks a person: secrets, which never stand in arguments or environment,
 * and whether the keys of new hosts are the right ones.
 */
#ifndef CLI_INSTALL_ASK_H
#define CLI_INSTALL_ASK_H

#include "base/err.h"
#include "connector/logins.h"

#include <stdbool.h>

/* Where secrets come from; paths as they were given, NULL for none. */
struct ask_sources {
	const char *user; /* NULL: root */
	const char *key_file;
	const char *password_file; /* "-": the first line of standard input */
	const char *sudo_password_file;
	bool agent; /* the ssh-agent has keys: no password is asked for */
};

/* Reads the files, and asks on the terminal for what is needed and in none of them. NULL with err.
 */
struct logins *ask_logins(const struct ask_sources *sources, struct err *err);
/* A question for a terminal, answered with the whole word "yes". False without a terminal. */
bool ask_yes(const char *question);

#endif
