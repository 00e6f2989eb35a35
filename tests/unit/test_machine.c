/* What this machine says of itself: listeners, services, accounts, and the tools that are asked
 * (rows R5, R9, R10, R12). */
#include "os/accounts.h"
#include "os/child.h"
#include "os/listeners.h"
#include "os/services.h"

#include "base/file.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "temporary_root.h"

#define SHADOW_FILE "/etc/shadow"
#define DAY         (24L * 60 * 60)
#define TODAY       20000

static char root[ROOT_SIZE];

/* --- accounts ----------------------------------------------------------------------------- */

static void put_shadow(const char *text)
{
	cleanup(free_ptr) char *path = file_under(root, SHADOW_FILE);
	assert_int_equal(file_replace(path, text, strlen(text), 0600, NULL), 0);
}

static const struct {
	const char *row, *line;
	enum account_result result;
	long days;
} accounts[] = {
	{"fine", "deploy:$y$x:19990:0:99999:7:::", ACCOUNT_FINE, 0},
	{"within its age", "deploy:$y$x:19990:0:10:7:::", ACCOUNT_FINE, 0},
	{"past its age", "deploy:$y$x:19990:0:7:7:::", ACCOUNT_EXPIRED, 3},
	{"no age set", "deploy:$y$x:19990::::::", ACCOUNT_FINE, 0},
	{"to be changed", "deploy:$y$x:0:0:99999:7:::", ACCOUNT_MUST_CHANGE, 0},
	{"to be changed, but locked", "deploy:!$y$x:0:0:99999:7:::", ACCOUNT_NO_PASSWORD, 0},
	{"none", "deploy::0:0:99999:7:::", ACCOUNT_NO_PASSWORD, 0},
	{"no login", "deploy:*:19990:0:99999:7:::", ACCOUNT_NO_PASSWORD, 0},
	{"set in the future", "deploy:$y$x:20100:0:1:7:::", ACCOUNT_FINE, 0},
	{"another one", "deployer:$y$x:0:0:99999:7:::", ACCOUNT_MISSING, 0},
	{"behind a line that is none",
		"::::\nnonsense\ndeploy:$y$x:0:0:99999:7:::", ACCOUNT_MUST_CHANGE, 0},
	{"empty", "", ACCOUNT_MISSING, 0},
};

static void test_accounts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(accounts); i++) {
		struct account_state found;
		struct err err = {.text = ""};
		put_shadow(accounts[i].line);
		enum account_result result =
			account_read(root, "deploy", (time_t)TODAY * DAY + 100, &found, &err);
		if (result != accounts[i].result || found.days != accounts[i].days)
			fail_msg("%s: %d, %ld days", accounts[i].row, (int)result, found.days);
		assert_null(strstr(err.text, "$y$"));
	}
}

static void test_no_shadow(void **state)
{
	(void)state;
	struct account_state found;
	struct err err;
	cleanup(free_ptr) char *path = file_under(root, SHADOW_FILE);
	unlink(path);
	assert_int_equal(account_read(root, "deploy", 0, &found, &err), ACCOUNT_UNREADABLE);
	assert_non_null(strstr(err.text, SHADOW_FILE));
}

/* --- listeners ---------------------------------------------------------------------------- */

static uint16_t port_of(int fd)
{
	struct sockaddr_in6 address = {.sin6_family = AF_UNSPEC};
	socklen_t len = sizeof address;
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	return ntohs(address.sin6_port); /* it stands in the same place as that of IPv4 */
}

/* A socket that listens, or is bound, on a free port. */
static int open_socket(int type, const char *text, bool only6)
{
	struct sockaddr_in four = {.sin_family = AF_INET};
	struct sockaddr_in6 six = {.sin6_family = AF_INET6};
	bool is6 = strchr(text, ':') != NULL;
	int fd = socket(is6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC, 0), value = only6;
	if (fd < 0 && is6)
		return -1; /* a kernel without IPv6 */
	assert_true(fd >= 0);
	inet_pton(AF_INET, text, &four.sin_addr);
	inet_pton(AF_INET6, text, &six.sin6_addr);
	if (is6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &value, sizeof value);
	assert_int_equal(is6 ? bind(fd, (struct sockaddr *)&six, sizeof six)
						 : bind(fd, (struct sockaddr *)&four, sizeof four),
		0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static bool find(uint8_t protocol, uint16_t port, struct listener *found)
{
	size_t count;
	struct err err;
	struct listener *listeners = listeners_read(&count, &err);
	bool there = false;
	assert_non_null(listeners);
	for (size_t i = 0; i < count && !there; i++) {
		there = listeners[i].protocol == protocol && listeners[i].port == port;
		if (there)
			*found = listeners[i];
	}
	free(listeners);
	return there;
}

static const struct {
	const char *row;
	int type;
	const char *address;
	bool only6, ipv4, loopback, any;
} sockets[] = {
	{"every address", SOCK_STREAM, "0.0.0.0", false, true, false, true},
	{"loopback", SOCK_STREAM, "127.0.0.1", false, true, true, false},
	{"another of loopback", SOCK_STREAM, "127.1.2.3", false, true, true, false},
	{"IPv6 and IPv4", SOCK_STREAM, "::", false, true, false, true},
	{"IPv6 alone", SOCK_STREAM, "::", true, false, false, true},
	{"loopback of IPv6", SOCK_STREAM, "::1", false, false, true, false},
	{"UDP", SOCK_DGRAM, "0.0.0.0", false, true, false, true},
	{"UDP on loopback", SOCK_DGRAM, "127.0.0.1", false, true, true, false},
};

static void test_listeners(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sockets); i++) {
		int fd = open_socket(sockets[i].type, sockets[i].address, sockets[i].only6);
		if (fd < 0)
			continue;
		struct listener found = {.port = 0};
		struct listener_owner owner;
		uint8_t protocol = sockets[i].type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;
		if (!find(protocol, port_of(fd), &found))
			fail_msg("%s: not found", sockets[i].row);
		if (found.ipv4 != sockets[i].ipv4 || found.loopback != sockets[i].loopback ||
			found.any != sockets[i].any)
			fail_msg("%s: ipv4 %d, loopback %d, any %d", sockets[i].row, found.ipv4, found.loopback,
				found.any);
		assert_int_equal(found.owner, geteuid());
		listener_find_owner(&found, &owner);
		assert_int_equal(owner.pid, getpid());
		close(fd);
	}
}

