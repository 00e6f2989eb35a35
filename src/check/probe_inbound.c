/*
 * Inbound ports (rows R10, R12 to R16): does something listen, and does this machine's firewall let
 * it be reached.
 *
 * Who listens is for everyone to see; the firewall's rules only for root. Where nothing listens the
 * rules make no difference, so there root and an ordinary user give the same answer. A rule that
 * decides by the sender is looked at once more for a sender that no rule names, and for one of this
 * machine's own network; what remains is unknown, for only somebody outside can tell. Once the
 * agent is installed, a port that only auto-install needs may be closed (row R14).
 */
#include "check/probe.h"
#include "os/firewall.h"
#include "os/listeners.h"

#include <arpa/inet.h>
#include <string.h>

#define MANUAL_INSTALL                                                                             \
	", or install the agent by hand instead: `sallyport join` needs no inbound port"
#define CLOSED_AGAIN "; once the agent is installed it may be closed again"
#define NOT_NEEDED   "the agent is installed already, so the port may be closed"
#define MAYBE_JOINED                                                                               \
	"nothing can reach it; that is no fault once the agent is installed, which only root can see"

struct look {
	const struct probe_question *question;
	const struct profile_inbound *inbound;
	struct probe_answer *answer;
	uint8_t protocol;
	const struct listener *reachable, *loopback, *ipv6; /* the first of each kind; NULL: none */
};

static bool is_for_install(const struct look *look)
{
	return look->inbound->when == PROFILE_AUTO_INSTALL;
}

static void sort_listeners(struct look *look, const struct listener *listeners, size_t count)
{
	for (size_t i = count; i-- > 0;) {
		const struct listener *listener = &listeners[i];
		if (listener->protocol != look->protocol || listener->port != look->inbound->port)
			continue;
		if (listener->loopback)
			look->loopback = listener;
		else if (listener->ipv4)
			look->reachable = listener;
		else
			look->ipv6 = listener;
	}
}

static void tell_port(struct look *look)
{
	struct evidence *evidence = &look->answer->evidence;
	evidence_add(evidence, "port", "%u", look->inbound->port);
	evidence_add(evidence, "protocol", "%s", look->protocol == IPPROTO_UDP ? "UDP" : "TCP");
	if (look->inbound->service)
		evidence_add(evidence, "service-note", " (%s)", look->inbound->service);
}

static void tell_listener(struct look *look, const struct listener *listener)
{
	struct evidence *evidence = &look->answer->evidence;
	struct listener_owner owner;
	listener_find_owner(listener, &owner);
	evidence_add(evidence, "listens-on", "%s", listener->address);
	if (owner.pid)
		evidence_add(evidence, "listener", "%s (process %ld)", owner.name, (long)owner.pid);
}

/* The warning, unless nothing has to reach the port any more. */
static struct finding *blame(struct look *look, enum cause cause, enum confidence confidence)
{
	if (is_for_install(look) && look->question->options->joined == CHECK_JOINED) {
		probe_pass(look->answer, NOT_NEEDED);
		return NULL;
	}
	if (is_for_install(look) && look->question->options->joined == CHECK_JOINED_UNKNOWN) {
		probe_unknown(look->answer, MAYBE_JOINED);
		return NULL;
	}
	return probe_blame(look->answer, cause, confidence);
}

static void closed(struct look *look)
{
	const struct listener *other = look->loopback ? look->loopback : look->ipv6;
	if (other)
		tell_listener(look, other);
	struct finding *finding = blame(look, CAUSE_INBOUND_CLOSED, CONFIDENCE_CERTAIN);
	if (!finding)
		return;
	if (is_for_install(look))
		evidence_add(&finding->evidence, "instead-note", MANUAL_INSTALL);
	if (!other && look->inbound->service)
		evidence_add(&finding->evidence, "listen-remedy-note",
			"Install and start the program that listens there for %s", look->inbound->service);
	if (!other)
		return;
	evidence_add(&finding->evidence, "listen-note", ", except on %s, which %s", other->address,
		look->loopback ? "only this machine itself can reach" : "is for IPv6 alone");
	evidence_add(&finding->evidence, "listen-remedy-note",
		"Let %s listen on this machine's IPv4 addresses too",
		evidence_get(&finding->evidence, "listener") ? evidence_get(&finding->evidence, "listener")
													 : "the program");
}

