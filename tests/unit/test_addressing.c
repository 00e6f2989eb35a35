/* What DHCP clients and network managers leave behind, what a server offers, and what follows from
 * it all: rows R1 to R4. */
#include "check/origin.h"
#include "dial/host.h"

#include "base/file.h"
#include "os/linux/parts.h"

#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "temporary_root.h"

#define WRITTEN 1700000000
#define NOW     1700001000

static const char *show(struct in_addr address)
{
	static char text[INET_ADDRSTRLEN];
	return inet_ntop(AF_INET, &address, text, sizeof text);
}

static struct in_addr address_of(const char *text)
{
	struct in_addr address = {0};
	assert_int_equal(inet_pton(AF_INET, text, &address), 1);
	return address;
}

/* --- leases ---------------------------------------------------------------------------------- */

static bool parse_networkd(char *text, struct lease *lease)
{
	return lease_parse_networkd(text, WRITTEN, lease);
}

static bool parse_network_manager(char *text, struct lease *lease)
{
	return lease_parse_network_manager(text, WRITTEN, lease);
}

static bool parse_dhclient(char *text, struct lease *lease)
{
	return lease_parse_dhclient(text, "eth0", lease);
}

#define DHCLIENT(interface, address, rest)                                                         \
	"lease {\n  interface \"" interface "\";\n  fixed-address " address ";\n" rest "}\n"

static const struct {
	const char *row;
	bool (*parse)(char *text, struct lease *lease);
	const char *text;
	const char *address; /* NULL: no lease */
	const char *server;
	const char *first_dns;
	size_t dns_count;
	bool dns_told;
	int64_t expires_at;
} leases[] = {
	{"networkd", parse_networkd,
		"# This is private data. Do not parse.\nADDRESS=10.77.0.115\nNETMASK=255.255.255.0\n"
		"ROUTER=10.77.0.1\nSERVER_ADDRESS=10.77.0.1\nT1=1800\nLIFETIME=3600\nDNS=10.77.1.53 "
		"10.0.0.3\n",
		"10.77.0.115", "10.77.0.1", "10.77.1.53", 2, true, WRITTEN + 3600},
	{"networkd, no DNS handed out", parse_networkd, "ADDRESS=10.0.0.5\nLIFETIME=60\n", "10.0.0.5",
		"0.0.0.0", NULL, 0, true, WRITTEN + 60},
	{"for ever", parse_networkd, "ADDRESS=10.0.0.5\nLIFETIME=4294967295", "10.0.0.5", "0.0.0.0",
		NULL, 0, true, LEASE_NEVER},
	{"NetworkManager's internal lease has the address alone", parse_networkd,
		"# private\nADDRESS=10.0.0.5\n", "10.0.0.5", "0.0.0.0", NULL, 0, false, 0},
	{"no address", parse_networkd, "DNS=10.0.0.1\nLIFETIME=60\n", NULL, NULL, NULL, 0, false, 0},
	{"nonsense", parse_networkd, "ADDRESS=x\n=\n[\n[]\nADDRESS\n", NULL, NULL, NULL, 0, false, 0},
	{"empty", parse_networkd, "", NULL, NULL, NULL, 0, false, 0},
	{"NetworkManager", parse_network_manager,
		"[device]\nmanaged=true\n\n[dhcp4]\ndhcp4.dhcp_lease_time=3600\n"
		"dhcp4.dhcp_server_identifier=10.77.0.1\ndhcp4.domain_name_servers=10.77.1.53 10.0.0.3\n"
		"dhcp4.expiry=1700000777\ndhcp4.ip_address=10.77.0.102\n",
		"10.77.0.102", "10.77.0.1", "10.77.1.53", 2, true, 1700000777},
	{"NetworkManager, another section", parse_network_manager,
		"[dhcp6]\ndhcp4.ip_address=10.77.0.102\n", NULL, NULL, NULL, 0, false, 0},
	{"dhclient", parse_dhclient,
		DHCLIENT("eth0", "10.77.0.136",
			"  option domain-name-servers 10.77.1.53,10.0.0.3;\n"
			"  option dhcp-server-identifier 10.77.0.1;\n  expire 0 2026/11/22 15:33:00;\n"),
		"10.77.0.136", "10.77.0.1", "10.77.1.53", 2, true, 1795361580},
	{"dhclient, the last one counts", parse_dhclient,
		DHCLIENT("eth0", "10.0.0.1", "  expire never;\n")
			DHCLIENT("eth0", "10.0.0.2", "  expire epoch 1700000001; # a comment\n"),
		"10.0.0.2", "0.0.0.0", NULL, 0, true, 1700000001},
	{"dhclient, another interface", parse_dhclient, DHCLIENT("eth01", "10.0.0.1", ""), NULL, NULL,
		NULL, 0, false, 0},
	{"dhclient, without an end", parse_dhclient,
		"lease {\n interface \"eth0\";\n fixed-address 10.0.0.1;", NULL, NULL, NULL, 0, false, 0},
	{"dhclient, a lease that never ends", parse_dhclient,
		DHCLIENT("eth0", "10.0.0.1", "  expire never;\n"), "10.0.0.1", "0.0.0.0", NULL, 0, true,
		LEASE_NEVER},
	{"dhclient, a lease of IPv6 is none", parse_dhclient,
		"lease6 {\n  interface \"eth0\";\n  fixed-address6 fd00::1;\n}\n", NULL, NULL, NULL, 0,
		false, 0},
};

