/*
 * What a target says to a connector, and what a hub and a box of credentials say to it. The first
 * byte chooses: facts, the staging folder, the target's own check, setup's lines, a plan, logins.
 * Whatever it is, an event of it stays within its bound and is JSON.
 */
#include "base/json.h"
#include "connector/visit.h"
#include "fuzz.h"

#define MAX_EVENT 65536

static void on_change(void *data, const struct visit *visit)
{
	(void)data;
	(void)visit;
}

static void look_at(struct visit *visit)
{
	json_t *event = visit_event(visit);
	char *text = json_text(event);
	assert(text && strlen(text) < MAX_EVENT);
	free(text);
	json_decref(event);
}

static void say(struct visit *visit, unsigned char what, const char *bytes, size_t len)
{
	struct channel_run run = {.code = 1};
	buf_append(&run.output, bytes, len);
	if (what == 0)
		facts_parse(bytes, len, &visit->facts);
	else if (what == 1)
		visit_take_folder(visit, buf_text(&run.output));
	else if (what == 2)
		visit_judge_check(visit, &run);
	else
		visit_take_setup(visit, &run.output);
	buf_free(&run.output);
}

static void read_plan(const char *text, size_t len)
{
	struct plan plan;
	cleanup(json_drop) json_t *params = json_parse(text, len, NULL);
	if (params && plan_read(params, &plan, NULL) == 0) {
		assert(plan.target_count && plan.parallel && plan.portable_count <= PLAN_MAX_PORTABLE);
		plan_free(&plan);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct login login = {.user = "ops", .password = "a password"};
	static const struct plan_target target = {.id = "1", .host = "host", .port = 22};
	static const struct plan plan = {.install = "a1"};
	if (!size)
		return 0;
	const char *bytes = (const char *)data + 1;
	size_t len = size - 1;
	unsigned char what = data[0] % 6;
	if (what == 4)
		read_plan(bytes, len);
	if (what == 5)
		logins_free(logins_read(bytes, len, NULL));
	if (what >= 4)
		return 0;
	struct visit visit = {.plan = &plan,
		.target = &target,
		.logins = logins_make(&login),
		.on_change = on_change,
		.state = VISIT_WORKING};
	say(&visit, what, bytes, len);
	look_at(&visit);
	logins_free((struct logins *)visit.logins);
	visit_free(&visit);
	return 0;
}
