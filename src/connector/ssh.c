/*
 * SSH to a target by libssh: key exchange, and whose key it is.
 *
 * Happy path: the greeting of an SSH server comes, keys are agreed on, and the server's key is
 * there to be judged before anything is said of the user.
 *
 * Failure modes: no greeting, another protocol or no common algorithm (not-ssh); the cancel. This
 * user's own SSH settings are never read: neither configuration nor known_hosts has a say.
 */
#include "connector/ssh.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define GREETING_MS 20000

int ssh_lost(struct channel *channel, const char *doing, struct ending *ending)
{
	const char *words = ssh_get_error(channel->session);
	ending_set(ending, OUTCOME_CONNECTION_LOST);
	evidence_add(&ending->evidence, "reason", "%s%s%s", doing, words && *words ? ": " : "",
		words ? words : "");
	return -1;
}

int ssh_wait(
	struct channel *channel, struct deadline deadline, const char *doing, struct ending *ending)
{
	short events = POLLIN;
	/* libssh closes it when the line breaks, and then the number may be another thread's. */
	int fd = ssh_get_fd(channel->session);
	if (fd < 0)
		return ssh_lost(channel, doing, ending);
	if (ssh_get_poll_flags(channel->session) & SSH_WRITE_PENDING)
		events |= POLLOUT;
	switch (wait_fd(fd, events, deadline, channel->cancel)) {
	case WAIT_READY:
		return 0;
	case WAIT_CANCELLED:
		return ending_set(ending, OUTCOME_CANCELLED);
	default:
		ending_set(ending, OUTCOME_CONNECTION_LOST);
		evidence_add(&ending->evidence, "reason", "nothing came any more while %s", doing);
		return -1;
	}
}

static int set_options(ssh_session session, int fd)
{
	static const char nowhere[] = "/dev/null";
	const int no = 0, yes = 1;
	return ssh_options_set(session, SSH_OPTIONS_PROCESS_CONFIG, &no) ||
		   ssh_options_set(session, SSH_OPTIONS_HOST, "target") ||
		   ssh_options_set(session, SSH_OPTIONS_USER, "nobody") || /* until it is known who */
		   ssh_options_set(session, SSH_OPTIONS_SSH_DIR, "/nonexistent") ||
		   ssh_options_set(session, SSH_OPTIONS_KNOWNHOSTS, nowhere) ||
		   ssh_options_set(session, SSH_OPTIONS_GLOBAL_KNOWNHOSTS, nowhere) ||
		   ssh_options_set(session, SSH_OPTIONS_NODELAY, &yes) ||
		   ssh_options_set(session, SSH_OPTIONS_FD, &fd);
}

static int agree_on_keys(struct channel *channel, struct ending *ending)
{
	struct deadline deadline = deadline_in_ms(GREETING_MS);
	int rc;
	while ((rc = ssh_connect(channel->session)) == SSH_AGAIN) {
		if (ssh_wait(channel, deadline, "agreeing on keys", ending) == 0)
			continue;
		if (ending->outcome == OUTCOME_CANCELLED)
			return -1;
		break;
	}
	if (rc == SSH_OK)
		return 0;
	ending_set(ending, OUTCOME_NOT_SSH);
	if (rc == SSH_AGAIN)
		evidence_add(
			&ending->evidence, "reason", "it said nothing for %d seconds", GREETING_MS / 1000);
	else
		evidence_add(&ending->evidence, "reason", "%s", ssh_get_error(channel->session));
	return -1;
}

static void close_channel(struct channel *channel)
{
	if (!channel)
		return;
	if (channel->held)
		ssh_channel_free(channel->held);
	/* libssh closes a socket that it was given when the line breaks and in ssh_free(), and lets go
	 * of it, open, in ssh_disconnect(). */
	int fd = ssh_is_connected(channel->session) ? ssh_get_fd(channel->session) : -1;
	if (fd >= 0) {
		ssh_disconnect(channel->session);
		close(fd);
	}
	ssh_free(channel->session);
	free(channel);
}

static struct channel *open_channel(int fd, const struct cancel *cancel, struct ending *ending)
{
	struct channel *channel = xcalloc(1, sizeof *channel);
	*channel = (struct channel){.session = ssh_new(), .cancel = cancel};
	if (!channel->session || set_options(channel->session, fd))
		abort(); /* out of memory, or not the library that this was built for */
	ssh_set_blocking(channel->session, 0);
	if (agree_on_keys(channel, ending) == 0)
		return channel;
	close_channel(channel);
	return NULL;
}

static int host_key(struct channel *channel, struct channel_key *key, struct ending *ending)
{
	ssh_key public_key = NULL;
	unsigned char *hash = NULL;
	size_t len;
	char *text = NULL;
	int rc = ssh_get_server_publickey(channel->session, &public_key) ||
			 ssh_get_publickey_hash(public_key, SSH_PUBLICKEY_HASH_SHA256, &hash, &len);
	if (!rc)
		text = ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, len);
	if (text) {
		snprintf(key->type, sizeof key->type, "%s", ssh_key_type_to_char(ssh_key_type(public_key)));
		snprintf(key->fingerprint, sizeof key->fingerprint, "%s", text);
	}
	bool bad = !text;
	ssh_string_free_char(text);
	ssh_clean_pubkey_hash(&hash);
	ssh_key_free(public_key);
	return bad ? ssh_lost(channel, "reading the host's key", ending) : 0;
}

void channel_leave_thread(void)
{
	OPENSSL_thread_stop();
}

const struct channel_ops channel_ssh = {
	.name = "ssh",
	.open = open_channel,
	.host_key = host_key,
	.authenticate = ssh_authenticate,
	.run = ssh_run,
	.hold = ssh_hold,
	.release = ssh_release,
	.close = close_channel,
};
