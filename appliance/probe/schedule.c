/* schedule.c - see schedule.h. */
#include "appliance/probe/schedule.h"

#include <stdlib.h>

#include "ipc/base/xalloc.h"

static void
set(struct schedule *s, size_t place, struct due *d)
{
	s->heap[place] = d;
	d->place = place;
}

static void
up(struct schedule *s, size_t i)
{
	struct due *d = s->heap[i];

	for (; i > 1 && s->heap[i / 2]->at_ms > d->at_ms; i /= 2)
		set(s, i, s->heap[i / 2]);
	set(s, i, d);
}

static void
down(struct schedule *s, size_t i)
{
	struct due *d = s->heap[i];

	for (size_t child; (child = 2 * i) <= s->count; i = child) {
		if (child < s->count && s->heap[child + 1]->at_ms < s->heap[child]->at_ms)
			child++;
		if (s->heap[child]->at_ms >= d->at_ms)
			break;
		set(s, i, s->heap[child]);
	}
	set(s, i, d);
}

void
schedule_put(struct schedule *s, struct due *d, uint64_t at_ms)
{
	if (d->place == 0) {
		if (s->count + 1 >= s->room) {
			s->room = s->room * 2 + 64;
			s->heap = xreallocarray(s->heap, s->room, sizeof *s->heap);
		}
		set(s, ++s->count, d);
	}
	d->at_ms = at_ms;
	up(s, d->place);
	down(s, d->place);
}

void
schedule_drop(struct schedule *s, struct due *d)
{
	size_t place = d->place;
	struct due *last;

	if (place == 0)
		return;
	last = s->heap[s->count--];
	d->place = 0;
	if (last == d)
		return;
	set(s, place, last);
	up(s, place);
	down(s, last->place);
}

struct due *
schedule_take(struct schedule *s, uint64_t now_ms)
{
	struct due *d = s->count > 0 ? s->heap[1] : NULL;

	if (d == NULL || d->at_ms > now_ms)
		return NULL;
	schedule_drop(s, d);
	return d;
}

uint64_t
schedule_next(const struct schedule *s)
{
	return s->count > 0 ? s->heap[1]->at_ms : UINT64_MAX;
}

void
schedule_free(struct schedule *s)
{
	free(s->heap);
	*s = (struct schedule){ 0 };
}
