/*
 * The hub's installs for one test: the real store in memory, and machines that are played: two
 * connectors of a location, one of another, what targets become, and one that is nowhere yet. What
 * the hub sends is gathered.
 *
 * The machines are a fake because real ones can neither say what they may not nor be away at will.
 *
 * installs_bench_open(), installs_bench_ask(), then what the test wants of `installs`, and
 * installs_bench_flush(). There is one store at a time, see memory_store.h.
 */
#ifndef LIB_INSTALLS_BENCH_H
#define LIB_INSTALLS_BENCH_H

#include "hub/installs/installs.h"
#include "lib/memory_store.h"

#define NOW         1700000000
#define PLACE       "Bern"
#define BOX         "c2VhbGVkLWJveA"
#define MAX_SENT    64
#define MAX_TARGETS 8

enum { FIRST, SECOND, STRANGER, TARGET, LOOSE, MACHINES };

struct installs_bench {
	struct memory_store *memory; /* owned */
	struct installs *installs;   /* owned */
	struct {
		uint64_t session, instance; /* session 0: it is offline */
		char id[IDENTITY_ID_SIZE];
	} machines[MACHINES];
	struct {
		int machine;
		int64_t id;
		char method[24];
		json_t *params; /* owned */
	} sent[MAX_SENT];
	size_t sent_count, confirmed, events, tokens;
	int64_t last_id; /* of a request */
	char install[STORE_INSTALL_ID_SIZE];
	int64_t first_target, port, now_ms;
};

void installs_bench_open(struct installs_bench *bench);
void installs_bench_close(struct installs_bench *bench);
/* The hub begins anew over what the store has, as after kill -9. */
void installs_bench_restart(struct installs_bench *bench);
/* What was sent and confirmed until now counts no more. */
void installs_bench_forget_sent(struct installs_bench *bench);
/* An install on `count` hosts, 10.0.0.1 and so on, the second of a range; with boxes for the
 * connectors named by bits. */
enum installs_said installs_bench_ask(
	struct installs_bench *bench, size_t count, unsigned boxes, const char *action);
/* A second later; the store has to take it. */
void installs_bench_flush(struct installs_bench *bench);

#endif
