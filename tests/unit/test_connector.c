/* The connector without a network: what it is told, what it says, and the scripts that it sends
 * (rows R11, R12, S4, B8). */
#include "base/file.h"
#include "base/json.h"
#include "connector/visit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* --- outcomes -----------------------------------------------------------------------------------
 */

static void every_outcome_has_words(void **state)
{
	(void)state;
	for (unsigned i = OUTCOME_NONE + 1; i < OUTCOME_COUNT; i++) {
		const struct outcome_info *info = outcome_info((enum outcome)i);
		cleanup(free_ptr) char *sentence = outcome_sentence((enum outcome)i, NULL);
		cleanup(free_ptr) char *remedy = outcome_remedy((enum outcome)i, NULL);
		assert_int_equal(outcome_by_id(info->id), i);
		assert_true(strlen(sentence) > 10 && sentence[strlen(sentence) - 1] != ' ');
		assert_true(strlen(remedy) > 10);
		assert_null(strchr(sentence, '{'));
		assert_null(strchr(remedy, '{'));
		assert_int_equal(install_stage_by_name(install_stage_name(info->stage)), info->stage);
	}
	assert_int_equal(outcome_by_id("no-such"), OUTCOME_NONE);
	assert_int_equal(install_stage_by_name("no-such"), INSTALL_STAGE_COUNT);
}

/* --- logins (B8) --------------------------------------------------------------------------------
 */

static struct logins *read_logins(const char *text, struct err *err)
{
	return logins_read(text, strlen(text), err);
}

static void logins_are_for_the_hosts_that_they_name(void **state)
{
	struct err err;
	struct login login;
	(void)state;
	struct logins *logins =
		read_logins("{\"v\":1,\"hosts\":\"10.0.0.1\\n10.0.0.4-6:2222\\n\",\"user\":\"ops\","
					"\"password\":\"one\","
					"\"by_host\":{\"10.0.0.5\":{\"user\":\"adm\",\"password\":\"two\"}}}",
			&err);
	assert_non_null(logins);
	assert_true(logins_find(logins, "10.0.0.1", 22, "", &login));
	assert_string_equal(login.user, "ops");
	assert_string_equal(login.password, "one");
	assert_string_equal(login.sudo_password, "one");
	assert_null(login.key);
	assert_true(logins_find(logins, "10.0.0.1", 22, "root", &login));
	assert_string_equal(login.user, "root");
	assert_true(logins_find(logins, "10.0.0.5", 2222, "", &login));
	assert_string_equal(login.user, "adm");
	assert_string_equal(login.password, "two");
	/* Another port, or a host that nobody named, gets nothing. */
	assert_false(logins_find(logins, "10.0.0.1", 2222, "", &login));
	assert_false(logins_find(logins, "10.0.0.9", 22, "", &login));
	assert_null(login.password);
	logins_free(logins);
}

static void the_port_of_the_list_is_sealed_with_it(void **state)
{
	struct err err;
	struct login login;
	(void)state;
	struct logins *logins = read_logins(
		"{\"v\":1,\"hosts\":\"web-1 web-2:22\",\"port\":2222,\"password\":\"one\"}", &err);
	assert_non_null(logins);
	assert_true(logins_find(logins, "web-1", 2222, "", &login));
	assert_false(logins_find(logins, "web-1", 22, "", &login));
	assert_true(logins_find(logins, "web-2", 22, "", &login));
	logins_free(logins);
}

static void logins_that_are_none_are_refused_without_repeating_them(void **state)
{
	static const char *const rows[] = {
		"secret-word",
		"{\"v\":1,\"hosts\":\"h\",\"password\":secret-word}",
		"{\"v\":2,\"hosts\":\"h\",\"password\":\"secret-word\"}",
		"{\"v\":1,\"password\":\"secret-word\"}",
		"{\"v\":1,\"hosts\":\"h\",\"port\":65536,\"password\":\"secret-word\"}",
		"{\"v\":1,\"hosts\":\"h\",\"password\":[\"secret-word\"]}",
		"{\"v\":1,\"hosts\":\"h\",\"by_host\":{\"h\":\"secret-word\"}}",
		"{\"v\":1,\"hosts\":\"h\",\"by_host\":[\"secret-word\"]}",
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = {""};
		assert_null(read_logins(rows[i], &err));
		assert_true(strlen(err.text) > 10);
		assert_null(strstr(err.text, "secret-word"));
	}
}

/* --- plans --------------------------------------------------------------------------------------
 */

