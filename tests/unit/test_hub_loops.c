/*
 * What the hub's threads rest on: letters between them, the pace at which machines are let in, and
 * who goes ahead at the gate.
 */
#include "base/mem.h"
#include "hub/net/admission.h"
#include "hub/net/client_hello.h"
#include "hub/net/mailbox.h"
#include "hub/net/thread.h"

#include <openssl/ssl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

/* --- letters ---------------------------------------------------------------------------------- */

#define SENDERS 4
#define LETTERS 5000
#define SLICE   16

struct numbered {
	struct letter letter;
	struct post *post;
	int sender, number;
	enum mailbox_lane lane;
};

static struct post {
	uv_loop_t loop;
	struct mailbox mailbox;
	int opened, last[SENDERS][LANE_COUNT];

	bool disorder;
} post;

static void on_numbered(struct letter *letter)
{
	struct numbered *numbered = (struct numbered *)letter;
	int *last = &post.last[numbered->sender][numbered->lane];
	post.disorder |= numbered->number <= *last;
	*last = numbered->number;
	if (++post.opened == SENDERS * LETTERS)
		uv_stop(&post.loop);
	free(numbered);
}

static void post_one(int sender, int number, enum mailbox_lane lane)
{
	struct numbered *numbered = xcalloc(1, sizeof *numbered);
	numbered->letter.open = on_numbered;
	numbered->sender = sender;
	numbered->number = number;
	numbered->lane = lane;
	mailbox_post(&post.mailbox, lane, &numbered->letter);
}

static void *sender_run(void *data)
{
	const int *sender = data;
	for (int i = 1; i <= LETTERS; i++)
		post_one(*sender, i, i % 3 ? LANE_PROMPT : LANE_PATIENT);
	return NULL;
}

static int open_post(void **state)
{
	(void)state;
	memset(&post, 0, sizeof post);
	uv_loop_init(&post.loop);
	mailbox_open(&post.mailbox, &post.loop, SLICE);
	return 0;
}

static int close_post(void **state)
{
	(void)state;
	mailbox_drain(&post.mailbox);
	mailbox_close(&post.mailbox);
	uv_run(&post.loop, UV_RUN_DEFAULT);
	return uv_loop_close(&post.loop);
}

