/*
 * Who the connector is at a target: key, ssh-agent, password, keyboard-interactive, in this order,
 * as far as the server offers them and something was given.
 *
 * Happy path: one of them is taken; a server that wants two in a row gets both.
 *
 * Failure modes: none of what was given is taken (auth-failed), nothing that was given is offered
 * (auth-method-missing), the key does not parse (key-unusable), a new password is asked for
 * (password-expired), a broken connection. Each password is said once, so that no account is
 * locked by repetition.
 */
#include "connector/ssh.h"

#include <stdio.h>
#include <string.h>

#define ANSWER_MS   30000
#define MAX_ROUNDS  8 /* of one keyboard-interactive conversation */
#define MAX_FACTORS 3

struct attempt {
	struct channel *channel;
	const struct login *login;
	struct ending *ending;
	struct buf tried;
	unsigned used; /* bits of the rows of `methods` */
};

/* Asks libssh again until it has an answer: an SSH_AUTH_ code, or SSH_AUTH_ERROR with the ending.
 */
#define AGAIN(attempt, call)                                                                       \
	__extension__({                                                                                \
		struct deadline again_until = deadline_in_ms(ANSWER_MS);                                   \
		int again_rc;                                                                              \
		while ((again_rc = (call)) == SSH_AUTH_AGAIN) {                                            \
			if (ssh_wait((attempt)->channel, again_until, "logging in", (attempt)->ending)) {      \
				again_rc = SSH_AUTH_ERROR;                                                         \
				break;                                                                             \
			}                                                                                      \
		}                                                                                          \
		again_rc;                                                                                  \
	})

static ssh_key open_key(const char *text, const char *passphrase)
{
	ssh_key key = NULL;
	if (ssh_pki_import_privkey_base64(text, passphrase ? passphrase : "", NULL, NULL, &key))
		return NULL;
	return key;
}

bool login_key_opens(const char *key, const char *passphrase)
{
	ssh_key opened = open_key(key, passphrase);
	ssh_key_free(opened);
	return opened != NULL;
}

static int try_key(struct attempt *attempt)
{
	const struct login *login = attempt->login;
	ssh_key key = open_key(login->key, login->passphrase);
	if (!key) {
		ending_set(attempt->ending, OUTCOME_KEY_UNUSABLE);
		return SSH_AUTH_ERROR;
	}
	int rc = AGAIN(attempt, ssh_userauth_publickey(attempt->channel->session, NULL, key));
	ssh_key_free(key);
	return rc;
}

static int try_agent(struct attempt *attempt)
{
	return AGAIN(attempt, ssh_userauth_agent(attempt->channel->session, NULL));
}

static int try_password(struct attempt *attempt)
{
	ssh_session session = attempt->channel->session;
	return AGAIN(attempt, ssh_userauth_password(session, NULL, attempt->login->password));
}

static bool asks_for_a_new_one(const char *text)
{
	static const char *const words[] = {"new password", "New password", "NEW password", "expired",
		"required to change your password"};
	for (size_t i = 0; text && i < ARRAY_LEN(words); i++)
		if (strstr(text, words[i]))
			return true;
	return false;
}

/* 0; -1 when a new password is asked for. */
static int answer_prompts(struct attempt *attempt)
{
	ssh_session session = attempt->channel->session;
	int count = ssh_userauth_kbdint_getnprompts(session);
	bool expired = asks_for_a_new_one(ssh_userauth_kbdint_getinstruction(session)) ||
				   asks_for_a_new_one(ssh_userauth_kbdint_getname(session));
	for (int i = 0; i < count; i++) {
		char echo = 0;
		const char *prompt = ssh_userauth_kbdint_getprompt(session, (unsigned)i, &echo);
		expired = expired || asks_for_a_new_one(prompt);
		if (!expired)
			ssh_userauth_kbdint_setanswer(
				session, (unsigned)i, echo ? attempt->login->user : attempt->login->password);
	}
	return expired ? ending_set(attempt->ending, OUTCOME_PASSWORD_EXPIRED) : 0;
}

static int try_prompts(struct attempt *attempt)
{
	ssh_session session = attempt->channel->session;
	bool answered = false;
	int rc = SSH_AUTH_DENIED;
	for (int round = 0; round < MAX_ROUNDS; round++) {
		rc = AGAIN(attempt, ssh_userauth_kbdint(session, NULL, NULL));
		if (rc != SSH_AUTH_INFO)
			return rc;
		bool asks = ssh_userauth_kbdint_getnprompts(session) > 0;
		/* Asked once more, it did not take the first answer. */
		if (asks && answered && !asks_for_a_new_one(ssh_userauth_kbdint_getinstruction(session)) &&
			!asks_for_a_new_one(ssh_userauth_kbdint_getprompt(session, 0, NULL)))
			return SSH_AUTH_DENIED;
		if (answer_prompts(attempt))
			return SSH_AUTH_ERROR;
		answered = answered || asks;
	}
	return SSH_AUTH_DENIED;
}

