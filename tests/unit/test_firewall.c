/* What becomes of a packet under a ruleset: the reading of both formats, and the way through the
 * chains (rows R9, R10, R12, R13; the cause local-firewall). */
#include "os/linux/firewall_model.h"

#include "base/buf.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* JSON is written with single quotes here. LIST() joins up to eight strings by commas. */
#define PICK(a, b, c, d, e, f, g, h, name, ...) name
#define LIST1(a)                                a
#define LIST2(a, ...)                           a "," LIST1(__VA_ARGS__)
#define LIST3(a, ...)                           a "," LIST2(__VA_ARGS__)
#define LIST4(a, ...)                           a "," LIST3(__VA_ARGS__)
#define LIST5(a, ...)                           a "," LIST4(__VA_ARGS__)
#define LIST6(a, ...)                           a "," LIST5(__VA_ARGS__)
#define LIST7(a, ...)                           a "," LIST6(__VA_ARGS__)
#define LIST8(a, ...)                           a "," LIST7(__VA_ARGS__)
#define LIST(...)                                                                                  \
	PICK(__VA_ARGS__, LIST8, LIST7, LIST6, LIST5, LIST4, LIST3, LIST2, LIST1, 0)(__VA_ARGS__)

#define TABLE "{'table':{'family':'inet','name':'t'}}"
#define CHAIN "'family':'inet','table':'t','chain':"
#define BASE(hook, policy)                                                                         \
	"{'chain':{'family':'inet','table':'t','name':'" hook "','type':'filter','hook':'" hook        \
	"','prio':0,'policy':'" policy "'}}"
#define REGULAR(name)       "{'chain':{'family':'inet','table':'t','name':'" name "'}}"
#define RULE(chain, ...)    "{'rule':{" CHAIN "'" chain "','handle':7,'expr':[" LIST(__VA_ARGS__) "]}}"
#define MATCH(op, l, right) "{'match':{'op':'" op "','left':" l ",'right':" right "}}"
#define META(key)           "{'meta':{'key':'" key "'}}"
#define CT(key)             "{'ct':{'key':'" key "'}}"
#define FIELD(proto, field) "{'payload':{'protocol':'" proto "','field':'" field "'}}"
#define ACCEPT              "{'accept':null}"
#define DROP                "{'drop':null}"
#define REJECT              "{'reject':{'type':'tcp reset'}}"
#define TO(kind, chain)     "{'" kind "':{'target':'" chain "'}}"
#define DPORT(port)         MATCH("==", FIELD("tcp", "dport"), port)
#define STATE(state)        MATCH("in", CT("state"), state)
#define NFT(...)            "{'nftables':[" LIST(TABLE, __VA_ARGS__) "]}"

enum { OUT_TCP_443, OUT_UDP_53, IN_TCP_22, ANSWER_443, IN_LISTED };

/* The machine is 10.77.0.2 on eth0. */
static struct firewall_packet packet_of(int kind)
{
	static const struct {
		enum firewall_direction direction;
		uint8_t protocol;
		bool answer;
		enum firewall_sender sender;
		const char *from, *to;
		uint16_t from_port, to_port;
	} packets[] = {
		[OUT_TCP_443] = {FIREWALL_OUT, IPPROTO_TCP, false, FIREWALL_SENDER_KNOWN, "10.77.0.2",
			"203.0.113.10", 0, 443},
		[OUT_UDP_53] = {FIREWALL_OUT, IPPROTO_UDP, false, FIREWALL_SENDER_KNOWN, "10.77.0.2",
			"10.77.1.53", 0, 53},
		[IN_TCP_22] = {FIREWALL_IN, IPPROTO_TCP, false, FIREWALL_SENDER_ANY, "0.0.0.0", "10.77.0.2",
			0, 22},
		[ANSWER_443] = {FIREWALL_IN, IPPROTO_TCP, true, FIREWALL_SENDER_KNOWN, "203.0.113.10",
			"10.77.0.2", 443, 0},
		[IN_LISTED] = {FIREWALL_IN, IPPROTO_TCP, false, FIREWALL_SENDER_KNOWN, "10.1.2.3",
			"10.77.0.2", 0, 22},
	};
	struct firewall_packet packet = {.direction = packets[kind].direction,
		.protocol = packets[kind].protocol,
		.answer = packets[kind].answer,
		.sender = packets[kind].sender,
		.from_port = packets[kind].from_port,
		.to_port = packets[kind].to_port,
		.interface = "eth0"};
	inet_pton(AF_INET, packets[kind].from, &packet.from);
	inet_pton(AF_INET, packets[kind].to, &packet.to);
	return packet;
}

