/* identity.json: what is kept comes back, and nothing bad is taken for good or written over. */
#include "agent/lock.h"
#include "agent/state.h"
#include "agent/status.h"
#include "base/file.h"
#include "temporary_root.h"
#include "base/json.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static char root[ROOT_SIZE];
static struct agent_paths paths;

static int make_root(void **state)
{
	(void)state;
	assert_int_equal(root_make(root), 0);
	paths_init(&paths, root);
	return 0;
}

static int remove_root(void **state)
{
	(void)state;
	paths_free(&paths);
	return root_remove(root);
}

static void fill(struct agent_state *state)
{
	*state = (struct agent_state){.hub_host = "hub.example", .hub_port = 8443};
	identity_make(&state->identity);
	identity_id(state->identity.public_key, state->server_id);
	state->name = xstrdup("web1");
	state->location = xstrdup("Zürich, rack 4");
	state->private_ca = xstrdup("-----BEGIN CERTIFICATE-----\n");
	memset(state->hub_key, 7, sizeof state->hub_key);
}

static void save(void)
{
	struct agent_state state;
	struct err err = {""};
	fill(&state);
	if (state_save(&paths, &state, &err))
		fail_msg("%s", err.text);
	state_wipe(&state);
}

static void comes_back_as_it_was_saved(void **data)
{
	(void)data;
	struct agent_state state, loaded;
	struct stat st;
	fill(&state);
	assert_int_equal(state_save(&paths, &state, NULL), 0);
	assert_int_equal(state_load(&paths, &loaded, NULL), STATE_LOADED);
	assert_memory_equal(&loaded.identity, &state.identity, sizeof state.identity);
	assert_string_equal(loaded.server_id, state.server_id);
	assert_string_equal(loaded.location, "Zürich, rack 4");
	assert_string_equal(loaded.hub_host, "hub.example");
	assert_int_equal(loaded.hub_port, 8443);
	assert_memory_equal(loaded.hub_key, state.hub_key, sizeof state.hub_key);
	assert_string_equal(loaded.private_ca, state.private_ca);
	assert_int_equal(stat(paths.identity, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(stat(paths.state_dir, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	state_wipe(&state);
	state_wipe(&loaded);
}

static void absent_says_how_to_join(void **data)
{
	(void)data;
	struct agent_state state;
	struct err err;
	assert_int_equal(state_load(&paths, &state, &err), STATE_ABSENT);
	assert_non_null(strstr(err.text, "sallyport join --token"));
}

/* Every way of damage that was thought of: what is changed in the file, and what the error must
 * name. */
static const struct {
	const char *key;
	const char *value; /* JSON; NULL removes the key */
	const char *named;
} damages[] = {
	{"version", "99", "version 99"},
	{"version", NULL, "version is missing"},
	{"seed", "\"short\"", "seed"},
	{"seed", "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"", "server_id does not belong"},
	{"server_id", "[]", "server_id"},
	{"hub_port", "0", "hub_port"},
	{"hub_port", "65536", "hub_port"},
	{"hub_host", "\"\"", "hub_host"},
	{"hub_key", NULL, "hub_key is missing"},
	{"name", "5", "name"},
};

static void assert_broken(const char *named)
{
	struct agent_state state;
	struct err err = {""};
	struct buf before = {0}, after = {0};
	assert_int_equal(file_read(paths.identity, 1 << 20, &before, NULL), 0);
	assert_int_equal(state_load(&paths, &state, &err), STATE_BROKEN);
	assert_non_null(strstr(err.text, paths.identity));
	if (!strstr(err.text, named))
		fail_msg("\"%s\" is not in: %s", named, err.text);
	assert_non_null(strstr(err.text, "join --force"));
	assert_int_equal(file_read(paths.identity, 1 << 20, &after, NULL), 0);
	assert_string_equal(buf_text(&before), buf_text(&after));
	buf_free(&before);
	buf_free(&after);
}

static void damage_is_named_and_the_file_kept(void **data)
{
	(void)data;
	for (size_t i = 0; i < ARRAY_LEN(damages); i++) {
		json_error_t problem;
		save();
		json_t *object = json_load_file(paths.identity, 0, &problem);
		if (damages[i].value)
			json_object_set_new(
				object, damages[i].key, json_loads(damages[i].value, JSON_DECODE_ANY, NULL));
		else
			json_object_del(object, damages[i].key);
		assert_int_equal(json_dump_file(object, paths.identity, 0), 0);
		json_decref(object);
		assert_broken(damages[i].named);
	}
}

static void truncation_is_named(void **data)
{
	(void)data;
	struct stat st;
	save();
	assert_int_equal(stat(paths.identity, &st), 0);
	for (off_t size = st.st_size - 1; size >= 0; size -= size > 16 ? 13 : 1) {
		assert_int_equal(truncate(paths.identity, size), 0);
		assert_broken("line ");
	}
}

static void too_large_is_refused(void **data)
{
	(void)data;
	save();
	assert_int_equal(truncate(paths.identity, 1 << 20), 0);
	struct agent_state state;
	struct err err = {""};
	assert_int_equal(state_load(&paths, &state, &err), STATE_BROKEN);
	assert_non_null(strstr(err.text, "larger than"));
}

static void removal_forgets_everything(void **data)
{
	(void)data;
	struct agent_state state;
	save();
	assert_int_equal(file_replace(paths.check, "{}", 2, 0600, NULL), 0);
	assert_int_equal(state_remove(&paths, NULL), 0);
	assert_int_equal(state_load(&paths, &state, NULL), STATE_ABSENT);
	assert_false(file_exists(paths.check));
	assert_int_equal(state_remove(&paths, NULL), 0);
}

static void folder_that_cannot_be_made_is_named(void **data)
{
	(void)data;
	struct err err = {""};
	cleanup(free_ptr) char *var = xasprintf("%s/var", root);
	assert_int_equal(file_replace(var, "in the way", 10, 0600, NULL), 0);
	assert_int_equal(state_prepare(&paths, &err), -1);
	assert_non_null(strstr(err.text, var));
}

static void second_agent_is_told_of_the_first(void **data)
{
	(void)data;
	struct err err = {""};
	char pid[32];
	int ready[2] = {-1, -1}, done[2] = {-1, -1};
	char byte = 0;
	save();
	assert_int_equal(lock_holder(&paths), 0);
	assert_int_equal(pipe(ready) || pipe(done), 0);
	pid_t child = fork();
	if (child == 0) {
		bool taken = lock_take(&paths, NULL) >= 0;
		close(done[1]);
		(void)!write(ready[1], "x", 1);
		(void)!read(done[0], &byte, 1);
		_exit(taken ? 0 : 1);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	snprintf(pid, sizeof pid, "process %ld", (long)child);
	assert_int_equal(lock_holder(&paths), child);
	assert_int_equal(lock_take(&paths, &err), -1);
	assert_non_null(strstr(err.text, pid));
	close(done[1]);
	int code = 1;
	assert_int_equal(waitpid(child, &code, 0), child);
	assert_int_equal(code, 0);
	int fd = lock_take(&paths, &err);
	assert_true(fd >= 0);
	close(fd);
	close(done[0]);
	close(ready[0]);
	close(ready[1]);
}

static void status_tells_cause_and_keeps_parameters(void **data)
{
	(void)data;
	struct agent_state state;
	struct session_params params, kept;
	struct finding finding = {0};
	struct status status;
	struct rlimit old;
	struct err err = {""};
	save();
	fill(&state);
	session_params_default(&params);
	params.backoff_cap_ms = 4711;
	finding_set(&finding, CAUSE_PROXY_DENIED, STAGE_TUNNEL, CONFIDENCE_CERTAIN);
	evidence_add(&finding.evidence, "proxy", "http://10.0.0.9:3128");
	status_init(&status, &paths);
	assert_int_equal(status_load_params(&paths, &kept), -1);
	assert_int_equal(status_set(&status, STATUS_OFFLINE, &state, &params, &finding, NULL, &err), 0);
	cleanup(json_drop) json_t *object = status_load(&paths, &err);
	assert_non_null(object);
	assert_string_equal(json_get_text(object, "state"), "offline");
	assert_string_equal(json_get_text(object, "cause"), "proxy-denied");
	assert_non_null(strstr(json_get_text(object, "sentence"), "http://10.0.0.9:3128"));
	assert_string_equal(json_get_text(object, "hub"), "hub.example:8443");
	assert_int_equal(status_load_params(&paths, &kept), 0);
	assert_int_equal(kept.backoff_cap_ms, 4711);
	/* A status that cannot be written must not leave an old one to be believed. */
	getrlimit(RLIMIT_FSIZE, &old);
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &(struct rlimit){10, old.rlim_max});
	assert_int_equal(status_set(&status, STATUS_ONLINE, &state, &params, NULL, NULL, &err), -1);
	assert_false(file_exists(paths.status));
	assert_int_equal(status_retry(&status), 0);
	setrlimit(RLIMIT_FSIZE, &old);
	assert_int_equal(status_retry(&status), 1);
	cleanup(json_drop) json_t *later = status_load(&paths, &err);
	assert_string_equal(json_get_text(later, "state"), "online");
	status_free(&status);
	finding_free(&finding);
	state_wipe(&state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(comes_back_as_it_was_saved, make_root, remove_root),
		cmocka_unit_test_setup_teardown(absent_says_how_to_join, make_root, remove_root),
		cmocka_unit_test_setup_teardown(damage_is_named_and_the_file_kept, make_root, remove_root),
		cmocka_unit_test_setup_teardown(truncation_is_named, make_root, remove_root),
		cmocka_unit_test_setup_teardown(too_large_is_refused, make_root, remove_root),
		cmocka_unit_test_setup_teardown(removal_forgets_everything, make_root, remove_root),
		cmocka_unit_test_setup_teardown(
			folder_that_cannot_be_made_is_named, make_root, remove_root),
		cmocka_unit_test_setup_teardown(second_agent_is_told_of_the_first, make_root, remove_root),
		cmocka_unit_test_setup_teardown(
			status_tells_cause_and_keeps_parameters, make_root, remove_root),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