/* Nothing is lost, and each sender's letters of a lane come in its order. */
static void letters_come_in_order(void **state)
{
	pthread_t threads[SENDERS];
	int numbers[SENDERS];
	(void)state;
	for (int i = 0; i < SENDERS; i++) {
		numbers[i] = i;
		assert_int_equal(thread_start(&threads[i], "sender", sender_run, &numbers[i]), 0);
	}
	uv_run(&post.loop, UV_RUN_DEFAULT);
	for (int i = 0; i < SENDERS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(post.opened, SENDERS * LETTERS);
	assert_int_equal(post.mailbox.opened, SENDERS * LETTERS);
	assert_false(post.disorder);
	assert_int_equal(mailbox_wait_us(&post.mailbox, INT64_MAX), 0);
}

/* A crowd in the patient lane costs the prompt one a slice and no more. */
static void prompt_letters_go_ahead(void **state)
{
	(void)state;
	for (int i = 1; i <= 10 * SLICE; i++)
		post_one(0, i, LANE_PATIENT);
	assert_true(mailbox_wait_us(&post.mailbox, INT64_MAX) > 0);
	uv_run(&post.loop, UV_RUN_ONCE);
	assert_int_equal(post.opened, SLICE);
	post_one(0, 1, LANE_PROMPT);
	uv_run(&post.loop, UV_RUN_ONCE);
	assert_int_equal(post.last[0][LANE_PROMPT], 1);
	assert_int_equal(post.last[0][LANE_PATIENT], 2 * SLICE);
	mailbox_drain(&post.mailbox);
	assert_int_equal(post.last[0][LANE_PATIENT], 10 * SLICE);
}

/* --- the pace --------------------------------------------------------------------------------- */

static void pace_follows_the_narrowest_place(void **state)
{
	/* 100 machines; 80 % of the time is theirs. */
	static const struct {
		struct admission_sample sample;
		int64_t pace;
	} rows[] = {
		{{.passed_us = 1,
			 .loops_us = 160000,
			 .core_us = 1000,
			 .count = 100,
			 .loops = 2,
			 .cores = 4},
			1000},
		{{.passed_us = 1,
			 .loops_us = 160000,
			 .core_us = 40000,
			 .count = 100,
			 .loops = 2,
			 .cores = 2},
			1250},
		{{.passed_us = 1,
			 .loops_us = 160000,
			 .core_us = 160000,
			 .count = 100,
			 .loops = 4,
			 .cores = 8},
			2000},
		{{.passed_us = 1,
			 .loops_us = 160000,
			 .core_us = 40000,
			 .count = 100,
			 .loops = 4,
			 .cores = 1},
			2500},
		{{.passed_us = 1, .loops_us = 1, .core_us = 1, .count = 100, .loops = 1, .cores = 1}, 50},
		{{.passed_us = 1,
			 .loops_us = INT64_MAX / 200,
			 .core_us = 1,
			 .count = 100,
			 .loops = 1,
			 .cores = 1},
			1000000},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct admission admission;
		admission_init(&admission);
		for (int n = 0; n < 100; n++)
			admission_measured(&admission, &rows[i].sample);
		assert_in_range(admission.pace_us, rows[i].pace - 5, rows[i].pace + 5);
		assert_in_range(admission_spread_ms(&admission, 15000), (rows[i].pace - 5) * 15,
			(rows[i].pace + 5) * 15);
	}
	/* Too few say nothing, nor do those who came while the hub was mostly idle, unless they show
	 * that it takes less. */
	struct admission admission;
	struct admission_sample few = {1000, 1, 1, ADMISSION_LEAST - 1, 1, 1};
	struct admission_sample idle = {5000000, 400000, 1, 100, 1, 1};
	admission_init(&admission);
	admission_measured(&admission, &few);
	admission_measured(&admission, &idle);
	assert_int_equal(admission.pace_us, ADMISSION_PACE_US);
	idle.loops_us = 40000;
	admission_measured(&admission, &idle);
	assert_in_range(admission.pace_us, ADMISSION_PACE_US / 2, ADMISSION_PACE_US - 1);
}

/* Each who is turned away gets a time of its own, behind those who wait. */
static void places_follow_each_other(void **state)
{
	struct admission admission;
	int seconds[10] = {0};
	(void)state;
	admission_init(&admission);
	admission.pace_us = 10000;
	for (int i = 0; i < 300; i++) {
		int after = admission_book(&admission, 200, 5000000);
		assert_in_range(after, 2, 6);
		seconds[after]++;
	}
	assert_in_range(seconds[3], 99, 101); /* a hundred a second, as the pace says */
	assert_in_range(seconds[4], 99, 101);
	/* Nobody is asked to stay away for ever; and what was booked passes. */
	for (int i = 0; i < 100000; i++)
		assert_in_range(admission_book(&admission, 200, 5000000), 1, ADMISSION_MAX_RETRY_S);
	assert_int_equal(admission_book(&admission, 0, INT64_C(1000000000000)), 1);
}

/* --- the gate --------------------------------------------------------------------------------- */

static size_t make_hello(const char *protocols, unsigned char *hello, size_t size)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(context);
	BIO *out = BIO_new(BIO_s_mem());
	SSL_set_bio(ssl, BIO_new(BIO_s_mem()), out);
	SSL_set_tlsext_host_name(ssl, "hub.example");
	if (*protocols)
		SSL_set_alpn_protos(ssl, (const unsigned char *)protocols, (unsigned)strlen(protocols));
	SSL_connect(ssl);
	int len = BIO_read(out, hello, (int)size);
	SSL_free(ssl);
	SSL_CTX_free(context);
	return (size_t)len;
}

static void people_are_known_by_what_they_offer(void **state)
{
	unsigned char hello[2048];
	(void)state;
	size_t len = make_hello("\x02h2\x08http/1.1", hello, sizeof hello);
	assert_true(client_hello_offers(hello, len, "h2"));
	assert_true(client_hello_offers(hello, len, "http/1.1"));
	assert_false(client_hello_offers(hello, len, "h"));
	for (size_t cut = 0; cut < len; cut++)
		client_hello_offers(hello, cut, "h2"); /* must not read beyond: see the sanitizer */
	hello[5] = 2;
	assert_false(client_hello_offers(hello, len, "h2"));
	len = make_hello("\x08http/1.1", hello, sizeof hello);
	assert_false(client_hello_offers(hello, len, "h2"));
	len = make_hello("", hello, sizeof hello);
	assert_false(client_hello_offers(hello, len, "h2"));
	assert_false(client_hello_offers((const unsigned char *)"GET / HTTP/1.1", 14, "h2"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(letters_come_in_order, open_post, close_post),
		cmocka_unit_test_setup_teardown(prompt_letters_go_ahead, open_post, close_post),
		cmocka_unit_test(pace_follows_the_narrowest_place),
		cmocka_unit_test(places_follow_each_other),
		cmocka_unit_test(people_are_known_by_what_they_offer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
