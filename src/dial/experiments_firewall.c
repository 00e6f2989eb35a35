/*
 * A second look at this machine's own firewall, for a connection or a DNS question that got no
 * answer, or a refusal that may have come from within.
 *
 * Happy path: the very packet that failed, and the first answer to it, are followed through the
 * rules. Where a rule stops one of them it is named, and that is certain. Failure modes: the rules
 * cannot be read (an ordinary user), or hang on what cannot be known; then what the kernel told of
 * the packet is left, which makes it likely: it could not be sent, or this machine rejected it.
 * Without either the cause stays, and it is no longer certain.
 */
#include "dial/stage.h"
#include "os/firewall.h"
#include "os/os.h"

#include <arpa/inet.h>
#include <string.h>

#define DNS_PORT 53

/* What was stopped, and how. */
struct stop {
	struct firewall_packet packet; /* outgoing */
	struct firewall_answer answer;
	bool of_answer; /* it is the answers that are stopped */
};

static bool stops(const struct firewall_answer *answer)
{
	return answer->verdict == FIREWALL_DROPS || answer->verdict == FIREWALL_REJECTS;
}

/* The verdict on one packet, or on the answer to it where the packet itself passes. */
static void follow(const struct walker *walker, uint8_t protocol, struct in_addr to, uint16_t port,
	struct stop *stop)
{
	struct firewall_packet answer;
	*stop = (struct stop){.answer = {.verdict = FIREWALL_UNKNOWN}};
	if (firewall_packet_out(protocol, to, port, &stop->packet))
		return;
	firewall_ask(&stop->packet, walker->options->overall, walker->options->cancel, &stop->answer);
	if (stop->answer.verdict != FIREWALL_ACCEPTS)
		return;
	firewall_packet_answer(&stop->packet, &answer);
	firewall_ask(&answer, walker->options->overall, walker->options->cancel, &stop->answer);
	stop->of_answer = true;
}

/* The server that is stopped, else the first one. */
static void follow_dns(const struct walker *walker, struct stop *stop)
{
	struct os_resolvers resolvers;
	bool tcp = evidence_get(&walker->walk->failure.evidence, "dns-cause")
				   ? strcmp(evidence_get(&walker->walk->failure.evidence, "dns-cause"),
						 cause_info(CAUSE_DNS_TRUNCATED_TCP_BLOCKED)->id) == 0
				   : walker->walk->failure.cause == CAUSE_DNS_TRUNCATED_TCP_BLOCKED;
	*stop = (struct stop){.answer = {.verdict = FIREWALL_UNKNOWN}};
	if (os_resolvers_read(walker->options->root, &resolvers, NULL))
		return;
	for (size_t i = resolvers.count; i-- > 0 && !stops(&stop->answer);)
		follow(walker, tcp ? IPPROTO_TCP : IPPROTO_UDP, resolvers.servers[i], DNS_PORT, stop);
}

static void blame(
	struct walker *walker, const struct stop *stop, const char *verdict, enum confidence confidence)
{
	struct finding *failure = &walker->walk->failure;
	struct evidence *evidence = &failure->evidence;
	char address[INET_ADDRSTRLEN];
	inet_ntop(AF_INET, &stop->packet.to, address, sizeof address);
	evidence_add(evidence, "met-as", "%s", cause_info(failure->cause)->id);
	evidence_add(evidence, "verdict", "%s", verdict);
	evidence_add(evidence, "address", "%s", address);
	evidence_add(evidence, "port", "%u", stop->packet.to_port);
	evidence_add(evidence, "protocol", "%s", stop->packet.protocol == IPPROTO_UDP ? "UDP" : "TCP");
	if (stop->of_answer) {
		evidence_add(evidence, "what-note", "the answers from");
		evidence_add(evidence, "allow-note",
			"what belongs to a connection that is established (`ct state established,related "
			"accept`), such as answers from");
	}
	if (stop->answer.place[0])
		evidence_add(evidence, "rule-place", "%s", stop->answer.place);
	if (stop->answer.rule[0])
		evidence_add(evidence, "rule", "%s", stop->answer.rule);
	finding_set(failure, CAUSE_LOCAL_FIREWALL, failure->stage, confidence);
}

/* What hangs on a rule that cannot be worked out names that rule. */
static void note_unknown(
	struct evidence *evidence, const char *words, const struct firewall_answer *answer)
{
	evidence_add(evidence, "own-firewall", "%s: %s", words, answer->reason);
	if (answer->place[0])
		evidence_add(evidence, "undetermined-rule", "%s%s%s", answer->place,
			answer->rule[0] ? ": " : "", answer->rule);
}

/* The rules alone do not tell, but the kernel said that it was this machine. */
static void blame_by_sign(struct walker *walker, struct stop *stop)
{
	bool rejected = walker->held_back == HELD_REJECTED;
	struct evidence *evidence = &walker->walk->failure.evidence;
	evidence_add(evidence, "sign", "%s",
		rejected ? "the ICMP error came from this machine's own address"
				 : "the system could not send the packet, and it has a route");
	if (stop->answer.without_rights)
		evidence_add(evidence, "root-note", "; run the check as root to have the rule named");
	if (stop->answer.verdict == FIREWALL_UNKNOWN)
		note_unknown(evidence, "the rule is not known", &stop->answer);
	else
		evidence_add(evidence, "own-firewall",
			"nftables and iptables let it pass: look at tc filters and BPF programs (systemd: "
			"IPAddressDeny=)");
	stop->answer.place[0] = stop->answer.rule[0] = '\0';
	stop->of_answer = false;
	blame(walker, stop, rejected ? "rejects" : "drops", CONFIDENCE_LIKELY);
}

void experiment_firewall(struct walker *walker)
{
	struct finding *failure = &walker->walk->failure;
	struct stop stop;
	if (failure->stage == STAGE_RESOLVE)
		follow_dns(walker, &stop);
	else
		follow(walker, IPPROTO_TCP, walker->address, walker->next_port, &stop);
	if (cancel_fired(walker->options->cancel)) {
		walker->walk->cancelled = true;
	} else if (stops(&stop.answer)) {
		blame(walker, &stop, firewall_verdict_text(stop.answer.verdict),
			stop.answer.assumed ? CONFIDENCE_LIKELY : CONFIDENCE_CERTAIN);
	} else if (walker->held_back != HELD_NOT) {
		blame_by_sign(walker, &stop);
	} else if (stop.answer.verdict == FIREWALL_UNKNOWN && stop.answer.reason[0]) {
		note_unknown(&failure->evidence, "not excluded", &stop.answer);
		failure->confidence = CONFIDENCE_LIKELY;
	} else {
		evidence_add(&failure->evidence, "own-firewall", "lets it pass");
	}
}
