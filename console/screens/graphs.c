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

#define POINT_MS 10000u

void
series_past(struct series *s, const float *points, size_t n, double unit, unsigned interval_ms)
{
	for (size_t age = 0; age < SERIES_SAMPLES; age++) {
		size_t back = age * interval_ms / POINT_MS;
		double *sample = &s->list[SERIES_SAMPLES - 1 - age];

		if (*sample < 0 && back < n && points[n - 1 - back] >= 0)
			*sample = (double)points[n - 1 - back] * unit;
	}
	if (s->added < SERIES_SAMPLES)
		s->added = SERIES_SAMPLES;
}

void
spark_past(double *out, size_t columns, const float *points, size_t n)
{
	for (size_t i = 0; i < columns; i++) {
		double sum = 0;
		unsigned some = 0;

		for (size_t k = i * n / columns; k < (i + 1) * n / columns; k++)
			if (points[k] >= 0) {
				sum += (double)points[k];
				some++;
			}
		out[i] = some > 0 ? sum / some : -1;
	}
}

static double
most(const double *list, size_t n)
{
	double m = 0;

	for (size_t i = 0; i < n; i++)
		m = list[i] > m ? list[i] : m;
	return m;
}

void
spark_text(const struct view *v, const double *list, size_t n, char *out, size_t size)
{
	double top = most(list, n);
	size_t len = 0;

	out[0] = '\0';
	if (v->ui->surface->spoken != NULL)
		return; /* bars cannot be read out */
	for (size_t i = 0; i < n && len < size; i++) {
		unsigned level =
		    top > 0 && list[i] > 0 ? (unsigned)(list[i] / top * GLYPH_LEVELS) : 0;

		len += (size_t)snprintf(out + len, size - len, "%s",
		    list[i] < 0 ? " " : glyph_level(v->ui->glyphs, level > 0 ? level : 1));
	}
}

double
series_most(const struct series *s)
{
	return most(s->list, SERIES_SAMPLES);
}

/* The most of the samples from that number on, counted from the first one that ever was; -1: none is there. */
static double
most_from(const struct series *s, uint64_t from, uint64_t to)
{
	double m = -1;

	for (uint64_t i = from; i < to; i++)
		if (s->added - i <= SERIES_SAMPLES &&
		    s->list[SERIES_SAMPLES - (size_t)(s->added - i)] > m)
			m = s->list[SERIES_SAMPLES - (size_t)(s->added - i)];
	return m;
}

void
series_draw(struct view *v, struct rect r, const struct series *list, const char *scale)
{
	double values[SERIES_SAMPLES];
	size_t columns = r.w > SCALE + 1 ? (size_t)(r.w - SCALE - 1) : 1;
	uint64_t end = list->added - graph_held(v, list->added), each, newest;

	surface_put_right(v->ui->surface, r.x, r.y, SCALE - 1, UI_DIM, scale);
	if (r.w <= SCALE + 1 || end == 0)
		return;
	columns = columns < SERIES_SAMPLES ? columns : SERIES_SAMPLES;
	each = (SERIES_SAMPLES + columns - 1) / columns;
	newest = (end - 1) / each;
	/* Of all samples there are the same ones share a column: what is drawn does not change, but for the newest. */
	for (size_t i = 0; i < columns; i++) {
		uint64_t at = (newest - i) * each;

		values[columns - 1 - i] =
		    i <= newest && i < SERIES_SAMPLES / each
			? most_from(list, at, at + each < end ? at + each : end)
			: -1;
	}
	glyph_graph(v->ui->surface, (struct rect){ r.x + SCALE, r.y, r.w - SCALE - 1, r.h },
	    v->ui->glyphs, values, columns, most(values, columns));
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