static void test_not_a_listener(void **state)
{
	(void)state;
	struct listener found;
	int server = open_socket(SOCK_DGRAM, "127.0.0.1", false);
	int client = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in to = {.sin_family = AF_INET,
		.sin_port = htons(port_of(server)),
		.sin_addr = {htonl(INADDR_LOOPBACK)}};
	assert_int_equal(connect(client, (struct sockaddr *)&to, sizeof to), 0);
	/* One that asks a server has a port too, and takes nothing from anyone else. */
	assert_false(find(IPPROTO_UDP, port_of(client), &found));
	close(client);
	close(server);
}

static void test_process(void **state)
{
	(void)state;
	struct listener listener = {.port = 0};
	size_t index = 7;
	int fd = open_socket(SOCK_STREAM, "127.0.0.1", false);
	assert_true(find(IPPROTO_TCP, port_of(fd), &listener));
	assert_int_equal(listener_of_process(getpid(), &listener, 1, &index), LISTENER_HELD);
	assert_int_equal(index, 0);
	close(fd);
	assert_int_equal(listener_of_process(getpid(), &listener, 1, &index), LISTENER_NOT_HELD);
	assert_int_equal(listener_of_process(0x7ffffff, &listener, 1, &index), LISTENER_NOT_VISIBLE);
}

/* --- programs ----------------------------------------------------------------------------- */

static int run(const char *script, size_t max, int ms, const struct cancel *cancel,
	struct buf *output, struct err *err)
{
	cleanup(free_ptr) char *shell = child_find("sh");
	assert_non_null(shell);
	const char *const argv[] = {shell, "-c", script, NULL};
	*output = (struct buf){.max = max};
	return child_run(argv, deadline_in_ms(ms), cancel, output, err);
}

static void test_child(void **state)
{
	(void)state;
	struct buf output;
	struct err err;
	setenv("HTTPS_PROXY_PASSWORD", "planted-secret", 1);
	assert_int_equal(run("echo one; env; exit 3", 4096, 5000, NULL, &output, &err), 3);
	assert_non_null(strstr(buf_text(&output), "one\n"));
	assert_null(strstr(buf_text(&output), "planted-secret"));
	buf_free(&output);
	/* Nothing but the three standard descriptors, and the one that lists them. */
	assert_int_equal(run("ls /proc/self/fd | wc -l", 4096, 5000, NULL, &output, &err), 0);
	assert_int_equal(strtol(buf_text(&output), NULL, 10), 4);
	buf_free(&output);
	assert_null(child_find("no-such-program-of-this-system"));
}

static void test_child_is_bounded(void **state)
{
	(void)state;
	static const struct {
		const char *script, *words;
		size_t max;
		int ms;
	} rows[] = {
		{"while :; do echo x; done", "wrote more than", 1000, 10000},
		{"exec sleep 60", "took too long", 1000, 100},
		/* It says that it is done, and stays. */
		{"exec >&-; exec sleep 60", "ended by signal 9", 1000, 100},
		{"kill -TERM $$", "ended by signal 15", 1000, 10000},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf output;
		struct err err = {.text = ""};
		assert_int_equal(run(rows[i].script, rows[i].max, rows[i].ms, NULL, &output, &err), -1);
		if (!strstr(err.text, rows[i].words))
			fail_msg("%s: %s", rows[i].script, err.text);
		buf_free(&output);
	}
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void test_child_is_cancelled(void **state)
{
	(void)state;
	struct buf output;
	struct err err;
	struct cancel cancel;
	assert_int_equal(cancel_init(&cancel), 0);
	cancel_fire(&cancel);
	assert_int_equal(run("exec sleep 60", 1000, 60000, &cancel, &output, &err), -1);
	assert_non_null(strstr(err.text, "called off"));
	buf_free(&output);
	cancel_fini(&cancel);
}

static void test_service_names(void **state)
{
	(void)state;
	static const char *const names[] = {"", "-h", "a b", "a;b", "a/b", "\xc3\xa4"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct service_state service;
		struct err err = {.text = ""};
		assert_int_equal(
			service_read(names[i], deadline_in_ms(1000), NULL, &service, &err), SERVICE_UNREADABLE);
		assert_true(*err.text);
	}
}

static int make_root(void **state)
{
	(void)state;
	if (root_make(root))
		return -1;
	cleanup(free_ptr) char *folder = file_under(root, "/etc");
	return file_make_dirs(folder, 0755, NULL);
}

static int remove_root(void **state)
{
	(void)state;
	return root_remove(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accounts),
		cmocka_unit_test(test_no_shadow),
		cmocka_unit_test(test_listeners),
		cmocka_unit_test(test_not_a_listener),
		cmocka_unit_test(test_process),
		cmocka_unit_test(test_child),
		cmocka_unit_test(test_child_is_bounded),
		cmocka_unit_test(test_child_is_cancelled),
		cmocka_unit_test(test_service_names),
	};
	return cmocka_run_group_tests(tests, make_root, remove_root);
}
