/*
 * Happy path: accept, wait until the socket holds the 5 bytes that tell how long the ClientHello
 * is, then until it holds all of it (SO_RCVLOWAT keeps the kernel from waking us before), stand in
 * a row until there is time, go in.
 *
 * What goes wrong: nothing comes (swept), the peer goes (closed), something else than TLS comes
 * (one line of HTTP for the person who typed http://, closed), no descriptors are left (accepting
 * pauses until the next sweep).
 */
#include "hub/net/gate.h"

#include "base/clock.h"
#include "hub/net/client_hello.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG        4096
#define ACCEPT_AT_ONCE 128
#define RECORD_HEADER  5
#define RECORD_MAX     (RECORD_HEADER + 16384)
#define TLS_HANDSHAKE  0x16
#define PEEK_BYTES     2048 /* of a ClientHello */

struct waiter {
	uv_poll_t poll; /* first: libuv gives it back */
	struct waiter *before, *after;
	struct gate *gate;
	int64_t since_ms; /* here; once it is ready: ready */
	int fd;
	bool ready;
};

struct gate {
	uv_poll_t poll; /* of the listening socket; first */
	uv_loop_t *loop;
	struct gate_hooks hooks;
	struct waiter ring; /* head of those whose ClientHello is awaited; the oldest is ring.after */
	struct waiter rows[GATE_ROWS]; /* likewise of those who are ready */
	size_t count, ready;
	int fd;
	bool paused;
};

static int64_t now_ms(void)
{
	return clock_mono_us() / 1000;
}

static void on_waiter_closed(uv_handle_t *handle)
{
	free((struct waiter *)handle);
}

static void unlink_waiter(struct waiter *waiter)
{
	waiter->before->after = waiter->after;
	waiter->after->before = waiter->before;
}

static void stand_last(struct waiter *waiter, struct waiter *head)
{
	waiter->since_ms = now_ms();
	waiter->before = head->before;
	waiter->after = head;
	waiter->before->after = waiter;
	head->before = waiter;
}

static bool is_empty(const struct waiter *head)
{
	return head->after == head;
}

/* The socket is the caller's again. */
static int release(struct waiter *waiter)
{
	int fd = waiter->fd;
	unlink_waiter(waiter);
	waiter->gate->count--;
	waiter->gate->ready -= waiter->ready;
	uv_poll_stop(&waiter->poll);
	uv_close((uv_handle_t *)&waiter->poll, on_waiter_closed);
	return fd;
}

static void turn_away(struct waiter *waiter)
{
	close(release(waiter));
}

/* A handshake with somebody who has given up, or is about to, would be time lost for those behind.
 */
static bool is_too_late(const struct waiter *waiter)
{
	struct pollfd poll_fd = {.fd = waiter->fd, .events = POLLRDHUP};
	return now_ms() - waiter->since_ms > GATE_PATIENCE_MS ||
		   (poll(&poll_fd, 1, 0) == 1 && (poll_fd.revents & (POLLRDHUP | POLLHUP | POLLERR)));
}

/* The socket may be somebody else's as soon as it is in, so it has to be out of this loop before.
 */
static void let_in(struct gate *gate, enum gate_row row)
{
	const struct waiter *head = &gate->rows[row];
	while (!is_empty(head) && gate->hooks.has_time(gate->hooks.data, row)) {
		struct waiter *waiter = head->after;
		if (is_too_late(waiter)) {
			gate->hooks.refused(gate->hooks.data);
			turn_away(waiter);
			continue;
		}
		int fd = release(waiter), any = 1;
		setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &any, sizeof any);
		gate->hooks.enter(gate->hooks.data, row, fd);
	}
}

void gate_look(struct gate *gate)
{
	for (enum gate_row row = 0; row < GATE_ROWS; row++)
		let_in(gate, row);
}

static bool is_person(const struct waiter *waiter)
{
	unsigned char hello[PEEK_BYTES];
	ssize_t got = recv(waiter->fd, hello, sizeof hello, MSG_PEEK | MSG_DONTWAIT);
	return got > 0 && client_hello_offers(hello, (size_t)got, "h2");
}

static void stand_in_row(struct waiter *waiter)
{
	struct gate *gate = waiter->gate;
	uv_poll_stop(&waiter->poll);
	unlink_waiter(waiter);
	stand_last(waiter, &gate->rows[is_person(waiter) ? GATE_PEOPLE : GATE_MACHINES]);
	waiter->ready = true;
	gate->ready++;
	gate_look(gate);
}

