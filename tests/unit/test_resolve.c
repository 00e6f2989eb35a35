/* Row R8, and every way in which a DNS server can fail to answer, kept apart. */
#include "dial/resolve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <cmocka.h>

/* --- answers as bytes ----------------------------------------------------------------------- */

struct record {
	int type;
	const char *data; /* dotted address, or the labels of a CNAME as they travel */
};

/* The reply to `query` with this rcode and these records; returns its length. */
static size_t make_reply(const unsigned char *query, size_t query_len, int rcode, bool truncated,
	const struct record *records, size_t count, unsigned char *reply)
{
	size_t len = query_len;
	memcpy(reply, query, query_len);
	reply[2] = (unsigned char)(0x80 | (query[2] & 0x01) | (truncated ? 0x02 : 0));
	reply[3] = (unsigned char)(0x80 | (query[3] & 0x10) | rcode);
	reply[6] = 0;
	reply[7] = (unsigned char)count;
	for (size_t i = 0; i < count; i++) {
		unsigned char bytes[64];
		size_t size = records[i].type == DNS_A ? 4 : records[i].type == DNS_AAAA ? 16 : 0;
		if (size)
			assert_int_equal(inet_pton(size == 4 ? AF_INET : AF_INET6, records[i].data, bytes), 1);
		else
			memcpy(bytes, records[i].data, size = strlen(records[i].data) + 1);
		const unsigned char head[] = {0xc0, 0x0c, 0, (unsigned char)records[i].type, 0, 1, 0, 0, 0,
			60, 0, (unsigned char)size};
		memcpy(reply + len, head, sizeof head);
		memcpy(reply + len + sizeof head, bytes, size);
		len += sizeof head + size;
	}
	return len;
}

static const unsigned char sample_query[] = {0x12, 0x34, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0, 3, 'h',
	'u', 'b', 7, 'e', 'x', 'a', 'm', 'p', 'l', 'e', 0, 0, 1, 0, 1};

static const struct {
	const char *row;
	int rcode;
	bool truncated;
	struct record records[3];
	enum dns_outcome outcome;
	size_t count;
} replies[] = {
	{"one address", 0, false, {{DNS_A, "203.0.113.7"}}, DNS_FOUND, 1},
	{"two addresses", 0, false, {{DNS_A, "203.0.113.7"}, {DNS_A, "203.0.113.8"}}, DNS_FOUND, 2},
	{"only another type", 0, false, {{DNS_AAAA, "2001:db8::7"}}, DNS_NO_DATA, 0},
	{"nothing", 0, false, {{0, NULL}}, DNS_NO_DATA, 0},
	{"a CNAME to nowhere", 0, false, {{5, "\3cdn\7example"}}, DNS_NO_DATA, 0},
	{"FORMERR", 1, false, {{0, NULL}}, DNS_OTHER_RCODE, 0},
	{"SERVFAIL", 2, false, {{0, NULL}}, DNS_SERVFAIL, 0},
	{"NXDOMAIN", 3, false, {{0, NULL}}, DNS_NXDOMAIN, 0},
	{"NXDOMAIN with an address", 3, false, {{DNS_A, "203.0.113.7"}}, DNS_NXDOMAIN, 0},
	{"NOTIMP", 4, false, {{0, NULL}}, DNS_OTHER_RCODE, 0},
	{"REFUSED", 5, false, {{0, NULL}}, DNS_REFUSED, 0},
	{"YXDOMAIN", 6, false, {{0, NULL}}, DNS_OTHER_RCODE, 0},
	{"RCODE 15", 15, false, {{0, NULL}}, DNS_OTHER_RCODE, 0},
	{"truncated", 0, true, {{DNS_A, "203.0.113.7"}}, DNS_TRUNCATED, 0},
};

static void replies_are_kept_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(replies); i++) {
		unsigned char reply[512];
		size_t count = 0;
		while (count < ARRAY_LEN(replies[i].records) && replies[i].records[count].data)
			count++;
		size_t len = make_reply(sample_query, sizeof sample_query, replies[i].rcode,
			replies[i].truncated, replies[i].records, count, reply);
		struct dns_answer answer;
		dns_classify(reply, len, DNS_A, &answer);
		if (answer.outcome != replies[i].outcome || answer.count != replies[i].count ||
			answer.rcode != replies[i].rcode)
			fail_msg("%s: outcome %d, %zu addresses", replies[i].row, answer.outcome, answer.count);
		/* Cut anywhere it never yields an address that was not there whole. */
		for (size_t cut = 0; cut < len; cut++) {
			cleanup(free_ptr) unsigned char *part = xcalloc(cut, 1);
			memcpy(part, reply, cut);
			dns_classify(part, cut, DNS_A, &answer);
			assert_true(answer.count <= replies[i].count);
			assert_true(answer.outcome != DNS_FOUND || answer.count > 0);
		}
	}
}

