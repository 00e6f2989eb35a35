/*
 * What a connector is to do: the params of install.start, read. Private to connector/.
 *
 * A plan comes from the hub and is bounded and judged like everything that does: what it names goes
 * into scripts on the targets (quoted), into paths of files that are opened for reading, and into
 * addresses.
 */
#ifndef CONNECTOR_PLAN_H
#define CONNECTOR_PLAN_H

#include "base/err.h"
#include "wire/host_list.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define PLAN_MAX_ID       32 /* bytes */
#define PLAN_MAX_KEYS     8  /* known keys of one host */
#define PLAN_MAX_KEY      64 /* bytes of a fingerprint */
#define PLAN_MAX_PORTABLE 8
#define PLAN_MAX_URL      512
#define PLAN_MAX_LOCATION 64

struct plan_target {
	char id[PLAN_MAX_ID + 1];
	char host[HOST_LIST_MAX_HOST + 1];
	uint16_t port;
	char user[HOST_LIST_MAX_USER + 1];          /* "": as the login says */
	bool from_range;                            /* that it does not answer is no failure */
	char keys[PLAN_MAX_KEYS][PLAN_MAX_KEY + 1]; /* fingerprints that somebody confirmed */
	size_t key_count;
};

/* The agent for one architecture. */
struct plan_portable {
	char arch[32];      /* as uname -m says it */
	json_t *row;        /* owned; as the plan has it */
	char sha256[65];    /* of the file, hexadecimal; "": there is none */
	int64_t size;       /* bytes */
	const char *reason; /* of the row, why there is none; may be NULL */
};

struct plan {
	char install[PLAN_MAX_ID + 1];
	bool remove; /* take the agent off */
	char hub_url[PLAN_MAX_URL + 1];
	bool dhcp_only;                       /* the location demands addresses by DHCP (row R2) */
	char location[PLAN_MAX_LOCATION + 1]; /* "": none */
	size_t parallel;
	int comeback_s; /* how long a host that went away in the middle is waited for */
	int grace_s;    /* how long the host keeps what it has for a connector that went away */
	struct plan_target *targets; /* owned */
	size_t target_count;
	struct plan_portable portable[PLAN_MAX_PORTABLE];
	size_t portable_count;
};

int plan_read(const json_t *params, struct plan *plan, struct err *err);
/* NULL when the plan has no row for it. */
const struct plan_portable *plan_portable(const struct plan *plan, const char *arch);
void plan_free(struct plan *plan);

#endif
