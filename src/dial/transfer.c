/*
 * libcurl's part of the walk.
 *
 * Happy path: the easy handle gets the one address that is to be tried, so that libcurl has nothing
 * to resolve; its first step opens the socket (ours, through a callback) and begins to connect.
 * transfer_connected() then watches the socket alone. transfer_tunnel() lets libcurl go on: TLS to
 * an https:// proxy, CONNECT, the answer; with a 2xx answer the socket is at the first byte of the
 * tunnel, because libcurl 7.88 reads that answer byte by byte.
 *
 * Failure modes: the socket fails (its errno, taken from the socket before libcurl sees it); the
 * first bytes are not what the scheme promises (looked at before libcurl reads them, which would
 * otherwise wait for more); the answer is no 2xx (libcurl is stopped after its headers, so the body
 * is still in the socket for transfer_peek_body()); the deadline; the cancel.
 */
#include "dial/transfer.h"
#include "os/icmp.h"

#include "os/os.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define BODY_WAIT_MS 300 /* for the page of a refusal, which only adds words */

/* Of <netinet/tcp.h>, whose struct tcp_info is too short and keeps <linux/tcp.h> out. */
enum { SYN_SENT = 2, CLOSE = 7, CLOSE_WAIT = 8 };

_Static_assert(sizeof((struct transfer *)0)->error >= CURL_ERROR_SIZE, "libcurl's own bound");

static void curl_start(void)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		abort();
}

/* libcurl gets a descriptor of its own for the socket: it closes one that it has not finished
 * connecting without asking CURLOPT_CLOSESOCKETFUNCTION. */
static curl_socket_t open_socket(void *data, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct transfer *transfer = data;
	(void)purpose;
	if (transfer->fd >= 0 || address->family != AF_INET)
		return CURL_SOCKET_BAD;
	transfer->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
	if (transfer->fd < 0) {
		transfer->open_error = errno;
		return CURL_SOCKET_BAD;
	}
	icmp_watch(transfer->fd, true);
	if (transfer->mss) /* it takes effect in the SYN alone; refused only where it is no size */
		setsockopt(transfer->fd, IPPROTO_TCP, TCP_MAXSEG, &transfer->mss, sizeof transfer->mss);
	int copy = fcntl(transfer->fd, F_DUPFD_CLOEXEC, 0);
	if (copy < 0)
		transfer->open_error = errno;
	return copy < 0 ? CURL_SOCKET_BAD : copy;
}

/* Stops libcurl at a first line that is no HTTP, and after the headers of a refusal: what it would
 * do then, reading the body and trying again, is not wanted. */
static size_t on_header(char *line, size_t size, size_t count, void *data)
{
	struct transfer *transfer = data;
	struct proxy_answer *answer = &transfer->answer;
	if (answer_line(answer, line, size * count))
		return 0;
	return answer->complete && answer->status / 100 != 2 ? 0 : size * count;
}

static CURLcode set_common(struct transfer *transfer)
{
	CURL *easy = transfer->easy;
	CURLcode bad = curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
	bad |= curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	bad |= curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http");
	bad |= curl_easy_setopt(easy, CURLOPT_IPRESOLVE, CURL_IPRESOLVE_V4);
	bad |= curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
	bad |= curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
	bad |= curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 1024L);
	bad |= curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, 16384L); /* its least */
	bad |= curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	bad |= curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
	bad |= curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	bad |= curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
	bad |= curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
	return bad;
}

static CURLcode set_direct(
	struct transfer *transfer, const struct walker *walker, const char *address)
{
	cleanup(free_ptr) char *url = xasprintf("http://%s:%u/", address, walker->next_port);
	CURLcode bad = curl_easy_setopt(transfer->easy, CURLOPT_URL, url);
	bad |= curl_easy_setopt(transfer->easy, CURLOPT_PROXY, "");
	return bad;
}

static CURLcode set_proxy(
	struct transfer *transfer, const struct walker *walker, const char *address)
{
	const struct proxy_settings *settings = walker->options->proxy;
	CURL *easy = transfer->easy;
	transfer->tls = settings->scheme == PROXY_HTTPS;
	/* An https:// proxy is called by name, for SNI and its certificate; the address for that name
	 * is given along, so that there is nothing to resolve. */
	cleanup(free_ptr) char *proxy = xasprintf("%s://%s:%u", transfer->tls ? "https" : "http",
		transfer->tls ? walker->next_host : address, walker->next_port);
	cleanup(free_ptr) char *known =
		xasprintf("%s:%u:%s", walker->next_host, walker->next_port, address);
	transfer->addresses = curl_slist_append(NULL, known);
	cleanup(free_ptr) char *url = xasprintf("http://%s/", walker->endpoint);
	CURLcode bad = curl_easy_setopt(easy, CURLOPT_URL, url);
	bad |= curl_easy_setopt(easy, CURLOPT_RESOLVE, transfer->addresses);
	bad |= curl_easy_setopt(easy, CURLOPT_PROXY, proxy);
	bad |= curl_easy_setopt(easy, CURLOPT_HTTPPROXYTUNNEL, 1L);
	bad |= curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 0L);
	bad |= curl_easy_setopt(easy, CURLOPT_USERAGENT, "sallyport/" SALLYPORT_VERSION);
	if (settings->user) {
		bad |= curl_easy_setopt(easy, CURLOPT_PROXYAUTH, (long)CURLAUTH_BASIC);
		bad |= curl_easy_setopt(easy, CURLOPT_PROXYUSERNAME, settings->user);
		bad |= curl_easy_setopt(
			easy, CURLOPT_PROXYPASSWORD, settings->password ? settings->password : "");
	}
	if (transfer->tls && os_ca_bundle())
		bad |= curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, os_ca_bundle());
	bad |= curl_easy_setopt(
		easy, CURLOPT_CA_CACHE_TIMEOUT, 0L); /* one connection: nothing to share them with */
	return bad;
}

