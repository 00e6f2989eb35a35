#include "agent/log.h"

#include "agent/duration.h"
#include "base/clock.h"
#include "base/file.h"

#include <stdio.h>
#include <string.h>

#define LOG_MAX_BYTES ((size_t)1024 * 1024)
#define LOG_KEEP      5

/* Evidence that makes a failure another one. What differs at each attempt (times, ports, the
 * address picked this time, how long a session lived) is not here, or the log would fill with
 * repetitions. */
static const char *const essential[] = {"proxy", "endpoint", "name", "resolver", "schemes",
	"status", "issuer", "alert", "user", "variable", "problem", "origin", "location", "sender",
	"icmp", "hop", "hub-versions", "no-proxy-entry", "answer", "close-note"};

void agent_log_open(struct agent_log *log, const struct agent_paths *paths, bool to_stderr)
{
	struct err err;
	*log = (struct agent_log){0};
	if (file_make_dirs(paths->log_dir, 0755, &err))
		fprintf(stderr, "%s\n", err.text);
	log->file = logfile_open(&(struct logfile_options){
		.path = paths->log, .max_bytes = LOG_MAX_BYTES, .keep = LOG_KEEP, .to_stderr = to_stderr});
}

static char *essence(const struct finding *finding)
{
	struct buf text = {0};
	buf_puts(&text, cause_info(finding->cause)->id);
	for (size_t i = 0; i < ARRAY_LEN(essential); i++) {
		const char *value = evidence_get(&finding->evidence, essential[i]);
		if (value)
			buf_printf(&text, "\n%s=%s", essential[i], value);
	}
	return text.data;
}

static void write_block(struct logfile *file, const char *hub, const struct finding *finding)
{
	const struct cause_info *info = cause_info(finding->cause);
	enum logfile_level level = info->severity == SEVERITY_WARN ? LEVEL_WARN : LEVEL_ERROR;
	cleanup(free_ptr) char *sentence = finding_sentence(finding);
	cleanup(free_ptr) char *remedy = finding_remedy(finding);
	cleanup(buf_free) struct buf evidence = {0};
	for (size_t i = 0; i < finding->evidence.count; i++)
		buf_printf(&evidence, "%s%s=%s", i ? ", " : "", finding->evidence.items[i].name,
			finding->evidence.items[i].value);
	logfile_line(file, level, "no session with the hub at %s: %s", hub, sentence);
	logfile_line(file, level, "  cause: %s (stage %s, %s)", info->id, stage_name(finding->stage),
		finding->confidence == CONFIDENCE_CERTAIN ? "certain" : "likely");
	if (evidence.len)
		logfile_line(file, level, "  evidence: %s", buf_text(&evidence));
	logfile_line(file, level, "  remedy (%s): %s", info->who, remedy);
}

static void write_line(struct logfile *file, const char *hub, const struct finding *finding)
{
	cleanup(free_ptr) char *sentence = finding_sentence(finding);
	logfile_line(file, LEVEL_INFO, "no session with the hub at %s, as before: %s (%s)", hub,
		sentence, cause_info(finding->cause)->id);
}

bool agent_log_failure(
	struct agent_log *log, const char *hub, const struct finding *finding, bool news)
{
	if (!log->outage_us)
		log->outage_us = clock_mono_us();
	log->failures++;
	cleanup(free_ptr) char *now = essence(finding);
	if (log->told && strcmp(log->told, now) == 0)
		return false;
	(news ? write_block : write_line)(log->file, hub, finding);
	free(log->told);
	log->told = now;
	now = NULL;
	return true;
}

bool agent_log_busy(struct agent_log *log, const char *hub, int64_t retry_after_ms)
{
	char words[DURATION_TEXT_SIZE];
	if (!log->outage_us)
		log->outage_us = clock_mono_us();
	if (log->told_busy)
		return false;
	logfile_line(log->file, LEVEL_INFO,
		"the hub at %s is busy and asks to come back in %s (hub-busy); waiting as long as it asks",
		hub, duration_words(retry_after_ms, words));
	return log->told_busy = true;
}

static void describe_walk(const struct walk *walk, struct buf *text)
{
	if (walk->proxy)
		buf_printf(text, " through the proxy %s", walk->proxy);
	const char *separator = " (";
	for (unsigned stage = 0; stage < STAGE_COUNT; stage++) {
		if (walk->stages[stage].status != STAGE_PASSED)
			continue;
		buf_printf(
			text, "%s%s %.1f ms", separator, stage_name((enum stage)stage), walk->stages[stage].ms);
		separator = ", ";
	}
	if (*separator == ',')
		buf_puts(text, ")");
}

void agent_log_online(struct agent_log *log, const char *hub, const struct walk *walk)
{
	cleanup(buf_free) struct buf text = {0};
	char words[DURATION_TEXT_SIZE];
	buf_printf(&text, "online at %s", hub);
	describe_walk(walk, &text);
	if (log->outage_us)
		buf_printf(&text, "; %s %s and %u failure%s", log->was_online ? "again, after" : "after",
			duration_words((clock_mono_us() - log->outage_us) / 1000, words), log->failures,
			log->failures == 1 ? "" : "s");
	logfile_line(log->file, LEVEL_INFO, "%s", buf_text(&text));
	for (size_t i = 0; i < walk->warning_count; i++) {
		cleanup(free_ptr) char *sentence = finding_sentence(&walk->warnings[i]);
		logfile_line(
			log->file, LEVEL_WARN, "%s (%s)", sentence, cause_info(walk->warnings[i].cause)->id);
	}
	free(log->told);
	*log = (struct agent_log){.file = log->file, .was_online = true};
}

void agent_log_close(struct agent_log *log)
{
	logfile_close(log->file);
	free(log->told);
	*log = (struct agent_log){0};
}
