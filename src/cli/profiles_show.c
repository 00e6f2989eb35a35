/* `sallyport profiles show`: what a check by a profile looks at. */
#include "cli/profiles.h"
#include "cli/say.h"

#include <stdio.h>
#include <string.h>

static void show_endpoint(const struct profile_endpoint *endpoint)
{
	static const char *const protocols[] = {[PROFILE_HTTPS] = "HTTPS",
		[PROFILE_TLS] = "TLS",
		[PROFILE_TCP] = "TCP",
		[PROFILE_HTTP] = "HTTP",
		[PROFILE_UDP] = "UDP"};
	printf("  %s:%u  %s%s%s%s\n", endpoint->host, endpoint->port, protocols[endpoint->protocol],
		endpoint->purpose ? ", " : "", endpoint->purpose ? endpoint->purpose : "",
		endpoint->required == WISH_NO ? " (not required)" : "");
	if (endpoint->untested)
		printf("    %s\n", endpoint->untested);
	else if (endpoint->remark)
		printf("    %s\n", endpoint->remark);
}

static void show_inbound(const struct profile_inbound *inbound)
{
	printf("  %s %u  inbound%s%s%s\n", inbound->protocol == PROFILE_OVER_UDP ? "UDP" : "TCP",
		inbound->port, inbound->service ? ", " : "", inbound->service ? inbound->service : "",
		inbound->when == PROFILE_AUTO_INSTALL ? " (for auto-install)" : "");
}

static void show_machine(const struct profile *profile)
{
	if (profile->addressing.ipv4 == WISH_DHCP)
		printf("  the IPv4 address comes from DHCP, and a DHCP server is there\n");
	if (profile->addressing.dns == WISH_DHCP)
		printf("  the DNS servers come from DHCP\n");
	if (profile->addressing.ipv6 == WISH_UNSUPPORTED)
		printf("  IPv4 is there: IPv6 is not supported\n");
	if (profile->dns.external)
		printf("  external DNS names resolve%s\n",
			profile->dns.external == WISH_PROXY_IS_ENOUGH ? " here or at the proxy" : "");
	if (profile->internet == WISH_REQUIRED)
		printf("  the Internet is reachable, for downloads\n");
	if (profile->proxy.inspection == WISH_FORBIDDEN)
		printf("  no proxy or firewall on the way decrypts TLS\n");
	for (unsigned i = 0; i < profile->services_count; i++)
		printf("  the service %s is running\n", profile->services[i].name);
	for (unsigned i = 0; i < profile->accounts_count; i++)
		printf("  the account %s need not change its password at next logon\n",
			profile->accounts[i].account);
}

static void show(const struct profile *profile)
{
	printf("%s: %s\n", profile->id, profile->title);
	if (profile->source.title)
		say_row(stdout, "from", "%s", profile->source.title);
	if (profile->source.url)
		say_row(stdout, "page", "%s", profile->source.url);
	if (profile->source.read)
		say_row(stdout, "read", "%s", profile->source.read);
	say_row(stdout, "file", "%s", profile->file);
	for (unsigned i = 0; i < profile->variables_count; i++)
		say_row(stdout, "variable", "%s = %s%s%s%s", profile->variables[i].name,
			profile->variables[i].value ? profile->variables[i].value : "(not set)",
			profile->variables[i].purpose ? " (" : "",
			profile->variables[i].purpose ? profile->variables[i].purpose : "",
			profile->variables[i].purpose ? ")" : "");
	putchar('\n');
	for (unsigned i = 0; i < profile->endpoints_count; i++)
		show_endpoint(&profile->endpoints[i]);
	for (unsigned i = 0; i < profile->inbound_count; i++)
		show_inbound(&profile->inbound[i]);
	show_machine(profile);
}

int profiles_show(const struct cli_args *args, const struct profile_places *places)
{
	struct err err;
	struct profile *profile = profile_find(places, args->operands[1], &err);
	const char *settings = args->values[PROFILES_SET];
	int rc = profile && !(settings && profile_set(profile, settings, &err)) ? 0 : CLI_USAGE;
	if (rc)
		fprintf(stderr, "sallyport profiles: %s\n", err.text);
	else
		show(profile);
	profile_free(profile);
	return rc;
}