static void more_addresses_than_fit_are_cut(void **state)
{
	(void)state;
	struct record records[20];
	for (size_t i = 0; i < ARRAY_LEN(records); i++)
		records[i] = (struct record){DNS_A, "203.0.113.7"};
	unsigned char reply[512];
	size_t len =
		make_reply(sample_query, sizeof sample_query, 0, false, records, ARRAY_LEN(records), reply);
	struct dns_answer answer;
	dns_classify(reply, len, DNS_A, &answer);
	assert_int_equal(answer.outcome, DNS_FOUND);
	assert_int_equal(answer.count, DNS_MAX_ADDRESSES);
}

/* --- which server is told ------------------------------------------------------------------- */

static const struct {
	enum dns_outcome outcomes[3];
	size_t count, told;
	const char *cause;
} verdicts[] = {
	{{DNS_FOUND}, 1, 0, "none"},
	{{DNS_SILENT, DNS_FOUND}, 2, 1, "none"},
	{{DNS_SERVFAIL, DNS_REFUSED, DNS_FOUND}, 3, 2, "none"},
	{{DNS_SILENT, DNS_NXDOMAIN}, 2, 1, "dns-nxdomain"},
	{{DNS_NO_DATA}, 1, 0, "dns-no-a"},
	{{DNS_SERVFAIL, DNS_SILENT}, 2, 0, "dns-servfail"},
	{{DNS_SILENT, DNS_SERVFAIL}, 2, 1, "dns-servfail"},
	{{DNS_SILENT, DNS_NO_LISTENER, DNS_REFUSED}, 3, 2, "dns-refused"},
	{{DNS_SILENT, DNS_NO_LISTENER}, 2, 1, "dns-no-listener"},
	{{DNS_SILENT, DNS_SILENT}, 2, 0, "dns-timeout"},
	{{DNS_UNREACHABLE}, 1, 0, "dns-timeout"},
	{{DNS_NO_ROUTE}, 1, 0, "no-route"},
	{{DNS_TCP_BLOCKED, DNS_SILENT}, 2, 0, "dns-truncated-tcp-blocked"},
	{{DNS_BAD_NAME}, 1, 0, "dns-nxdomain"},
	{{DNS_GARBLED}, 1, 0, "dns-servfail"},
};

static void one_server_is_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(verdicts); i++) {
		struct dns_answer answers[3] = {{.rcode = 0}};
		for (size_t k = 0; k < verdicts[i].count; k++)
			answers[k].outcome = verdicts[i].outcomes[k];
		size_t told = lookup_verdict(answers, verdicts[i].count);
		assert_int_equal(told, verdicts[i].told);
		assert_string_equal(
			cause_info(dns_meaning(answers[told].outcome)->cause)->id, verdicts[i].cause);
	}
}

static void addresses_that_lead_nowhere(void **state)
{
	(void)state;
	static const struct {
		const char *address;
		bool nowhere;
	} rows[] = {
		{"0.0.0.0", true},
		{"0.1.2.3", true},
		{"1.0.0.0", false},
		{"127.0.0.1", true},
		{"127.255.255.255", true},
		{"126.255.255.255", false},
		{"128.0.0.0", false},
		{"10.0.0.1", false},
		{"192.168.1.1", false},
		{"203.0.113.7", false},
		{"223.255.255.255", false},
		{"224.0.0.1", true},
		{"240.0.0.1", true},
		{"255.255.255.255", true},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct in_addr address;
		inet_pton(AF_INET, rows[i].address, &address);
		if (dns_leads_nowhere(address) != rows[i].nowhere)
			fail_msg("%s", rows[i].address);
	}
	assert_true(resolve_is_local_name("localhost"));
	assert_true(resolve_is_local_name("LOCALHOST."));
	assert_true(resolve_is_local_name("hub.localhost"));
	assert_false(resolve_is_local_name("notlocalhost"));
	assert_false(resolve_is_local_name("localhost.example"));
	assert_false(resolve_is_local_name(""));
}

static void rcodes_have_names(void **state)
{
	(void)state;
	char text[16];
	assert_string_equal(dns_rcode_text(0, text), "NOERROR");
	assert_string_equal(dns_rcode_text(5, text), "REFUSED");
	assert_string_equal(dns_rcode_text(9, text), "RCODE 9");
	assert_string_equal(dns_rcode_text(-1, text), "RCODE -1");
}

/* --- questions to a server on this machine ---------------------------------------------------- */