/* The result once libcurl has come to an end, CURL_LAST while it has not. */
static CURLcode step(struct transfer *transfer)
{
	int running = 0, left = 0;
	if (curl_multi_perform(transfer->multi, &running))
		return CURLE_OUT_OF_MEMORY;
	CURLMsg *message = curl_multi_info_read(transfer->multi, &left);
	return message && message->msg == CURLMSG_DONE ? message->data.result : CURL_LAST;
}

struct transfer *transfer_start(const struct walker *walker, struct in_addr address, int *error)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, curl_start);
	struct transfer *transfer = xcalloc(1, sizeof *transfer);
	transfer->fd = -1;
	transfer->mss = walker->variation ? walker->variation->mss : 0;
	transfer->multi = curl_multi_init();
	transfer->easy = curl_easy_init();
	if (!transfer->multi || !transfer->easy)
		abort();
	char text[INET_ADDRSTRLEN];
	inet_ntop(AF_INET, &address, text, sizeof text);
	CURLcode bad = set_common(transfer);
	bad |=
		walker->via_proxy ? set_proxy(transfer, walker, text) : set_direct(transfer, walker, text);
	if (bad || curl_multi_add_handle(transfer->multi, transfer->easy)) {
		*error = EINVAL;
		return transfer;
	}
	long number = 0;
	CURLcode result = step(transfer);
	curl_easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &number);
	transfer->done = result;
	*error = 0;
	if (transfer->fd < 0 || transfer->open_error || result == CURLE_COULDNT_CONNECT)
		*error = transfer->open_error ? transfer->open_error : number ? (int)number : EINVAL;
	return transfer;
}

/* TCP's own state: connect() may have been finished, and lost again, inside libcurl's step. */
static bool tcp_stands(int fd)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof info;
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len))
		return false;
	/* A round trip was measured, so the SYN was answered by a SYN. */
	return info.tcpi_state != SYN_SENT && (info.tcpi_state != CLOSE || info.tcpi_rtt);
}

enum wait_result transfer_connected(
	struct transfer *transfer, struct deadline deadline, const struct cancel *cancel, int *error)
{
	while (!tcp_stands(transfer->fd)) {
		enum wait_result waited = wait_fd(transfer->fd, POLLOUT, deadline, cancel);
		if (waited == WAIT_ERROR)
			*error = errno;
		if (waited != WAIT_READY)
			return waited;
		if (tcp_stands(transfer->fd))
			break;
		socklen_t len = sizeof *error;
		getsockopt(transfer->fd, SOL_SOCKET, SO_ERROR, error, &len);
		if (!*error)
			*error = ECONNRESET;
		return WAIT_ERROR;
	}
	/* From here on an ICMP message is a hint and not an end, as TCP wants it. */
	icmp_watch(transfer->fd, false);
	return WAIT_READY;
}

/* Bytes that came from the peer so far. */
static unsigned received(int fd)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof info;
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len))
		return 0;
	bool ended =
		info.tcpi_state == CLOSE_WAIT || info.tcpi_state == CLOSE; /* a FIN counts as one */
	unsigned total = (unsigned)info.tcpi_bytes_received;
	return ended && total ? total - 1 : total;
}

/* Looks at the first bytes before libcurl takes them, which waits for a whole line of whatever it
 * is: -1 when they are not what the scheme promises. */
static int sniff(struct transfer *transfer)
{
	unsigned char first[64];
	int waiting = 0;
	ssize_t got = recv(transfer->fd, first, sizeof first, MSG_PEEK | MSG_DONTWAIT);
	unsigned total = received(transfer->fd); /* before FIONREAD: more may come meanwhile */
	if (got <= 0 || ioctl(transfer->fd, FIONREAD, &waiting) || total > (unsigned)waiting)
		return 0;
	size_t len = (size_t)got;
	bool tls = first[0] == 0x16 || first[0] == 0x15; /* handshake, alert */
	bool http = memcmp(first, "HTTP/", len < 5 ? len : 5) == 0;
	transfer->sniffed = transfer->tls ? tls : http;
	if (transfer->sniffed)
		return 0;
	struct buf *said = &transfer->answer.not_http;
	if (tls)
		return buf_puts(said, "TLS, so its scheme is https://") - 1;
	if (transfer->tls && http)
		return buf_puts(said, "HTTP without TLS, so its scheme is http://") - 1;
	for (size_t i = 0; i < len; i++)
		buf_printf(said, first[i] ? "%c" : "\\x00", first[i]);
	return -1;
}

