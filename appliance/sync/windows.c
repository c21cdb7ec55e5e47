/* windows - see windows.h.  What asks the writer is in windowtick.c. */
#include "appliance/sync/windows.h"

#include <stdlib.h>
#include <string.h>

#include "ipc/base/xalloc.h"

#define MS_NS 1000000ull

struct window {
	uint64_t revision, total_ms;
	uint64_t end_ns; /* of the monotonic clock */
	uint64_t tried_ns; /* 0: not yet */
};
struct windows {
	struct window *list;
	size_t count;
};

struct windows *
windows_new(void)
{
	return xcalloc(1, sizeof(struct windows));
}

void
windows_destroy(struct windows **wp)
{
	if (*wp == NULL)
		return;
	free((*wp)->list);
	free(*wp);
	*wp = NULL;
}

static struct window *
find(const struct windows *w, uint64_t revision)
{
	for (size_t i = 0; i < w->count; i++)
		if (w->list[i].revision == revision)
			return &w->list[i];
	return NULL;
}

void
windows_set(struct windows *w, const struct window_list *in, uint64_t now_ns)
{
	struct window *fresh = xcalloc(in->count + 1, sizeof *fresh);

	for (size_t i = 0; i < in->count; i++) {
		const struct store_window *s = &in->windows[i];
		const struct window *known = find(w, s->revision);

		fresh[i] = known != NULL ? *known
					 : (struct window){ .revision = s->revision,
						   .total_ms = s->total_ms,
						   .end_ns = now_ns + s->remaining_ms * MS_NS };
	}
	free(w->list);
	w->list = fresh;
	w->count = in->count;
}

static uint64_t
remaining_ms(const struct window *w, uint64_t now_ns)
{
	return now_ns < w->end_ns ? (w->end_ns - now_ns) / MS_NS : 0;
}

void
windows_remaining(const struct windows *w, uint64_t now_ns, struct window_list *out)
{
	*out = (struct window_list){ .count = w->count,
		.windows = xcalloc(w->count + 1, sizeof *out->windows) };
	for (size_t i = 0; i < w->count; i++)
		out->windows[i] = (struct store_window){ .revision = w->list[i].revision,
			.total_ms = w->list[i].total_ms,
			.remaining_ms = remaining_ms(&w->list[i], now_ns) };
}

uint64_t
windows_due(struct windows *w, uint64_t now_ns, uint64_t *total_ms)
{
	for (size_t i = 0; i < w->count; i++) {
		struct window *d = &w->list[i];

		if (now_ns < d->end_ns ||
		    (d->tried_ns != 0 && now_ns < d->tried_ns + WINDOWS_RETRY_NS))
			continue;
		d->tried_ns = now_ns;
		*total_ms = d->total_ms;
		return d->revision;
	}
	return 0;
}

uint64_t
windows_stuck(const struct windows *w, uint64_t now_ns)
{
	for (size_t i = 0; i < w->count; i++)
		if (w->list[i].tried_ns != 0 && now_ns > w->list[i].end_ns + WINDOWS_STUCK_NS)
			return w->list[i].revision;
	return 0;
}

void
windows_learn(struct windows *w, uint64_t revision, uint64_t ms, uint64_t now_ns)
{
	struct window *d = find(w, revision);

	if (d != NULL && ms < remaining_ms(d, now_ns))
		d->end_ns = now_ns + ms * MS_NS;
}

void
windows_status(const struct windows *w, Ns__StatusReply *m, uint64_t now_ns)
{
	m->unconfirmed = xcalloc(w->count + 1, sizeof *m->unconfirmed);
	for (size_t i = 0; i < w->count; i++) {
		Ns__StatusReply__Unconfirmed *u = xmalloc(sizeof *u);

		ns__status_reply__unconfirmed__init(u);
		u->revision = w->list[i].revision;
		u->remaining_s = (double)remaining_ms(&w->list[i], now_ns) / 1e3;
		u->total_s = (double)w->list[i].total_ms / 1e3;
		m->unconfirmed[m->n_unconfirmed++] = u;
	}
}
