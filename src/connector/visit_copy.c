/*
 * The agent's file on the target, in a folder that is gone afterwards.
 *
 * Happy path: a script on the target, held open, takes the first folder that will do, and says what
 * an earlier visit left there. What is missing goes over the line, compressed where the target can
 * gunzip; the target unpacks it and says its SHA-256. A target that has the very file already gets
 * nothing.
 *
 * Failure modes: another connector is at work there (setup-busy), no room after all (disk-full), a
 * line that breaks (what arrived is kept a while), a file that does not arrive as it was sent
 * (copy-failed, and what arrived is dropped), no file on this side (portable-missing).
 */
#include "connector/visit.h"

#include <stdio.h>
#include <string.h>

#define SILENCE_MS  30000
#define PROGRESS_US 500000

/*
 * The folder has one name, so that who comes second sees the first. `keeper` holds the process that
 * holds it; `owner` says for which install, `what` which file is being copied. The held script
 * reads one word; at the end of its input (the line broke) it keeps all for `grace` seconds, in
 * which the same install may take it over.
 */
static const char hold_script[] =
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
	"LC_ALL=C\n"
	"export PATH LC_ALL\n"
	"umask 077\n"
	"trap '' HUP PIPE\n"
	"s=\n"
	"mine() { [ \"$(cat \"$s/keeper\" 2>/dev/null)\" = \"$$\" ]; }\n"
	"clean() { cd /; if mine; then rm -rf \"$s\"; fi; exit 0; }\n"
	"lives() { [ -n \"$p\" ] && grep -q sallyport-install \"/proc/$p/cmdline\" 2>/dev/null; }\n"
	"free_of() { set -- $(df -Pk \"$1\" 2>/dev/null | tail -n 1); echo \"${4:-$need}\"; }\n"
	"runs() {\n"
	"	printf '#!/bin/sh\\nexit 0\\n' >\"$s/run\" 2>/dev/null && chmod 700 \"$s/run\" &&\n"
	"		\"$s/run\" 2>/dev/null && [ \"$(free_of \"$s\")\" -ge \"$need\" ]\n"
	"}\n"
	"for d in /var/lib /opt /usr/local /root /var/tmp /tmp; do\n"
	"	s=$d/.sallyport-install\n"
	"	[ -d \"$d\" ] && [ -w \"$d\" ] || { s=; continue; }\n"
	"	if ! mkdir \"$s\" 2>/dev/null; then\n"
	"		[ -d \"$s\" ] && [ ! -h \"$s\" ] && [ -O \"$s\" ] || { s=; continue; }\n"
	"		[ -s \"$s/keeper\" ] || sleep 1\n"
	"		p=$(cat \"$s/keeper\" 2>/dev/null)\n"
	"		if lives && [ \"$(cat \"$s/owner\" 2>/dev/null)\" != \"$owner\" ] && [ ! -e "
	"\"$s/grace\" ]; then\n"
	"			echo sallyport-busy; exit 0\n"
	"		fi\n"
	"		if lives; then echo \"$$\" >\"$s/keeper\"; kill -9 \"$p\" 2>/dev/null; fi\n"
	"	fi\n"
	"	echo \"$$\" >\"$s/keeper\" && echo \"$owner\" >\"$s/owner\" || { rm -rf \"$s\"; s=; "
	"continue; }\n"
	"	rm -f \"$s/grace\"\n"
	"	if [ \"$(cat \"$s/what\" 2>/dev/null)\" != \"$what\" ]; then\n"
	"		rm -f \"$s/part\" \"$s/sallyport\" \"$s/location.yaml\"; echo \"$what\" >\"$s/what\"\n"
	"	fi\n"
	"	if runs; then break; fi\n"
	"	rm -rf \"$s\"; s=\n"
	"done\n"
	"[ -n \"$s\" ] || { echo sallyport-nowhere; exit 0; }\n"
	"trap clean TERM INT\n"
	"for f in /usr/local/bin/sallyport \"$s/sallyport\"; do\n"
	"	set -- $(sha256sum \"$f\" 2>/dev/null)\n"
	"	if [ \"$1\" = \"$what\" ]; then\n"
	"		[ \"$f\" = \"$s/sallyport\" ] || cp \"$f\" \"$s/sallyport\" && chmod 700 "
	"\"$s/sallyport\" &&\n"
	"			echo \"sallyport-there $s\" && n=there\n"
	"		break\n"
	"	fi\n"
	"done\n"
	"if [ \"$n\" != there ]; then\n"
	"	n=0; h=-\n"
	"	if [ -s \"$s/part\" ]; then\n"
	"		n=$(($(wc -c <\"$s/part\"))); set -- $(sha256sum \"$s/part\" 2>/dev/null); h=${1:--}\n"
	"	fi\n"
	"	echo \"sallyport-stage $s $n $h\"\n"
	"fi\n"
	"IFS= read -r w\n"
	"[ \"$w\" = drop ] && clean\n"
	": >\"$s/grace\"\n"
	"i=0\n"
	"while [ \"$i\" -lt \"$grace\" ] && [ -e \"$s/grace\" ] && mine; do sleep 1; i=$((i + 1)); "
	"done\n"
	"clean\n";

