/*
 * Who is connected: young connections in a ring, the oldest first; the end of one, also from afar;
 * the letters between its loop and the core.
 */
#include "base/clock.h"
#include "hub/net/channel.h"
#include "hub/net/exchange.h"
#include "hub/net/listener_parts.h"
#include "hub/state.h"
#include "hub/net/websocket.h"

#include <string.h>

#define IDLE_MS        2000 /* a young connection older than this may make room */
#define EXPORTER_LABEL "EXPORTER-Channel-Binding"

/* --- letters ------------------------------------------------------------------------------- */

static void post(struct connection *connection, struct mailbox *mailbox, enum mailbox_lane lane,
	letter_open *open, unsigned how)
{
	struct connection_letter *letter = xcalloc(1, sizeof *letter);
	letter->letter.open = open;
	letter->connection = connection;
	letter->how = how;
	mailbox_post(mailbox, lane, &letter->letter);
}

void connection_post_core(
	struct connection *connection, enum mailbox_lane lane, letter_open *open, unsigned how)
{
	post(connection, &connection->loop->listener->core, lane, open, how);
}

void connection_post_loop(struct connection *connection, letter_open *open)
{
	post(connection, &connection->loop->mailbox, LANE_PROMPT, open, 0);
}

/* --- the core's wishes ---------------------------------------------------------------------- */

static struct connection *take(struct letter *letter)
{
	struct connection *connection = ((struct connection_letter *)letter)->connection;
	free(letter);
	return connection;
}

static void on_proven(struct letter *letter)
{
	connection_grow_up(take(letter));
}

static void on_kill_wish(struct letter *letter)
{
	connection_end(take(letter));
}

void connection_proven(struct connection *connection)
{
	if (connection->proven)
		return;
	connection->proven = true;
	connection_post_loop(connection, on_proven);
}

void connection_kill(struct connection *connection)
{
	if (connection->killed)
		return;
	connection->killed = true;
	connection_post_loop(connection, on_kill_wish);
}

int connection_binding(
	const struct connection *connection, unsigned char binding[CONNECTION_BINDING_BYTES])
{
	memcpy(binding, connection->binding, CONNECTION_BINDING_BYTES);
	return connection->bound ? 0 : -1;
}

/* --- young ones ----------------------------------------------------------------------------- */

/* For the door, which looks from its own thread. */
static void tell_young(struct loop *loop)
{
	atomic_store(&loop->young_now, (int64_t)loop->young_count);
	atomic_store(&loop->young_since_ms, loop->young_count ? loop->young.after->opened_ms : 0);
}

void connection_grow_up(struct connection *connection)
{
	if (!connection->after)
		return;
	connection->before->after = connection->after;
	connection->after->before = connection->before;
	connection->before = connection->after = NULL;
	connection->loop->young_count--;
	tell_young(connection->loop);
}

/* Room for a handshake. In a rush of honest machines no young connection is idle, and it is the
 * newcomer who comes back. */
bool connection_has_room(struct loop *loop)
{
	struct connection *oldest = loop->young.after;
	if (loop->young_count < loop->young_max)
		return true;
	metric_add(&loop->listener->hub->metrics, METRIC_REFUSED, 1);
	if (clock_mono_us() / 1000 - oldest->opened_ms < IDLE_MS)
		return false;
	connection_end(oldest);
	return true;
}

/* --- the end -------------------------------------------------------------------------------- */

static void on_kill(uv_timer_t *timer)
{
	struct kill_list *list = &((struct loop *)timer->data)->to_kill;
	/* Closing one may ask for others: they are appended. */
	for (size_t i = 0; i < list->count; i++)
		if (list->all[i])
			lws_set_timeout(list->all[i], PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_SYNC);
	list->count = 0;
}

/* Not from inside a callback of libwebsockets, which may be at work on the connection. */
void connection_end(struct connection *connection)
{
	struct loop *loop = connection->loop;
	struct kill_list *list = &loop->to_kill;
	connection_grow_up(connection); /* it counts no longer */
	if (loop->closing || !connection->wsi)
		return;
	if (list->count == list->room) {
		list->room = list->room ? 2 * list->room : 64;
		list->all = xrealloc(list->all, list->room, sizeof(struct lws *));
	}
	list->all[list->count++] = connection->wsi;
	uv_timer_start(&loop->kill_timer, on_kill, 0, 0);
}