/* What libcurl's own result means, once it has one. */
static enum transfer_result conclude(const struct transfer *transfer)
{
	static const struct {
		int code;
		enum transfer_result result;
	} meanings[] = {
		{CURLE_OK, TRANSFER_OK},
		{CURLE_PEER_FAILED_VERIFICATION, TRANSFER_UNTRUSTED},
		{CURLE_SSL_ISSUER_ERROR, TRANSFER_UNTRUSTED},
		{CURLE_SSL_CACERT_BADFILE, TRANSFER_UNTRUSTED},
		{CURLE_SSL_CONNECT_ERROR, TRANSFER_NO_TLS},
	};
	if (transfer->answer.complete && transfer->answer.status / 100 != 2)
		return TRANSFER_REFUSED;
	if (transfer->answer.not_http.len)
		return TRANSFER_REFUSED;
	for (size_t i = 0; i < ARRAY_LEN(meanings); i++)
		if (transfer->done == meanings[i].code)
			return meanings[i].result;
	return TRANSFER_CLOSED;
}

/* On a fast path libcurl may have read an answer in the step in which it asked, before sniff() saw
 * it: bytes that have not become a status line are none of HTTP. True when that is so. */
static bool missed_garbage(struct transfer *transfer)
{
	struct proxy_answer *answer = &transfer->answer;
	unsigned total = received(transfer->fd);
	if (transfer->tls || transfer->sniffed || answer->status_line || answer->not_http.len || !total)
		return false;
	buf_printf(&answer->not_http, "%u bytes that are no HTTP", total);
	return true;
}

enum transfer_result transfer_tunnel(
	struct transfer *transfer, struct deadline deadline, const struct cancel *cancel)
{
	struct curl_waitfd wanted = {.fd = cancel ? cancel->fd : -1, .events = CURL_WAIT_POLLIN};
	for (;;) {
		if (!transfer->sniffed && sniff(transfer))
			return TRANSFER_REFUSED;
		if (transfer->done == CURL_LAST)
			transfer->done = step(transfer);
		if (transfer->done != CURL_LAST)
			return missed_garbage(transfer) ? TRANSFER_REFUSED : conclude(transfer);
		if (cancel_fired(cancel))
			return TRANSFER_CANCELLED;
		int left = deadline_left_ms(deadline);
		if (left == 0)
			return missed_garbage(transfer) ? TRANSFER_REFUSED : TRANSFER_TIMEOUT;
		curl_multi_poll(transfer->multi, &wanted, cancel ? 1 : 0, left < 0 ? INT_MAX : left, NULL);
	}
}

void transfer_peek_body(
	struct transfer *transfer, struct deadline deadline, const struct cancel *cancel)
{
	if (transfer->tls) /* it went with the proxy's TLS */
		return;
	struct buf *body = &transfer->answer.body;
	body->max = ANSWER_MAX_BODY;
	deadline = deadline_sooner(deadline, deadline_in_ms(BODY_WAIT_MS));
	char part[1024];
	while (body->len + sizeof part <= body->max &&
		   wait_fd(transfer->fd, POLLIN, deadline, cancel) == WAIT_READY) {
		ssize_t got = recv(transfer->fd, part, sizeof part, MSG_DONTWAIT);
		if (got <= 0)
			break;
		buf_append(body, part, (size_t)got);
	}
}

/* Frees what only the way there needed. */
static void transfer_fini(struct transfer *transfer)
{
	answer_free(&transfer->answer);
	curl_slist_free_all(transfer->addresses);
	free(transfer);
}

static void curl_free_handles(struct transfer *transfer)
{
	if (transfer->multi && transfer->easy)
		curl_multi_remove_handle(transfer->multi, transfer->easy);
	curl_easy_cleanup(transfer->easy);
	curl_multi_cleanup(transfer->multi);
}

void transfer_finish(struct walker *walker)
{
	struct transfer *transfer = walker->transfer;
	struct conn *conn = conn_new();
	if (transfer->tls) {
		/* What stays must not point into what goes; nor does it need the password any longer. */
		CURL *easy = transfer->easy;
		curl_easy_setopt(easy, CURLOPT_HEADERDATA, NULL);
		curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, NULL);
		curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, NULL);
		curl_easy_setopt(easy, CURLOPT_RESOLVE, NULL);
		curl_easy_setopt(easy, CURLOPT_PROXYPASSWORD, NULL);
		conn_take_curl(conn, transfer->multi, easy, transfer->fd);
	} else {
		curl_free_handles(transfer);
		conn_take_fd(conn, transfer->fd);
	}
	transfer_fini(transfer);
	walker->transfer = NULL;
	walker->walk->conn = conn;
}

void transfer_free(struct transfer *transfer)
{
	if (!transfer)
		return;
	curl_free_handles(transfer);
	if (transfer->fd >= 0)
		close(transfer->fd);
	transfer_fini(transfer);
}
