/* wbuf.c - the growing half of wbuf.h. */
#include "ipc/base/wbuf.h"

#include <stdlib.h>

#include "ipc/base/xalloc.h"

#define WBUF_FIRST 256u /* most small messages fit; doubling does the rest */

bool
wbuf_more(struct wbuf *w, size_t need)
{
	size_t want, cap;

	if (w->bad || w->max == 0 || need > w->max - w->len) {
		w->bad = true;
		return false;
	}
	want = w->len + need;
	cap = w->cap > 0 ? w->cap : WBUF_FIRST;
	while (cap < want)
		cap = cap > w->max / 2 ? w->max : cap * 2;
	if (cap > w->max)
		cap = w->max;
	w->base = xrealloc(w->base, cap);
	w->cap = cap;
	return true;
}

void
wbuf_free(struct wbuf *w)
{
	if (w->max > 0)
		free(w->base);
	*w = (struct wbuf){ .max = w->max };
}
