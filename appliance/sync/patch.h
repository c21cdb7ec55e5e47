/* patch - a difference put onto what it was made from: the RRsets in `removed` leave, those in `added`
 * come.  The inverse is the same with both exchanged.  Pure; any thread. */
#ifndef NS_SYNC_PATCH_H
#define NS_SYNC_PATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/base/err.h"
#include "ipc/base/wbuf.h"

struct bytes {
	const void	*data;
	size_t		 len;
};

/* Appends the result to out.  All in canonical order.  NS_CONFLICT: `now` has not what `removed` says was
 * there, or has already what `added` would bring; NS_CORRUPT: one of the three is broken or out is full. */
enum ns_err	 patch_zwire(struct bytes now, struct bytes removed, struct bytes added, struct wbuf *out)
		    __attribute__((warn_unused_result));

/* The owners in two zwires, in order, each once: first octet of a name, NULL at the end. */
struct owner_run {
	const uint8_t	*owner;
	struct bytes	 a, b;		/* its RRsets in either */
};
/* Pieces of both that belong to the next owner; *at_a and *at_b start at 0.  false: the end, or broken. */
bool	 owner_next(struct bytes a, struct bytes b, size_t *at_a, size_t *at_b, struct owner_run *);

#endif
