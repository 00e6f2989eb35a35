#include "connector/facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SILENCE_MS 30000

/* Everything here has to do in busybox's ash, dash and bash, and with little in PATH. */
static const char login_script[] =
	"PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
	"LC_ALL=C\n"
	"export PATH LC_ALL\n"
	"has() { command -v \"$1\" >/dev/null 2>&1; }\n"
	"echo; echo " FACTS_BEGIN "\n"
	"uid=$(id -u 2>/dev/null)\n"
	"echo \"uid=$uid\"\n"
	"echo \"user=$(id -un 2>/dev/null)\"\n"
	"echo \"system=$(uname -s)\"\n"
	"echo \"arch=$(uname -m)\"\n"
	"echo \"clock=$(date +%s)\"\n"
	"if [ -r /etc/os-release ]; then (. /etc/os-release; echo \"os=${PRETTY_NAME:-$NAME}\"); fi\n"
	"if [ -d /run/systemd/system ]; then echo init=systemd\n"
	"elif [ -d /run/openrc ] || [ -x /sbin/openrc-run ]; then echo init=openrc\n"
	"elif [ -d /etc/init.d ] && { has update-rc.d || has chkconfig; }; then echo init=sysv\n"
	"else echo init=none; fi\n"
	"if has gunzip; then echo gunzip=yes; fi\n"
	"if [ \"$uid\" != 0 ]; then\n"
	"	if ! has sudo; then echo sudo=none\n"
	"	elif m=$(sudo -k -n true 2>&1 </dev/null); then echo sudo=free\n"
	"	else echo \"sudo=$(echo \"$m\" | tr '\\n' ' ')\"; fi\n"
	"fi\n"
	"echo " FACTS_END "\n";

static const char root_script[] =
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
	"LC_ALL=C\n"
	"export PATH LC_ALL\n"
	"umask 077\n"
	"free_of() { set -- $(df -Pk \"$1\" 2>/dev/null | tail -n 1); echo \"${4:--1}\"; }\n"
	"why() { case $1 in *[Rr]ead-only*) echo read-only;; *[Nn]o?space*|*[Qq]uota*) echo full;;\n"
	"	*) echo denied;; esac; }\n"
	"try() {\n"
	"	t=$(mktemp -d \"$1/.sallyport-look.XXXXXX\" 2>&1) || { why \"$t\"; return; }\n"
	"	if m=$( { printf '#!/bin/sh\\nexit 0\\n' >\"$t/run\"; } 2>&1 ); then\n"
	"		chmod 700 \"$t/run\"\n"
	"		if \"$t/run\" 2>/dev/null; then echo ok; else echo noexec; fi\n"
	"	else why \"$m\"; fi\n"
	"	rm -rf \"$t\"\n"
	"}\n"
	"echo; echo " FACTS_BEGIN "\n"
	"echo \"uid=$(id -u 2>/dev/null)\"\n"
	"for d in /var/lib /opt /usr/local /root /var/tmp /tmp; do\n"
	"	[ -d \"$d\" ] || continue\n"
	"	echo \"stage=$d $(free_of \"$d\") $(try \"$d\")\"\n"
	"done\n"
	"for d in /usr/local/bin /etc /var/lib; do\n"
	"	while [ ! -d \"$d\" ]; do d=${d%/*}; d=${d:-/}; done\n"
	"	if [ -w \"$d\" ]; then w=ok; else w=read-only; fi\n"
	"	echo \"final=$d $(free_of \"$d\") $w\"\n"
	"done\n"
	"for p in /usr/local/bin/sallyport /usr/bin/sallyport; do\n"
	"	[ -x \"$p\" ] || continue\n"
	"	echo \"agent=$p\"\n"
	"	v=$(\"$p\" --version 2>/dev/null </dev/null | head -n 1)\n"
	"	echo \"agent_version=${v#sallyport }\"\n"
	"	echo \"agent_sha256=$(sha256sum \"$p\" 2>/dev/null)\"\n"
	"	break\n"
	"done\n"
	"echo " FACTS_END "\n";

static void keep(char *to, size_t size, const char *value)
{
	size_t len = 0;
	for (; *value && len + 1 < size; value++)
		to[len++] = *value;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)to[i] < 0x20 || to[i] == 0x7f)
			to[i] = ' ';
	while (len && to[len - 1] == ' ')
		len--;
	to[len] = '\0';
}

