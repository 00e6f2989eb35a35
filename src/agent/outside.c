#include "agent/outside.h"

#include "base/json.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define PREFIX "inbound."

/* The number of the port as it stands in the id, NULL where the hub cannot look: UDP, or what is
 * not asked of this machine. */
static const char *port_of(const json_t *requirement)
{
	const char *id = json_get_text(requirement, "id");
	const char *status = json_get_text(requirement, "status");
	if (!id || !status || strncmp(id, PREFIX, strlen(PREFIX)) != 0 ||
		strcmp(status, "skipped") == 0)
		return NULL;
	const char *port = id + strlen(PREFIX);
	return *port && strspn(port, "0123456789") == strlen(port) && strlen(port) <= 5 ? port : NULL;
}

json_t *outside_ports(const json_t *report)
{
	const json_t *requirements = json_object_get(report, "requirements");
	json_t *ports = json_array();
	for (size_t i = 0; i < json_array_size(requirements); i++) {
		const char *port = port_of(json_array_get(requirements, i));
		if (port && json_array_size(ports) < OUTSIDE_MAX_PORTS)
			json_array_append_new(ports, json_integer(strtol(port, NULL, 10)));
	}
	if (json_array_size(ports))
		return ports;
	json_decref(ports);
	return NULL;
}

static bool is_known(const char *word)
{
	static const char *const words[] = {"open", "refused", "unreachable", "silent"};
	for (size_t i = 0; word && i < ARRAY_LEN(words); i++)
		if (strcmp(words[i], word) == 0)
			return true;
	return false;
}

void outside_merge(json_t *report, const json_t *ports)
{
	const json_t *requirements = json_object_get(report, "requirements");
	for (size_t i = 0; i < json_array_size(requirements); i++) {
		json_t *requirement = json_array_get(requirements, i);
		const char *port = port_of(requirement);
		const char *word = port ? json_get_text(ports, port) : NULL;
		if (is_known(word))
			json_object_set_new(
				requirement, "outside", json_pack("{s:s, s:s}", "from", "hub", "result", word));
	}
}

char *outside_own_address(int fd)
{
	struct sockaddr_in own = {0};
	socklen_t len = sizeof own;
	char text[INET_ADDRSTRLEN];
	if (getsockname(fd, (struct sockaddr *)&own, &len) || own.sin_family != AF_INET ||
		!inet_ntop(AF_INET, &own.sin_addr, text, sizeof text))
		return NULL;
	return xstrdup(text);
}