static void test_leases(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(leases); i++) {
		cleanup(free_ptr) char *text = xstrdup(leases[i].text);
		struct lease lease;
		print_message("  %s\n", leases[i].row);
		assert_int_equal(leases[i].parse(text, &lease), leases[i].address != NULL);
		if (!leases[i].address) {
			assert_int_equal(lease.address.s_addr, 0);
			continue;
		}
		assert_string_equal(show(lease.address), leases[i].address);
		assert_string_equal(show(lease.server), leases[i].server);
		assert_int_equal(lease.dns_count, leases[i].dns_count);
		if (leases[i].first_dns)
			assert_string_equal(show(lease.dns[0]), leases[i].first_dns);
		assert_int_equal(lease.dns_told, leases[i].dns_told);
		assert_int_equal(lease.expires_at, leases[i].expires_at);
	}
}

/* --- packets -----------------------------------------------------------------------------------
 */

#define XID 0x01020304

static const unsigned char mac[DHCP_MAC_BYTES] = {2, 0, 0, 0, 0, 7};

enum { IP_UDP = 28, OPTIONS = 240 };

/* An OFFER of 10.0.0.9 by 10.0.0.1 with two DNS servers, as an IP packet; returns its length. */
static size_t write_offer(unsigned char *packet)
{
	static const unsigned char options[] = {0, 53, 1, 2, 54, 4, 10, 0, 0, 1, 51, 4, 0, 0, 0x0e,
		0x10, 6, 8, 10, 0, 0, 3, 10, 0, 0, 4, 255};
	static const unsigned char cookie[] = {99, 130, 83, 99};
	size_t len = IP_UDP + OPTIONS + sizeof options, udp = len - 20;
	const uint32_t xid = XID;
	memset(packet, 0, len);
	packet[0] = 0x45;
	packet[2] = (unsigned char)(len >> 8);
	packet[3] = (unsigned char)len;
	packet[9] = 17;
	packet[23] = 68;
	packet[24] = (unsigned char)(udp >> 8);
	packet[25] = (unsigned char)udp;
	unsigned char *message = packet + IP_UDP;
	message[0] = 2;
	message[1] = 1;
	message[2] = 6;
	memcpy(message + 4, &xid, sizeof xid);
	memcpy(message + 16, (const unsigned char[]){10, 0, 0, 9}, 4);
	memcpy(message + 28, mac, sizeof mac);
	memcpy(message + 236, cookie, sizeof cookie);
	memcpy(message + OPTIONS, options, sizeof options);
	return len;
}

static void test_offer(void **state)
{
	(void)state;
	unsigned char packet[DHCP_PACKET_MAX];
	struct dhcp_offer offer;
	size_t len = write_offer(packet);
	assert_true(dhcp_read_offer(packet, len, XID, mac, &offer));
	assert_string_equal(show(offer.address), "10.0.0.9");
	assert_string_equal(show(offer.server), "10.0.0.1");
	assert_int_equal(offer.dns_count, 2);
	assert_string_equal(show(offer.dns[1]), "10.0.0.4");
	/* Padding of a short frame is no part of it. */
	assert_true(dhcp_read_offer(packet, len + 20, XID, mac, &offer));
	/* Every shorter one is refused, and read no further than it goes. */
	for (size_t cut = 0; cut < len; cut++) {
		cleanup(free_ptr) unsigned char *part = xcalloc(1, cut ? cut : 1);
		memcpy(part, packet, cut);
		assert_false(dhcp_read_offer(part, cut, XID, mac, &offer));
	}
}

