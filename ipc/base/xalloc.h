/* xalloc - allocation that stops the process when memory is gone (the supervisor restarts it).
 * For start-up and control processes; the query path allocates nothing at all. */
#ifndef NS_BASE_XALLOC_H
#define NS_BASE_XALLOC_H

#include <stddef.h>

void	*xmalloc(size_t) __attribute__((returns_nonnull, warn_unused_result, malloc));
void	*xcalloc(size_t n, size_t size) __attribute__((returns_nonnull, warn_unused_result, malloc));
void	*xrealloc(void *, size_t) __attribute__((returns_nonnull, warn_unused_result));
void	*xreallocarray(void *, size_t n, size_t size)
	    __attribute__((returns_nonnull, warn_unused_result));
char	*xstrdup(const char *) __attribute__((returns_nonnull, warn_unused_result, malloc));
void	*xmemdup(const void *, size_t) __attribute__((returns_nonnull, warn_unused_result, malloc));
char	*xasprintf(const char *fmt, ...)
	    __attribute__((returns_nonnull, warn_unused_result, format(printf, 1, 2)));

#endif
