/* Lists of hosts as people paste them (rows R12, S5): what is read, and what is said of mistakes.
 */
#include "wire/host_list.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* "[NAME=]USER@HOST:PORT" of each, apart by spaces, `~` behind what comes of a range. Owned by the
 * caller. */
static char *describe(const struct host_list *list)
{
	char *all = xstrdup("");
	for (size_t i = 0; i < list->count; i++) {
		const struct host_entry *host = &list->hosts[i];
		char *more =
			xasprintf("%s%s%s%s%s@%s:%u%s", all, i ? " " : "", host->name, *host->name ? "=" : "",
				host->user, host->host, host->port, host->from_range ? "~" : "");
		free(all);
		all = more;
	}
	return all;
}

static void test_hosts(void **state)
{
	static const struct {
		const char *text, *hosts;
	} rows[] = {
		{"web1", "u@web1:22"},
		{"Web1.Example.COM.\n", "u@web1.example.com:22"},
		{"root@web1:2222", "root@web1:2222"},
		{"a@dom@web1", "a@dom@web1:22"},
		{" web1\tweb2  web3 # the third\r\n# web4\n\n web5",
			"u@web1:22 u@web2:22 u@web3:22 u@web5:22"},
		{"\xef\xbb\xbfweb1", "u@web1:22"},
		{"2001:DB8::5", "u@2001:db8::5:22"},
		{"r@[2001:db8::5]:2222 [::1]", "r@2001:db8::5:2222 u@::1:22"},
		{"web1 web1 u@web1 web1:23", "u@web1:22 u@web1:23"},
		{"10.0.0.0/30", "u@10.0.0.1:22~ u@10.0.0.2:22~"},
		{"10.0.0.5/30", "u@10.0.0.5:22~ u@10.0.0.6:22~"},
		{"10.0.0.4/31", "u@10.0.0.4:22~ u@10.0.0.5:22~"},
		{"10.0.0.4/32", "u@10.0.0.4:22~"},
		{"r@10.0.0.5-7:23", "r@10.0.0.5:23~ r@10.0.0.6:23~ r@10.0.0.7:23~"},
		{"10.0.0.255-10.0.1.0", "u@10.0.0.255:22~ u@10.0.1.0:22~"},
		{"10.0.0.1-2 r@10.0.0.2", "u@10.0.0.1:22~ r@10.0.0.2:22"},
		{"r@10.0.0.2 10.0.0.1-2", "r@10.0.0.2:22 u@10.0.0.1:22~"},
		{"255.255.255.254-255", "u@255.255.255.254:22~ u@255.255.255.255:22~"},
		{"rack-7 10.0.0.x.example", "u@rack-7:22 u@10.0.0.x.example:22"},
		{"host,port,user,name\nweb1,2222,root,\"Web, \"\"one\"\"\"\n\nweb2\nweb3, ,, third ",
			"Web, \"one\"=root@web1:2222 u@web2:22 third=u@web3:22"},
		{"Name;Host\r\nDB;db1\r\n# no\r\nnet;10.0.0.1-2\r\n",
			"DB=u@db1:22 net=u@10.0.0.1:22~ net=u@10.0.0.2:22~"},
		{"host\tuser\nweb1\troot", "root@web1:22"},
		{"host,name\n10.0.0.2,two\n10.0.0.1-2,", "two=u@10.0.0.2:22 u@10.0.0.1:22~"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct host_list list;
		struct err err = {""};
		if (host_list_read(rows[i].text, HOST_LIST_PORT, "u", &list, &err))
			fail_msg("%s: %s", rows[i].text, err.text);
		cleanup(free_ptr) char *hosts = describe(&list);
		assert_string_equal(hosts, rows[i].hosts);
		host_list_free(&list);
	}
}

static void test_mistakes(void **state)
{
	static const struct {
		const char *text, *error;
	} rows[] = {
		{"", "no host is in the list"},
		{"# web1\n", "no host is in the list"},
		{"web1\nweb2 10.0.0.0/21", "line 2: \"10.0.0.0/21\": a range has at most 1024"},
		{"10.0.0.0-10.0.4.0", "line 1: \"10.0.0.0-10.0.4.0\": a range has at most 1024"},
		{"10.0.0.0/22 10.1.0.0/22", "line 1: \"10.1.0.0/22\": with it the list has more than 1024"},
		{"10.0.0.0/33", "a range is written like"},
		{"10.0.0/24", "a range is written like"},
		{"web1/24", "a range is written like"},
		{"10.0.0.9-5", "ends before it begins"},
		{"10.0.0.5-300", "a range is written like"},
		{"10.0.0.300", "\"10.0.0.300\": that is no IPv4 address"},
		{"10.0.0", "no IPv4 address"},
		{"web1:0", "\"0\": a port is a number"},
		{"web1:65536", "a port is a number"},
		{"web1:ssh", "\"ssh\": a port"},
		{"web1:", "a port is a number"},
		{"@web1", "a user's name is missing"},
		{"-oProxyCommand=x@web1", "a user's name has at most"},
		{"-oProxyCommand=x", "no name of a host"},
		{"root@", "a host is missing"},
		{"root@:22", "a host is missing"},
		{"web_1 web..2", "\"web..2\": that is no name of a host"},
		{"web1-", "no name of a host"},
		{"w\xc3\xa4", "\"w?\?\": that is no name of a host"},
		{"a;rm", "\"a\": that column is not known"},
		{"$(reboot)", "no name of a host"},
		{"r@web1\ns@web1", "line 2: \"web1\": it stands in the list twice, with different users"},
		{"fe80::1%eth0", "no name of a host"},
		{"web1,web2", "line 1: \"web1\": that column is not known"},
		{"web1\nweb2,22", "line 2: \"web2,22\": that is no name of a host; a list with commas"},
		{"host,host\nweb1,web2", "\"host\": that column is there twice"},
		{"host,password\nweb1,x", "\"password\": that column is not known"},
		{"port,user\n22,x", "no column is called host"},
		{"host,port\nweb1,22,x", "line 2: its quotes are not closed, or it has more fields"},
		{"host,name\nweb1,\"x", "line 2: its quotes"},
		{"host,port\n,22", "line 2: the column host is empty"},
		{"host,port\nweb1,99999", "line 2: \"99999\": a port"},
		{"host,user\nweb1,a b", "a user's name"},
		{"host,name\nweb1,\x01", "a name has at most 128"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct host_list list;
		struct err err = {""};
		if (host_list_read(rows[i].text, HOST_LIST_PORT, "", &list, &err) == 0)
			fail_msg("%s was taken", rows[i].text);
		if (!strstr(err.text, rows[i].error))
			fail_msg("%s: \"%s\" is not \"%s\"", rows[i].text, err.text, rows[i].error);
		assert_null(list.hosts);
	}
}

static void test_bounds(void **state)
{
	struct host_list list;
	struct err err;
	char *text = xcalloc(HOST_LIST_MAX_TEXT + 2, 1);
	(void)state;
	assert_int_equal(host_list_read("10.0.0.0/22\n10.0.4.0 10.0.3.255", 22, "", &list, &err), 0);
	assert_int_equal(list.count, HOST_LIST_MAX_HOSTS);
	assert_int_equal(list.hosts[0].line, 1);
	assert_string_equal(list.hosts[HOST_LIST_MAX_HOSTS - 2].host, "10.0.4.0");
	assert_non_null(host_list_find(&list, "10.0.2.7", 22));
	assert_null(host_list_find(&list, "10.0.2.7", 23));
	assert_null(host_list_find(&list, "10.0.4.1", 22));
	host_list_free(&list);

	memset(text, ' ', HOST_LIST_MAX_TEXT + 1);
	memcpy(text, "web1", 4);
	assert_int_equal(host_list_read(text, 22, "", &list, &err), -1);
	text[HOST_LIST_MAX_TEXT] = '\0';
	assert_int_equal(host_list_read(text, 22, "", &list, &err), 0);
	host_list_free(&list);

	memset(text, 'a', 300);
	text[300] = '\0';
	assert_int_equal(host_list_read(text, 22, "", &list, &err), -1);
	assert_true(strlen(err.text) < 200); /* a long word is cut short */
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_bounds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
