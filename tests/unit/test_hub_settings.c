/* hub.yaml and the command line of the hub: one table, every mistake with its line, key and remedy.
 */
#include "base/file.h"
#include "hub/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static char path[64];

static void write_settings(const char *text)
{
	struct err err;
	snprintf(path, sizeof path, "/tmp/sallyport-settings-%d.yaml", (int)getpid());
	assert_int_equal(file_replace(path, text, strlen(text), 0644, &err), 0);
}

static void read_settings(struct settings *settings, const char *text, struct problems *problems)
{
	write_settings(text);
	settings_default(settings);
	settings_read_file(settings, path, true, problems);
	unlink(path);
}

static size_t row_of(const char *key)
{
	static const char *const names[] = {
#define SETTING(name, kind, form, member, least, most, preset, help) name,
#include "hub/settings.def"
#undef SETTING
	};
	for (size_t row = 0; row < SETTING_COUNT; row++)
		if (strcmp(names[row], key) == 0)
			return row;
	fail_msg("no setting %s", key);
	return 0;
}

static void the_defaults_stand_in_the_table(void **state)
{
	struct settings settings;
	struct err err;
	(void)state;
	settings_default(&settings);
	assert_int_equal(settings_finish(&settings, &err), 0);
	assert_string_equal(settings.options.listen_host, "0.0.0.0");
	assert_int_equal(settings.options.port, 443);
	assert_int_equal(settings.options.timing.heartbeat_ms, 60000);
	assert_int_equal(settings.options.timing.backoff_base_ms, 1000);
	assert_int_equal(settings.options.name_count, 0);
	assert_false(settings.options.no_outside_look);
	assert_null(settings.options.certificate);
	settings_free(&settings);
}

static void the_file_is_read(void **state)
{
	struct settings settings;
	struct problems problems = {.items = NULL};
	struct err err;
	(void)state;
	read_settings(&settings,
		"# ours\nlisten: 10.0.0.5:8443\nname: [hub.example.com, 10.0.0.5]\nheartbeat-ms: 500\n"
		"no-outside-look: true\ncert: /a.pem\nkey: /a.key\nsession-url: https://s.example:444\n",
		&problems);
	assert_int_equal(problems.count, 0);
	assert_int_equal(settings_finish(&settings, &err), 0);
	const struct hub_options *options = &settings.options;
	assert_string_equal(options->listen_host, "10.0.0.5");
	assert_int_equal(options->port, 8443);
	assert_int_equal(options->name_count, 2);
	assert_string_equal(options->names[0], "hub.example.com");
	assert_string_equal(options->names[1], "10.0.0.5");
	assert_int_equal(options->timing.heartbeat_ms, 500);
	assert_int_equal(options->timing.stable_ms, 1000); /* follows the heartbeat */
	assert_true(options->no_outside_look);
	assert_string_equal(options->certificate, "/a.pem");
	assert_string_equal(options->endpoints.places[ENDPOINT_SESSION].host, "s.example");
	settings_free(&settings);
}

static void the_command_line_wins(void **state)
{
	struct settings settings;
	struct problems problems = {.items = NULL};
	struct err err;
	(void)state;
	read_settings(&settings, "name: [a, b]\nheartbeat-ms: 500\n", &problems);
	assert_int_equal(settings_take(&settings, row_of("name"), "c", "command line", &err), 0);
	assert_int_equal(settings.options.name_count, 1);
	assert_string_equal(settings.options.names[0], "c");
	assert_int_equal(settings.options.timing.heartbeat_ms, 500);
	assert_string_equal(settings.origins[row_of("name")], "command line");
	assert_non_null(strstr(settings.origins[row_of("heartbeat-ms")], ".yaml:2"));
	/* What is refused changes nothing. */
	assert_int_equal(
		settings_take(&settings, row_of("heartbeat-ms"), "7", "command line", &err), -1);
	assert_string_equal(err.text, "a number from 125 to 3600000 was expected, not \"7\"");
	assert_int_equal(settings.options.timing.heartbeat_ms, 500);
	settings_free(&settings);
}

static const struct {
	const char *text, *where, *words;
} mistakes[] = {
	{"lisen: 0.0.0.0:443\n", ":1: lisen: ", "did you mean \"listen\""},
	{"\nheartbeat-ms: 5\n", ":2: heartbeat-ms: ", "a number from 125 to 3600000 was expected"},
	{"heartbeat-ms: 9999999\n", ":1: heartbeat-ms: ", "not \"9999999\""},
	{"heartbeat-ms: soon\n", ":1: heartbeat-ms: ", "a whole number was expected"},
	{"heartbeat-ms: -5\n", ":1: heartbeat-ms: ", "a whole number was expected"},
	{"heartbeat-ms: 0x200\n", ":1: heartbeat-ms: ", "a number from 125"},
	{"heartbeat-ms: [1]\n", ":1: heartbeat-ms: ", "not a list"},
	{"listen: here\n", ":1: listen: ", "as in 0.0.0.0:443, not \"here\""},
	{"listen: 0.0.0.0:70000\n", ":1: listen: ", "as in 0.0.0.0:443"},
	{"name: hub\n", ":1: name: ", "a list [...] of at most 16 entries was expected"},
	{"name: [a, 'b c']\n", ":1: name: ", "\"b c\" is neither a host name nor an IPv4 address"},
	{"name: [{a: b}]\n", ":1: name[0]: ", "not a mapping"},
	{"no-outside-look: yes\n", ":1: no-outside-look: ", "true or false was expected"},
	{"cert:\n", ":1: cert: ", "no value"},
	{"session-url: http://x\n", ":1: session-url: ", "https://HOST:PORT was expected"},
	{"- listen\n", ":1: ", "a mapping (key: value) was expected"},
	{"cert: /a\ncert: /b\n", ":2: ", "stands here and in line 1"},
	{"cert: /a\n---\ncert: /b\n", ":2: ", "a second document begins here"},
	{"cert: [\n", ":2: ", "not valid YAML"},
};