struct row {
	const char *name;
	const char *rules;
	int packet;
	enum firewall_verdict verdict;
	const char *place; /* a part of it; NULL: not looked at */
};

static char *with_double_quotes(const char *text)
{
	char *copy = xstrdup(text);
	for (char *at = copy; *at; at++)
		if (*at == '\'')
			*at = '"';
	return copy;
}

static struct firewall_answer ask(const char *rules, const struct firewall_packet *packet)
{
	cleanup(fw_drop) struct firewall *firewall = fw_new();
	cleanup(free_ptr) char *text = with_double_quotes(rules);
	struct firewall_answer answer;
	struct err err;
	int rc = *text == '{' ? fw_read_nft(firewall, text, strlen(text), &err)
						  : fw_read_iptables(firewall, "ip", true, text, strlen(text), &err);
	if (rc)
		fail_msg("%s", err.text);
	fw_link(firewall);
	fw_evaluate(firewall, packet, &answer);
	return answer;
}

static void check_rows(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct firewall_packet packet = packet_of(rows[i].packet);
		struct firewall_answer answer = ask(rows[i].rules, &packet);
		if (answer.verdict != rows[i].verdict)
			fail_msg("%s: %s (%s, %s), expected %s", rows[i].name,
				firewall_verdict_text(answer.verdict), answer.place, answer.reason,
				firewall_verdict_text(rows[i].verdict));
		if (rows[i].place && !strstr(answer.place, rows[i].place))
			fail_msg("%s: place \"%s\"", rows[i].name, answer.place);
	}
}

#define SET(name, type, elements)                                                                  \
	"{'set':{'family':'inet','table':'t','name':'" name "','type':" type ",'elem':" elements "}}"