/* What the server does with a question. */
struct behaviour {
	const char *row;
	int rcode;
	bool silent;       /* to UDP */
	bool drop_first;   /* and then answers */
	bool forge_first;  /* an answer with another id goes first */
	bool truncate_udp; /* TC over UDP */
	bool tcp;          /* listens on TCP, and answers there */
	bool no_udp;       /* nothing listens */
	bool cd_answers;   /* a question with CD is answered with an address */
	bool ask_cd;       /* the question has it */
	enum dns_outcome outcome;
};

static const struct behaviour behaviours[] = {
	{.row = "answers", .outcome = DNS_FOUND},
	{.row = "NXDOMAIN", .rcode = 3, .outcome = DNS_NXDOMAIN},
	{.row = "SERVFAIL", .rcode = 2, .outcome = DNS_SERVFAIL},
	{.row = "SERVFAIL, but not with CD",
		.rcode = 2,
		.cd_answers = true,
		.ask_cd = true,
		.outcome = DNS_FOUND},
	{.row = "the same without CD", .rcode = 2, .cd_answers = true, .outcome = DNS_SERVFAIL},
	{.row = "REFUSED", .rcode = 5, .outcome = DNS_REFUSED},
	{.row = "silence", .silent = true, .outcome = DNS_SILENT},
	{.row = "a lost question is sent again", .drop_first = true, .outcome = DNS_FOUND},
	{.row = "a forged answer is ignored", .forge_first = true, .outcome = DNS_FOUND},
	{.row = "no listener", .no_udp = true, .outcome = DNS_NO_LISTENER},
	{.row = "truncated, TCP answers", .truncate_udp = true, .tcp = true, .outcome = DNS_FOUND},
	{.row = "truncated, TCP refused", .truncate_udp = true, .outcome = DNS_TCP_BLOCKED},
};

struct server {
	const struct behaviour *behaviour;
	int udp, tcp, stop[2];
	uint16_t port;
};

static size_t answer_for(const struct behaviour *behaviour, const unsigned char *query, size_t len,
	bool tcp, unsigned char *reply)
{
	static const struct record address = {DNS_A, "203.0.113.7"};
	bool with_cd = behaviour->cd_answers && (query[3] & 0x10);
	int rcode = with_cd ? 0 : behaviour->rcode;
	bool truncated = behaviour->truncate_udp && !tcp;
	return make_reply(query, len, rcode, truncated, &address, !rcode && !truncated, reply);
}

static void serve_udp(struct server *server, unsigned seen)
{
	unsigned char query[512], reply[600];
	struct sockaddr_in from;
	socklen_t from_len = sizeof from;
	ssize_t len =
		recvfrom(server->udp, query, sizeof query, 0, (struct sockaddr *)&from, &from_len);
	const struct behaviour *behaviour = server->behaviour;
	if (len < 12 || behaviour->silent || (behaviour->drop_first && !seen))
		return;
	size_t size = answer_for(behaviour, query, (size_t)len, false, reply);
	if (behaviour->forge_first) {
		reply[0] ^= 1;
		reply[size - 1] ^= 0xff;
		sendto(server->udp, reply, size, 0, (struct sockaddr *)&from, from_len);
		reply[0] ^= 1;
		reply[size - 1] ^= 0xff;
	}
	sendto(server->udp, reply, size, 0, (struct sockaddr *)&from, from_len);
}

static void serve_tcp(struct server *server)
{
	unsigned char query[514], reply[602];
	int fd = accept(server->tcp, NULL, NULL);
	ssize_t len = recv(fd, query, 2, MSG_WAITALL);
	if (len == 2)
		len = recv(fd, query + 2, (size_t)query[1], MSG_WAITALL);
	if (len >= 12) {
		size_t size = answer_for(server->behaviour, query + 2, (size_t)len, true, reply + 2);
		reply[0] = (unsigned char)(size >> 8);
		reply[1] = (unsigned char)size;
		send(fd, reply, size + 2, MSG_NOSIGNAL);
	}
	close(fd);
}

static void *serve(void *data)
{
	struct server *server = data;
	for (unsigned seen = 0;; seen++) {
		struct pollfd fds[] = {{.fd = server->udp, .events = POLLIN},
			{.fd = server->behaviour->tcp ? server->tcp : -1, .events = POLLIN},
			{.fd = server->stop[0], .events = POLLIN}};
		if (poll(fds, ARRAY_LEN(fds), -1) < 0 || fds[2].revents)
			return NULL;
		if (fds[0].revents)
			serve_udp(server, seen);
		if (fds[1].revents)
			serve_tcp(server);
	}
}

