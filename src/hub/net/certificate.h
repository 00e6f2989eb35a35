/*
 * The certificate while the hub runs: taken anew on SIGHUP, once a day, and when its files change;
 * open sessions go on as they are.
 */
#ifndef HUB_CERTIFICATE_H
#define HUB_CERTIFICATE_H

#include <stdint.h>
#include <sys/stat.h>
#include <uv.h>

struct hub;

struct certificate_watch {
	struct hub *hub;
	uv_timer_t timer;
	struct stat files[2]; /* chain and key as they were taken */
	struct stat seen[2];  /* as they were a moment ago */
	int64_t renewed_ms;
};

/* After the listener was opened. The handle goes with the hub's loop. */
void certificate_watch_start(struct certificate_watch *watch, struct hub *hub);
/* Reads it again. What cannot be used is logged, and the old one stays in use. */
void certificate_renew(struct certificate_watch *watch);

#endif
