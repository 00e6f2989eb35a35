/* The text of a run and the state of one in the journal: what is read is within bounds, and what is
 * written of it is read as the same. */
#include "agent/runs/journal.h"
#include "fuzz.h"

static void read_job(const char *text)
{
	struct job job, again;
	struct err err = {""};
	if (job_read(text, &job, &err)) {
		assert(err.text[0]);
		return;
	}
	assert(job_check(&job, &err) == 0);
	char *written = job_write(&job, &err);
	/* Escapes may make it longer than it came. */
	assert(written || strlen(text) > JOB_MAX_SPEC / 6);
	if (written) {
		assert(job_read(written, &again, &err) == 0);
		assert(strcmp(again.script, job.script) == 0 && again.env_count == job.env_count);
		job_free(&again);
	}
	free(written);
	job_free(&job);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run_state state;
	struct err err = {""};
	char *text = fuzz_text(data, size);
	read_job(text);
	if (run_state_parse(text, strlen(text), &state, &err) == 0) {
		assert(state.status < RUN_STATUSES && state.attempt >= 1 && state.title && state.server);
		run_state_free(&state);
	}
	free(text);
	return 0;
}
