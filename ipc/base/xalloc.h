/* xalloc - allocation that stops the process when memory is gone (the supervisor restarts it), or when the sizes
 * multiply to more than there can be.  For start-up and control processes; the query path allocates nothing at all.
 * What is returned is the caller's, for free(). */
#ifndef NS_BASE_XALLOC_H
#define NS_BASE_XALLOC_H

#include <stdarg.h>
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
char	*xvasprintf(const char *fmt, va_list)
	    __attribute__((returns_nonnull, warn_unused_result, format(printf, 1, 0)));

#endif