static const struct row nft_rows[] = {
	{"no tables", "{'nftables':[]}", OUT_TCP_443, FIREWALL_ACCEPTS, ""},
	{"another hook", NFT(BASE("forward", "drop")), OUT_TCP_443, FIREWALL_ACCEPTS, ""},
	{"another family",
		"{'nftables':[{'table':{'family':'ip6','name':'t'}},{'chain':{'family':'ip6','table':'t',"
		"'name':'o','type':'filter','hook':'output','prio':0,'policy':'drop'}}]}",
		OUT_TCP_443, FIREWALL_ACCEPTS, ""},
	{"policy", NFT(BASE("output", "drop")), OUT_TCP_443, FIREWALL_DROPS,
		"table inet t, chain output, whose policy is drop"},
	{"a port", NFT(BASE("output", "accept"), RULE("output", DPORT("443"), DROP)), OUT_TCP_443,
		FIREWALL_DROPS, "table inet t, chain output, rule handle 7"},
	{"a port of another protocol",
		NFT(BASE("output", "accept"),
			RULE("output", MATCH("==", FIELD("udp", "dport"), "443"), DROP)),
		OUT_TCP_443, FIREWALL_ACCEPTS, NULL},
	{"not a port of another protocol: it has to be that protocol all the same",
		NFT(BASE("output", "accept"),
			RULE("output", MATCH("!=", FIELD("udp", "dport"), "53"), DROP)),
		OUT_TCP_443, FIREWALL_ACCEPTS, NULL},
	{"reject", NFT(BASE("output", "accept"), RULE("output", DPORT("443"), REJECT)), OUT_TCP_443,
		FIREWALL_REJECTS, "handle 7"},
	{"the first that decides",
		NFT(BASE("output", "drop"), RULE("output", DPORT("443"), ACCEPT),
			RULE("output", DPORT("443"), DROP)),
		OUT_TCP_443, FIREWALL_ACCEPTS, "handle 7"},
	{"the header of all protocols",
		NFT(BASE("output", "accept"),
			RULE("output", MATCH("==", META("l4proto"), "{'set':['tcp','udp']}"),
				MATCH("==", FIELD("th", "dport"), "53"), DROP)),
		OUT_UDP_53, FIREWALL_DROPS, NULL},
	{"a set of ports and a range",
		NFT(BASE("input", "drop"), RULE("input", DPORT("{'set':[80,{'range':[20,22]}]}"), ACCEPT)),
		IN_TCP_22, FIREWALL_ACCEPTS, NULL},
	{"outside of the range",
		NFT(BASE("input", "drop"), RULE("input", DPORT("{'range':[23,1000]}"), ACCEPT)), IN_TCP_22,
		FIREWALL_DROPS, "policy"},
	{"below a port",
		NFT(BASE("input", "drop"),
			RULE("input", MATCH("<", FIELD("tcp", "dport"), "1024"), ACCEPT)),
		IN_TCP_22, FIREWALL_ACCEPTS, NULL},
	{"a named set",
		NFT(SET("p", "'inet_service'", "[22,80]"), BASE("input", "drop"),
			RULE("input", DPORT("'@p'"), ACCEPT)),
		IN_TCP_22, FIREWALL_ACCEPTS, NULL},
	{"a named set that is not there",
		NFT(BASE("input", "drop"), RULE("input", DPORT("'@p'"), ACCEPT)), IN_TCP_22,
		FIREWALL_UNKNOWN, "handle 7"},
	{"a prefix",
		NFT(BASE("output", "accept"),
			RULE("output",
				MATCH("==", FIELD("ip", "daddr"), "{'prefix':{'addr':'203.0.113.0','len':24}}"),
				DROP)),
		OUT_TCP_443, FIREWALL_DROPS, NULL},
	{"a range of addresses",
		NFT(BASE("output", "accept"),
			RULE("output",
				MATCH("==", FIELD("ip", "daddr"), "{'range':['203.0.113.11','203.0.113.99']}"),
				DROP)),
		OUT_TCP_443, FIREWALL_ACCEPTS, NULL},
	{"elements with a time",
		NFT(SET("a", "'ipv4_addr'", "[{'elem':{'val':'203.0.113.10'}}]"), BASE("output", "accept"),
			RULE("output", MATCH("==", FIELD("ip", "daddr"), "'@a'"), DROP)),
		OUT_TCP_443, FIREWALL_DROPS, NULL},
	{"a concatenation",
		NFT(SET("c", "['ipv4_addr','inet_service']",
				"[{'concat':[{'prefix':{'addr':'203.0.113.0','len':24}},443]}]"),
			BASE("output", "drop"),
			RULE("output",
				MATCH("==", "{'concat':[" FIELD("ip", "daddr") "," FIELD("tcp", "dport") "]}",
					"'@c'"),
				ACCEPT)),
		OUT_TCP_443, FIREWALL_ACCEPTS, NULL},
	{"the state of a beginning",
		NFT(BASE("output", "drop"), RULE("output", STATE("'new'"), ACCEPT)), OUT_TCP_443,
		FIREWALL_ACCEPTS, NULL},
	{"the states of an answer",
		NFT(BASE("input", "drop"), RULE("input", STATE("['established','related']"), ACCEPT)),
		ANSWER_443, FIREWALL_ACCEPTS, NULL},
	{"no state for answers", NFT(BASE("input", "drop"), RULE("input", DPORT("22"), ACCEPT)),
		ANSWER_443, FIREWALL_DROPS, "chain input, whose policy is drop"},
	{"states by mask",
		NFT(BASE("input", "drop"),
			RULE("input",
				MATCH("!=", "{'&':[" CT("state") ",{'|':['established','related']}]}", "0"),
				ACCEPT)),
		ANSWER_443, FIREWALL_ACCEPTS, NULL},
	{"a beginning has none of these states",
		NFT(BASE("output", "drop"),
			RULE("output",
				MATCH("!=", "{'&':[" CT("state") ",{'|':['established','related']}]}", "0"),
				ACCEPT)),
		OUT_TCP_443, FIREWALL_DROPS, "policy"},
	{"one of several flags",
		NFT(BASE("input", "accept"),
			RULE("input", MATCH("==", "{'&':[" FIELD("tcp", "flags") ",'syn']}", "'syn'"), DROP)),
		ANSWER_443, FIREWALL_DROPS, NULL},
	{"answers are not translated anew",
		NFT("{'chain':{'family':'inet','table':'t','name':'n','type':'nat','hook':'prerouting',"
			"'prio':-100,'policy':'accept'}}",
			RULE("n", MATCH("==", FIELD("tcp", "sport"), "443"), "{'redirect':{'port':2222}}")),
		ANSWER_443, FIREWALL_ACCEPTS, NULL},
	{"bad flags of TCP do not stop a good packet",
		NFT(BASE("output", "accept"),
			RULE("output",
				MATCH("==", "{'&':[" FIELD("tcp", "flags") ",['fin','syn']]}", "['fin','syn']"),
				DROP)),
		OUT_TCP_443, FIREWALL_ACCEPTS, NULL},
	{"the flags of a beginning",
		NFT(BASE("output", "accept"),
			RULE("output",
				MATCH("==", "{'&':[" FIELD("tcp", "flags") ",['fin','syn','rst','ack']]}", "'syn'"),
				DROP)),
		OUT_TCP_443, FIREWALL_DROPS, NULL},
	{"the loopback interface is another one",
		NFT(BASE("output", "drop"), RULE("output", MATCH("==", META("oifname"), "'lo'"), ACCEPT)),
		OUT_TCP_443, FIREWALL_DROPS, "policy"},
	{"a pattern of interfaces",
		NFT(BASE("output", "drop"),
			RULE("output", MATCH("==", META("oifname"), "{'set':['wlan0','eth*']}"), ACCEPT)),
		OUT_TCP_443, FIREWALL_ACCEPTS, NULL},
	{"IPv6 alone",
		NFT(BASE("output", "accept"), RULE("output", MATCH("==", META("nfproto"), "'ipv6'"), DROP),
			RULE("output", MATCH("==", FIELD("ip6", "daddr"), "'::/0'"), DROP)),
		OUT_TCP_443, FIREWALL_ACCEPTS, NULL},
	{"a jump that returns",
		NFT(BASE("output", "accept"), REGULAR("a"), RULE("a", "{'return':null}"), RULE("a", DROP),
			RULE("output", TO("jump", "a")), RULE("output", REJECT)),
		OUT_TCP_443, FIREWALL_REJECTS, "chain output"},
	{"a goto that returns goes past the rest",
		NFT(BASE("output", "accept"), REGULAR("a"), RULE("a", DPORT("80"), DROP),
			RULE("output", TO("goto", "a")), RULE("output", REJECT)),
		OUT_TCP_443, FIREWALL_ACCEPTS, "whose policy is accept"},
	{"a jump that decides",
		NFT(BASE("output", "accept"), REGULAR("a"), RULE("output", TO("jump", "a")),
			RULE("a", DPORT("443"), DROP)),
		OUT_TCP_443, FIREWALL_DROPS, "chain a, rule handle 7"},
	{"chains that jump at each other",
		NFT(BASE("output", "accept"), REGULAR("a"), RULE("output", TO("jump", "a")),
			RULE("a", TO("jump", "a"))),
		OUT_TCP_443, FIREWALL_UNKNOWN, NULL},
	{"a verdict map",
		NFT(BASE("input", "drop"),
			RULE("input",
				"{'vmap':{'key':" FIELD(
					"tcp", "dport") ",'data':{'set':[[80,{'drop':null}],[22,{'accept':null}]]}}}")),
		IN_TCP_22, FIREWALL_ACCEPTS, NULL},
	{"a named verdict map with a jump",
		NFT("{'map':{'family':'inet','table':'t','name':'m','type':'inet_service','map':'verdict',"
			"'elem':[[22,{'jump':{'target':'a'}}]]}}",
			BASE("input", "accept"), REGULAR("a"), RULE("a", REJECT),
			RULE("input", "{'vmap':{'key':" FIELD("tcp", "dport") ",'data':'@m'}}")),
		IN_TCP_22, FIREWALL_REJECTS, "chain a"},
	{"states by verdict map",
		NFT(BASE("input", "drop"),
			RULE("input", "{'vmap':{'key':" CT("state") ",'data':{'set':[['invalid',{'drop':null}],"
														"['established',{'accept':null}]]}}}")),
		ANSWER_443, FIREWALL_ACCEPTS, NULL},
	{"an unknown condition before an accept",
		NFT(BASE("output", "drop"), RULE("output", MATCH("==", META("cgroup"), "7"), ACCEPT)),
		OUT_TCP_443, FIREWALL_UNKNOWN, "handle 7"},
	{"an unknown condition that makes no difference",
		NFT(BASE("output", "accept"), RULE("output", MATCH("==", META("cgroup"), "7"), ACCEPT)),
		OUT_TCP_443, FIREWALL_ACCEPTS, NULL},
	{"an unknown condition beside one that is false",
		NFT(BASE("output", "accept"),
			RULE("output", DPORT("80"), MATCH("==", META("cgroup"), "7"), DROP)),
		OUT_TCP_443, FIREWALL_ACCEPTS, NULL},
	{"an unknown condition that drops either way",
		NFT(BASE("output", "drop"), RULE("output", MATCH("==", META("cgroup"), "7"), REJECT)),
		OUT_TCP_443, FIREWALL_DROPS, NULL},
	{"a statement that nobody knows", NFT(BASE("output", "accept"), RULE("output", "{'new':1}")),
		OUT_TCP_443, FIREWALL_UNKNOWN, "handle 7"},
	{"another program decides", NFT(BASE("output", "accept"), RULE("output", "{'queue':{}}")),
		OUT_TCP_443, FIREWALL_UNKNOWN, "handle 7"},
	{"a set mark is not known afterwards",
		NFT(BASE("output", "accept"),
			RULE("output", "{'mangle':{'key':" META("mark") ",'value':1}}"),
			RULE("output", MATCH("==", META("mark"), "1"), DROP)),
		OUT_TCP_443, FIREWALL_UNKNOWN, NULL},
	{"a mark that nobody sets",
		NFT(BASE("output", "accept"), RULE("output", MATCH("==", META("mark"), "1"), DROP)),
		OUT_TCP_443, FIREWALL_ACCEPTS, NULL},
	{"counters and logs do nothing",
		NFT(BASE("output", "accept"),
			RULE("output", "{'counter':{'packets':1,'bytes':2}}", "{'log':null}", DROP)),
		OUT_TCP_443, FIREWALL_DROPS, NULL},
	{"the route back exists",
		NFT(BASE("input", "accept"),
			RULE("input", MATCH("==", "{'fib':{'result':'oif','flags':['saddr','iif']}}", "false"),
				DROP)),
		IN_TCP_22, FIREWALL_ACCEPTS, NULL},
	{"a drop of a later priority counts, whatever came before",
		NFT("{'chain':{'family':'inet','table':'t','name':'late','type':'filter','hook':'output',"
			"'prio':10,'policy':'drop'}}",
			"{'chain':{'family':'inet','table':'t','name':'early','type':'filter',"
			"'hook':'output','prio':-10,'policy':'accept'}}"),
		OUT_TCP_443, FIREWALL_DROPS, "chain late"},
	{"the drop of the first priority is told",
		NFT("{'chain':{'family':'inet','table':'t','name':'late','type':'filter','hook':'output',"
			"'prio':10,'policy':'drop'}}",
			"{'chain':{'family':'inet','table':'t','name':'early','type':'filter',"
			"'hook':'output','prio':-10,'policy':'drop'}}"),
		OUT_TCP_443, FIREWALL_DROPS, "chain early"},
	{"ingress of another device",
		"{'nftables':[{'table':{'family':'netdev','name':'n'}},{'chain':{'family':'netdev',"
		"'table':'n','name':'i','type':'filter','hook':'ingress','dev':'eth1','prio':0,"
		"'policy':'drop'}}]}",
		IN_TCP_22, FIREWALL_ACCEPTS, NULL},
	{"ingress of this device",
		"{'nftables':[{'table':{'family':'netdev','name':'n'}},{'chain':{'family':'netdev',"
		"'table':'n','name':'i','type':'filter','hook':'ingress','dev':'eth0','prio':0,"
		"'policy':'drop'}}]}",
		IN_TCP_22, FIREWALL_DROPS, "table netdev n"},
	{"a redirect goes elsewhere",
		NFT("{'chain':{'family':'inet','table':'t','name':'n','type':'nat','hook':'prerouting',"
			"'prio':-100,'policy':'accept'}}",
			RULE("n", DPORT("22"), "{'redirect':{'port':2222}}")),
		IN_TCP_22, FIREWALL_UNKNOWN, "chain n"},
	{"from some senders alone",
		NFT(BASE("input", "drop"),
			RULE("input",
				MATCH("==", FIELD("ip", "saddr"), "{'prefix':{'addr':'10.0.0.0','len':8}}"),
				DPORT("22"), ACCEPT)),
		IN_TCP_22, FIREWALL_UNKNOWN, "handle 7"},
	{"and this one is among them",
		NFT(BASE("input", "drop"),
			RULE("input",
				MATCH("==", FIELD("ip", "saddr"), "{'prefix':{'addr':'10.0.0.0','len':8}}"),
				DPORT("22"), ACCEPT)),
		IN_LISTED, FIREWALL_ACCEPTS, NULL},
	{"from everywhere, said aloud",
		NFT(BASE("input", "drop"),
			RULE("input",
				MATCH("==", FIELD("ip", "saddr"), "{'prefix':{'addr':'0.0.0.0','len':0}}"),
				DPORT("22"), ACCEPT)),
		IN_TCP_22, FIREWALL_ACCEPTS, NULL},
};

