/* The system's files, stood up in a folder, and what the running system says of itself. */
#include "os/os.h"

#include "base/file.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cmocka.h>

#include "temporary_root.h"

#define RESOLV_CONF "/etc/resolv.conf"
#define HOSTS       "/etc/hosts"
#define RESOLVED    "/run/systemd/resolve/resolv.conf"
#define MANAGER     "/run/NetworkManager/no-stub-resolv.conf"

static char root[ROOT_SIZE];
static const char *const folders[] = {"/run/systemd/resolve", "/run/NetworkManager", "/etc"};

static void put_file(const char *path, const char *text)
{
	cleanup(free_ptr) char *place = file_under(root, path);
	unlink(place);
	if (text)
		assert_int_equal(file_replace(place, text, strlen(text), 0644, NULL), 0);
}

static const struct {
	const char *row;
	const char *resolv_conf, *resolved, *manager;
	const char *servers; /* joined by blanks */
	const char *search;
	const char *origin;
	size_t ipv6_skipped;
	unsigned timeout_s;
	bool stub;
} resolv_confs[] = {
	{"one", "nameserver 10.0.0.1\n", NULL, NULL, "10.0.0.1", "", RESOLV_CONF, 0, 5, false},
	{"order, blanks, comments, no last newline",
		"# x\n; y\n  nameserver\t10.0.0.2 \nnameserver 10.0.0.1", NULL, NULL, "10.0.0.2 10.0.0.1",
		"", RESOLV_CONF, 0, 5, false},
	{"carriage returns", "nameserver 10.0.0.1\r\n", NULL, NULL, "10.0.0.1", "", RESOLV_CONF, 0, 5,
		false},
	{"twice the same", "nameserver 10.0.0.1\nnameserver 10.0.0.1\n", NULL, NULL, "10.0.0.1", "",
		RESOLV_CONF, 0, 5, false},
	{"nonsense is passed over",
		"nameserver\nnameserver x\nnameservers 1.1.1.1\nnameserver 10.0.0.1", NULL, NULL,
		"10.0.0.1", "", RESOLV_CONF, 0, 5, false},
	{"IPv6 beside IPv4", "nameserver fe80::1%eth0\nnameserver 10.0.0.1\n", NULL, NULL, "10.0.0.1",
		"", RESOLV_CONF, 1, 5, false},
	{"IPv6 alone", "nameserver 2001:db8::1\n", NULL, NULL, "", "", RESOLV_CONF, 1, 5, false},
	{"no file", NULL, NULL, NULL, "127.0.0.1", "", RESOLV_CONF, 0, 5, false},
	{"empty", "", NULL, NULL, "127.0.0.1", "", RESOLV_CONF, 0, 5, false},
	{"search and options",
		"search lab corp.example .\noptions ndots:2 timeout:2 rotate\n"
		"nameserver 10.0.0.1\n",
		NULL, NULL, "10.0.0.1", "lab corp.example", RESOLV_CONF, 0, 2, false},
	{"the last search counts", "search a b\ndomain c\nnameserver 10.0.0.1\n", NULL, NULL,
		"10.0.0.1", "c", RESOLV_CONF, 0, 5, false},
	{"a timeout beyond reason", "options timeout:9999\nnameserver 10.0.0.1\n", NULL, NULL,
		"10.0.0.1", "", RESOLV_CONF, 0, 30, false},
	{"more than are kept",
		"nameserver 10.0.0.1\nnameserver 10.0.0.2\nnameserver 10.0.0.3\nnameserver 10.0.0.4\n"
		"nameserver 10.0.0.5\nnameserver 10.0.0.6\nnameserver 10.0.0.7\nnameserver 10.0.0.8\n"
		"nameserver 10.0.0.9\n",
		NULL, NULL, "10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4 10.0.0.5 10.0.0.6 10.0.0.7 10.0.0.8", "",
		RESOLV_CONF, 0, 5, false},
	{"systemd-resolved", "nameserver 127.0.0.53\noptions edns0 trust-ad\nsearch a\n",
		"nameserver 192.168.1.1\nsearch lan\n", NULL, "192.168.1.1", "lan", RESOLVED, 0, 5, true},
	{"systemd-resolved that tells nothing", "nameserver 127.0.0.53\n", NULL, NULL, "127.0.0.53", "",
		RESOLV_CONF, 0, 5, true},
	{"systemd-resolved without servers", "nameserver 127.0.0.53\n", "# none\n", NULL, "127.0.0.53",
		"", RESOLV_CONF, 0, 5, true},
	{"a server of this machine's own", "nameserver 127.0.0.1\n", "nameserver 192.168.1.1\n", NULL,
		"127.0.0.1", "", RESOLV_CONF, 0, 5, true},
	{"NetworkManager's dnsmasq", "nameserver 127.0.0.1\n", NULL, "nameserver 192.168.1.1\n",
		"192.168.1.1", "", MANAGER, 0, 5, true},
	{"a stub beside a server", "nameserver 127.0.0.53\nnameserver 10.0.0.1\n",
		"nameserver 192.168.1.1\n", NULL, "127.0.0.53 10.0.0.1", "", RESOLV_CONF, 0, 5, false},
};

