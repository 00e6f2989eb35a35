/*
 * From a profile and a hub to the list of requirements. Each starts as unknown with the honest
 * reason; judge.c decides what the walks tell about it.
 */
#include "check/parts.h"

#include <string.h>

#define NOT_PROBED  "not probed by this version"
#define PROXY_TITLE "proxy settings that the service can work with"

/* Takes id and title. */
static struct requirement *add(
	struct check_result *result, char *id, char *title, const struct profile_origin *origin)
{
	result->requirements =
		xrealloc(result->requirements, result->requirement_count + 1, sizeof *result->requirements);
	struct requirement *requirement = &result->requirements[result->requirement_count++];
	*requirement = (struct requirement){.cause = CHECK_NO_CAUSE};
	requirement->id = id;
	requirement->title = title;
	if (origin) {
		requirement->section = origin->section;
		requirement->row = origin->row;
	}
	if (!requirement->section && result->profile)
		requirement->section = result->profile->source.section;
	requirement_decide(requirement, REQUIREMENT_UNKNOWN, NOT_PROBED);
	return requirement;
}

static void add_topic(
	struct check_result *result, bool wanted, enum profile_topic topic, const char *title)
{
	if (wanted)
		add(result, xstrdup(profile_topic_id(topic)), xstrdup(title),
			result->profile ? &result->profile->sections[topic] : NULL);
}

/* A row for another system does not apply here. */
static void skip_elsewhere(
	const struct check_options *options, struct requirement *requirement, enum profile_os os)
{
	static const struct {
		const char *platform, *reason;
	} systems[] = {
		[PROFILE_OS_ANY] = {"", ""},
		[PROFILE_OS_LINUX] = {"linux", "applies to Linux only"},
		[PROFILE_OS_WINDOWS] = {"windows", "applies to Windows only"},
	};
	if (os != PROFILE_OS_ANY && strcmp(systems[os].platform, options->platform) != 0)
		requirement_decide(requirement, REQUIREMENT_SKIPPED, systems[os].reason);
}

static void add_endpoint(struct check_result *result, const struct profile_endpoint *endpoint)
{
	char *title = endpoint->purpose ? xasprintf("%s (%s:%u)", endpoint->purpose, endpoint->host,
										  (unsigned)endpoint->port)
									: xasprintf("%s:%u", endpoint->host, (unsigned)endpoint->port);
	struct requirement *requirement =
		add(result, xasprintf("endpoint.%s", endpoint->id), title, &endpoint->origin);
	requirement->optional = endpoint->required == WISH_NO;
	if (endpoint->untested) {
		/* What is not required and cannot be tried leaves no question open. */
		requirement_decide(requirement,
			requirement->optional ? REQUIREMENT_SKIPPED : REQUIREMENT_UNKNOWN, endpoint->untested);
		return;
	}
	requirement->endpoint = endpoint;
}

static void add_hub(struct check_result *result, const struct check_hub *hub)
{
	struct requirement *requirement =
		add(result, xasprintf("endpoint.%s", hub->id ? hub->id : "hub"),
			xasprintf("Sallyport hub%s%s (%s:%u)", *hub->roles ? ", " : "", hub->roles, hub->host,
				(unsigned)hub->port),
			NULL);
	requirement->section = NULL;
	requirement->hub = hub;
}

static void add_inbound(const struct check_options *options, struct check_result *result,
	const struct profile_inbound *inbound)
{
	bool udp = inbound->protocol == PROFILE_OVER_UDP;
	struct requirement *requirement =
		add(result, xasprintf("inbound.%u%s", (unsigned)inbound->port, udp ? "-udp" : ""),
			xasprintf("inbound %s %u%s%s%s", udp ? "UDP" : "TCP", (unsigned)inbound->port,
				inbound->service ? ", " : "", inbound->service ? inbound->service : "",
				inbound->when == PROFILE_AUTO_INSTALL ? ", for auto-install" : ""),
			&inbound->origin);
	requirement->inbound = inbound;
	skip_elsewhere(options, requirement, inbound->os);
}

static void add_addressing(struct check_result *result, const struct profile *profile)
{
	bool dhcp = profile->addressing.ipv4 == WISH_DHCP;
	add_topic(result, dhcp, TOPIC_ADDRESSING_DHCP_SERVER, "a DHCP server in the network");
	add_topic(result, dhcp, TOPIC_ADDRESSING_IPV4, "the IPv4 address comes from DHCP");
	add_topic(result, profile->addressing.dns == WISH_DHCP, TOPIC_ADDRESSING_DNS,
		"the DNS servers come from DHCP");
	add_topic(result, profile->addressing.ipv6 == WISH_UNSUPPORTED, TOPIC_ADDRESSING_IPV6,
		"IPv4 is there: IPv6 is not supported");
}

static void add_machine(const struct check_options *options, struct check_result *result)
{
	const struct profile *profile = options->profile;
	for (unsigned i = 0; i < profile->inbound_count; i++)
		add_inbound(options, result, &profile->inbound[i]);
	for (unsigned i = 0; i < profile->services_count; i++) {
		const struct profile_service *service = &profile->services[i];
		struct requirement *requirement = add(result, xasprintf("service.%s", service->name),
			xasprintf("the service %s is running", service->name), &service->origin);
		requirement->service = service;
		skip_elsewhere(options, requirement, service->os);
	}
	for (unsigned i = 0; i < profile->accounts_count; i++) {
		const struct profile_account *account = &profile->accounts[i];
		struct requirement *requirement = add(result, xasprintf("account.%s", account->account),
			xasprintf(
				"the account %s need not change its password at next logon", account->account),
			&account->origin);
		requirement->account = account;
		skip_elsewhere(options, requirement, account->os);
	}
}

/* Row R9 is about the agent that runs here, whatever the profile says. */
static void add_agent(struct check_result *result)
{
	struct requirement *requirement = add(result, xstrdup("agent.no-listener"),
		xstrdup("the agent on this machine listens on no port"), NULL);
	requirement->section = NULL;
	requirement->row = "R9";
}

/* Asked for by --deep, whatever the profile says. */
static void add_idle(struct check_result *result)
{
	struct requirement *requirement =
		add(result, xstrdup("path.idle"), xstrdup("idle connections stay alive"), NULL);
	requirement->section = NULL;
	requirement->row = "B5";
}

void requirements_build(const struct check_options *options, struct check_result *result)
{
	const struct profile *profile = options->profile;
	for (const struct check_hub *hub = options->hub; hub; hub = hub->next)
		add_hub(result, hub);
	if (options->deep)
		add_idle(result);
	if (!profile) {
		add_topic(result, options->proxy_split != NULL, TOPIC_PROXY, PROXY_TITLE);
		return;
	}
	for (unsigned i = 0; i < profile->endpoints_count; i++)
		add_endpoint(result, &profile->endpoints[i]);
	add_topic(result,
		profile->proxy.auth || profile->proxy.inspection || options->proxy_split != NULL,
		TOPIC_PROXY, PROXY_TITLE);
	add_topic(result, profile->dns.external != WISH_UNSET, TOPIC_DNS_EXTERNAL,
		"external DNS names resolve");
	add_topic(result, profile->internet == WISH_REQUIRED, TOPIC_INTERNET,
		"the Internet is reachable, for downloads");
	/* Not a matter of the vendor's page, unless that says so. */
	add_topic(result, true, TOPIC_CLOCK, "the clock fits the dates of certificates");
	result->requirements[result->requirement_count - 1].section =
		profile->sections[TOPIC_CLOCK].section;
	add_addressing(result, profile);
	add_machine(options, result);
	if (options->agent_pid)
		add_agent(result);
}
