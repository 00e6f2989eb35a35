/*
 * A thread of the hub: named, and deaf to signals, which are the core's.
 */
#ifndef HUB_THREAD_H
#define HUB_THREAD_H

#include <pthread.h>

/* The name is 15 bytes at most. 0, or -1 when there is no room for one more. */
int thread_start(pthread_t *thread, const char *name, void *(*run)(void *data), void *data);

#endif
