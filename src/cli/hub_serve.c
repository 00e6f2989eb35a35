#include "cli/hub_commands.h"

#include "hub/hub.h"
#include "hub/session.h"
#include "wire/token.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum {
	OPTION_LISTEN,
	OPTION_NAME,
	OPTION_CERT,
	OPTION_KEY,
	OPTION_HEARTBEAT,
	OPTION_JITTER,
	OPTION_TIMEOUT,
	OPTION_BACKOFF,
	OPTION_NO_OUTSIDE_LOOK,
};

static const struct cli_option options[] = {
	[OPTION_LISTEN] = {"listen", "ADDR:PORT", "IPv4 address and port to listen on (0.0.0.0:443)"},
	[OPTION_NAME] = {"name", "HOST...",
		"names or addresses that machines use; the first goes into tokens"},
	[OPTION_CERT] = {"cert", "FILE", "certificate chain of your own (PEM), with --key"},
	[OPTION_KEY] = {"key", "FILE", "its private key (PEM)"},
	[OPTION_HEARTBEAT] = {"heartbeat-ms", "N", "machines send a heartbeat this often (60000)"},
	[OPTION_JITTER] = {"heartbeat-jitter-ms", "N", "and add up to this much at random (10000)"},
	[OPTION_TIMEOUT] = {"heartbeat-timeout-ms", "N",
		"an answer later than this means it is lost (20000)"},
	[OPTION_BACKOFF] = {"backoff-cap-ms", "N", "machines try again at least this often (60000)"},
	[OPTION_NO_OUTSIDE_LOOK] = {"no-outside-look", NULL,
		"never try whether a machine's inbound ports can be reached from here, also when its check "
		"asks"},
	{0},
};

static int read_listen(const char *text, struct hub_options *hub)
{
	struct in_addr address;
	const char *colon = strrchr(text, ':');
	const char *port = colon ? colon + 1 : text;
	char *end = NULL;
	long number = isdigit((unsigned char)*port) ? strtol(port, &end, 10) : -1;
	if (colon)
		snprintf(hub->listen_host, sizeof hub->listen_host, "%.*s", (int)(colon - text), text);
	if (number < 0 || number > 65535 || *end || inet_pton(AF_INET, hub->listen_host, &address) != 1)
		return cli_usage_error("--listen: an IPv4 address and a port were expected, as in "
							   "0.0.0.0:443, not \"%s\"",
			text);
	hub->port = (uint16_t)number;
	return 0;
}

static bool is_host(const char *name)
{
	size_t len = strlen(name);
	for (const char *at = name; *at; at++)
		if (!isalnum((unsigned char)*at) && !strchr(".-_", *at))
			return false;
	return len > 0 && len <= TOKEN_MAX_HOST;
}

/* Splits the list in place: it belongs to the option for the life of the program. */
static int read_names(char *list, struct hub_options *hub)
{
	for (char *name; (name = strsep(&list, ","));) {
		if (hub->name_count == HUB_MAX_NAMES)
			return cli_usage_error("--name: %d names at most", HUB_MAX_NAMES);
		if (!is_host(name))
			return cli_usage_error(
				"--name: \"%s\" is neither a host name nor an IPv4 address", name);
		hub->names[hub->name_count++] = name;
	}
	return 0;
}

static int read_times(const struct cli_args *args, struct session_timing *timing)
{
	const struct {
		int option;
		int64_t *to;
		long least;
	} rows[] = {
		{OPTION_HEARTBEAT, &timing->heartbeat_ms, SESSION_LEAST_HEARTBEAT_MS},
		{OPTION_JITTER, &timing->heartbeat_jitter_ms, 0},
		{OPTION_TIMEOUT, &timing->heartbeat_timeout_ms, 50},
		{OPTION_BACKOFF, &timing->backoff_cap_ms, 10},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *text = args->values[rows[i].option];
		if (!text)
			continue;
		long number = cli_number(options[rows[i].option].name, text, rows[i].least, 3600000);
		if (number < 0)
			return CLI_USAGE;
		*rows[i].to = number;
	}
	if (timing->backoff_base_ms > timing->backoff_cap_ms)
		timing->backoff_base_ms = timing->backoff_cap_ms;
	if (timing->stable_ms > 2 * timing->heartbeat_ms)
		timing->stable_ms = 2 * timing->heartbeat_ms;
	return 0;
}

static int run(const struct cli_args *args)
{
	struct hub_options hub;
	hub_options_default(&hub);
	hub.root = args->root;
	hub.certificate = args->values[OPTION_CERT];
	hub.key = args->values[OPTION_KEY];
	hub.no_outside_look = args->values[OPTION_NO_OUTSIDE_LOOK] != NULL;
	if (!hub.certificate != !hub.key)
		return cli_usage_error("--cert and --key belong together");
	cleanup(free_ptr) char *names = xstrdup(args->values[OPTION_NAME]);
	int usage = args->values[OPTION_LISTEN] ? read_listen(args->values[OPTION_LISTEN], &hub) : 0;
	if (!usage && names)
		usage = read_names(names, &hub);
	if (!usage)
		usage = read_times(args, &hub.timing);
	return usage ? usage : hub_serve(&hub);
}

const struct cli_command hub_serve_command = {
	.name = "serve",
	.operands = "",
	.summary = "Run the hub",
	.details =
		"At its first start it makes its identity, a private CA and a certificate below\n"
		"/var/lib/sallyport-hub, and prints a link that makes the first administrator. SIGTERM\n"
		"tells every machine that the hub restarts; SIGHUP reads the certificate again.",
	.example = "  sallyport-hub serve --name hub.example.com\n"
			   "  sallyport-hub serve --listen 10.0.0.5:8443 --name 10.0.0.5\n"
			   "  sallyport-hub serve --name hub.example.com --cert /etc/ssl/hub.pem --key "
			   "/etc/ssl/hub.key",
	.options = options,
	.run = run,
};
