/* graphs.c - see graphs.h. */
#include "console/screens/graphs.h"

#include <stdio.h>
#include <string.h>

#include "console/core/loop.h"

#define SCALE 8 /* columns left of a graph */

void
series_init(struct series *s)
{
	for (size_t i = 0; i < SERIES_SAMPLES; i++)
		s->list[i] = -1;
	s->added = 0;
}

size_t
graph_held(const struct view *v, uint64_t samples)
{
	bool slow = v->ui->loop != NULL && loop_slow(v->ui->loop);

	return slow ? (size_t)(samples % GRAPH_BUCKET) : 0;
}

void
series_add(struct series *s, double value)
{
	s->added++;
	memmove(s->list, s->list + 1, (SERIES_SAMPLES - 1) * sizeof s->list[0]);
	s->list[SERIES_SAMPLES - 1] = value;
}

void
series_gap(struct series *s, uint64_t ms, unsigned interval_ms)
{
	uint64_t missed = ms / interval_ms;

	for (uint64_t i = 2; i < missed && i < SERIES_SAMPLES; i++)
		series_add(s, -1);
}

static double
most(const double *list, size_t n)
{
	double m = 0;

	for (size_t i = 0; i < n; i++)
		m = list[i] > m ? list[i] : m;
	return m;
}

double
series_most(const struct series *s)
{
	return most(s->list, SERIES_SAMPLES);
}

void
series_draw(struct view *v, struct rect r, const struct series *list, const char *scale)
{
	size_t n = SERIES_SAMPLES - graph_held(v, list->added);

	surface_put_right(v->ui->surface, r.x, r.y, SCALE - 1, UI_DIM, scale);
	glyph_graph(v->ui->surface, (struct rect){ r.x + SCALE, r.y, r.w - SCALE - 1, r.h },
	    v->ui->glyphs, list->list, n, most(list->list, n));
}

void
buckets_draw(struct view *v, struct rect r, Ns__StatsReply__Bucket *const *list, size_t n)
{
	double values[128], most = 0;
	size_t room = r.w > SCALE + 1 ? (size_t)(r.w - SCALE - 1) : 0;
	struct surface *s = v->ui->surface;

	if (n > sizeof values / sizeof *values)
		n = sizeof values / sizeof *values;
	if (n > room)
		n = room;
	if (n == 0 || r.h < 2)
		return;
	for (size_t i = 0; i < n; i++) {
		values[i] = (double)list[i]->count;
		most = values[i] > most ? values[i] : most;
	}
	glyph_graph(
	    s, (struct rect){ r.x + SCALE, r.y, (int)n, r.h - 1 }, v->ui->glyphs, values, n, most);
	surface_putf(s, r.x + SCALE, r.y + r.h - 1, r.w - SCALE - 1, UI_DIM, "%.2f to %.2f ms",
	    list[0]->us / 1000, list[n - 1]->us / 1000);
}