static const char good_plan[] =
	"{\"install\":\"a1\",\"action\":\"install\",\"targets\":[{\"id\":\"1\",\"host\":\"web1\","
	"\"port\":"
	"2222,\"user\":\"ops\",\"from_range\":true,\"host_keys\":[\"SHA256:x\"]}],\"portable\":{\"x86_"
	"64\":"
	"{\"path\":\"/p\",\"sha256\":\"" HASH
	"\",\"size\":5},\"armv7l\":{\"reason\":\"none\"}},\"hub\":{"
	"\"url\":\"https://hub/\",\"addressing\":\"dhcp\"},\"parallel\":99}";

static void a_plan_is_read(void **state)
{
	struct plan plan;
	struct err err;
	(void)state;
	cleanup(json_drop) json_t *params = json_parse(good_plan, sizeof good_plan - 1, &err);
	assert_int_equal(plan_read(params, &plan, &err), 0);
	assert_int_equal(plan.target_count, 1);
	assert_string_equal(plan.targets[0].host, "web1");
	assert_int_equal(plan.targets[0].port, 2222);
	assert_true(plan.targets[0].from_range);
	assert_string_equal(plan.targets[0].keys[0], "SHA256:x");
	assert_string_equal(plan_portable(&plan, "x86_64")->sha256, HASH);
	assert_string_equal(plan_portable(&plan, "armv7l")->reason, "none");
	assert_null(plan_portable(&plan, "mips"));
	assert_true(plan.dhcp_only);
	assert_int_equal(plan.parallel, CONNECTOR_PARALLEL); /* what is out of bounds is the usual */
	plan_free(&plan);
}

static void a_plan_that_is_none_is_refused(void **state)
{
	static const struct {
		const char *part, *instead;
	} rows[] = {
		{"\"install\":\"a1\"", "\"install\":7"},
		{"\"action\":\"install\"", "\"action\":\"format\""},
		{"\"id\":\"1\"", "\"id\":\"\""},
		{"\"host\":\"web1\"", "\"host\":\"web1\\n10.0.0.1\""},
		{"2222", "70000"},
		{"\"SHA256:x\"", "7"},
		{HASH, "../../etc/passwd"},
		{"\"size\":5", "\"size\":0"},
		{"https://hub/", "http://hub/"},
		{"{\"id\"", "7,{\"id\""},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct plan plan;
		struct err err = {""};
		const char *at = strstr(good_plan, rows[i].part);
		assert_non_null(at);
		cleanup(free_ptr) char *text = xasprintf("%.*s%s%s", (int)(at - good_plan), good_plan,
			rows[i].instead, at + strlen(rows[i].part));
		cleanup(json_drop) json_t *params = json_parse(text, strlen(text), &err);
		assert_non_null(params);
		assert_int_equal(plan_read(params, &plan, &err), -1);
		assert_true(strlen(err.text) > 10);
	}
}

/* --- what a target says -------------------------------------------------------------------------
 */

static void facts_are_what_stands_between_the_marks(void **state)
{
	static const char said[] =
		"Welcome!\nuid=7\n" FACTS_BEGIN "\nuid=0\nuser=ro\tot\nnonsense\n"
		"stage=/opt 12 ok\nstage=bad\nclock=99\nos=Big OS\n" FACTS_END "\nuid=9\n";
	struct facts facts = {.complete = false};
	(void)state;
	facts_parse(said, sizeof said - 1, &facts);
	assert_true(facts.complete);
	assert_string_equal(facts.uid, "0");
	assert_string_equal(facts.user, "ro ot");
	assert_string_equal(facts.os, "Big OS");
	assert_int_equal(facts.clock, 99);
	assert_int_equal(facts.stage_count, 1);
	assert_int_equal(facts.stages[0].free_kb, 12);
	/* Cut short, it is not complete. */
	facts_parse(said, 60, &facts);
	assert_false(facts.complete);
}

static struct visit a_visit(const struct plan *plan, struct logins *logins)
{
	static const struct plan_target target = {.id = "1", .host = "h", .port = 22};
	return (struct visit){.plan = plan, .target = &target, .logins = logins, .state = VISIT_FAILED};
}