/* One byte changed, and it is no OFFER to this machine's question. */
static const struct {
	const char *row;
	size_t at;
	unsigned char value;
} not_offers[] = {
	{"IPv6", 0, 0x65},
	{"TCP", 9, 6},
	{"a fragment", 6, 0x20},
	{"another port", 23, 67},
	{"a request", IP_UDP, 1},
	{"another question", IP_UDP + 4, 0xff},
	{"another machine", IP_UDP + 28, 3},
	{"no DHCP", IP_UDP + 236, 0},
	{"an ACK", IP_UDP + OPTIONS + 3, 5},
	{"an option longer than the packet", IP_UDP + OPTIONS + 2, 200},
	{"a header longer than the packet", 0, 0x4f},
};

static void test_not_offers(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(not_offers); i++) {
		unsigned char packet[DHCP_PACKET_MAX];
		struct dhcp_offer offer;
		size_t len = write_offer(packet);
		print_message("  %s\n", not_offers[i].row);
		packet[not_offers[i].at] = not_offers[i].value;
		assert_false(dhcp_read_offer(packet, len, XID, mac, &offer));
	}
}

/* An option that is cut off says nothing, whatever the bytes after it. */
static void test_cut_option(void **state)
{
	(void)state;
	unsigned char packet[DHCP_PACKET_MAX];
	struct dhcp_message message;
	size_t len = write_offer(packet) - IP_UDP;
	assert_true(dhcp_message_read(packet + IP_UDP, len, &message));
	assert_int_equal(message.dns_count, 2);
	for (size_t missing = 2; missing < 10; missing++) {
		assert_true(dhcp_message_read(packet + IP_UDP, len - missing, &message));
		assert_int_equal(message.dns_count, 0);
		assert_string_equal(show(message.server), "10.0.0.1");
	}
}

static void test_packet_lease(void **state)
{
	(void)state;
	unsigned char packet[DHCP_PACKET_MAX];
	struct lease lease;
	size_t len = write_offer(packet);
	assert_true(lease_parse_packet(packet + IP_UDP, len - IP_UDP, WRITTEN, &lease));
	assert_string_equal(show(lease.address), "10.0.0.9");
	assert_int_equal(lease.expires_at, WRITTEN + 3600);
	assert_int_equal(lease.dns_count, 2);
	assert_false(lease_parse_packet(packet + IP_UDP, 200, WRITTEN, &lease));
}

static void test_discover(void **state)
{
	(void)state;
	unsigned char message[300];
	struct dhcp_message read;
	assert_int_equal(dhcp_write_discover(message, XID, mac), sizeof message);
	assert_true(dhcp_message_read(message, sizeof message, &read));
	assert_int_equal(read.op, 1);
	assert_int_equal(read.type, 1); /* DISCOVER, which never takes a lease */
	assert_int_equal(read.xid, XID);
	assert_memory_equal(read.mac, mac, sizeof mac);
	assert_int_equal(message[10], 0x80); /* the answer is broadcast */
}

/* --- DHCP clients -------------------------------------------------------------------------------
 */

static const struct {
	const char *command; /* blanks stand for the NULs between arguments */
	const char *link;
	const char *client; /* NULL: none for that link */
} commands[] = {
	{"/sbin/dhclient -4 -v -i -pf /run/dhclient.eth0.pid eth0", "eth0", "dhclient"},
	{"dhclient eth1", "eth0", NULL},
	{"dhclient -d", "eth0", "dhclient"},
	{"udhcpc -f -i eth0 -s /x", "eth0", "udhcpc"},
	{"udhcpc -ieth1", "eth1", "udhcpc"},
	{"udhcpc --interface=eth1", "eth0", NULL},
	{"udhcpc --interface eth1", "eth1", "udhcpc"},
	{"udhcpc -b", "eth0", "udhcpc"},
	{"udhcpc -b", "eth1", NULL},
	{"/bin/busybox udhcpc -i eth0", "eth0", "udhcpc"},
	{"/bin/busybox ping eth0", "eth0", NULL},
	{"dhcpcd: eth0 [ip4]", "eth0", "dhcpcd"},
	{"dhcpcd: [privileged proxy] eth1 [ip4]", "eth0", NULL},
	{"dhcpcd: [manager] [ip4] [ip6]", "eth1", "dhcpcd"},
	{"grep dhclient eth0", "eth0", NULL},
	{"mydhclient eth0", "eth0", NULL},
	{"", "eth0", NULL},
	{"busybox", "eth0", NULL},
};