static void a_mistake_says_where_and_how_to_mend_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(mistakes); i++) {
		struct settings settings;
		struct problems problems = {.items = NULL};
		read_settings(&settings, mistakes[i].text, &problems);
		if (problems.errors != 1 || !strstr(problems.items[0].text, mistakes[i].where) ||
			!strstr(problems.items[0].text, mistakes[i].words))
			fail_msg("%s: %s", mistakes[i].text, problems.count ? problems.items[0].text : "none");
		settings_free(&settings);
		problems_free(&problems);
	}
}

static void every_mistake_is_told(void **state)
{
	struct settings settings;
	struct problems problems = {.items = NULL};
	(void)state;
	read_settings(&settings, "listen: x\nheartbeat-ms: 1\nupload-url: y\n", &problems);
	assert_int_equal(problems.errors, 3);
	settings_free(&settings);
	problems_free(&problems);
}

static void what_belongs_together(void **state)
{
	struct settings settings;
	struct problems problems = {.items = NULL};
	struct err err;
	(void)state;
	read_settings(&settings, "\nkey: /a\n", &problems);
	assert_int_equal(settings_finish(&settings, &err), -1);
	assert_non_null(strstr(err.text, "cert is missing, key is from /tmp/"));
	assert_non_null(strstr(err.text, ".yaml:2"));
	settings_free(&settings);
}

static void a_file_that_is_not_there(void **state)
{
	struct settings settings;
	struct problems problems = {.items = NULL};
	(void)state;
	settings_default(&settings);
	settings_read_file(&settings, "/nonexistent/hub.yaml", false, &problems);
	assert_int_equal(problems.errors, 0);
	settings_read_file(&settings, "/nonexistent/hub.yaml", true, &problems);
	assert_int_equal(problems.errors, 1);
	assert_non_null(strstr(problems.items[0].text, "/nonexistent/hub.yaml: No such file"));
	settings_free(&settings);
	problems_free(&problems);
}

/* Prints into a text that the caller owns. */
static char *printed(const struct settings *settings)
{
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);
	if (settings)
		settings_print(settings, to);
	else
		settings_print_template(to);
	fclose(to);
	return text;
}

static void what_is_printed_reads_the_same(void **state)
{
	struct settings settings, again;
	struct problems problems = {.items = NULL};
	(void)state;
	read_settings(&settings, "name: [a, b]\nsession-url: https://s.example:444\n", &problems);
	cleanup(free_ptr) char *text = printed(&settings);
	read_settings(&again, text, &problems);
	assert_int_equal(problems.count, 0);
	for (size_t row = 0; row < SETTING_COUNT; row++)
		if (settings.texts[row])
			assert_string_equal(settings.texts[row], again.texts[row]);
	settings_free(&settings);
	settings_free(&again);
}

/* As it is shipped, and with every example switched on. */
static void the_template_is_right(void **state)
{
	struct settings settings;
	struct problems problems = {.items = NULL};
	(void)state;
	cleanup(free_ptr) char *text = printed(NULL);
	read_settings(&settings, text, &problems);
	assert_int_equal(problems.count, 0);
	settings_free(&settings);
	for (char *at = text; (at = strstr(at, "\n#")); at++)
		if (at[2] != ' ')
			at[1] = ' ';
	/* An indented key would belong to the one before it. */
	for (char *at = text; (at = strstr(at, "\n ")); at++)
		memmove(at + 1, at + 2, strlen(at + 1));
	read_settings(&settings, text, &problems);
	if (problems.count)
		fail_msg("%s", problems.items[0].text);
	for (size_t row = 0; row < SETTING_COUNT; row++)
		assert_non_null(settings.texts[row]);
	settings_free(&settings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_defaults_stand_in_the_table),
		cmocka_unit_test(the_file_is_read),
		cmocka_unit_test(the_command_line_wins),
		cmocka_unit_test(a_mistake_says_where_and_how_to_mend_it),
		cmocka_unit_test(every_mistake_is_told),
		cmocka_unit_test(what_belongs_together),
		cmocka_unit_test(a_file_that_is_not_there),
		cmocka_unit_test(what_is_printed_reads_the_same),
		cmocka_unit_test(the_template_is_right),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