/* --- the firewall ------------------------------------------------------------------------- */

static void ask(
	const struct look *look, const struct firewall_packet *packet, struct firewall_answer *answer)
{
	firewall_ask(packet, look->question->deadline, look->question->options->cancel, answer);
}

static void filtered(struct look *look, const struct firewall_answer *firewall)
{
	struct finding *finding = blame(
		look, CAUSE_INBOUND_FILTERED, firewall->assumed ? CONFIDENCE_LIKELY : CONFIDENCE_CERTAIN);
	if (!finding)
		return;
	evidence_add(&finding->evidence, "verdict", "%s", firewall_verdict_text(firewall->verdict));
	evidence_add(&finding->evidence, "rule-place", "%s", firewall->place);
	if (firewall->rule[0])
		evidence_add(&finding->evidence, "rule", "%s", firewall->rule);
	if (is_for_install(look))
		evidence_add(&finding->evidence, "after-note", CLOSED_AGAIN);
}

/* It hangs on who sends: most are let in, or those of this network are, or nobody here can tell. */
static void by_sender(
	struct look *look, struct firewall_packet packet, const struct firewall_answer *first)
{
	struct firewall_answer answer;
	struct evidence *evidence = &look->answer->evidence;
	evidence_add(evidence, "rule-place", "%s", first->place);
	if (first->rule[0])
		evidence_add(evidence, "rule", "%s", first->rule);
	packet.sender = FIREWALL_SENDER_UNLISTED;
	ask(look, &packet, &answer);
	if (answer.verdict == FIREWALL_ACCEPTS) {
		probe_pass(look->answer, "the firewall keeps some senders out, by their address");
		return;
	}
	/* The last bit makes a neighbour of any address. */
	packet.sender = FIREWALL_SENDER_KNOWN;
	packet.from.s_addr = packet.to.s_addr ^ htonl(1);
	ask(look, &packet, &answer);
	if (answer.verdict == FIREWALL_ACCEPTS)
		probe_pass(look->answer,
			"the firewall lets some senders in, by their address: this network is "
			"among them");
	else
		probe_unknown(look->answer,
			"something listens, and the firewall lets only some senders in, by their address (%s)",
			first->place);
}

static void unknown(struct look *look, const struct firewall_answer *answer)
{
	if (answer->place[0])
		evidence_add(&look->answer->evidence, "undetermined-rule", "%s%s%s", answer->place,
			answer->rule[0] ? ": " : "", answer->rule);
	probe_unknown(look->answer,
		"something listens; whether this machine's firewall lets it be reached is not known: %s",
		answer->reason);
}

static void ask_firewall(struct look *look)
{
	struct firewall_packet packet;
	struct firewall_answer answer;
	if (firewall_packet_in(look->protocol, look->inbound->port, &packet)) {
		probe_unknown(look->answer,
			"something listens, but no interface has an IPv4 address that it could be reached at");
		return;
	}
	ask(look, &packet, &answer);
	if (answer.verdict == FIREWALL_ACCEPTS)
		probe_pass(look->answer,
			answer.assumed ? "as long as no rate that the firewall allows is exceeded" : NULL);
	else if (answer.verdict != FIREWALL_UNKNOWN)
		filtered(look, &answer);
	else if (answer.by_sender)
		by_sender(look, packet, &answer);
	else
		unknown(look, &answer);
}

void probe_inbound(const struct probe_question *question, struct probe_answer *answer)
{
	const struct profile_inbound *inbound = question->requirement->inbound;
	struct look look = {
		.question = question,
		.inbound = inbound,
		.answer = answer,
		.protocol = inbound->protocol == PROFILE_OVER_UDP ? IPPROTO_UDP : IPPROTO_TCP,
	};
	struct err err;
	size_t count;
	struct listener *listeners = listeners_read(&count, &err);
	if (!listeners) {
		probe_unknown(answer, "who listens here cannot be read: %s", err.text);
		return;
	}
	sort_listeners(&look, listeners, count);
	tell_port(&look);
	if (look.reachable) {
		tell_listener(&look, look.reachable);
		ask_firewall(&look);
	} else {
		closed(&look);
	}
	free(listeners);
}