static void forget_kill(struct loop *loop, const struct lws *wsi)
{
	struct kill_list *list = &loop->to_kill;
	for (size_t i = 0; i < list->count; i++)
		if (list->all[i] == wsi)
			list->all[i] = NULL;
}

static void free_if_over(struct connection *connection)
{
	if (!connection->wsi && (!connection->told || connection->released))
		free(connection);
}

static void on_release(struct letter *letter)
{
	struct connection *connection = take(letter);
	connection->released = true;
	free_if_over(connection);
}

/* On the core. */
static void on_ended(struct letter *letter)
{
	struct connection_letter *end = (struct connection_letter *)letter;
	struct connection *connection = end->connection;
	if (connection->session)
		channel_ended(connection, end->how);
	if (connection->asked)
		exchange_gone(connection->asked);
	connection_post_loop(connection, on_release);
	free(letter);
}

void connection_tell_end(struct connection *connection, unsigned how)
{
	if (!connection->told || connection->end_told)
		return;
	connection->end_told = true;
	/* In the lane in which the core has heard of it, behind all that it has said. */
	connection_post_core(
		connection, connection->websocket ? LANE_PATIENT : LANE_PROMPT, on_ended, how);
}

/* --- libwebsockets -------------------------------------------------------------------------- */

int connection_accepted(struct lws *wsi, struct connection *none, void *in, size_t len)
{
	struct loop *loop = loop_of(wsi);
	struct connection *connection = xcalloc(1, sizeof *connection);
	(void)none;
	(void)in;
	(void)len;
	connection->hub = loop->listener->hub;
	connection->loop = loop;
	connection->wsi = wsi;
	connection->opened_ms = clock_mono_us() / 1000;
	connection->before = loop->young.before;
	connection->after = &loop->young;
	connection->before->after = connection;
	loop->young.before = connection;
	loop->young_count++;
	tell_young(loop);
	loop->instantiated = true;
	lws_set_opaque_user_data(wsi, connection);
	return 0;
}

int connection_destroyed(struct lws *wsi, struct connection *connection, void *in, size_t len)
{
	struct loop *loop = loop_of(wsi);
	(void)in;
	(void)len;
	if (!connection)
		return 0;
	forget_kill(loop, wsi);
	lws_set_opaque_user_data(wsi, NULL);
	connection_grow_up(connection);
	if (connection->websocket) {
		websocket_closed(connection);
		websocket_free(connection);
	}
	connection_tell_end(connection, 0);
	if (connection->exchange)
		exchange_free(connection->exchange);
	connection->exchange = NULL;
	connection->wsi = NULL;
	atomic_fetch_sub(&loop->open, 1);
	free_if_over(connection);
	return 0;
}

static int export_binding(SSL *ssl, unsigned char binding[CONNECTION_BINDING_BYTES])
{
	if (!ssl || (SSL_version(ssl) < TLS1_3_VERSION && SSL_get_extms_support(ssl) != 1))
		return -1;
	return SSL_export_keying_material(ssl, binding, CONNECTION_BINDING_BYTES, EXPORTER_LABEL,
			   strlen(EXPORTER_LABEL), NULL, 0, 0) == 1
			   ? 0
			   : -1;
}

/* What the key exchange was made with has done its work once the handshake is over, but OpenSSL
 * keeps it as long as the connection: a secret that could be stolen, and 0.4 KiB. A key that is
 * given a type anew is emptied. */
static void forget_exchange_keys(SSL *ssl)
{
	EVP_PKEY *keys[2] = {NULL, NULL};
	if (!ssl)
		return;
	SSL_get_tmp_key(ssl, &keys[0]);
	SSL_get_peer_tmp_key(ssl, &keys[1]);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (keys[i])
			EVP_PKEY_set_type(keys[i], EVP_PKEY_get_id(keys[i]));
		EVP_PKEY_free(keys[i]);
	}
}

void connection_learn(struct connection *connection)
{
	if (connection->told)
		return;
	connection->told = true;
	connection->bound = !export_binding(lws_get_ssl(connection->wsi), connection->binding);
	forget_exchange_keys(lws_get_ssl(connection->wsi));
	lws_get_peer_simple(connection->wsi, connection->peer, sizeof connection->peer);
}