static bool has_key(const struct login *login)
{
	return login->key != NULL;
}

static bool has_agent(const struct login *login)
{
	return login->agent && getenv("SSH_AUTH_SOCK");
}

static bool has_password(const struct login *login)
{
	return login->password != NULL;
}

static const struct {
	const char *words;
	int bit; /* of ssh_userauth_list() */
	bool (*given)(const struct login *login);
	int (*try)(struct attempt *attempt);
} methods[] = {
	{"the key", SSH_AUTH_METHOD_PUBLICKEY, has_key, try_key},
	{"the keys of the ssh-agent", SSH_AUTH_METHOD_PUBLICKEY, has_agent, try_agent},
	{"the password", SSH_AUTH_METHOD_PASSWORD, has_password, try_password},
	{"the password (keyboard-interactive)", SSH_AUTH_METHOD_INTERACTIVE, has_password, try_prompts},
};

static void say_offered(int offered, struct evidence *evidence)
{
	static const struct {
		int bit;
		const char *words;
	} rows[] = {{SSH_AUTH_METHOD_PUBLICKEY, "a key"}, {SSH_AUTH_METHOD_PASSWORD, "a password"},
		{SSH_AUTH_METHOD_INTERACTIVE, "keyboard-interactive"},
		{SSH_AUTH_METHOD_HOSTBASED, "host-based trust"}, {SSH_AUTH_METHOD_GSSAPI_MIC, "GSSAPI"}};
	cleanup(buf_free) struct buf text = {0};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (offered & rows[i].bit)
			buf_printf(&text, "%s%s", text.len ? ", " : "", rows[i].words);
	if (text.len)
		evidence_add(evidence, "offered", "%s", text.data);
}

static int denied(struct attempt *attempt, int offered)
{
	struct ending *ending = attempt->ending;
	ending_set(ending, attempt->tried.len ? OUTCOME_AUTH_FAILED : OUTCOME_AUTH_METHOD_MISSING);
	evidence_add(&ending->evidence, "user", "%s", attempt->login->user);
	if (attempt->tried.len)
		evidence_add(&ending->evidence, "tried", "%s", attempt->tried.data);
	say_offered(offered, &ending->evidence);
	return -1;
}

/* What libssh calls an error: the server hung up (too many tries), or the line broke. */
static int failed(struct attempt *attempt, int offered)
{
	struct ending *ending = attempt->ending;
	if (ending->outcome) {
		evidence_add(&ending->evidence, "user", "%s", attempt->login->user);
		return -1;
	}
	if (attempt->tried.len && strstr(ssh_get_error(attempt->channel->session), "authentication"))
		return denied(attempt, offered);
	return ssh_lost(attempt->channel, "logging in", ending);
}

/* The next factor: SSH_AUTH_SUCCESS, _PARTIAL, _DENIED when all that applies was tried, _ERROR. */
static int try_methods(struct attempt *attempt, int offered)
{
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		if (!(offered & methods[i].bit) || attempt->used & 1u << i ||
			!methods[i].given(attempt->login))
			continue;
		attempt->used |= 1u << i;
		buf_printf(&attempt->tried, "%s%s", attempt->tried.len ? ", " : "", methods[i].words);
		int rc = methods[i].try(attempt);
		if (rc != SSH_AUTH_DENIED)
			return rc;
	}
	return SSH_AUTH_DENIED;
}

static int log_in(struct attempt *attempt)
{
	ssh_session session = attempt->channel->session;
	int rc = AGAIN(attempt, ssh_userauth_none(session, NULL)), offered = 0;
	for (int factor = 0; factor < MAX_FACTORS; factor++) {
		if (rc == SSH_AUTH_SUCCESS)
			return 0;
		if (rc == SSH_AUTH_ERROR)
			return failed(attempt, offered);
		if (factor && rc != SSH_AUTH_PARTIAL)
			break;
		offered = ssh_userauth_list(session, NULL);
		rc = try_methods(attempt, offered);
	}
	return rc == SSH_AUTH_SUCCESS ? 0
		   : rc == SSH_AUTH_ERROR ? failed(attempt, offered)
								  : denied(attempt, offered);
}

int ssh_authenticate(struct channel *channel, const struct login *login, struct ending *ending)
{
	struct attempt attempt = {.channel = channel, .login = login, .ending = ending};
	if (ssh_options_set(channel->session, SSH_OPTIONS_USER, login->user))
		return ssh_lost(channel, "naming the user", ending);
	int rc = log_in(&attempt);
	buf_free(&attempt.tried);
	return rc;
}
