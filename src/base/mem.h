/*
 * Small allocations that cannot fail, and clean-up at the end of a scope.
 *
 * The programs are supervised: a machine that cannot give a few bytes has lost already, so these
 * functions abort with a line on stderr. Sizes that a peer chooses never reach them unbounded; the
 * bound stands where the size is read (see buf.h).
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#define ARRAY_LEN(a)      (sizeof(a) / sizeof((a)[0]))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))

/* `cleanup(fn) T *p = NULL;` calls fn(&p) when p leaves its scope. */
#define cleanup(fn) __attribute__((cleanup(fn)))

/* Each returns memory that the caller owns and frees with free(). */
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *old, size_t count, size_t size);
char *xstrdup(const char *text); /* NULL stays NULL */
char *xstrndup(const char *text, size_t len);
char *xasprintf(const char *format, ...) PRINTF_LIKE(1, 2);
char *xvasprintf(const char *format, va_list args) PRINTF_LIKE(1, 0);

/* For `cleanup(free_ptr) char *p`. */
static inline void free_ptr(void *pointer_to_pointer)
{
	free(*(void **)pointer_to_pointer);
}

#endif