static void test_clients(void **state)
{
	(void)state;
	static struct addressing addressing = {
		.links = {{.index = 1, .name = "lo"}, {.index = 2, .name = "eth0"},
			{.index = 3, .name = "eth1"}},
		.link_count = 3,
	};
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		const struct addressing_link *link =
			&addressing.links[strcmp(commands[i].link, "eth1") == 0 ? 2 : 1];
		char command[128];
		print_message("  %s for %s\n", commands[i].command, commands[i].link);
		snprintf(command, sizeof command, "%s", commands[i].command);
		size_t len = strlen(command);
		for (size_t n = 0; n < len; n++)
			if (command[n] == ' ')
				command[n] = '\0';
		const char *client = dhcp_client_match(command, len, &addressing, link);
		assert_int_equal(client != NULL, commands[i].client != NULL);
		if (client)
			assert_string_equal(client, commands[i].client);
	}
}

/* --- who says what
 * -------------------------------------------------------------------------------- */

static char root[ROOT_SIZE];

static void put(const char *path, const char *text, mode_t mode)
{
	cleanup(free_ptr) char *place = file_under(root, path);
	cleanup(free_ptr) char *folder = xstrdup(place);
	*strrchr(folder, '/') = '\0';
	assert_int_equal(file_make_dirs(folder, 0755, NULL), 0);
	assert_int_equal(file_replace(place, text, strlen(text), mode, NULL), 0);
}

#define UUID "6d1f4a52-8f1c-4a57-9a5d-0d6d3a3e0b11"

struct file {
	const char *path, *text;
};

/* Interface 7 is eth7, which this machine has not: nothing of the real system gets in. */
static const struct {
	const char *row;
	struct file files[4];
	const char *words;
} stories[] = {
	{"nobody", {{NULL, NULL}}, "nobody says anything"},
	{"networkd, DHCP",
		{{"/run/systemd/netif/leases/7", "ADDRESS=10.0.0.5\nLIFETIME=60\n"},
			{"/run/systemd/netif/links/7",
				"ADMIN_STATE=configured\nNETWORK_FILE=/etc/systemd/network/a.network\n"},
			{"/etc/systemd/network/a.network", "[Network]\nDHCP=ipv4\n"}},
		"systemd-networkd: a lease (/run/systemd/netif/leases/7); "
		"systemd-networkd: set to DHCP (/etc/systemd/network/a.network)"},
	{"networkd, fixed",
		{{"/run/systemd/netif/links/7", "ADMIN_STATE=configured\nNETWORK_FILE=/etc/a.network\n"
										"NETWORK_FILE_DROPINS=\"/etc/b.conf\"\n"},
			{"/etc/a.network", "[Network]\nDHCP=no\nAddress=10.0.0.5/24\n[Route]\nDNS=1.1.1.1\n"},
			{"/etc/b.conf", "[Network]\nDNS=10.0.0.1 10.0.0.2\n"}},
		"systemd-networkd: a fixed address (/etc/a.network); "
		"systemd-networkd: fixed DNS servers (/etc/b.conf)"},
	{"networkd leaves it alone",
		{{"/run/systemd/netif/links/7", "ADMIN_STATE=unmanaged\nNETWORK_FILE=/etc/a.network\n"},
			{"/etc/a.network", "[Network]\nDHCP=yes\n"}},
		"nobody says anything"},
	{"NetworkManager, manual",
		{{"/run/NetworkManager/devices/7", "[device]\nmanaged=true\nconnection-uuid=" UUID "\n"},
			{"/etc/NetworkManager/system-connections/x.nmconnection",
				"[connection]\nuuid=" UUID "\n[ipv4]\nmethod=manual\n"
				"address1=10.0.0.5/24,10.0.0.1\ndns=10.0.0.1;\n"}},
		"NetworkManager: fixed DNS servers "
		"(/etc/NetworkManager/system-connections/x.nmconnection); "
		"NetworkManager: a fixed address (/etc/NetworkManager/system-connections/x.nmconnection)"},
	{"NetworkManager describes what another has set",
		{{"/run/NetworkManager/devices/7", "[device]\nmanaged=true\nconnection-uuid=" UUID "\n"},
			{"/run/NetworkManager/system-connections/x.nmconnection",
				"[connection]\nuuid=" UUID "\n[ipv4]\nmethod=manual\naddress1=10.0.0.5/24\n"
				"[.nmmeta]\nexternal=true\n"}},
		"nobody says anything"},
	{"lease files go by the interface's name",
		{{"/var/lib/NetworkManager/internal-" UUID "-eth7.lease", "ADDRESS=10.0.0.5\n"},
			{"/var/lib/NetworkManager/internal-" UUID "-veth7.lease", "ADDRESS=10.0.0.6\n"},
			{"/var/lib/dhcp/dhclient.leases", DHCLIENT("eth7", "10.0.0.5", "")},
			{"/var/lib/dhcp/dhclient.eth8.leases", DHCLIENT("eth8", "10.0.0.5", "")}},
		"dhclient: a lease (/var/lib/dhcp/dhclient.leases); NetworkManager: a lease "
		"(/var/lib/NetworkManager/internal-" UUID "-eth7.lease)"},
	{"intent",
		{{"/etc/network/interfaces", "auto lo\niface eth7 inet static\n address 10.0.0.5\n"},
			{"/etc/netplan/50.yaml", "network: {ethernets: {eth7: {dhcp4: true}}}\n"},
			{"/etc/cloud/cloud.cfg.d/9.cfg", "# eth7\nnetwork: {config: disabled}\nx: eth77\n"}},
		"ifupdown: names the interface (/etc/network/interfaces); "
		"netplan: names the interface (/etc/netplan/50.yaml)"},
};

