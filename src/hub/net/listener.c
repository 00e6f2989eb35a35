/*
 * Opens port, door and loops and takes them down again, measures what they do, gives them a new
 * certificate. On the core's thread.
 *
 * Loops take whatever comes until they have ended; what they still have to tell is read here, so
 * that every session ends and every connection is let go of before the loops are freed.
 */
#include "base/clock.h"
#include "hub/net/listener_parts.h"
#include "hub/log.h"
#include "hub/state.h"

#include <malloc.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>
#include <sys/resource.h>

#define RESERVED_FILES 128u /* for the database, its journal and the log */
#define YOUNG_MAX      4096 /* and never more than half of all */
#define CORE_SLICE     16   /* messages of machines in a turn, so that no person waits long */
#define RUSH_LEAST     50   /* machines between two sweeps */
#define CALM_SWEEPS    4
#define BUSY_RETRY_S   2 /* while the hub goes down */

/* --- the certificate ------------------------------------------------------------------------ */

/* As OpenSSL itself reads the two files; NULL when it cannot use them together. */
static SSL_CTX *read_files(const struct keys_certificate *certificate)
{
	SSL_CTX *read = SSL_CTX_new(TLS_server_method());
	SSL_CTX_set_default_passwd_cb_userdata(read, (void *)""); /* or it would ask the terminal */
	if (SSL_CTX_use_certificate_chain_file(read, certificate->chain_file) == 1 &&
		SSL_CTX_use_PrivateKey_file(read, certificate->key_file, SSL_FILETYPE_PEM) == 1)
		return read;
	ERR_clear_error();
	SSL_CTX_free(read);
	return NULL;
}

/* Both files are read and fit each other, or nothing changes. */
int listener_reload(
	struct listener *listener, const struct keys_certificate *certificate, struct err *err)
{
	SSL_CTX *read = read_files(certificate);
	STACK_OF(X509) *chain = NULL;
	if (!read)
		return err_set(err, "%s and %s could not be read again; the old certificate stays in use",
			certificate->chain_file, certificate->key_file);
	SSL_CTX_get0_chain_certs(read, &chain);
	for (unsigned i = 0; i < listener->count; i++)
		loop_use(listener->loops[i], SSL_CTX_get0_certificate(read), SSL_CTX_get0_privatekey(read),
			chain);
	SSL_CTX_free(read);
	return 0;
}

/* --- opening --------------------------------------------------------------------------------- */

static void on_lws_log(int level, const char *line)
{
	size_t len = strcspn(line, "\n");
	log_line(level & LLL_ERR ? LOG_WARNING : LOG_DETAIL, "libwebsockets: %.*s", (int)len, line);
}

static int64_t raise_file_limit(void)
{
	struct rlimit limit;
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	getrlimit(RLIMIT_NOFILE, &limit);
	return limit.rlim_cur > 2 * (rlim_t)RESERVED_FILES ? (int64_t)limit.rlim_cur - RESERVED_FILES
													   : RESERVED_FILES;
}

static int open_loops(struct listener *listener, unsigned count,
	const struct keys_certificate *certificate, struct err *err)
{
	int64_t young = listener->open_max / 2 < YOUNG_MAX ? listener->open_max / 2 : YOUNG_MAX;
	while (listener->count <= count) {
		char name[16] = "people";
		if (listener->count)
			snprintf(name, sizeof name, "machines-%hhu", (unsigned char)listener->count);
		struct loop *loop = loop_open(
			listener, listener->count ? GATE_MACHINES : GATE_PEOPLE, name, certificate, err);
		if (!loop)
			return -1;
		loop->young_max = (size_t)(young / count) + 1;
		listener->loops[listener->count++] = loop;
	}
	return 0;
}

static int start(struct listener *listener, struct err *err)
{
	for (unsigned i = 0; i < listener->count; i++)
		if (loop_start(listener->loops[i], err))
			return -1;
	return door_start(listener->door, err);
}

struct listener *listener_open(struct hub *hub, uv_loop_t *loop, const char *host, uint16_t port,
	unsigned loops, const struct keys_certificate *certificate, struct err *err)
{
	struct listener *listener = xcalloc(1, sizeof *listener);
	listener->hub = hub;
	listener->open_max = raise_file_limit();
	admission_init(&listener->admission);
	lws_set_log_level(LLL_ERR, on_lws_log);
	mailbox_open(&listener->core, loop, CORE_SLICE);
	listener->cores = uv_available_parallelism();
	if (open_loops(listener, loops, certificate, err) == 0)
		listener->door = door_open(listener, host, port, err);
	if (listener->door && start(listener, err) == 0)
		return listener;
	listener_close(listener);
	listener_free(listener);
	return NULL;
}

uint16_t listener_port(const struct listener *listener)
{
	return door_port(listener->door);
}

/* --- admission ---------------------------------------------------------------------------------
 */

const struct admission *listener_admission(const struct listener *listener)
{
	return &listener->admission;
}