static void answer_plain(struct waiter *waiter)
{
	static const char answer[] =
		"HTTP/1.1 400 Bad Request\r\nSallyport: 1\r\nContent-Type: text/plain\r\n"
		"Content-Length: 45\r\nConnection: close\r\n\r\nThis port speaks HTTPS: begin with "
		"https://.\n";
	char rest[1024];
	/* What was sent has to be read, or closing resets the connection before the answer is seen. */
	while (recv(waiter->fd, rest, sizeof rest, MSG_DONTWAIT) == sizeof rest)
		continue;
	(void)!send(waiter->fd, answer, sizeof answer - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	turn_away(waiter);
}

static void wait_for_bytes(const struct waiter *waiter, int bytes)
{
	setsockopt(waiter->fd, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof bytes);
}

static void look(struct waiter *waiter)
{
	unsigned char header[RECORD_HEADER];
	int available = 0;
	ssize_t got = recv(waiter->fd, header, sizeof header, MSG_PEEK | MSG_DONTWAIT);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		turn_away(waiter);
		return;
	}
	if (header[0] != TLS_HANDSHAKE) {
		answer_plain(waiter);
		return;
	}
	ioctl(waiter->fd, FIONREAD, &available);
	int need = got == RECORD_HEADER ? RECORD_HEADER + (header[3] << 8 | header[4]) : RECORD_HEADER;
	/* Woken for less than was asked for means that no more will come, or no more fits: TLS decides.
	 */
	int asked = 0;
	socklen_t size = sizeof asked;
	getsockopt(waiter->fd, SOL_SOCKET, SO_RCVLOWAT, &asked, &size);
	if (available >= need || available < asked || need > RECORD_MAX)
		stand_in_row(waiter);
	else
		wait_for_bytes(waiter, need);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct waiter *waiter = (struct waiter *)poll;
	(void)events;
	if (status < 0)
		turn_away(waiter);
	else
		look(waiter);
}

/* --- accepting ----------------------------------------------------------------------------- */

static bool make_room(struct gate *gate)
{
	if (gate->hooks.room(gate->hooks.data) > 0)
		return true;
	struct waiter *oldest = gate->ring.after;
	gate->hooks.refused(gate->hooks.data);
	if (is_empty(&gate->ring) || now_ms() - oldest->since_ms < GATE_IDLE_MS)
		return false;
	turn_away(oldest);
	return true;
}

static void begin_to_wait(struct gate *gate, int fd)
{
	struct waiter *waiter = xcalloc(1, sizeof *waiter);
	int yes = 1;
	/* Messages are small and whole: none should wait for another. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
	waiter->gate = gate;
	waiter->fd = fd;
	stand_last(waiter, &gate->ring);
	gate->count++;
	uv_poll_init_socket(gate->loop, &waiter->poll, fd);
	wait_for_bytes(waiter, RECORD_HEADER);
	uv_poll_start(&waiter->poll, UV_READABLE, on_readable);
}

static void on_connection(uv_poll_t *poll, int status, int events)
{
	struct gate *gate = (struct gate *)poll;
	(void)status;
	(void)events;
	for (int i = 0; i < ACCEPT_AT_ONCE; i++) {
		int fd = accept4(gate->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
			gate->paused = true;
			uv_poll_stop(&gate->poll);
		}
		if (fd < 0)
			return;
		if (make_room(gate))
			begin_to_wait(gate, fd);
		else
			close(fd);
	}
}

void gate_sweep(struct gate *gate, int64_t now)
{
	while (!is_empty(&gate->ring) && now - gate->ring.after->since_ms >= GATE_WAIT_MS)
		turn_away(gate->ring.after);
	if (gate->paused) {
		gate->paused = false;
		uv_poll_start(&gate->poll, UV_READABLE, on_connection);
	}
}

/* --- opening and closing ------------------------------------------------------------------- */

static int listen_on(const char *host, uint16_t port, struct err *err)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int yes = 1;
	inet_pton(AF_INET, host, &address.sin_addr);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
	if (fd >= 0 && !bind(fd, (struct sockaddr *)&address, sizeof address) && !listen(fd, BACKLOG))
		return fd;
	err_set(err, "cannot listen on %s:%u: %s", host, port, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

struct gate *gate_open(uv_loop_t *loop, const char *host, uint16_t port,
	const struct gate_hooks *hooks, struct err *err)
{
	int fd = listen_on(host, port, err);
	if (fd < 0)
		return NULL;
	struct gate *gate = xcalloc(1, sizeof *gate);
	gate->loop = loop;
	gate->hooks = *hooks;
	gate->fd = fd;
	gate->ring.before = gate->ring.after = &gate->ring;
	for (int i = 0; i < GATE_ROWS; i++)
		gate->rows[i].before = gate->rows[i].after = &gate->rows[i];
	uv_poll_init_socket(loop, &gate->poll, fd);
	uv_poll_start(&gate->poll, UV_READABLE, on_connection);
	return gate;
}

uint16_t gate_port(const struct gate *gate)
{
	struct sockaddr_in address = {0};
	socklen_t size = sizeof address;
	getsockname(gate->fd, (struct sockaddr *)&address, &size);
	return ntohs(address.sin_port);
}

size_t gate_waiting(const struct gate *gate)
{
	return gate->count;
}

size_t gate_ready(const struct gate *gate)
{
	return gate->ready;
}

int64_t gate_ready_since_ms(const struct gate *gate)
{
	const struct waiter *machines = &gate->rows[GATE_MACHINES];
	return is_empty(machines) ? 0 : machines->after->since_ms;
}

static void on_gate_closed(uv_handle_t *handle)
{
	free((struct gate *)handle);
}

void gate_close(struct gate *gate)
{
	while (!is_empty(&gate->ring))
		turn_away(gate->ring.after);
	for (int i = 0; i < GATE_ROWS; i++)
		while (!is_empty(&gate->rows[i]))
			turn_away(gate->rows[i].after);
	uv_poll_stop(&gate->poll);
	close(gate->fd);
	uv_close((uv_handle_t *)&gate->poll, on_gate_closed);
}