static void resolvers_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(resolv_confs); i++) {
		put_file(RESOLV_CONF, resolv_confs[i].resolv_conf);
		put_file(RESOLVED, resolv_confs[i].resolved);
		put_file(MANAGER, resolv_confs[i].manager);
		struct os_resolvers resolvers;
		struct err err;
		assert_int_equal(os_resolvers_read(root, &resolvers, &err), 0);
		cleanup(buf_free) struct buf servers = {0}, search = {0};
		for (size_t k = 0; k < resolvers.count; k++) {
			char text[INET_ADDRSTRLEN];
			inet_ntop(AF_INET, &resolvers.servers[k], text, sizeof text);
			buf_printf(&servers, "%s%s", k ? " " : "", text);
		}
		for (size_t k = 0; k < resolvers.search_count; k++)
			buf_printf(&search, "%s%s", k ? " " : "", resolvers.search[k]);
		if (strcmp(buf_text(&servers), resolv_confs[i].servers) != 0 ||
			strcmp(buf_text(&search), resolv_confs[i].search) != 0)
			fail_msg("%s: servers \"%s\", search \"%s\"", resolv_confs[i].row, buf_text(&servers),
				buf_text(&search));
		cleanup(free_ptr) char *origin = file_under(root, resolv_confs[i].origin);
		assert_string_equal(resolvers.origin, origin);
		assert_int_equal(resolvers.ipv6_skipped, resolv_confs[i].ipv6_skipped);
		assert_int_equal(resolvers.timeout_s, resolv_confs[i].timeout_s);
		assert_int_equal(resolvers.loopback_stub, resolv_confs[i].stub);
	}
}

static void unreadable_resolv_conf_is_told(void **state)
{
	(void)state;
	cleanup(free_ptr) char *path = file_under(root, RESOLV_CONF);
	put_file(RESOLV_CONF, NULL);
	assert_int_equal(mkdir(path, 0755), 0);
	struct os_resolvers resolvers;
	struct err err;
	assert_int_equal(os_resolvers_read(root, &resolvers, &err), -1);
	assert_non_null(strstr(err.text, RESOLV_CONF));
	rmdir(path);
}

static const struct {
	const char *text, *name, *address; /* NULL: not there */
} hosts[] = {
	{"10.1.1.1 hub.example\n", "hub.example", "10.1.1.1"},
	{"10.1.1.1\thub.example hub\n", "hub", "10.1.1.1"},
	{"10.1.1.1 hub.example\n", "HUB.Example.", "10.1.1.1"},
	{"10.1.1.1 hub.example\n10.1.1.2 hub.example\n", "hub.example", "10.1.1.1"},
	{"::1 hub.example\n10.1.1.2 hub.example\n", "hub.example", "10.1.1.2"},
	{"10.1.1.1 other # hub.example\n", "hub.example", NULL},
	{"#10.1.1.1 hub.example\n", "hub.example", NULL},
	{"10.1.1.1 hub.example.org\n", "hub.example", NULL},
	{"10.1.1.1 my.hub.example\n", "hub.example", NULL},
	{"hub.example 10.1.1.1\n", "hub.example", NULL},
	{"10.1.1 hub.example\n", "hub.example", NULL},
	{"10.1.1.1\n", "10.1.1.1", NULL},
	{"10.1.1.1 hub.example\r\n", "hub.example", "10.1.1.1"},
	{"", "hub.example", NULL},
	{NULL, "hub.example", NULL},
};

