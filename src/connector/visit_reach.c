/*
 * From a name to a login: resolve, connect, ssh, host-key, authenticate, each a stage of its own.
 *
 * The key is judged before the user's name is said: a known or confirmed one goes on, a new one
 * ends the look for a person to see it, another one than the known stops the host.
 */
#include "connector/reach.h"
#include "connector/visit.h"

#include <string.h>

static void on_connect(void *data)
{
	visit_at(data, INSTALL_CONNECT);
}

static int open_channel(struct visit *visit)
{
	const struct reach reach = {.host = visit->target->host,
		.port = visit->target->port,
		.root = visit->root,
		.cancel = visit->cancel,
		.on_connect = on_connect,
		.data = visit};
	visit_at(visit, INSTALL_RESOLVE);
	int fd = reach_target(&reach, &visit->ending);
	if (fd < 0)
		return -1;
	visit_at(visit, INSTALL_SSH);
	visit->shell = (struct shell){.ops = &channel_ssh};
	visit->shell.channel = channel_ssh.open(fd, visit->cancel, &visit->ending);
	if (visit->shell.channel)
		return 0;
	if (visit->ending.outcome == OUTCOME_NOT_SSH) {
		evidence_add(&visit->ending.evidence, "address", "%s", visit->target->host);
		evidence_add(&visit->ending.evidence, "port", "%u", (unsigned)visit->target->port);
	}
	return -1;
}

static enum visit_key judge(const struct visit *visit)
{
	const struct plan_target *target = visit->target;
	for (size_t i = 0; i < target->key_count; i++)
		if (strcmp(target->keys[i], visit->key.fingerprint) == 0)
			return VISIT_KEY_KNOWN;
	return target->key_count ? VISIT_KEY_CHANGED : VISIT_KEY_NEW;
}

static int judge_key(struct visit *visit)
{
	struct channel_key before = visit->key;
	visit_at(visit, INSTALL_HOST_KEY);
	if (visit->shell.ops->host_key(visit->shell.channel, &visit->key, &visit->ending))
		return -1;
	visit->key_state = judge(visit);
	bool confirmed = strcmp(visit->confirmed, visit->key.fingerprint) == 0;
	if (visit->phase == VISIT_LOOK && visit->key_state == VISIT_KEY_NEW)
		return 0;
	if (visit->key_state == VISIT_KEY_NEW && !confirmed && *before.fingerprint &&
		strcmp(before.fingerprint, visit->key.fingerprint) != 0)
		visit->key_state = VISIT_KEY_CHANGED; /* since the look */
	if (visit->key_state == VISIT_KEY_KNOWN || (visit->key_state == VISIT_KEY_NEW && confirmed))
		return 0;
	ending_set(&visit->ending, visit->key_state == VISIT_KEY_CHANGED
								   ? OUTCOME_HOST_KEY_CHANGED
								   : OUTCOME_HOST_KEY_UNCONFIRMED);
	evidence_add(&visit->ending.evidence, "fingerprint", "%s", visit->key.fingerprint);
	evidence_add(&visit->ending.evidence, "key-type", "%s", visit->key.type);
	if (visit->target->key_count)
		evidence_add(&visit->ending.evidence, "expected", "%s", visit->target->keys[0]);
	return -1;
}

static int log_in(struct visit *visit)
{
	const struct plan_target *target = visit->target;
	visit_at(visit, INSTALL_AUTHENTICATE);
	if (!logins_find(visit->logins, target->host, target->port, target->user, &visit->login))
		return ending_set(&visit->ending, OUTCOME_NOT_NAMED);
	visit->shell.login = &visit->login;
	return visit->shell.ops->authenticate(visit->shell.channel, &visit->login, &visit->ending);
}

int visit_reach(struct visit *visit)
{
	if (open_channel(visit) || judge_key(visit))
		return -1;
	bool wait = visit->phase == VISIT_LOOK && visit->key_state == VISIT_KEY_NEW;
	return wait ? 0 : log_in(visit);
}