static void the_targets_own_check_is_the_reason(void **state)
{
	static const struct {
		const char *report;
		enum outcome outcome;
	} rows[] = {
		{"{\"verdict\":\"pass\",\"causes\":[]}", OUTCOME_NONE},
		{"{\"verdict\":\"warn\",\"causes\":[{\"id\":\"x\",\"severity\":\"warn\"}]}", OUTCOME_NONE},
		{"{\"verdict\":\"undetermined\",\"causes\":[]}", OUTCOME_NONE},
		{"{\"verdict\":\"fail\",\"causes\":[]}", OUTCOME_NO_WAY},
		{"noise {\"verdict\":\"fail\",\"causes\":[{\"id\":\"dns-silent\",\"severity\":\"fail\","
		 "\"sentence\":\"No DNS server answers.\",\"remedy\":\"Mend the DNS "
		 "server.\",\"evidence\":[{"
		 "\"name\":\"server\",\"value\":\"10.0.0.2\"}]}]}",
			OUTCOME_NO_WAY},
		{"Segmentation fault", OUTCOME_COPY_FAILED},
		{"", OUTCOME_COPY_FAILED},
	};
	static const struct plan plan = {.install = "a"};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct logins *logins = logins_make(&(struct login){.user = "u"});
		struct visit visit = a_visit(&plan, logins);
		struct channel_run run = {.code = 1};
		buf_puts(&run.output, rows[i].report);
		assert_int_equal(visit_judge_check(&visit, &run), rows[i].outcome ? -1 : 0);
		assert_int_equal(visit.ending.outcome, rows[i].outcome);
		if (strstr(rows[i].report, "dns-silent")) {
			cleanup(json_drop) json_t *event = visit_event(&visit);
			cleanup(free_ptr) char *text = json_text(event);
			assert_non_null(strstr(text, "no way to the hub: No DNS server answers."));
			assert_non_null(strstr(text, "\"remedy\":\"Mend the DNS server.\""));
			assert_non_null(strstr(text, "10.0.0.2"));
		}
		buf_free(&run.output);
		visit_free(&visit);
		logins_free(logins);
	}
}

static void setup_says_how_it_ended(void **state)
{
	static const struct plan plan = {.install = "a"};
	(void)state;
	struct logins *logins = logins_make(&(struct login){.user = "u", .password = "hush-hush"});
	struct visit visit = a_visit(&plan, logins);
	struct buf lines = {0};
	buf_puts(&lines, "{\"stage\":\"setup\",\"state\":\"joined\",\"server\":\"abc\"}\n{\"result\":");
	visit_take_setup(&visit, &lines);
	assert_string_equal(visit.server, "abc");
	assert_string_equal(visit.result, "");
	/* The rest of the line comes later; and what the target repeats of a password is taken out. */
	buf_puts(&lines, "\"failed\",\"outcome\":\"setup-busy\",\"sentence\":\"hush-hush is busy\"}\n");
	visit_take_setup(&visit, &lines);
	assert_int_equal(lines.len, 0);
	assert_int_equal(visit.ending.outcome, OUTCOME_SETUP_BUSY);
	cleanup(json_drop) json_t *event = visit_event(&visit);
	assert_string_equal(json_get_text(event, "sentence"), "********* is busy");
	assert_string_equal(json_get_text(event, "outcome"), "setup-busy");
	buf_free(&lines);
	visit_free(&visit);
	logins_free(logins);
}

/* --- scripts ------------------------------------------------------------------------------------
 */

/* Runs the command here instead of over SSH: the scripts are the same, and a shell that no
 * distribution's sshd starts on this machine (busybox's) can be tried. */
struct channel {
	const char *shell;
};

static int run_here(struct channel *channel, struct channel_run *run, struct ending *ending)
{
	char piece[4096], folder[] = "/tmp/sallyport-test-XXXXXX";
	(void)ending;
	assert_non_null(mkdtemp(folder));
	cleanup(free_ptr) char *input = xasprintf("%s/input", folder);
	cleanup(free_ptr) char *line = xasprintf("%s -c \"$SCRIPT\" <%s 2>&1", channel->shell, input);
	FILE *file = fopen(input, "w");
	for (size_t got; (got = run->feed(run->feed_data, piece, sizeof piece));)
		fwrite(piece, 1, got, file);
	fclose(file);
	setenv("SCRIPT", run->command, 1);
	/* A shell is what is tried here, with the scripts of the engine. */
	FILE *output = popen(line, "r"); /* NOLINT(cert-env33-c) */
	for (size_t got; (got = fread(piece, 1, sizeof piece, output));)
		buf_append(&run->output, piece, got);
	run->code = WEXITSTATUS(pclose(output));
	unlink(input);
	rmdir(folder);
	return 0;
}

static void scripts_run_in_every_shell(void **state)
{
	static const char *const shells[] = {"dash", "bash", "busybox sh"};
	static const struct channel_ops here = {.name = "here", .run = run_here};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(shells); i++) {
		struct channel channel = {shells[i]};
		const struct login login = {.user = "u", .sudo_password = "in the way"};
		const struct shell shell = {&here, &channel, &login, SHELL_AS_USER};
		const char *const values[] = {"word", "it's \"$HOME\" \\n", NULL};
		const struct shell_script script = {
			.text = "read -r more; printf '<%s|%s>\\n' \"$word\" \"$more\"; exit 7",
			.values = values,
			.input = "behind the script\n"};
		struct channel_run run = {.silence_ms = 1000};
		struct ending ending = {.outcome = OUTCOME_NONE};
		struct facts facts = {.complete = false};
		assert_int_equal(shell_run(&shell, &script, &run, &ending), 0);
		assert_string_equal(buf_text(&run.output), "<it's \"$HOME\" \\n|behind the script>\n");
		assert_int_equal(run.code, 7);
		buf_free(&run.output);
		assert_int_equal(facts_of_login(&shell, &facts, &ending), 0);
		assert_string_equal(facts.system, "Linux");
		assert_true(facts.clock > 1700000000);
		assert_true(facts.gunzip);
	}
}