#define FILTER "*filter\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:mine - [0:0]\n"
#define STRICT "*filter\n:INPUT DROP [0:0]\n:OUTPUT DROP [0:0]\n:mine - [0:0]\n"

static const struct row iptables_rows[] = {
	{"nothing", "", OUT_TCP_443, FIREWALL_ACCEPTS, NULL},
	{"policy", STRICT "COMMIT\n", OUT_TCP_443, FIREWALL_DROPS,
		"iptables table filter, chain OUTPUT, whose policy is drop"},
	{"a port", FILTER "-A OUTPUT -p tcp -m tcp --dport 443 -j DROP\nCOMMIT\n", OUT_TCP_443,
		FIREWALL_DROPS, "chain OUTPUT, rule 1"},
	{"another protocol", FILTER "-A OUTPUT -p udp -m udp --dport 443 -j DROP\n", OUT_TCP_443,
		FIREWALL_ACCEPTS, NULL},
	{"several ports", STRICT "-A INPUT -p tcp -m multiport --dports 80,20:22 -j ACCEPT\n",
		IN_TCP_22, FIREWALL_ACCEPTS, NULL},
	{"not that address", FILTER "-A OUTPUT ! -d 203.0.113.0/24 -j DROP\n", OUT_TCP_443,
		FIREWALL_ACCEPTS, NULL},
	{"an address", FILTER "-A OUTPUT -d 203.0.113.10/32 -j REJECT --reject-with tcp-reset\n",
		OUT_TCP_443, FIREWALL_REJECTS, "rule 1"},
	{"another interface", FILTER "-A OUTPUT ! -o eth+ -j DROP\n-A OUTPUT -o lo -j DROP\n",
		OUT_TCP_443, FIREWALL_ACCEPTS, NULL},
	{"answers", STRICT "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n",
		ANSWER_443, FIREWALL_ACCEPTS, NULL},
	{"answers, in the old words", STRICT "-A INPUT -m state --state ESTABLISHED -j ACCEPT\n",
		ANSWER_443, FIREWALL_ACCEPTS, NULL},
	{"a beginning is no answer",
		STRICT "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED,DNAT -j ACCEPT\n", IN_TCP_22,
		FIREWALL_DROPS, "policy"},
	{"a chain of its own",
		FILTER
		"-A OUTPUT -j mine\n-A OUTPUT -j DROP\n-A mine -p tcp -j RETURN\n-A mine -j ACCEPT\n",
		OUT_TCP_443, FIREWALL_DROPS, "chain OUTPUT, rule 2"},
	{"going there", FILTER "-A OUTPUT -g mine\n-A OUTPUT -j DROP\n-A mine -p udp -j DROP\n",
		OUT_TCP_443, FIREWALL_ACCEPTS, "policy"},
	{"an unknown module", FILTER "-A OUTPUT -m string --string \"-j ACCEPT\" --algo bm -j DROP\n",
		OUT_TCP_443, FIREWALL_UNKNOWN, "rule 1"},
	{"an unknown target", FILTER "-A OUTPUT -j STRANGE --x\n", OUT_TCP_443, FIREWALL_UNKNOWN, NULL},
	{"logging decides nothing",
		FILTER "-A OUTPUT -m limit --limit 3/min -j LOG --log-prefix \"[x] \"\n", OUT_TCP_443,
		FIREWALL_ACCEPTS, NULL},
	{"a comment decides nothing",
		FILTER "-A OUTPUT -m comment --comment \"-j ACCEPT \\\"x\\\"\" -j DROP\n", OUT_TCP_443,
		FIREWALL_DROPS, NULL},
	{"words within a comment decide nothing",
		FILTER "-A OUTPUT -m comment --comment \"to -j ACCEPT it\" -j DROP\n", OUT_TCP_443,
		FIREWALL_DROPS, NULL},
	{"a mask with holes", FILTER "-A OUTPUT -d 203.0.113.10/255.0.255.0 -j DROP\n", OUT_TCP_443,
		FIREWALL_UNKNOWN, "rule 1"},
	{"a beginning of TCP",
		FILTER "-A OUTPUT -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j DROP\n", OUT_TCP_443,
		FIREWALL_DROPS, NULL},
	{"no beginning of TCP",
		FILTER "-A OUTPUT -p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN -j DROP\n", OUT_TCP_443,
		FIREWALL_ACCEPTS, NULL},
	{"the raw table comes first", STRICT "COMMIT\n*raw\n:OUTPUT DROP [0:0]\nCOMMIT\n", OUT_TCP_443,
		FIREWALL_DROPS, "table raw"},
	{"a line that nobody knows", FILTER "-X OUTPUT\n", OUT_TCP_443, FIREWALL_UNKNOWN, NULL},
	{"a rule of a chain that is not there", FILTER "-A none -j DROP\n", OUT_TCP_443,
		FIREWALL_UNKNOWN, NULL},
};