/* What runs on the machine that the test runs on is no part of the story. */
static void drop_processes(struct witnesses *witnesses)
{
	size_t kept = 0;
	for (size_t i = 0; i < witnesses->count; i++)
		if (witnesses->list[i].word != WITNESS_CLIENT && witnesses->list[i].word != WITNESS_HIDDEN)
			witnesses->list[kept++] = witnesses->list[i];
	witnesses->count = kept;
}

static void test_witnesses(void **state)
{
	(void)state;
	static struct addressing addressing = {
		.links = {{.index = 7, .name = "eth7"}, {.index = 8, .name = "eth0"}}, .link_count = 2};
	for (size_t i = 0; i < ARRAY_LEN(stories); i++) {
		print_message("  %s\n", stories[i].row);
		assert_int_equal(root_make(root), 0);
		for (size_t n = 0; n < ARRAY_LEN(stories[i].files) && stories[i].files[n].path; n++)
			put(stories[i].files[n].path, stories[i].files[n].text, 0644);
		struct witnesses witnesses;
		witnesses_read(root, &addressing, &addressing.links[0], &witnesses);
		drop_processes(&witnesses);
		cleanup(free_ptr) char *words = origin_words(&witnesses);
		root_remove(root);
		assert_string_equal(words, stories[i].words);
	}
}

/* --- the decision --------------------------------------------------------------------------------
 */

