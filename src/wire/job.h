/*
 * A run of a job as it travels: the text that the hub signs and the agent verifies.
 *
 * The text is JSON, schema sallyport.run/1. It names the run and the server, so that a signature is
 * good for one run on one machine. It is signed, sent, kept in the journal and verified as the same
 * bytes; nobody writes it a second time.
 *
 *     hub:   job_write() -> text, job_sign() -> signature
 *     agent: job_verify(), then job_read(), then job_free()
 *
 * The signature is Ed25519 (RFC 8032) over JOB_CONTEXT, its zero byte included, and the text.
 */
#ifndef WIRE_JOB_H
#define WIRE_JOB_H

#include "base/err.h"
#include "wire/identity.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JOB_CONTEXT         "sallyport run 1"
#define JOB_SIGNATURE_BYTES 64
#define JOB_ID_SIZE         33     /* 32 hexadecimal digits and NUL; of jobs and of runs */
#define JOB_MAX_SPEC        204800 /* bytes of the text */
#define JOB_MAX_SCRIPT      131072 /* bytes */
#define JOB_MAX_ARGS        64
#define JOB_MAX_ARG         4096 /* bytes of each; of values of variables too */
#define JOB_MAX_ENV         64
#define JOB_MAX_TITLE       200
#define JOB_MAX_NAME        128 /* bytes of a user's or a variable's */
#define JOB_MAX_CWD         1024
#define JOB_MAX_OUTPUT      16777216 /* bytes */
#define JOB_DEFAULT_OUTPUT  1048576
#define JOB_MAX_TIMEOUT_S   604800
#define JOB_DEFAULT_TIMEOUT 3600
#define JOB_MAX_ATTEMPTS    20
#define JOB_REBOOT_EXIT     194 /* with JOB_REBOOT_ON_REQUEST: reboot, then run again */

enum job_interpreter { JOB_BASH, JOB_SH, JOB_PERL, JOB_PYTHON, JOB_PWSH, JOB_INTERPRETERS };

/* Whether a run that was cut short (power, a crash) is run again. */
enum job_rerun { JOB_RERUN_NEVER, JOB_RERUN_SAFE };

enum job_reboot {
	JOB_REBOOT_NEVER,      /* 194 is an exit code like any other */
	JOB_REBOOT_AFTER,      /* once it has exited with 0; done when the machine is back */
	JOB_REBOOT_ON_REQUEST, /* when it exits with JOB_REBOOT_EXIT */
};

struct job_variable {
	char *name, *value;
};

/* Texts are owned and never NULL, but for user and cwd. */
struct job {
	char run[JOB_ID_SIZE], job[JOB_ID_SIZE];
	char server[IDENTITY_ID_SIZE];
	char *title;
	enum job_interpreter interpreter;
	char *script;
	char **args; /* after the script's name; NULL-terminated */
	size_t arg_count;
	struct job_variable *env;
	size_t env_count;
	char *user; /* NULL: the agent's own, root */
	char *cwd;  /* absolute; NULL: the user's home, or / */
	int64_t timeout_s, output_limit;
	int64_t created, expires; /* seconds since 1970, the hub's clock; never begun after `expires` */
	enum job_rerun rerun;
	enum job_reboot reboot;
};

const char *job_interpreter_name(enum job_interpreter interpreter); /* "bash", ... */
const char *job_rerun_name(enum job_rerun rerun);                   /* "never", "safe" */
const char *job_reboot_name(enum job_reboot reboot); /* "never", "after", "on-request" */
/* -1 when the name is none. */
int job_interpreter_find(const char *name);
int job_rerun_find(const char *name);
int job_reboot_find(const char *name);

/* True for 32 lower-case hexadecimal digits. */
bool job_is_id(const char *text);
/* Whether all members are within bounds; -1 with the member's name and what was expected. */
int job_check(const struct job *job, struct err *err);
/* Owned by the caller; NULL with the reason when it is out of bounds. */
char *job_write(const struct job *job, struct err *err);
void job_sign(
	const struct identity *hub, const char *text, unsigned char signature[JOB_SIGNATURE_BYTES]);
bool job_verify(const unsigned char hub_key[IDENTITY_KEY_BYTES], const char *text,
	const unsigned char signature[JOB_SIGNATURE_BYTES]);
/* Fills *job, which job_free() frees; -1 with the reason, and nothing to free. */
int job_read(const char *text, struct job *job, struct err *err);
void job_free(struct job *job);

#endif