static void test_nft(void **state)
{
	(void)state;
	check_rows(nft_rows, ARRAY_LEN(nft_rows));
}

static void test_iptables(void **state)
{
	(void)state;
	check_rows(iptables_rows, ARRAY_LEN(iptables_rows));
}

static void test_rates_are_assumed(void **state)
{
	(void)state;
	static const char *const rules[] = {
		NFT(BASE("input", "drop"),
			RULE("input", DPORT("22"), "{'limit':{'rate':10,'per':'minute'}}", ACCEPT)),
		NFT(BASE("input", "accept"),
			RULE("input", DPORT("22"), "{'limit':{'rate':10,'per':'minute','inv':true}}", DROP)),
		NFT(BASE("input", "accept"),
			RULE("input", DPORT("22"), "{'ct count':{'val':10,'inv':true}}", REJECT)),
		STRICT "-A INPUT -p tcp -m tcp --dport 22 -m limit --limit 3/min -j ACCEPT\n",
		FILTER "-A INPUT -p tcp -m tcp --dport 22 -m connlimit --connlimit-above 3 -j DROP\n",
		FILTER "-A INPUT -p tcp -m recent --update --seconds 60 --hitcount 4 --name x -j DROP\n",
	};
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		struct firewall_packet packet = packet_of(IN_TCP_22);
		struct firewall_answer answer = ask(rules[i], &packet);
		assert_int_equal(answer.verdict, FIREWALL_ACCEPTS);
		assert_true(answer.assumed);
	}
	struct firewall_packet packet = packet_of(IN_TCP_22);
	assert_false(ask(NFT(BASE("input", "accept")), &packet).assumed);
}

