#include "hub/passwords.h"

#include "base/mem.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

struct job {
	uv_work_t work; /* first: libuv gives it back */
	struct passwords *owner;
	struct job *next;
	char *password;
	char hash[crypto_pwhash_STRBYTES];
	bool verify, good;
	passwords_done *done;
	void *data;
};

struct passwords {
	uv_loop_t *loop;
	struct job *first, *last; /* the first one runs */
	size_t count;
	bool running; /* the first one is at work: what it calls back may add another */
	bool ending;
};

/* Of a password that nobody has, so that an unknown name takes as long as a known one. */
static char nobody[crypto_pwhash_STRBYTES];

int password_hash_now(const char *password, char *hash)
{
	return crypto_pwhash_str(hash, password, strlen(password), crypto_pwhash_OPSLIMIT_INTERACTIVE,
		crypto_pwhash_MEMLIMIT_INTERACTIVE);
}

const char *password_problem(const char *password)
{
	size_t characters = 0;
	for (const char *at = password; *at; at++)
		characters += ((unsigned char)*at & 0xc0) != 0x80;
	if (characters < PASSWORD_MIN)
		return "the password is too short: 12 characters at least";
	return strlen(password) > PASSWORD_MAX ? "the password is too long" : NULL;
}

static void work(uv_work_t *request)
{
	struct job *job = (struct job *)request;
	if (!job->verify) {
		job->good = password_hash_now(job->password, job->hash) == 0;
		return;
	}
	bool known = job->hash[0] != '\0';
	if (!known && !nobody[0])
		password_hash_now("nobody has this password", nobody);
	job->good = crypto_pwhash_str_verify(
					known ? job->hash : nobody, job->password, strlen(job->password)) == 0 &&
				known;
}

static void job_free(struct job *job)
{
	sodium_memzero(job->password, strlen(job->password));
	free(job->password);
	sodium_memzero(job->hash, sizeof job->hash);
	free(job);
}

static void start_next(struct passwords *passwords);

static void after_work(uv_work_t *request, int status)
{
	struct job *job = (struct job *)request;
	struct passwords *passwords = job->owner;
	(void)status;
	passwords->first = job->next;
	if (!passwords->first)
		passwords->last = NULL;
	passwords->count--;
	passwords->running = false;
	if (!passwords->ending)
		job->done(job->data, job->good, job->good ? job->hash : NULL);
	job_free(job);
	start_next(passwords);
}

static void start_next(struct passwords *passwords)
{
	if (!passwords->first || passwords->running || passwords->ending)
		return;
	passwords->running = true;
	uv_queue_work(passwords->loop, &passwords->first->work, work, after_work);
}

static int add(struct passwords *passwords, bool verify, const char *hash, const char *password,
	passwords_done *done, void *data)
{
	if (passwords->count >= PASSWORDS_MAX_QUEUED)
		return -1;
	struct job *job = xcalloc(1, sizeof *job);
	job->owner = passwords;
	job->verify = verify;
	job->password = xstrdup(password);
	job->done = done;
	job->data = data;
	if (hash)
		snprintf(job->hash, sizeof job->hash, "%s", hash);
	if (passwords->last)
		passwords->last->next = job;
	else
		passwords->first = job;
	passwords->last = job;
	passwords->count++;
	start_next(passwords);
	return 0;
}

int passwords_hash(
	struct passwords *passwords, const char *password, passwords_done *done, void *data)
{
	return add(passwords, false, NULL, password, done, data);
}

int passwords_verify(struct passwords *passwords, const char *hash, const char *password,
	passwords_done *done, void *data)
{
	return add(passwords, true, hash, password, done, data);
}

struct passwords *passwords_new(uv_loop_t *loop)
{
	struct passwords *passwords = xcalloc(1, sizeof *passwords);
	passwords->loop = loop;
	return passwords;
}

void passwords_free(struct passwords *passwords)
{
	if (!passwords)
		return;
	passwords->ending = true;
	struct job *running = passwords->first;
	for (struct job *job = running ? running->next : NULL, *next; job; job = next) {
		next = job->next;
		job_free(job);
	}
	if (running)
		running->next = NULL;
	while (passwords->first)
		uv_run(passwords->loop, UV_RUN_ONCE);
	free(passwords);
}