static const char copy_script[] =
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
	"LC_ALL=C\n"
	"export PATH LC_ALL\n"
	"umask 077\n"
	"cd \"$folder\" || exit 74\n"
	"[ \"$have\" != 0 ] || : >part\n"
	"cat >>part || exit 73\n"
	"[ \"$(($(wc -c <part)))\" = \"$total\" ] || exit 75\n"
	"if [ \"$packed\" = yes ]; then gunzip -c <part >new || exit 73; else mv part new || exit 73; "
	"fi\n"
	"rm -f part\n"
	"[ \"$(($(wc -c <new)))\" = \"$size\" ] || exit 73\n"
	"set -- $(sha256sum new 2>/dev/null || busybox sha256sum new 2>/dev/null)\n"
	"echo \"sallyport-sum ${1:-none}\"\n"
	"if [ \"${1:-$what}\" != \"$what\" ]; then rm -f new; exit 76; fi\n"
	"chmod 700 new && mv new sallyport || exit 73\n"
	"echo sallyport-copied\n";

/* What the held script said first. */
int visit_take_folder(struct visit *visit, const char *output)
{
	char hash[80] = "", own[65];
	long long have = 0;
	const char *line = strstr(output, "sallyport-");
	if (line && strncmp(line, "sallyport-busy", 14) == 0)
		return ending_set(&visit->ending, OUTCOME_SETUP_BUSY);
	if (line && sscanf(line, "sallyport-there %100s", visit->folder) == 1) {
		visit->placed = true;
		return 0;
	}
	if (!line || sscanf(line, "sallyport-stage %100s %lld %79s", visit->folder, &have, hash) != 3)
		return ending_set(&visit->ending, line ? OUTCOME_DISK_FULL : OUTCOME_COPY_FAILED);
	visit->have = 0;
	if (have > 0 && have <= visit->total &&
		payload_hash(visit->payload, visit->packed, have, own) == 0 && strcmp(own, hash) == 0)
		visit->have = have;
	return 0;
}