static void hosts_file_is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		put_file(HOSTS, hosts[i].text);
		struct in_addr address = {0}, want = {0};
		int rc = os_hosts_file_lookup(root, hosts[i].name, &address, NULL);
		if (rc != (hosts[i].address != NULL))
			fail_msg("%s in \"%s\": %d", hosts[i].name, hosts[i].text ? hosts[i].text : "", rc);
		if (rc == 1) {
			inet_pton(AF_INET, hosts[i].address, &want);
			assert_int_equal(address.s_addr, want.s_addr);
		}
	}
}

static void host_is_told(void **state)
{
	(void)state;
	struct os_host host;
	struct err err;
	struct utsname names;
	assert_int_equal(os_host_read(&host, &err), 0);
	uname(&names);
	assert_string_equal(host.platform, "linux");
	assert_string_equal(host.name, names.nodename);
	assert_string_equal(host.kernel, names.release);
	assert_string_equal(host.arch, names.machine);
	assert_true(host.cpu_count >= 1);
	assert_true(host.memory_total > 16777216);
	assert_true(host.memory_free > 0 && host.memory_free <= host.memory_total);
	assert_true(host.uptime_s > 0);
	assert_true(*host.os_id != '\0' && !strchr(host.os_id, '"'));
	assert_true(*host.os_name != '\0' && !strchr(host.os_name, '"'));
}

static void interfaces_are_told(void **state)
{
	(void)state;
	struct os_interface rows[OS_MAX_INTERFACES];
	size_t count, loopbacks = 0;
	struct err err;
	assert_int_equal(os_interfaces_read(rows, &count, &err), 0);
	for (size_t i = 0; i < count; i++) {
		assert_true(*rows[i].name != '\0');
		assert_true(!*rows[i].mac || strlen(rows[i].mac) == 17);
		if (rows[i].loopback && rows[i].up) {
			loopbacks++;
			assert_string_equal(rows[i].ipv4, "127.0.0.1/8");
		}
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(rows[i].name, rows[k].name);
	}
	assert_int_equal(loopbacks, 1);
}

static void disks_are_told(void **state)
{
	(void)state;
	struct os_disk rows[OS_MAX_DISKS];
	size_t count;
	struct err err;
	assert_int_equal(os_disks_read(rows, &count, &err), 0);
	assert_true(count <= OS_MAX_DISKS);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(rows[i].mount[0], '/');
		assert_true(rows[i].size > 0 && rows[i].free <= rows[i].size);
		assert_string_not_equal(rows[i].type, "proc");
		assert_string_not_equal(rows[i].type, "tmpfs");
	}
}

static void addresses_and_paths(void **state)
{
	(void)state;
	struct in_addr to = {.s_addr = htonl(INADDR_LOOPBACK)}, from = {0};
	assert_int_equal(os_source_address(to, &from), 0);
	assert_int_equal(from.s_addr, to.s_addr);
	cleanup(free_ptr) char *own = os_own_path();
	assert_non_null(own);
	assert_int_equal(own[0], '/');
	assert_non_null(strstr(own, "test_os"));
	assert_int_equal(access(own, X_OK), 0);
	assert_true(!os_ca_bundle() || file_exists(os_ca_bundle()));
	assert_true(!os_public_roots() || file_exists(os_public_roots()));
}

static int make_root(void **state)
{
	(void)state;
	if (root_make(root))
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		cleanup(free_ptr) char *folder = file_under(root, folders[i]);
		if (file_make_dirs(folder, 0755, NULL))
			return -1;
	}
	return 0;
}

static int remove_root(void **state)
{
	(void)state;
	return root_remove(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(resolvers_are_read),
		cmocka_unit_test(unreadable_resolv_conf_is_told),
		cmocka_unit_test(hosts_file_is_read),
		cmocka_unit_test(host_is_told),
		cmocka_unit_test(interfaces_are_told),
		cmocka_unit_test(disks_are_told),
		cmocka_unit_test(addresses_and_paths),
	};
	return cmocka_run_group_tests(tests, make_root, remove_root);
}