static const struct {
	const char *row;
	unsigned signals;
	enum origin origin;
	bool certain;
} decisions[] = {
	{"nothing but a permanent address", 0, ORIGIN_STATIC, false},
	{"and nobody could ask", SIGNAL_NOT_ASKED, ORIGIN_UNKNOWN, false},
	{"the kernel ends it", SIGNAL_FINITE | SIGNAL_NOT_ASKED, ORIGIN_DHCP, true},
	{"dhclient of old: permanent, with a lease", SIGNAL_LEASE, ORIGIN_DHCP, true},
	{"udhcpc: permanent, a process", SIGNAL_CLIENT | SIGNAL_NOT_ASKED, ORIGIN_DHCP, false},
	{"udhcpc, and a second address", SIGNAL_CLIENT | SIGNAL_SEVERAL, ORIGIN_UNKNOWN, false},
	{"a client beside a static route", SIGNAL_CLIENT | SIGNAL_ROUTE_STATIC, ORIGIN_UNKNOWN, false},
	{"networkd by hand", SIGNAL_BY_HAND | SIGNAL_ROUTE_STATIC, ORIGIN_STATIC, true},
	{"by hand, and the server would give the same", SIGNAL_BY_HAND | SIGNAL_OFFERED, ORIGIN_STATIC,
		true},
	{"by hand, beside DHCP of another address", SIGNAL_BY_HAND | SIGNAL_MANAGED, ORIGIN_STATIC,
		true},
	{"by hand against the kernel", SIGNAL_BY_HAND | SIGNAL_FINITE, ORIGIN_UNKNOWN, false},
	{"by hand against a lease", SIGNAL_BY_HAND | SIGNAL_LEASE, ORIGIN_UNKNOWN, false},
	{"by hand against a route of DHCP", SIGNAL_BY_HAND | SIGNAL_ROUTE_DHCP, ORIGIN_UNKNOWN, false},
	{"by hand against a client", SIGNAL_BY_HAND | SIGNAL_CLIENT, ORIGIN_UNKNOWN, false},
	{"by hand, an old lease without a date", SIGNAL_BY_HAND | SIGNAL_UNDATED, ORIGIN_STATIC, true},
	{"a lease without a date", SIGNAL_UNDATED, ORIGIN_DHCP, false},
	{"the same, a static route", SIGNAL_UNDATED | SIGNAL_ROUTE_STATIC, ORIGIN_UNKNOWN, false},
	{"an endless lease: the route tells", SIGNAL_ROUTE_DHCP, ORIGIN_DHCP, true},
	{"udhcpc -q has gone, the server knows", SIGNAL_OFFERED, ORIGIN_DHCP, false},
	{"a reservation of a static address", SIGNAL_OFFERED | SIGNAL_ROUTE_STATIC, ORIGIN_UNKNOWN,
		false},
	{"set to DHCP, and an address from nowhere", SIGNAL_MANAGED, ORIGIN_UNKNOWN, false},
	{"NetworkManager by hand, to a user", SIGNAL_HIDDEN | SIGNAL_ROUTE_STATIC | SIGNAL_NOT_ASKED,
		ORIGIN_STATIC, false},
	{"NetworkManager, to a user", SIGNAL_HIDDEN | SIGNAL_NOT_ASKED, ORIGIN_UNKNOWN, false},
	{"a static route alone", SIGNAL_ROUTE_STATIC | SIGNAL_NOT_ASKED, ORIGIN_STATIC, true},
};

static void test_decisions(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(decisions); i++) {
		struct origin_verdict verdict = origin_judge(decisions[i].signals);
		print_message("  %s\n", decisions[i].row);
		assert_int_equal(verdict.origin, decisions[i].origin);
		assert_int_equal(verdict.certain, decisions[i].certain);
		assert_true(strlen(verdict.why) > 10);
	}
}

/* More to see never turns a root's answer round: what an ordinary user is told without the lease
 * file of a manager, without having asked, agrees with it or is unknown. */
static void test_privileges_never_contradict(void **state)
{
	(void)state;
	for (unsigned signals = 0; signals < SIGNAL_HIDDEN; signals++) {
		/* Root asked; the user did not. */
		unsigned user = (signals & ~(unsigned)SIGNAL_OFFERED) | SIGNAL_NOT_ASKED;
		enum origin as_root = origin_judge(signals).origin, as_user = origin_judge(user).origin;
		assert_true(as_user == ORIGIN_UNKNOWN || as_root == ORIGIN_UNKNOWN || as_user == as_root);
	}
}

