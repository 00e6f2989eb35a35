#include "hub/throttle.h"

#include <string.h>

/* FNV-1a: an attacker who collides with a victim's name only shares its waiting. */
static uint64_t key_of(const char *name)
{
	uint64_t hash = 0xcbf29ce484222325u;
	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 0x100000001b3u;
	return hash ? hash : 1;
}

static int find(const struct throttle *throttle, uint64_t key)
{
	for (int i = 0; i < THROTTLE_SLOTS; i++)
		if (throttle->slots[i].key == key)
			return i;
	return -1;
}

static int oldest(const struct throttle *throttle)
{
	int best = 0;
	for (int i = 0; i < THROTTLE_SLOTS; i++)
		if (throttle->slots[i].last < throttle->slots[best].last)
			best = i;
	return best;
}

int64_t throttle_wait(const struct throttle *throttle, const char *name, int64_t now)
{
	int at = find(throttle, key_of(name));
	return at >= 0 && throttle->slots[at].until > now ? throttle->slots[at].until - now : 0;
}

void throttle_failed(struct throttle *throttle, const char *name, int64_t now)
{
	uint64_t key = key_of(name);
	int at = find(throttle, key);
	if (at < 0) {
		at = oldest(throttle);
		memset(&throttle->slots[at], 0, sizeof throttle->slots[at]);
		throttle->slots[at].key = key;
	}
	if (now - throttle->slots[at].last > THROTTLE_FORGET_S)
		throttle->slots[at].failures = 0;
	throttle->slots[at].last = now;
	int over = ++throttle->slots[at].failures - THROTTLE_FREE;
	if (over < 0)
		return;
	int64_t wait = over > 8 ? THROTTLE_MAX_S : (int64_t)2 << over;
	throttle->slots[at].until = now + (wait < THROTTLE_MAX_S ? wait : THROTTLE_MAX_S);
}

void throttle_succeeded(struct throttle *throttle, const char *name)
{
	int at = find(throttle, key_of(name));
	if (at >= 0)
		memset(&throttle->slots[at], 0, sizeof throttle->slots[at]);
}
