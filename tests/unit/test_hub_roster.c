/* Presence: who is online, since when and why not; and a store that does not take it (S1, R25). */
#include "hub/roster.h"
#include "lib/store_fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define NOW 1700000000

static struct store_fake *fake;
static struct roster *roster;
static int64_t woken_ms;
static int changes;
static struct err err;

static void on_wake(void *data, int64_t after_ms)
{
	(void)data;
	woken_ms = after_ms;
}

static void on_changed(void *data, const char *id)
{
	(void)data;
	(void)id;
	changes++;
}

static int set_up(void **state)
{
	static const struct roster_hooks hooks = {on_wake, on_changed, NULL};
	(void)state;
	fake = store_fake_new();
	roster = roster_new(&fake->store, &hooks);
	woken_ms = -1;
	changes = 0;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	roster_free(roster);
	fake->store.driver->close(&fake->store);
	return 0;
}

static struct fake_server *server(unsigned number)
{
	unsigned char key[IDENTITY_KEY_BYTES] = {0};
	memcpy(key, &number, sizeof number);
	return store_fake_add(fake, key);
}

/* The roster never looks into a session. */
static struct session *session(int number)
{
	static char sessions[100];
	return (struct session *)&sessions[number];
}

static struct member *join(struct fake_server *who, int number, int64_t now_ms)
{
	struct session *replaced = NULL;
	struct member *member = roster_join(roster, who->id, session(number), NOW, now_ms, &replaced);
	assert_null(replaced);
	return member;
}

static void comes_and_goes(void **state)
{
	struct fake_server *who = server(1);
	(void)state;
	struct member *member = join(who, 1, 1000);
	assert_int_equal(woken_ms, ROSTER_FLUSH_MS);
	assert_int_equal(roster_online(roster), 1);
	assert_int_equal(roster_flush(roster, NOW, &err), STORE_OK);
	assert_true(who->online);
	assert_int_equal(changes, 1);
	roster_leave(roster, member, session(1), CAUSE_PEER_RESET, "It was reset.", NOW + 9);
	assert_int_equal(roster_online(roster), 0);
	assert_null(roster_session(roster, who->id));
	assert_int_equal(roster_flush(roster, NOW + 9, &err), STORE_OK);
	assert_false(who->online);
	assert_string_equal(who->cause, "peer-reset");
	assert_int_equal(who->since, NOW + 9);
	assert_int_equal(fake->commits, 2);
	assert_int_equal(roster_flush(roster, NOW + 10, &err), STORE_OK);
	assert_int_equal(fake->commits, 2);
}

static void newer_session_replaces_the_older(void **state)
{
	struct fake_server *who = server(1);
	struct session *replaced = NULL;
	(void)state;
	struct member *member = join(who, 1, 1000);
	assert_ptr_equal(roster_join(roster, who->id, session(2), NOW + 1, 2000, &replaced), member);
	assert_ptr_equal(replaced, session(1));
	roster_leave(roster, member, session(1), CAUSE_PEER_CLOSED, "gone", NOW + 2);
	assert_int_equal(roster_online(roster), 1);
	assert_ptr_equal(roster_session(roster, who->id), session(2));
	roster_flush(roster, NOW + 2, &err);
	assert_true(who->online);
	assert_int_equal(who->since, NOW); /* it was never away */
}

static void the_longest_silent_is_found(void **state)
{
	struct fake_server *one = server(1), *two = server(2);
	(void)state;
	struct member *first = join(one, 1, 1000);
	join(two, 2, 2000);
	assert_null(roster_overdue(roster, 1000));
	assert_ptr_equal(roster_overdue(roster, 1001), session(1));
	roster_heard(roster, first, NOW + 2, 3000);
	assert_null(roster_overdue(roster, 2000));
	assert_ptr_equal(roster_overdue(roster, 2500), session(2));
}

static void heartbeats_are_written_once_a_minute(void **state)
{
	struct fake_server *who = server(1);
	(void)state;
	struct member *member = join(who, 1, 1000);
	roster_flush(roster, NOW, &err);
	woken_ms = -1;
	roster_heard(roster, member, NOW + ROSTER_SEEN_S - 1, 5000);
	assert_int_equal(woken_ms, -1);
	roster_heard(roster, member, NOW + ROSTER_SEEN_S, 6000);
	assert_int_equal(woken_ms, ROSTER_SEEN_MS);
	changes = 0;
	roster_flush(roster, NOW + ROSTER_SEEN_S, &err);
	assert_int_equal(who->last_seen, NOW + ROSTER_SEEN_S);
	assert_true(who->online);
	assert_int_equal(changes, 0);
}