static int hold_folder(struct visit *visit)
{
	char need[32], grace[16];
	const char *const values[] = {"owner", visit->plan->install, "what", visit->portable->sha256,
		"need", need, "grace", grace, NULL};
	const struct shell_script script = {.text = hold_script, .values = values};
	struct channel_run run = {
		.silence_ms = SILENCE_MS, .output = {.max = 4096}, .errors = {.max = EVIDENCE_MAX_VALUE}};
	snprintf(need, sizeof need, "%lld",
		(long long)((visit->portable->size + payload_size(visit->payload, visit->packed)) / 1024));
	snprintf(grace, sizeof grace, "%d", visit->plan->grace_s);
	visit->folder[0] = '\0';
	visit->placed = false;
	int rc = shell_hold(&visit->shell, &script, &run, &visit->ending);
	if (!rc)
		rc = visit_take_folder(visit, buf_text(&run.output));
	if (rc && *buf_text(&run.errors) && visit->ending.outcome == OUTCOME_COPY_FAILED)
		ending_reason(&visit->ending, run.errors.data);
	buf_free(&run.output);
	buf_free(&run.errors);
	return rc;
}

static size_t feed_file(void *data, char *room, size_t size)
{
	struct visit *visit = data;
	ssize_t got = payload_read(visit->payload, visit->packed, room, size, visit->sent);
	if (got <= 0)
		return 0;
	visit->sent += got;
	int64_t now = clock_mono_us();
	if (now - visit->told_us >= PROGRESS_US) {
		visit->told_us = now;
		visit->on_change(visit->data, visit);
	}
	return (size_t)got;
}

static int judge_copy(struct visit *visit, const struct channel_run *run)
{
	const char *said = buf_text(&run->errors), *output = buf_text(&run->output);
	if (run->code == 0 && strstr(output, "sallyport-copied"))
		return 0;
	/* Cut short, or the host went down in good order and ended the script. */
	if (run->code == 75 || (run->code < 0 && !*said))
		return ending_set(&visit->ending, OUTCOME_CONNECTION_LOST);
	if (strstr(said, "o space left") || strstr(said, "uota")) {
		ending_set(&visit->ending, OUTCOME_DISK_FULL);
		evidence_add(&visit->ending.evidence, "place", "%s", visit->folder);
		return -1;
	}
	ending_set(&visit->ending, OUTCOME_COPY_FAILED);
	ending_reason(&visit->ending, said);
	return -1;
}

static int copy_file(struct visit *visit)
{
	char have[32], total[32], size[32];
	const char *const values[] = {"folder", visit->folder, "what", visit->portable->sha256, "have",
		have, "total", total, "size", size, "packed", visit->packed ? "yes" : "no", NULL};
	const struct shell_script script = {
		.text = copy_script, .values = values, .feed = feed_file, .feed_data = visit};
	struct channel_run run = {
		.silence_ms = SILENCE_MS, .output = {.max = 4096}, .errors = {.max = EVIDENCE_MAX_VALUE}};
	snprintf(have, sizeof have, "%lld", (long long)visit->have);
	snprintf(total, sizeof total, "%lld", (long long)visit->total);
	snprintf(size, sizeof size, "%lld", (long long)visit->portable->size);
	visit->sent = visit->have;
	visit->on_change(visit->data, visit);
	int rc = shell_run(&visit->shell, &script, &run, &visit->ending);
	if (!rc)
		rc = judge_copy(visit, &run);
	visit->placed = !rc;
	buf_free(&run.output);
	buf_free(&run.errors);
	return rc;
}

int visit_stage_file(struct visit *visit)
{
	struct err err;
	visit_at(visit, INSTALL_COPY);
	if (payload_ready(visit->payload, &err)) {
		ending_set(&visit->ending, OUTCOME_PORTABLE_MISSING);
		evidence_add(&visit->ending.evidence, "reason", "%s", err.text);
		return -1;
	}
	visit->packed = visit->facts.gunzip;
	visit->total = payload_size(visit->payload, visit->packed);
	if (hold_folder(visit))
		return -1;
	int rc = visit->placed ? 0 : copy_file(visit);
	if (!rc)
		visit->on_change(visit->data, visit);
	return rc;
}

void visit_leave(struct visit *visit)
{
	if (!visit->shell.channel)
		return;
	visit->shell.ops->release(visit->shell.channel, "drop\n");
	visit->shell.ops->close(visit->shell.channel);
	visit->shell.channel = NULL;
}
