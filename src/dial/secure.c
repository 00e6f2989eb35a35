/*
 * secure: TLS 1.2 or 1.3 over the connection that connect or tunnel left.
 *
 * Happy path: ClientHello (with SNI for a name, ALPN for HTTP), the handshake, then the chain is
 * judged by chain.c. The handshake itself verifies nothing, so a bad chain is seen whole. Nothing
 * was sent by then; a chain that fails ends the walk here. Two kinds go on to hello: a hub's, whose
 * proof says more than any chain, and one with which only the dates are wrong, since the peer's own
 * clock tells whose fault that is.
 *
 * Failure modes of the handshake, by what came back: an alert; no common version; bytes that are no
 * TLS; a reset; the end of the stream; nothing. For the last three TCP is asked what became of the
 * ClientHello. An experiment shakes hands once more with one factor changed (walker->variation).
 */
#include "dial/chain.h"
#include "dial/hello.h"

#include "os/os.h"
#include "wire/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <string.h>

#define FIRST_BYTES        64   /* of what the peer sends, kept for evidence */
#define DATE_MS            3000 /* how long a peer may take to tell its date */
#define RECORD_SERVERHELLO 11   /* bytes up to the version in a ServerHello */
#define OFFERED            "TLS 1.2 to 1.3"
#define PADDING            1500   /* bytes that no segment of Ethernet has room for */
#define GREASE             0x8a8a /* an extension that means nothing */

/* What came from the peer before TLS made anything of it. */
struct first_bytes {
	unsigned char data[FIRST_BYTES + 1];
	size_t len;
	size_t total;
	size_t asked_for; /* bytes written before the last attempt to read */
};

static long sniff(BIO *bio, int operation, const char *data, size_t len, int argi, long argl,
	int rc, size_t *processed) /* NOLINT(readability-non-const-parameter): OpenSSL's type */
{
	struct first_bytes *first = (struct first_bytes *)BIO_get_callback_arg(bio);
	(void)len;
	(void)argi;
	(void)argl;
	if (operation == BIO_CB_READ)
		first->asked_for = (size_t)BIO_number_written(bio);
	if (operation != (BIO_CB_READ | BIO_CB_RETURN) || rc <= 0)
		return rc;
	size_t room = FIRST_BYTES - first->len;
	size_t part = *processed < room ? *processed : room;
	memcpy(first->data + first->len, data, part);
	first->len += part;
	first->total += *processed;
	return rc;
}

/* --- the handshake -------------------------------------------------------------------------- */

static void name_peer(SSL *ssl, const struct walker *walker)
{
	const struct dial_variation *variation = walker->variation;
	struct in_addr address;
	cleanup(free_ptr) char *name =
		xstrdup(variation && variation->sni ? variation->sni : walker->target->host);
	size_t len = strlen(name);
	if (!len || inet_pton(AF_INET, name, &address) == 1)
		return;
	if (name[len - 1] == '.')
		name[len - 1] = '\0'; /* RFC 6066 section 3: without the trailing dot */
	SSL_set_tlsext_host_name(ssl, name);
}

/* The least that a server of today still wants to see. */
static void shrink_hello(SSL *ssl)
{
	SSL_set_ciphersuites(ssl, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384");
	SSL_set_cipher_list(ssl, "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256");
	SSL_set1_groups_list(ssl, "P-256:X25519");
	SSL_set1_sigalgs_list(ssl, "ECDSA+SHA256:RSA-PSS+SHA256:RSA+SHA256");
	SSL_set_options(ssl, SSL_OP_NO_TICKET | SSL_OP_NO_ENCRYPT_THEN_MAC);
	SSL_clear_options(ssl, SSL_OP_ENABLE_MIDDLEBOX_COMPAT);
}

/* An extension that every server has to pass over (RFC 8701), as long as it takes.
 * NOLINTBEGIN(readability-non-const-parameter): OpenSSL's type */
static int add_padding(SSL *ssl, unsigned type, unsigned context, const unsigned char **out,
	size_t *out_len, X509 *x509, size_t index, int *alert, void *argument)
{
	static const unsigned char zeros[PADDING];
	(void)ssl, (void)type, (void)context, (void)x509, (void)index, (void)alert, (void)argument;
	*out = zeros;
	*out_len = sizeof zeros;
	return 1;
}
/* NOLINTEND(readability-non-const-parameter) */

static SSL *make_ssl(const struct walker *walker)
{
	static const unsigned char http11[] = "\x08http/1.1";
	const enum dial_protocol protocol = walker->target->protocol;
	const enum hello_form form = walker->variation ? walker->variation->form : HELLO_USUAL;
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	if (!context)
		abort();
	SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
	SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION);
	SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL); /* chain.c judges, after the handshake */
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	if (form == HELLO_LARGE)
		SSL_CTX_add_custom_ext(
			context, GREASE, SSL_EXT_CLIENT_HELLO, add_padding, NULL, NULL, NULL, NULL);
	SSL *ssl = SSL_new(context);
	SSL_CTX_free(context); /* the SSL keeps it */
	if (!ssl)
		abort();
	SSL_set_connect_state(ssl);
	name_peer(ssl, walker);
	if (form == HELLO_SMALL)
		shrink_hello(ssl);
	else if (protocol == DIAL_HTTPS || protocol == DIAL_HUB)
		SSL_set_alpn_protos(ssl, http11, sizeof http11 - 1);
	if (form == HELLO_USUAL && protocol == DIAL_HUB)
		SSL_set_ciphersuites(ssl, WIRE_TLS_OFFERED);
	return ssl;
}