/* A list of barred senders is no reason to call the port closed, a list of allowed ones is one to
 * say that it hangs on the sender. */
static void test_senders(void **state)
{
	(void)state;
	static const char barred[] = NFT(SET("bad", "'ipv4_addr'", "['192.0.2.1']"),
		BASE("input", "accept"), RULE("input", MATCH("==", FIELD("ip", "saddr"), "'@bad'"), DROP));
	static const char allowed[] =
		STRICT "-A INPUT -s 10.0.0.0/8 -p tcp -m tcp --dport 22 -j ACCEPT\n";
	struct firewall_packet packet = packet_of(IN_TCP_22);
	struct firewall_answer answer = ask(barred, &packet);
	assert_int_equal(answer.verdict, FIREWALL_UNKNOWN);
	assert_true(answer.by_sender);
	assert_true(ask(allowed, &packet).by_sender);
	packet.sender = FIREWALL_SENDER_UNLISTED;
	assert_int_equal(ask(barred, &packet).verdict, FIREWALL_ACCEPTS);
	assert_int_equal(ask(allowed, &packet).verdict, FIREWALL_DROPS);
	packet = packet_of(IN_TCP_22);
	answer =
		ask(NFT(BASE("input", "drop"), RULE("input", MATCH("==", META("cgroup"), "7"), ACCEPT)),
			&packet);
	assert_false(answer.by_sender);
}

