/*
 * Happy path: the files differ from what was taken and have not changed for a moment, they are
 * read, fit each other, and every loop uses them for what connects from then on.
 *
 * What goes wrong: one file is new and the other is not yet (what they say together is tried when
 * they change again), or they cannot be read (likewise).
 */
#include "hub/net/certificate.h"

#include "hub/log.h"
#include "hub/state.h"

#include <string.h>

#define LOOK_MS  1000
#define RENEW_MS INT64_C(86400000) /* a day: the private CA's own nears its end some time */

static bool differ(const struct stat a[2], const struct stat b[2])
{
	for (int i = 0; i < 2; i++)
		if (a[i].st_ino != b[i].st_ino || a[i].st_size != b[i].st_size ||
			a[i].st_mtim.tv_sec != b[i].st_mtim.tv_sec ||
			a[i].st_mtim.tv_nsec != b[i].st_mtim.tv_nsec)
			return true;
	return false;
}

static void look(const struct hub *hub, struct stat files[2])
{
	const char *const paths[] = {hub->certificate.chain_file, hub->certificate.key_file};
	for (int i = 0; i < 2; i++)
		if (stat(paths[i], &files[i]))
			files[i] = (struct stat){0};
}

void certificate_renew(struct certificate_watch *watch)
{
	struct hub *hub = watch->hub;
	struct keys_certificate fresh;
	struct err err = {0};
	watch->renewed_ms = hub_now_ms();
	int bad = hub_get_certificate(hub, &fresh, &err);
	if (!bad) {
		bad = listener_reload(hub->listener, &fresh, &err);
		keys_certificate_free(&fresh);
	}
	look(hub, watch->files);
	memcpy(watch->seen, watch->files, sizeof watch->seen);
	if (bad)
		log_line(LOG_ERROR, "%s", err.text);
	else
		log_line(LOG_NOTE, "the certificate was read again");
}

static void on_look(uv_timer_t *timer)
{
	struct certificate_watch *watch = timer->data;
	struct stat now[2];
	look(watch->hub, now);
	bool settled = !differ(now, watch->seen);
	memcpy(watch->seen, now, sizeof now);
	if ((settled && differ(now, watch->files)) || hub_now_ms() - watch->renewed_ms >= RENEW_MS)
		certificate_renew(watch);
}

void certificate_watch_start(struct certificate_watch *watch, struct hub *hub)
{
	watch->hub = hub;
	watch->renewed_ms = hub_now_ms();
	look(hub, watch->files);
	memcpy(watch->seen, watch->files, sizeof watch->seen);
	uv_timer_init(&hub->loop, &watch->timer);
	watch->timer.data = watch;
	uv_timer_start(&watch->timer, on_look, LOOK_MS, LOOK_MS);
}
