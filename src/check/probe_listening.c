/*
 * The agent opens no listening socket (row R9): the process that runs here is looked at.
 *
 * An ordinary user cannot see another user's descriptors; there it is settled when no listener
 * belongs to the agent's user at all.
 */
#include "check/probe.h"
#include "os/listeners.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/stat.h>

static bool owner_listens(pid_t pid, const struct listener *listeners, size_t count)
{
	char path[32];
	struct stat process;
	bool listens = false;
	snprintf(path, sizeof path, "/proc/%ld", (long)pid);
	if (stat(path, &process))
		return true;
	for (size_t i = 0; i < count; i++)
		listens |= listeners[i].owner == process.st_uid;
	return listens;
}

static void judge(
	pid_t pid, const struct listener *listeners, size_t count, struct probe_answer *answer)
{
	size_t index = 0;
	enum listener_held held = listener_of_process(pid, listeners, count, &index);
	evidence_add(&answer->evidence, "pid", "%ld", (long)pid);
	if (held == LISTENER_HELD) {
		const struct listener *listener = &listeners[index];
		evidence_add(&answer->evidence, "listener", "%s port %u, address %s",
			listener->protocol == IPPROTO_UDP ? "UDP" : "TCP", listener->port, listener->address);
		probe_blame(answer, CAUSE_AGENT_LISTENS, CONFIDENCE_CERTAIN);
	} else if (held == LISTENER_NOT_HELD || !owner_listens(pid, listeners, count)) {
		probe_pass(answer, NULL);
	} else {
		probe_unknown(answer, PROBE_WITHOUT_PRIVILEGES);
	}
}

void probe_listening(const struct probe_question *question, struct probe_answer *answer)
{
	struct err err;
	size_t count;
	pid_t pid = question->options->agent_pid;
	if (pid < 0) {
		probe_unknown(answer, "whether the agent runs here, " PROBE_WITHOUT_PRIVILEGES);
		return;
	}
	struct listener *listeners = listeners_read(&count, &err);
	if (!listeners) {
		probe_unknown(answer, "who listens here cannot be read: %s", err.text);
		return;
	}
	judge(pid, listeners, count, answer);
	free(listeners);
}
