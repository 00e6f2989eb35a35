/*
 * One TCP connection that libcurl sets up, and its walk through a proxy. Private to dial/.
 *
 * transfer_start() begins to connect to one address; transfer_connected() waits until TCP stands,
 * and says with which errno it does not; transfer_tunnel() goes on through the proxy with CONNECT.
 * libcurl never resolves a name, never looks at the environment and never closes the socket: the
 * descriptor is the transfer's, so that it can be asked (TCP_INFO, the ICMP error queue) after
 * libcurl has given up. transfer_finish() turns it into a connection.
 */
#ifndef DIAL_TRANSFER_H
#define DIAL_TRANSFER_H

#include "base/buf.h"
#include "dial/stage.h"

#define ANSWER_MAX_SCHEMES 300  /* bytes of "NTLM, Negotiate" */
#define ANSWER_MAX_BODY    4096 /* bytes of a refusal's page that are looked at */

/* What the proxy said to CONNECT, bounded; NULL or 0 where it said nothing. */
struct proxy_answer {
	int status;         /* 0 before a status line of HTTP */
	char *status_line;  /* "HTTP/1.1 407 Proxy Authentication Required" */
	struct buf schemes; /* every Proxy-Authenticate scheme once, "NTLM, Basic" */
	bool offers_basic;
	char *server, *via, *location;
	char *error; /* X-Squid-Error and its like */
	struct buf body;
	struct buf not_http; /* the first bytes, when they are no HTTP */
	bool complete;       /* the empty line after the headers was seen */
};

struct transfer {
	void *multi, *easy; /* libcurl's; owned */
	struct curl_slist *addresses;
	int fd;         /* owned, -1 before; libcurl has a copy of its own */
	int mss;        /* of a second try: most bytes of a segment; 0: the system's */
	int open_error; /* errno of opening it */
	bool tls;       /* the proxy speaks TLS itself */
	bool sniffed;   /* the first bytes of an answer were looked at, and promised well */
	int done;       /* libcurl's result, CURL_LAST until it has one */
	struct proxy_answer answer;
	char error[256]; /* libcurl's own words; CURL_ERROR_SIZE */
};

enum transfer_result {
	TRANSFER_OK,
	TRANSFER_REFUSED,   /* an answer is there, and it is no 2xx, or no HTTP */
	TRANSFER_CLOSED,    /* the connection ended without a whole answer */
	TRANSFER_UNTRUSTED, /* the certificate of an https:// proxy */
	TRANSFER_NO_TLS,    /* the TLS handshake with an https:// proxy failed otherwise */
	TRANSFER_TIMEOUT,
	TRANSFER_CANCELLED,
};

/* To the endpoint, or with walker->via_proxy to the proxy. *error is 0, or the errno with which it
 * failed at once. Never NULL. */
struct transfer *transfer_start(const struct walker *walker, struct in_addr address, int *error);
/* WAIT_READY when TCP stands; WAIT_ERROR with the errno in *error. */
enum wait_result transfer_connected(
	struct transfer *transfer, struct deadline deadline, const struct cancel *cancel, int *error);
/* TRANSFER_OK leaves the socket at the first byte of the tunnel. */
enum transfer_result transfer_tunnel(
	struct transfer *transfer, struct deadline deadline, const struct cancel *cancel);
/* The answer's first ANSWER_MAX_BODY bytes of body, as far as they come soon. */
void transfer_peek_body(
	struct transfer *transfer, struct deadline deadline, const struct cancel *cancel);
/* Turns walker->transfer into walk->conn: the socket and the proxy's TLS; frees the rest. */
void transfer_finish(struct walker *walker);
void transfer_free(struct transfer *transfer); /* NULL is allowed */

/* answer.c: what the answer means. `sent` says that credentials went along, `by_name` that the
 * proxy had to resolve the endpoint's name. */
enum cause answer_cause(
	const struct proxy_answer *answer, bool sent, bool by_name, enum confidence *confidence);
/* Takes one header line, CR LF included; -1 when the first line is not HTTP's. */
int answer_line(struct proxy_answer *answer, const char *line, size_t len);
/* Adds everything of it that identifies the proxy or tells its reasons. */
void answer_evidence(const struct proxy_answer *answer, struct evidence *evidence);
void answer_free(struct proxy_answer *answer);

#endif
