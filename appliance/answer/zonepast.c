/* zonepast - see zonepast.h. */
#include "appliance/answer/zonepast.h"

#include <string.h>

#define INDEX_MASK (4 * ZONEPAST_ZONES - 1)
#define EARLY_MS   1000u /* rounds have jitter */
#define EACH       (ZONEPAST_POINTS / ZONEPAST_COARSE)

void
past_push(float list[ZONEPAST_POINTS], float value, uint64_t steps)
{
	if (steps > ZONEPAST_POINTS)
		steps = ZONEPAST_POINTS;
	memmove(list, list + steps, (ZONEPAST_POINTS - steps) * sizeof *list);
	for (size_t i = ZONEPAST_POINTS - steps; i < ZONEPAST_POINTS; i++)
		list[i] = value;
}

static size_t
index_at(const struct zonepast *p, uint64_t id)
{
	size_t at = (size_t)(id * 0x9e3779b97f4a7c15u >> 32) & INDEX_MASK;

	while (p->index[at] != 0 && p->rows[p->index[at] - 1].id != id)
		at = (at + 1) & INDEX_MASK;
	return at;
}

static void
index_make(struct zonepast *p)
{
	memset(p->index, 0, sizeof p->index);
	for (size_t i = 0; i < p->n; i++)
		p->index[index_at(p, p->rows[i].id)] = (uint16_t)(i + 1);
}

static struct zonepast_row *
row_of(struct zonepast *p, uint64_t id)
{
	unsigned at = p->index[index_at(p, id)];

	return at != 0 ? &p->rows[at - 1] : NULL;
}

static void
row_step(struct zonepast_row *r, const struct zonetotal *z, uint64_t ms, uint64_t steps)
{
	for (unsigned k = 0; k < ZONE_KINDS; k++) {
		uint64_t total = z != NULL ? z->total[k] : r->total[k];
		uint64_t more = total > r->total[k] ? total - r->total[k] : 0;

		past_push(r->list[k], (float)((double)more * 1000 / (double)ms), steps);
		r->total[k] = total;
	}
	r->busy = false;
}

/* For a zone that has none: one that is free, or of a zone that is asked less than all the busiest. */
static void
row_take(struct zonepast *p, const struct zonetotal *z, size_t *from)
{
	struct zonepast_row *r;

	while (p->n == ZONEPAST_ZONES && p->rows[*from].busy)
		++*from; /* as many rows as busy zones: there is one */
	r = p->n < ZONEPAST_ZONES ? &p->rows[p->n++] : &p->rows[*from];
	*r = (struct zonepast_row){ .id = z->id, .busy = true };
	memcpy(r->total, z->total, sizeof r->total);
	for (unsigned k = 0; k < ZONE_KINDS; k++)
		past_push(r->list[k], -1, ZONEPAST_POINTS);
}

void
zonepast_step(struct zonepast *p, const struct zonetotals *t)
{
	uint64_t ms = t->round_ms - p->ms, steps = (ms + ZONEPAST_MS / 2) / ZONEPAST_MS;
	size_t n, from = 0;

	if (p->ms != 0 && (ms + EARLY_MS < ZONEPAST_MS || t->round_ms < p->ms))
		return;
	for (size_t i = 0; i < p->n; i++)
		row_step(&p->rows[i], zonetotals_find(t, p->rows[i].id), ms, steps);
	p->points += p->ms != 0 ? steps : 0;
	p->ms = t->round_ms;
	n = zonetotals_top(t, p->top, ZONEPAST_ZONES, t->round_ms);
	for (size_t i = 0; i < n; i++) {
		struct zonepast_row *r = row_of(p, p->top[i]->id);

		if (r != NULL)
			r->busy = true;
	}
	for (size_t i = 0; i < n; i++)
		if (row_of(p, p->top[i]->id) == NULL)
			row_take(p, p->top[i], &from);
	index_make(p);
}

const struct zonepast_row *
zonepast_find(const struct zonepast *p, uint64_t id)
{
	unsigned at = p->index[index_at(p, id)];

	return at != 0 ? &p->rows[at - 1] : NULL;
}

static float
mean(const float *points, size_t n)
{
	float sum = 0;
	unsigned some = 0;

	for (size_t i = 0; i < n; i++)
		if (points[i] >= 0) {
			sum += points[i];
			some++;
		}
	return some > 0 ? sum / (float)some : -1;
}

void
zonepast_coarse(const struct zonepast *p, const float *points, float *out)
{
	size_t n = p->points % EACH != 0 ? p->points % EACH : EACH, to = ZONEPAST_POINTS;

	for (size_t i = ZONEPAST_COARSE; i-- > 0; n = EACH) {
		out[i] = mean(points + to - n, n);
		to -= n;
	}
}
