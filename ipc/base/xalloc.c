/* xalloc.c - allocation that never returns NULL; see xalloc.h.
 *
 * Any process but the query path, any thread.  The caller owns what it gets and ends it with free(). */
#include "ipc/base/xalloc.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ipc/base/log.h"

static void *
or_die(void *p, size_t size)
{
	if (p == NULL)
		fatal("memory.exhausted", "bytes=%zu", size);
	return p;
}

void *
xmalloc(size_t size)
{
	return or_die(malloc(size > 0 ? size : 1), size);
}

void *
xcalloc(size_t n, size_t size)
{
	/* Of nothing still one byte, so that NULL always means "out of memory". */
	return or_die(n > 0 && size > 0 ? calloc(n, size) : calloc(1, 1), size);
}

void *
xrealloc(void *old, size_t size)
{
	return or_die(realloc(old, size > 0 ? size : 1), size);
}

void *
xreallocarray(void *old, size_t n, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total))
		fatal("memory.overflow", "count=%zu size=%zu", n, size);
	return xrealloc(old, total);
}

char *
xstrdup(const char *s)
{
	return xmemdup(s, strlen(s) + 1);
}

void *
xmemdup(const void *data, size_t len)
{
	void *p = xmalloc(len);

	if (len > 0)
		memcpy(p, data, len);
	return p;
}

char *
xasprintf(const char *fmt, ...)
{
	char *s;
	va_list ap;

	va_start(ap, fmt);
	s = xvasprintf(fmt, ap);
	va_end(ap);
	return s;
}

char *
xvasprintf(const char *fmt, va_list ap)
{
	char *s = NULL;
	int n = vasprintf(&s, fmt, ap);

	return or_die(n >= 0 ? s : NULL, strlen(fmt));
}