/* 1 when it stands, 0 when TLS failed (*system has the errno), else after a wait that failed. */
static int shake_hands(struct walker *walker, SSL *ssl, enum wait_result *waited, int *system)
{
	for (;;) {
		ERR_clear_error();
		errno = 0;
		int rc = SSL_connect(ssl);
		*system = errno;
		if (rc == 1)
			return 1;
		int error = SSL_get_error(ssl, rc);
		if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
			return 0;
		*waited = conn_wait(walker->walk->conn, walker->deadline, walker->options->cancel);
		if (*waited != WAIT_READY)
			return -1;
	}
}

/* --- why it failed -------------------------------------------------------------------------- */

static bool is_tls(const struct first_bytes *first)
{
	return first->data[0] >= 20 && first->data[0] <= 23 && (first->len < 2 || first->data[1] == 3);
}

/* TLS has read no more than a record's head of it; the rest of the line says who speaks. */
static int fail_not_spoken(struct walker *walker, SSL *ssl, struct first_bytes *first)
{
	int more = BIO_read(SSL_get_rbio(ssl), first->data + first->len, FIRST_BYTES - (int)first->len);
	first->len += more > 0 && first->len == (size_t)first->total ? (size_t)more : 0;
	first->data[first->len] = '\0';
	for (size_t i = 0; i < first->len; i++)
		if (!first->data[i])
			first->data[i] = 1; /* shown as an escape; a NUL would end the text */
	evidence_add(walker->evidence, "first-bytes", "%s", (char *)first->data);
	return walker_fail(walker, CAUSE_TLS_NOT_SPOKEN, CONFIDENCE_CERTAIN);
}

static int fail_version(struct walker *walker, const struct first_bytes *first)
{
	static const char *const versions[] = {"SSL 3.0", "TLS 1.0", "TLS 1.1"};
	const unsigned char *at = first->data;
	bool server_hello = first->len >= RECORD_SERVERHELLO && at[0] == 22 && at[5] == 2 &&
						at[9] == 3 && at[10] < ARRAY_LEN(versions);
	evidence_add(walker->evidence, "offered", OFFERED);
	evidence_add(
		walker->evidence, "peer-version", "%s", server_hello ? versions[at[10]] : "none of these");
	return walker_fail(walker, CAUSE_TLS_VERSION, CONFIDENCE_CERTAIN);
}

static bool is_version_error(int reason)
{
	static const int reasons[] = {SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_WRONG_SSL_VERSION,
		SSL_R_WRONG_VERSION_NUMBER, SSL_R_VERSION_TOO_LOW, SSL_R_VERSION_TOO_HIGH,
		SSL_R_UNKNOWN_SSL_VERSION, SSL_AD_REASON_OFFSET + SSL_AD_PROTOCOL_VERSION};
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
		if (reasons[i] == reason)
			return true;
	return false;
}

static int fail_handshake(struct walker *walker, SSL *ssl, struct first_bytes *first, int system)
{
	unsigned long error = ERR_peek_error();
	int reason = ERR_GET_REASON(error);
	evidence_add(walker->evidence, "received", "%zu bytes", first->total);
	if (first->len && !is_tls(first))
		return fail_not_spoken(walker, ssl, first);
	if (!error || reason == SSL_R_UNEXPECTED_EOF_WHILE_READING)
		segments_evidence(walker, walker->evidence);
	if (!error && system)
		evidence_add(walker->evidence, "problem", "%s", strerror(system));
	if (!error && (system == ECONNRESET || system == EPIPE))
		return walker_fail(walker, CAUSE_TLS_RESET, CONFIDENCE_CERTAIN);
	if (!error && system == ETIMEDOUT)
		return walker_fail(walker, CAUSE_TLS_STALLED, CONFIDENCE_CERTAIN);
	if (!error || reason == SSL_R_UNEXPECTED_EOF_WHILE_READING)
		return walker_fail(walker, CAUSE_TLS_CLOSED, CONFIDENCE_CERTAIN);
	if (is_version_error(reason))
		return fail_version(walker, first);
	bool from_peer = reason > SSL_AD_REASON_OFFSET;
	if (from_peer)
		evidence_add(walker->evidence, "alert", "%s",
			SSL_alert_desc_string_long(reason - SSL_AD_REASON_OFFSET));
	else
		evidence_add(
			walker->evidence, "alert", "sent by this machine: %s", ERR_reason_error_string(error));
	return walker_fail(walker, CAUSE_TLS_ALERT, from_peer ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY);
}