static void full_disk_costs_no_presence(void **state)
{
	struct fake_server *who = server(1);
	struct store_server row = {.cause = xstrdup(""), .reason = xstrdup("")};
	(void)state;
	struct member *member = join(who, 1, 1000);
	fake->fail_with = STORE_FULL;
	assert_int_equal(roster_flush(roster, NOW, &err), STORE_FULL);
	roster_note(roster, member, ROSTER_PATH, xstrdup("{}"));
	roster_leave(roster, member, session(1), CAUSE_KEEPALIVE_LOST, "silent", NOW + 1);
	assert_int_equal(roster_flush(roster, NOW + 1, &err), STORE_FULL);
	assert_int_equal(changes, 0);
	memcpy(row.id, who->id, sizeof row.id);
	roster_overlay(roster, &row);
	assert_string_equal(row.cause, "keepalive-lost");
	fake->fail_with = STORE_OK;
	assert_int_equal(roster_flush(roster, NOW + 2, &err), STORE_OK);
	assert_false(who->online);
	assert_string_equal(who->cause, "keepalive-lost");
	assert_string_equal(who->path, "{}");
	store_server_free(&row);
}

static void what_a_machine_tells_is_gathered(void **state)
{
	struct fake_server *who = server(1);
	(void)state;
	struct member *member = join(who, 1, 1000);
	roster_note(roster, member, ROSTER_INVENTORY, xstrdup("{\"a\":1}"));
	roster_note(roster, member, ROSTER_INVENTORY, xstrdup("{\"a\":2}"));
	roster_note(roster, member, ROSTER_PATH, xstrdup("{\"p\":1}"));
	roster_flush(roster, NOW, &err);
	assert_int_equal(fake->commits, 1);
	assert_string_equal(who->inventory, "{\"a\":2}");
	assert_string_equal(who->path, "{\"p\":1}");
}

static void nothing_is_written_of_the_forgotten(void **state)
{
	struct fake_server *one = server(1), *two = server(2);
	(void)state;
	join(one, 1, 1000);
	join(two, 2, 1000);
	roster_forget(roster, one->id);
	assert_int_equal(roster_online(roster), 1);
	assert_null(roster_overdue(roster, 1000));
	roster_flush(roster, NOW, &err);
	assert_false(one->online);
	assert_true(two->online);
	roster_forget(roster, "unknown");
}

static void count(void *data, struct session *which)
{
	(void)which;
	++*(int *)data;
}

static void many_members(void **state)
{
	struct member *members[FAKE_MAX_SERVERS];
	int seen = 0;
	(void)state;
	for (int i = 0; i < FAKE_MAX_SERVERS; i++)
		members[i] = join(server((unsigned)i + 1), i, 1000 + i);
	/* More than the first table holds. */
	struct session *replaced;
	char id[IDENTITY_ID_SIZE];
	for (int i = 0; i < 500; i++) {
		snprintf(id, sizeof id, "%032d", i);
		roster_join(roster, id, session(1), NOW, 9000, &replaced);
	}
	roster_each(roster, count, &seen);
	assert_int_equal(seen, FAKE_MAX_SERVERS + 500);
	for (int i = 0; i < FAKE_MAX_SERVERS; i++)
		assert_ptr_equal(roster_session(roster, fake->servers[i].id), session(i));
	roster_leave(roster, members[0], session(0), CAUSE_PEER_CLOSED, "", NOW);
	/* A flush writes a part, and asks for the next. */
	woken_ms = -1;
	assert_int_equal(roster_flush(roster, NOW, &err), STORE_OK);
	assert_int_equal(changes, ROSTER_FLUSH_ROWS);
	assert_int_equal(woken_ms, ROSTER_MORE_MS);
	assert_false(roster_is_flushed(roster));
	while (!roster_is_flushed(roster))
		assert_int_equal(roster_flush(roster, NOW, &err), STORE_OK);
	assert_int_equal(changes, FAKE_MAX_SERVERS + 500);
	assert_int_equal(roster_online(roster), FAKE_MAX_SERVERS + 499);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(comes_and_goes),
		TEST(newer_session_replaces_the_older),
		TEST(the_longest_silent_is_found),
		TEST(heartbeats_are_written_once_a_minute),
		TEST(full_disk_costs_no_presence),
		TEST(what_a_machine_tells_is_gathered),
		TEST(nothing_is_written_of_the_forgotten),
		TEST(many_members),
	};
	return cmocka_run_group_tests_name("hub_roster", tests, NULL, NULL);
}
