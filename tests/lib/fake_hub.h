/*
 * A hub for the tests of the agent's end: TLS, the WebSocket session and the discovery document
 * with their proofs, and a knob for each thing that can be wrong with it.
 */
#ifndef LIB_FAKE_HUB_H
#define LIB_FAKE_HUB_H

#include "lib/server.h"
#include "wire/identity.h"
#include "wire/messages.h"

#include <stdbool.h>

enum hub_upgrade {
	HUB_UPGRADES,
	HUB_REFUSES, /* with `refusal`, a whole HTTP answer */
	HUB_SILENT,  /* the request is never answered */
	HUB_CLOSES,
	HUB_DEAF, /* 101, and then nothing */
};

struct fake_hub {
	struct server server;
	struct identity identity;
	struct cert leaf; /* owned by whoever made it */

	enum hub_upgrade upgrade;
	const char *refusal;
	const char *page;       /* answers plain requests instead of the document; NULL: the document */
	bool wrong_proof;       /* signs another binding */
	int version;            /* in hello_result; 0: the right one */
	enum refusal at_hello;  /* refuses hello, or ... */
	enum refusal at_enter;  /* enrol and resume */
	const char *raw;        /* sent as it is in answer to hello */
	int notifications;      /* before the answer to hello */
	int time_days;          /* its clock, relative to this machine's */
	const char *private_ca; /* NULL: none */

	/* What it saw. */
	char method[16]; /* of the last request, "" for none */
	bool agent_proof_fits;
	bool check_only;
	unsigned char secret[16];
	size_t sessions, plain_requests;
	char host[300]; /* Host header of the last request */
};

/* The rest of the struct is set before; `leaf` too. */
void fake_hub_start(struct fake_hub *hub);
void fake_hub_stop(struct fake_hub *hub);

#endif