static void keep_place(struct facts_place *places, size_t *count, const char *value)
{
	struct facts_place *place = &places[*count];
	long long free_kb;
	if (*count < FACTS_MAX_PLACES &&
		sscanf(value, "%63s %lld %15s", place->path, &free_kb, place->state) == 3) {
		place->free_kb = free_kb;
		(*count)++;
	}
}

static void keep_fact(struct facts *facts, const char *name, const char *value)
{
	const struct {
		const char *name;
		char *to;
		size_t size;
	} texts[] = {
		{"uid", facts->uid, sizeof facts->uid},
		{"user", facts->user, sizeof facts->user},
		{"system", facts->system, sizeof facts->system},
		{"arch", facts->arch, sizeof facts->arch},
		{"os", facts->os, sizeof facts->os},
		{"init", facts->init, sizeof facts->init},
		{"sudo", facts->sudo, sizeof facts->sudo},
		{"agent", facts->agent, sizeof facts->agent},
		{"agent_version", facts->agent_version, sizeof facts->agent_version},
		{"agent_sha256", facts->agent_sha256, sizeof facts->agent_sha256},
	};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (strcmp(texts[i].name, name) == 0)
			keep(texts[i].to, texts[i].size, value);
	if (strcmp(name, "clock") == 0)
		facts->clock = strtoll(value, NULL, 10);
	else if (strcmp(name, "gunzip") == 0)
		facts->gunzip = true;
	else if (strcmp(name, "stage") == 0)
		keep_place(facts->stages, &facts->stage_count, value);
	else if (strcmp(name, "final") == 0)
		keep_place(facts->finals, &facts->final_count, value);
}

void facts_parse(const char *output, size_t len, struct facts *facts)
{
	cleanup(free_ptr) char *text = xstrndup(output, len);
	bool begun = false;
	facts->complete = false;
	char *rest = text;
	for (char *line; (line = strsep(&rest, "\n"));) {
		char *value = strchr(line, '=');
		if (strcmp(line, FACTS_END) == 0)
			facts->complete = facts->complete || begun;
		else if (strcmp(line, FACTS_BEGIN) == 0)
			begun = true;
		else if (begun && !facts->complete && value) {
			*value = '\0';
			keep_fact(facts, line, value + 1);
		}
	}
}

/* What it wrote, its error output first. */
static void say_errors(const struct channel_run *run, struct ending *ending)
{
	const char *text = run->errors.len ? run->errors.data : buf_text(&run->output);
	if (*text)
		ending_reason(ending, text);
	else if (run->code >= 0)
		evidence_add(
			&ending->evidence, "reason", "it ended with code %d and said nothing", run->code);
}

static bool says_expired(const char *text)
{
	return strstr(text, "assword has expired") || strstr(text, "assword change required") ||
		   strstr(text, "required to change your password");
}

static int ask(const struct shell *shell, const char *text, struct facts *facts,
	enum outcome otherwise, struct ending *ending)
{
	const struct shell_script script = {.text = text};
	struct channel_run run = {.silence_ms = SILENCE_MS,
		.output = {.max = FACTS_MAX_OUTPUT},
		.errors = {.max = EVIDENCE_MAX_VALUE}};
	int rc = shell_run(shell, &script, &run, ending);
	if (!rc)
		facts_parse(buf_text(&run.output), run.output.len, facts);
	if (!rc && !facts->complete) {
		bool expired = says_expired(buf_text(&run.errors)) || says_expired(buf_text(&run.output));
		rc = ending_set(ending, expired ? OUTCOME_PASSWORD_EXPIRED : otherwise);
		evidence_add(&ending->evidence, "user", "%s", shell->login->user);
		if (!expired)
			say_errors(&run, ending);
	}
	buf_free(&run.output);
	buf_free(&run.errors);
	return rc;
}

int facts_of_login(const struct shell *shell, struct facts *facts, struct ending *ending)
{
	return ask(shell, login_script, facts, OUTCOME_LOGIN_UNUSABLE, ending);
}

int facts_of_root(const struct shell *shell, struct facts *facts, struct ending *ending)
{
	return ask(shell, root_script, facts, OUTCOME_NO_SUDO, ending);
}
