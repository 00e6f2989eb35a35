/*
 * Happy path: everything stands in files that their owner alone can read, or a person types it on
 * the terminal, unseen. Failure modes: a file that others may read, is too long or is not there; no
 * terminal to ask at. What was read is wiped once the logins have their copy.
 */
#include "cli/install_ask.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

/* Text in guarded memory; NULL while there is none. */
struct secrets {
	char *key, *passphrase, *password, *sudo_password;
};

static char *room(size_t size)
{
	char *text = sodium_malloc(size);
	if (!text)
		abort();
	memset(text, 0, size);
	return text;
}

/* Up to `max` bytes, the first line alone when `line`; NULL with err. */
static char *read_all(int fd, const char *path, size_t max, bool line, struct err *err)
{
	char *text = room(max + 2);
	size_t len = 0;
	ssize_t got = 0;
	/* A byte at a time from where somebody else may read on. */
	while (len <= max && (got = read(fd, text + len, line ? 1 : max + 1 - len)) > 0) {
		len += (size_t)got;
		if (line && text[len - 1] == '\n')
			break;
	}
	if (line)
		text[strcspn(text, "\r\n")] = '\0';
	if (got >= 0 && len <= max && *text)
		return text;
	err_set(err, "%s: %s", path,
		got < 0     ? strerror(errno)
		: len > max ? "longer than it can be"
					: "there is nothing in it");
	sodium_free(text);
	return NULL;
}

static char *read_file(const char *path, size_t max, bool line, struct err *err)
{
	struct stat status;
	char *text = NULL;
	if (strcmp(path, "-") == 0)
		return read_all(STDIN_FILENO, "standard input", max, line, err);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status))
		err_set(err, "%s: %s", path, strerror(errno));
	else if (status.st_mode & 077)
		err_set(err, "%s: others than its owner may read it; run: chmod 600 %s", path, path);
	else
		text = read_all(fd, path, max, line, err);
	if (fd >= 0)
		close(fd);
	return text;
}

/* Typed on the terminal, unseen. NULL with err. */
static char *ask(const char *question, struct err *err)
{
	struct termios seen, unseen;
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
	if (fd < 0 || tcgetattr(fd, &seen)) {
		if (fd >= 0)
			close(fd);
		err_set(err, "there is no terminal to ask for the %s; give it in a file", question);
		return NULL;
	}
	unseen = seen;
	unseen.c_lflag &= ~(tcflag_t)ECHO;
	dprintf(fd, "%s: ", question);
	tcsetattr(fd, TCSAFLUSH, &unseen);
	char *text = read_all(fd, question, LOGIN_MAX_WORD, true, err);
	tcsetattr(fd, TCSAFLUSH, &seen);
	dprintf(fd, "\n");
	close(fd);
	return text;
}

static int take_key(const char *path, struct secrets *secrets, struct err *err)
{
	secrets->key = read_file(path, LOGIN_MAX_KEY, false, err);
	if (!secrets->key)
		return -1;
	if (login_key_opens(secrets->key, NULL))
		return 0;
	secrets->passphrase = ask("passphrase of the key", err);
	if (!secrets->passphrase)
		return err_prefix(err, "%s is no private key, or has a passphrase", path);
	return login_key_opens(secrets->key, secrets->passphrase)
			   ? 0
			   : err_set(err, "%s: this passphrase does not open it", path);
}

static int take_all(const struct ask_sources *sources, struct secrets *secrets, struct err *err)
{
	const char *user = sources->user ? sources->user : "root";
	cleanup(free_ptr) char *question = xasprintf("password of %s on the hosts", user);
	if (sources->key_file && take_key(sources->key_file, secrets, err))
		return -1;
	if (sources->password_file)
		secrets->password = read_file(sources->password_file, LOGIN_MAX_WORD, true, err);
	else if (!sources->key_file && !sources->agent)
		secrets->password = ask(question, err);
	if (!secrets->password && (sources->password_file || (!sources->key_file && !sources->agent)))
		return -1;
	if (sources->sudo_password_file)
		secrets->sudo_password = read_file(sources->sudo_password_file, LOGIN_MAX_WORD, true, err);
	return sources->sudo_password_file && !secrets->sudo_password ? -1 : 0;
}

struct logins *ask_logins(const struct ask_sources *sources, struct err *err)
{
	struct secrets secrets = {.key = NULL};
	struct logins *logins = NULL;
	if (take_all(sources, &secrets, err) == 0) {
		const struct login login = {
			.user = sources->user,
			.password = secrets.password,
			.key = secrets.key,
			.passphrase = secrets.passphrase,
			.sudo_password = secrets.sudo_password,
			.agent = sources->agent,
		};
		logins = logins_make(&login);
	}
	sodium_free(secrets.key);
	sodium_free(secrets.passphrase);
	sodium_free(secrets.password);
	sodium_free(secrets.sudo_password);
	return logins;
}

bool ask_yes(const char *question)
{
	char answer[16] = "";
	FILE *terminal = isatty(STDERR_FILENO) ? fopen("/dev/tty", "r+e") : NULL;
	if (!terminal)
		return false;
	fprintf(terminal, "%s", question);
	fflush(terminal);
	bool answered = fgets(answer, sizeof answer, terminal) != NULL;
	fclose(terminal);
	return answered && strcmp(answer, "yes\n") == 0;
}
