/*
 * The ICMP message behind a socket's error: who sent it, and what it said.
 *
 * A refused or filtered packet comes back as an errno; the router or firewall that sent the message
 * names itself only in the socket's error queue. icmp_watch() before the first packet, icmp_read()
 * after an error. What is no "destination unreachable" is passed over.
 */
#ifndef OS_ICMP_H
#define OS_ICMP_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

struct icmp_notice {
	struct in_addr from; /* zero when the system does not tell */
	uint8_t code;        /* RFC 792 and RFC 1812, of destination unreachable */
};

void icmp_watch(int fd, bool on);
/* Empties the queue, which would keep poll(2) awake. True when a message was there; the last one is
 * in *notice, which is left alone otherwise. */
bool icmp_read(int fd, struct icmp_notice *notice);
/* "communication administratively prohibited" */
const char *icmp_text(uint8_t code);

#endif
