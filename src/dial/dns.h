/*
 * One DNS question to one server, and what became of it. Private to dial/.
 *
 * The system's resolver folds everything that can go wrong into a few codes; here every rcode of
 * RFC 1035 section 4.1.1 and every way of getting none stays apart. dns_ask() goes over UDP, sends
 * again when nothing comes, and goes over TCP when the answer says that it was cut (RFC 7766). It
 * is IPv4 both in the servers that it asks and in what it takes from an answer.
 */
#ifndef DIAL_DNS_H
#define DIAL_DNS_H

#include "diagnosis/finding.h"
#include "os/wait.h"

#include <netinet/in.h>

#define DNS_MAX_ADDRESSES 8

enum dns_type {
	DNS_A = 1,
	DNS_AAAA = 28,
};

struct dns_question {
	struct in_addr server;
	uint16_t port; /* 0: 53 */
	const char *name;
	enum dns_type type;
	bool checking_disabled; /* CD (RFC 4035 section 3.2.2): answer even what does not verify */
};

enum dns_outcome {
	DNS_FOUND,       /* rcode 0 with at least one address of the type */
	DNS_NO_DATA,     /* rcode 0 without */
	DNS_NXDOMAIN,    /* rcode 3 */
	DNS_SERVFAIL,    /* rcode 2 */
	DNS_REFUSED,     /* rcode 5 */
	DNS_OTHER_RCODE, /* any other */
	DNS_GARBLED,     /* an answer that does not parse */
	DNS_TRUNCATED,   /* TC over UDP; dns_ask() turns it into another */
	DNS_TCP_BLOCKED, /* TC over UDP, and nothing over TCP */
	DNS_NO_LISTENER, /* ICMP port unreachable, from the server itself */
	DNS_UNREACHABLE, /* another ICMP message, or this machine's own refusal to send */
	DNS_NO_ROUTE,    /* no way to the server's address */
	DNS_SILENT,      /* nothing came */
	DNS_BAD_NAME,    /* no question can be made of the name */
	DNS_OUTCOME_COUNT,
};

struct dns_answer {
	enum dns_outcome outcome;
	int rcode;          /* -1: there was no answer */
	int error;          /* errno of DNS_UNREACHABLE and DNS_NO_ROUTE, else 0 */
	struct in_addr hop; /* who sent the ICMP message, 0.0.0.0 when unknown */
	struct in_addr addresses[DNS_MAX_ADDRESSES]; /* of DNS_A */
	size_t count;
	double ms;
};

/* What an outcome means for the walk. */
struct dns_meaning {
	const char *words; /* "SERVFAIL", "no answer" */
	enum cause cause;
	enum confidence confidence;
	bool final; /* no other server is asked: it speaks for the name, not for the server */
	int rank;   /* of several servers' failures the one with the lowest rank is told */
};

const struct dns_meaning *dns_meaning(enum dns_outcome outcome);
/* "NOERROR", "SERVFAIL", "RCODE 9"; static or in text, which is returned. */
const char *dns_rcode_text(int rcode, char text[16]);

/* Takes an answer apart: outcome, rcode, addresses. Of a foreign reply nothing else is used. */
void dns_classify(
	const unsigned char *reply, size_t len, enum dns_type type, struct dns_answer *answer);

/* WAIT_READY with *answer filled (silence until the deadline is an answer too), or WAIT_CANCELLED.
 * TCP has a few seconds of its own past the deadline of `udp`, never past that of `all`. */
enum wait_result dns_ask(const struct dns_question *question, struct deadline udp,
	struct deadline all, const struct cancel *cancel, struct dns_answer *answer);

/* An address to which no connection can lead: 0/8, 127/8, multicast and beyond, broadcast. */
bool dns_leads_nowhere(struct in_addr address);

#endif