/* --- the engine ---------------------------------------------------------------------------------
 */

static char *no_file(void *data, const char *arch, const json_t *row, struct err *err)
{
	(void)data;
	(void)arch;
	(void)row;
	err_set(err, "there is none");
	return NULL;
}

/* Two ports of this machine: one where nothing listens, one where somebody listens who never says
 * a word. */
static int open_ports(uint16_t *closed, uint16_t *silent)
{
	uint16_t *ports[] = {closed, silent};
	int fds[2];
	for (size_t i = 0; i < 2; i++) {
		struct sockaddr_in address = {
			.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
		socklen_t len = sizeof address;
		fds[i] = socket(AF_INET, SOCK_STREAM, 0);
		assert_int_equal(bind(fds[i], (struct sockaddr *)&address, len), 0);
		assert_int_equal(getsockname(fds[i], (struct sockaddr *)&address, &len), 0);
		*ports[i] = ntohs(address.sin_port);
	}
	listen(fds[1], 4);
	close(fds[0]);
	return fds[1];
}

static json_t *next_end(struct connector *connector)
{
	for (;;) {
		json_t *message = connector_next(connector);
		const char *state = json_get_text(json_object_get(message, "event"), "state");
		if (state && (strcmp(state, "failed") == 0 || strcmp(state, "cancelled") == 0))
			return message;
		json_decref(message);
		if (!message)
			wait_fd(connector_fd(connector), POLLIN, deadline_never(), NULL);
	}
}

static void assert_target_ended(json_t *message, const char *target, const char *outcome)
{
	assert_string_equal(json_get_text(message, "target"), target);
	assert_string_equal(json_get_text(json_object_get(message, "event"), "outcome"), outcome);
	json_decref(message);
}

static void a_cancel_ends_what_would_wait(void **state)
{
	const struct connector_hooks hooks = {.fetch = no_file};
	uint16_t closed, silent;
	struct err err;
	(void)state;
	int listener = open_ports(&closed, &silent);
	cleanup(json_drop) json_t *plan =
		json_pack("{s:s, s:s, s:[{s:s, s:s, s:i}, {s:s, s:s, s:i}, {s:s, s:s, s:i}], s:{s:s}, s:i}",
			"install", "a1", "action", "install", "targets", "id", "1", "host", "127.0.0.1", "port",
			silent, "id", "2", "host", "127.0.0.1", "port", silent, "id", "3", "host", "127.0.0.1",
			"port", closed, "hub", "url", "https://hub/", "parallel", 2);
	struct connector *connector =
		connector_new(plan, logins_make(&(struct login){.user = "u"}), &hooks, &err);
	assert_non_null(connector);
	assert_int_equal(connector_go(connector, "1", "", "", &err), -1); /* not ready */
	assert_int_equal(connector_go(connector, "7", "", "", &err), -1); /* not there */
	/* Two wait for a word that never comes, the third for one of their threads. */
	connector_cancel(connector, "1");
	/* Both ends may stand there at once, and are told in any order then. */
	json_t *first = next_end(connector), *second = next_end(connector);
	bool in_turn = strcmp(json_get_text(first, "target"), "1") == 0;
	assert_target_ended(in_turn ? first : second, "1", "cancelled");
	assert_target_ended(in_turn ? second : first, "3", "host-refused");
	assert_false(connector_settled(connector, NULL));
	connector_cancel(connector, NULL);
	json_decref(next_end(connector));
	while (!connector_settled(connector, NULL))
		wait_fd(connector_fd(connector), POLLIN, deadline_in_ms(10), NULL);
	connector_free(connector);
	close(listener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_outcome_has_words),
		cmocka_unit_test(logins_are_for_the_hosts_that_they_name),
		cmocka_unit_test(the_port_of_the_list_is_sealed_with_it),
		cmocka_unit_test(logins_that_are_none_are_refused_without_repeating_them),
		cmocka_unit_test(a_plan_is_read),
		cmocka_unit_test(a_plan_that_is_none_is_refused),
		cmocka_unit_test(facts_are_what_stands_between_the_marks),
		cmocka_unit_test(the_targets_own_check_is_the_reason),
		cmocka_unit_test(setup_says_how_it_ended),
		cmocka_unit_test(scripts_run_in_every_shell),
		cmocka_unit_test(a_cancel_ends_what_would_wait),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