/* Both ports are taken even where nothing answers, so that nobody else on this machine does. */
static bool bind_both(struct server *server, struct sockaddr_in *address)
{
	socklen_t len = sizeof *address;
	*address =
		(struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	server->udp = socket(AF_INET, SOCK_DGRAM, 0);
	server->tcp = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(server->udp, (struct sockaddr *)address, len), 0);
	assert_int_equal(getsockname(server->udp, (struct sockaddr *)address, &len), 0);
	if (bind(server->tcp, (struct sockaddr *)address, len) == 0)
		return true;
	close(server->udp);
	close(server->tcp);
	return false;
}

static void open_server(struct server *server, const struct behaviour *behaviour)
{
	struct sockaddr_in address;
	*server = (struct server){.behaviour = behaviour};
	while (!bind_both(server, &address))
		continue;
	server->port = ntohs(address.sin_port);
	if (behaviour->tcp)
		assert_int_equal(listen(server->tcp, 4), 0);
	/* A socket that is connected elsewhere is no listener to anybody else. */
	address.sin_port = htons(9);
	if (behaviour->no_udp)
		assert_int_equal(connect(server->udp, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(pipe(server->stop), 0);
}

static void close_server(struct server *server)
{
	close(server->stop[0]);
	close(server->udp);
	close(server->tcp);
}

static void servers_are_asked(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(behaviours); i++) {
		struct server server;
		pthread_t thread;
		open_server(&server, &behaviours[i]);
		assert_int_equal(pthread_create(&thread, NULL, serve, &server), 0);
		const struct dns_question question = {.server.s_addr = htonl(INADDR_LOOPBACK),
			.port = server.port,
			.name = "hub.example",
			.type = DNS_A,
			.checking_disabled = behaviours[i].ask_cd};
		struct dns_answer answer;
		int64_t wait_ms = behaviours[i].silent ? 200 : 5000;
		enum wait_result result =
			dns_ask(&question, deadline_in_ms(wait_ms), deadline_in_ms(10000), NULL, &answer);
		close(server.stop[1]);
		pthread_join(thread, NULL);
		close_server(&server);
		assert_int_equal(result, WAIT_READY);
		if (answer.outcome != behaviours[i].outcome)
			fail_msg("%s: %s", behaviours[i].row, dns_meaning(answer.outcome)->words);
		assert_int_equal(answer.count, answer.outcome == DNS_FOUND ? 1 : 0);
		if (answer.count)
			assert_int_equal(ntohl(answer.addresses[0].s_addr), 0xcb007107);
		assert_true(answer.ms >= 0 && answer.ms < 5000);
	}
}

static void *fire_soon(void *cancel)
{
	wait_fd(-1, 0, deadline_in_ms(50), NULL);
	cancel_fire(cancel);
	return NULL;
}

static void a_question_can_be_cancelled(void **state)
{
	(void)state;
	static const struct behaviour silent = {.silent = true};
	struct server server;
	struct cancel cancel;
	pthread_t thread;
	open_server(&server, &silent);
	assert_int_equal(cancel_init(&cancel), 0);
	assert_int_equal(pthread_create(&thread, NULL, fire_soon, &cancel), 0);
	const struct dns_question question = {.server.s_addr = htonl(INADDR_LOOPBACK),
		.port = server.port,
		.name = "hub.example",
		.type = DNS_A};
	struct dns_answer answer;
	int64_t start = clock_mono_us();
	assert_int_equal(dns_ask(&question, deadline_in_ms(30000), deadline_never(), &cancel, &answer),
		WAIT_CANCELLED);
	assert_true(clock_ms_since(start) < 10000);
	pthread_join(thread, NULL);
	cancel_fini(&cancel);
	close(server.stop[1]);
	close_server(&server);
}

static void a_bad_name_is_not_asked(void **state)
{
	(void)state;
	struct dns_question question = {.server.s_addr = htonl(INADDR_LOOPBACK), .port = 9};
	question.type = DNS_A;
	char label[80];
	memset(label, 'a', sizeof label);
	label[sizeof label - 1] = '\0';
	question.name = label;
	struct dns_answer answer;
	assert_int_equal(
		dns_ask(&question, deadline_in_ms(1000), deadline_never(), NULL, &answer), WAIT_READY);
	assert_int_equal(answer.outcome, DNS_BAD_NAME);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replies_are_kept_apart),
		cmocka_unit_test(more_addresses_than_fit_are_cut),
		cmocka_unit_test(one_server_is_told),
		cmocka_unit_test(addresses_that_lead_nowhere),
		cmocka_unit_test(rcodes_have_names),
		cmocka_unit_test(servers_are_asked),
		cmocka_unit_test(a_question_can_be_cancelled),
		cmocka_unit_test(a_bad_name_is_not_asked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