static int fail_wait(
	struct walker *walker, SSL *ssl, struct first_bytes *first, enum wait_result waited)
{
	if (waited == WAIT_CANCELLED)
		return walker_wait_failed(walker, waited, CAUSE_TLS_STALLED);
	evidence_add(walker->evidence, "received", "%zu bytes", first->total);
	if (first->len && !is_tls(first))
		return fail_not_spoken(walker, ssl, first);
	segments_evidence(walker, walker->evidence);
	return walker_wait_failed(walker, waited, CAUSE_TLS_STALLED);
}

/* --- what stands ---------------------------------------------------------------------------- */

static void describe_session(SSL *ssl, struct evidence *evidence)
{
	const unsigned char *alpn = NULL;
	unsigned len = 0;
	evidence_add(evidence, "version", "%s", SSL_get_version(ssl));
	evidence_add(evidence, "cipher", "%s", SSL_get_cipher_name(ssl));
	SSL_get0_alpn_selected(ssl, &alpn, &len);
	if (len)
		evidence_add(evidence, "alpn", "%.*s", (int)len, (const char *)alpn);
}

/* A peer on a bare TLS port may still speak HTTP; if so its Date settles whose clock is wrong. */
static int settle_dates(struct walker *walker)
{
	struct http_response response;
	struct deadline deadline = deadline_sooner(walker->deadline, deadline_in_ms(DATE_MS));
	time_t peer_now;
	http_response_init(&response, 0, true);
	enum wait_result result = exchange(walker, "HEAD", "/", deadline, &response);
	const char *date = http_response_header(&response, "date");
	bool told = result == WAIT_READY && date && !clock_parse_http(date, &peer_now);
	http_response_free(&response);
	if (result == WAIT_CANCELLED)
		return walker_wait_failed(walker, result, CAUSE_NONE);
	return chain_fail_dates(walker, told ? &peer_now : NULL);
}

static int judge(struct walker *walker, SSL *ssl)
{
	const struct dial_target *target = walker->target;
	struct chain_seen *seen = &walker->chain;
	struct chain_policy policy = {
		.host = target->host,
		.ca_pem = target->ca_pem,
		.pins = target->pins,
		.bundle = os_ca_bundle(),
		.trust = walker->options->trust,
		.public_roots = os_public_roots(),
		.via_proxy = walker->via_proxy,
	};
	X509 *leaf = SSL_get0_peer_certificate(ssl);
	STACK_OF(X509) *sent = SSL_get_peer_cert_chain(ssl);
	if (!leaf || !sent) {
		evidence_add(walker->evidence, "problem", "it showed no certificate");
		return walker_fail(walker, CAUSE_CERT_UNTRUSTED, CONFIDENCE_CERTAIN);
	}
	certificate_describe(leaf, sent, walker->evidence);
	chain_judge(leaf, sent, &policy, seen, walker->evidence);
	if (target->protocol == DIAL_HUB) {
		seen->provisional = true;
		if (seen->cause)
			evidence_add(walker->evidence, "chain-verdict", "%s", cause_info(seen->cause)->id);
		return 0;
	}
	if (seen->clock_only)
		return target->protocol == DIAL_TLS ? settle_dates(walker) : 0;
	return seen->cause ? walker_fail(walker, seen->cause, seen->confidence) : 0;
}

int secure_shake(struct walker *walker)
{
	struct conn *conn = walker->walk->conn;
	struct first_bytes first = {.len = 0};
	enum wait_result waited = WAIT_READY;
	int system = 0;
	SSL *ssl = make_ssl(walker);
	if (conn_take_ssl(conn, ssl))
		abort();
	if (walker->variation)
		conn_split_first(conn, walker->variation->split_at);
	BIO *bio = SSL_get_rbio(ssl);
	BIO_set_callback_arg(bio, (char *)&first);
	BIO_set_callback_ex(bio, sniff);
	int stands = shake_hands(walker, ssl, &waited, &system);
	BIO_set_callback_ex(bio, NULL);
	BIO_set_callback_arg(bio, NULL);
	walker->hello_size = first.asked_for;
	walker->alert_size = stands > 0 ? 0 : (size_t)BIO_number_written(bio) - first.asked_for;
	walker->answered = first.len && is_tls(&first);
	if (stands < 0)
		return fail_wait(walker, ssl, &first, waited);
	return stands ? 0 : fail_handshake(walker, ssl, &first, system);
}

int secure_run(struct walker *walker)
{
	if (secure_shake(walker))
		return -1;
	SSL *ssl = conn_ssl(walker->walk->conn);
	describe_session(ssl, walker->evidence);
	return judge(walker, ssl);
}