static void test_signals(void **state)
{
	(void)state;
	static struct addressing_link link = {.index = 7, .name = "eth7", .address_count = 2};
	static struct witnesses witnesses;
	struct dhcp_offer offer = {.address = address_of("10.0.0.5")};
	link.addresses[0] = (struct addressing_address){address_of("10.0.0.5"), 24, true};
	link.addresses[1] = (struct addressing_address){address_of("10.0.0.6"), 24, false};
	struct origin_question question = {.link = &link,
		.address = &link.addresses[0],
		.witnesses = &witnesses,
		.asked = DHCP_SILENT,
		.offer = &offer,
		.now = NOW};
	assert_int_equal(origin_signals(&question), 0);
	question.asked = DHCP_FORBIDDEN;
	assert_int_equal(origin_signals(&question), SIGNAL_NOT_ASKED);
	question.asked = DHCP_OFFERED;
	assert_int_equal(origin_signals(&question), SIGNAL_OFFERED);
	offer.address = address_of("10.0.0.7");
	assert_int_equal(origin_signals(&question), 0);
	question.route_protocol = RTPROT_DHCP;
	assert_int_equal(origin_signals(&question), SIGNAL_ROUTE_DHCP);
	question.route_protocol = 0;
	question.address = &link.addresses[1];
	assert_int_equal(origin_signals(&question), SIGNAL_FINITE);
	question.address = &link.addresses[0];
	/* A lease counts only for its own address, and while it lasts. */
	struct witness *witness = witness_add(&witnesses, WITNESS_LEASE, "dhclient", "FILE");
	witness->lease = (struct lease){.address = address_of("10.0.0.9"), .expires_at = NOW + 1};
	assert_int_equal(origin_signals(&question), 0);
	witness->lease.address = address_of("10.0.0.5");
	assert_int_equal(origin_signals(&question), SIGNAL_LEASE);
	witness->lease.expires_at = NOW;
	assert_int_equal(origin_signals(&question), 0);
	witness->lease.expires_at = 0;
	assert_int_equal(origin_signals(&question), SIGNAL_UNDATED);
	witness->word = WITNESS_STATIC;
	assert_int_equal(origin_signals(&question), SIGNAL_BY_HAND);
	witness->word = WITNESS_INTENT; /* decides nothing */
	assert_int_equal(origin_signals(&question), 0);
}

static void test_host_lease(void **state)
{
	(void)state;
	static struct witnesses witnesses;
	bool ended;
	struct witness *old = witness_add(&witnesses, WITNESS_LEASE, "dhclient", "OLD");
	old->lease = (struct lease){.address = address_of("10.0.0.5"), .expires_at = NOW - 1};
	assert_ptr_equal(host_lease(&witnesses, address_of("10.0.0.5"), NOW, &ended), old);
	assert_true(ended);
	assert_null(host_lease(&witnesses, address_of("10.0.0.6"), NOW, &ended));
	assert_false(ended);
	struct witness *new = witness_add(&witnesses, WITNESS_LEASE, "dhclient", "NEW");
	new->lease = (struct lease){.address = address_of("10.0.0.5"), .expires_at = LEASE_NEVER};
	assert_ptr_equal(host_lease(&witnesses, address_of("10.0.0.5"), NOW, &ended), new);
	assert_false(ended);
}

static void test_dns(void **state)
{
	(void)state;
	struct origin_dns dns = {.told = false};
	const struct in_addr offered[] = {address_of("10.0.0.1"), address_of("10.0.0.2")};
	const struct in_addr in_use[] = {address_of("10.0.0.2"), address_of("10.0.0.3")};
	origin_dns_add(&dns, offered, 2);
	origin_dns_compare(&dns, offered, 2);
	assert_int_equal(dns.strange_count, 0);
	origin_dns_compare(&dns, in_use, 2);
	assert_int_equal(dns.strange_count, 1);
	assert_string_equal(show(dns.strange[0]), "10.0.0.3");
}

/* --- the kernel
 * ----------------------------------------------------------------------------------- */

/* Wherever this runs there is a loopback interface, and it could not carry traffic out. */
static void test_kernel(void **state)
{
	(void)state;
	struct addressing addressing;
	assert_int_equal(addressing_read(&addressing, NULL), 0);
	bool found = false;
	for (size_t i = 0; i < addressing.link_count; i++) {
		const struct addressing_link *link = &addressing.links[i];
		assert_ptr_equal(addressing_link(&addressing, link->index), link);
		if (strcmp(link->name, "lo") != 0)
			continue;
		found = true;
		assert_true(link->loopback);
		assert_false(addressing_is_candidate(&addressing, link));
	}
	assert_true(found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_leases),
		cmocka_unit_test(test_offer),
		cmocka_unit_test(test_not_offers),
		cmocka_unit_test(test_cut_option),
		cmocka_unit_test(test_packet_lease),
		cmocka_unit_test(test_discover),
		cmocka_unit_test(test_clients),
		cmocka_unit_test(test_witnesses),
		cmocka_unit_test(test_decisions),
		cmocka_unit_test(test_privileges_never_contradict),
		cmocka_unit_test(test_signals),
		cmocka_unit_test(test_host_lease),
		cmocka_unit_test(test_dns),
		cmocka_unit_test(test_kernel),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