void listener_drain(struct listener *listener)
{
	atomic_store(&listener->draining, true);
}

int listener_retry_after_s(struct listener *listener)
{
	int64_t now_us = clock_mono_us();
	if (atomic_load(&listener->draining))
		return BUSY_RETRY_S;
	if (door_wait_us(listener->door, now_us) < ADMISSION_BUSY_US &&
		mailbox_wait_us(&listener->core, now_us) < ADMISSION_BUSY_US) {
		atomic_fetch_add(&listener->admitted, 1);
		return 0;
	}
	metric_add(&listener->hub->metrics, METRIC_DEFERRED, 1);
	return admission_book(&listener->admission, door_queue(listener->door), now_us);
}

/* Processor time, so that what else this computer does is not taken for the cost of a machine. */
static int64_t busy_us(pthread_t thread)
{
	clockid_t clock;
	struct timespec used = {0};
	if (pthread_getcpuclockid(thread, &clock) == 0)
		clock_gettime(clock, &used);
	return (int64_t)used.tv_sec * 1000000 + used.tv_nsec / 1000;
}

/* A rush leaves holes all over the heap, and the sessions stay for days. */
static void give_back(struct listener *listener, int64_t came)
{
	if (came >= RUSH_LEAST) {
		listener->rushed = true;
		listener->calm = 0;
	} else if (listener->rushed && ++listener->calm == CALM_SWEEPS) {
		listener->rushed = false;
		malloc_trim(0);
	}
}

static void measure(struct listener *listener)
{
	struct measured *before = &listener->measured, now = {.now_us = clock_mono_us(),
													   .admitted = atomic_load(&listener->admitted),
													   .core_us = busy_us(pthread_self())};
	for (unsigned i = 0; i < listener->count; i++)
		if (listener->loops[i]->row == GATE_MACHINES)
			now.loops_us += busy_us(listener->loops[i]->thread);
	struct admission_sample sample = {
		.passed_us = now.now_us - before->now_us,
		.loops_us = now.loops_us - before->loops_us,
		.core_us = now.core_us - before->core_us,
		.count = now.admitted - before->admitted,
		.loops = listener->count - 1,
		.cores = listener->cores,
	};
	if (before->now_us)
		admission_measured(&listener->admission, &sample);
	give_back(listener, sample.count);
	*before = now;
}

void listener_sweep(struct listener *listener)
{
	struct metrics *metrics = &listener->hub->metrics;
	if (!listener->door)
		return; /* it is closed */
	int64_t open = door_waiting(listener->door), young = 0;
	for (unsigned i = 0; i < listener->count; i++) {
		open += atomic_load(&listener->loops[i]->open);
		young += atomic_load(&listener->loops[i]->young_now);
	}
	measure(listener);
	metric_set(metrics, METRIC_CONNECTIONS, open);
	metric_set(metrics, METRIC_UNPROVEN, young);
	metric_set(metrics, METRIC_QUEUE, (int64_t)door_queue(listener->door));
	metric_set(metrics, METRIC_PACE, atomic_load(&listener->admission.pace_us));
	metric_set(metrics, METRIC_CORE_LETTERS, atomic_load(&listener->core.opened));
	metric_set(metrics, METRIC_CORE_LAG, mailbox_take_lag_us(&listener->core));
}

void listener_print(const struct listener *listener, struct buf *out)
{
	static const struct {
		const char *name, *kind, *help;
	} rows[] = {
#define LOOP_METRIC(name, kind, help, value) {name, kind, help},
#include "hub/metrics.def"
#undef LOOP_METRIC
	};
	for (size_t row = 0; row < ARRAY_LEN(rows); row++) {
		buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", rows[row].name, rows[row].help,
			rows[row].name, rows[row].kind);
		for (unsigned i = 0; i < listener->count; i++) {
			const struct loop *loop = listener->loops[i];
			const int64_t values[] = {
#define LOOP_METRIC(name, kind, help, value) (int64_t)(value),
#include "hub/metrics.def"
#undef LOOP_METRIC
			};
			buf_printf(
				out, "%s{loop=\"%s\"} %lld\n", rows[row].name, loop->name, (long long)values[row]);
		}
	}
}

/* --- closing -----------------------------------------------------------------------------------
 */

void listener_close(struct listener *listener)
{
	atomic_store(&listener->draining, true);
	for (unsigned i = 0; i < listener->count; i++)
		loop_stop(listener->loops[i]);
	if (listener->door)
		door_close(listener->door);
	listener->door = NULL;
	for (unsigned i = 0; i < listener->count; i++)
		loop_close(listener->loops[i]);
	mailbox_drain(&listener->core);
	for (unsigned i = 0; i < listener->count; i++)
		loop_free(listener->loops[i]);
	listener->count = 0;
	mailbox_close(&listener->core);
}

void listener_free(struct listener *listener)
{
	free(listener);
}