static void test_rule_text(void **state)
{
	(void)state;
	struct firewall_packet packet = packet_of(OUT_TCP_443);
	struct firewall_answer answer = ask(FILTER "-A OUTPUT -p tcp -j DROP\n", &packet);
	assert_string_equal(answer.rule, "-A OUTPUT -p tcp -j DROP");
	answer = ask(NFT(BASE("output", "drop")), &packet);
	assert_string_equal(answer.rule, "policy drop");
}

static void test_bounds(void **state)
{
	(void)state;
	struct firewall_packet packet = packet_of(OUT_TCP_443);
	struct buf text = {0};
	buf_puts(&text, FILTER);
	for (int i = 0; i < FW_MAX_RULES + 1; i++)
		buf_puts(&text, "-A OUTPUT -p tcp -j LOG\n");
	struct firewall_answer answer = ask(buf_text(&text), &packet);
	assert_int_equal(answer.verdict, FIREWALL_UNKNOWN);
	assert_non_null(strstr(answer.reason, "more than this program reads"));
	buf_free(&text);
	/* Each chain jumps twice to the next: two to the power of fifteen ways, and an end to them. */
	buf_puts(&text, "*filter\n:OUTPUT ACCEPT [0:0]\n");
	for (int i = 0; i < 15; i++)
		buf_printf(&text, ":c%d - [0:0]\n", i);
	for (int i = 0; i < 15; i++)
		for (int n = 0; n < 8; n++)
			buf_printf(&text, "-A %s%.0d -j c%d\n", i ? "c" : "OUTPUT", i ? i - 1 : 0, i);
	cleanup(free_ptr) char *rules = xstrdup(buf_text(&text));
	buf_free(&text);
	assert_int_equal(ask(rules, &packet).verdict, FIREWALL_UNKNOWN);
}

static void test_no_listing(void **state)
{
	(void)state;
	static const char *const texts[] = {"", "{", "[]", "{\"nftables\":{}}"};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		cleanup(fw_drop) struct firewall *firewall = fw_new();
		struct err err = {.text = ""};
		assert_int_equal(fw_read_nft(firewall, texts[i], strlen(texts[i]), &err), -1);
		assert_true(*err.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nft),
		cmocka_unit_test(test_iptables),
		cmocka_unit_test(test_rates_are_assumed),
		cmocka_unit_test(test_senders),
		cmocka_unit_test(test_rule_text),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_no_listing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
