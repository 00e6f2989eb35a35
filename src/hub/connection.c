/*
 * Who is connected: young connections in a ring, the oldest first; the end of one, also from afar.
 */
#include "base/clock.h"
#include "hub/channel.h"
#include "hub/exchange.h"
#include "hub/listener_parts.h"
#include "hub/state.h"

#include <openssl/ssl.h>
#include <string.h>

#define IDLE_MS        2000 /* a young connection older than this may make room */
#define EXPORTER_LABEL "EXPORTER-Channel-Binding"

static bool is_young(const struct connection *connection)
{
	return connection->after != NULL;
}

void connection_proven(struct connection *connection)
{
	if (!is_young(connection))
		return;
	connection->before->after = connection->after;
	connection->after->before = connection->before;
	connection->before = connection->after = NULL;
	connection->hub->listener->young_count--;
}

static void on_kill(uv_timer_t *timer)
{
	struct kill_list *list = &((struct listener *)timer->data)->to_kill;
	/* Closing one may ask for others: they are appended. */
	for (size_t i = 0; i < list->count; i++)
		if (list->all[i])
			lws_set_timeout(list->all[i], PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_SYNC);
	list->count = 0;
}

/* Not from inside a callback of libwebsockets, which may be at work on the connection. */
void connection_kill(struct connection *connection)
{
	struct listener *listener = connection->hub->listener;
	struct kill_list *list = &listener->to_kill;
	connection_proven(connection); /* it counts no longer */
	if (listener->closing)
		return;
	if (list->count == list->room) {
		list->room = list->room ? 2 * list->room : 64;
		list->all = xrealloc(list->all, list->room, sizeof(struct lws *));
	}
	list->all[list->count++] = connection->wsi;
	uv_timer_start(&listener->kill_timer, on_kill, 0, 0);
}

static void forget_kill(struct listener *listener, const struct lws *wsi)
{
	struct kill_list *list = &listener->to_kill;
	for (size_t i = 0; i < list->count; i++)
		if (list->all[i] == wsi)
			list->all[i] = NULL;
}

/* Room for a handshake. In a rush of honest machines no young connection is idle, and it is the
 * newcomer who comes back. */
bool listener_has_room(struct listener *listener)
{
	const struct connection *oldest = listener->young.after;
	if (listener->young_count < listener->young_max)
		return true;
	metric_add(&listener->hub->metrics, METRIC_REFUSED, 1);
	if (clock_mono_us() / 1000 - oldest->opened_ms < IDLE_MS)
		return false;
	connection_kill(listener->young.after);
	return true;
}

int connection_accepted(struct lws *wsi, struct connection *none, void *in, size_t len)
{
	struct listener *listener = listener_of(wsi);
	struct connection *connection = xcalloc(1, sizeof *connection);
	(void)none;
	(void)in;
	(void)len;
	connection->hub = listener->hub;
	connection->wsi = wsi;
	connection->opened_ms = clock_mono_us() / 1000;
	connection->before = listener->young.before;
	connection->after = &listener->young;
	connection->before->after = connection;
	listener->young.before = connection;
	listener->open++;
	listener->young_count++;
	lws_set_opaque_user_data(wsi, connection);
	return 0;
}

int connection_destroyed(struct lws *wsi, struct connection *connection, void *in, size_t len)
{
	struct listener *listener = listener_of(wsi);
	(void)in;
	(void)len;
	if (!connection)
		return 0;
	forget_kill(listener, wsi);
	lws_set_opaque_user_data(wsi, NULL);
	if (connection->exchange)
		exchange_gone(connection->exchange);
	if (connection->channel)
		channel_closed(connection->channel);
	connection_proven(connection);
	listener->open--;
	free(connection);
	return 0;
}

void connection_peer(const struct connection *connection, char *text, size_t size)
{
	text[0] = '\0';
	lws_get_peer_simple(connection->wsi, text, size);
}

int connection_binding(const struct connection *connection, unsigned char binding[32])
{
	SSL *ssl = lws_get_ssl(connection->wsi);
	if (!ssl || (SSL_version(ssl) < TLS1_3_VERSION && SSL_get_extms_support(ssl) != 1))
		return -1;
	return SSL_export_keying_material(
			   ssl, binding, 32, EXPORTER_LABEL, strlen(EXPORTER_LABEL), NULL, 0, 0) == 1
			   ? 0
			   : -1;
}
