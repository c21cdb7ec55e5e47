/* zonetotals - see zonetotals.h. */
#include "appliance/answer/zonetotals.h"

#include <stdlib.h>

#include "ipc/base/xalloc.h"

#define FIRST_SIZE 1024u
#define ID_MASK    ((1ull << 48) - 1)
#define RATE_S     10u /* what a rate looks back, about */
#define RATE_ROWS  128u /* seconds after which it is nothing */
#define NO_RATE    0.05 /* queries a second: less is quiet */
#define PURGE_S    60u /* between two looks for zones to forget */
#define QUIET_S    3600u /* after which a zone may be forgotten */

/* 0.9 to the power of the seconds that passed. */
static float
fade(uint32_t seconds)
{
	static float rows[RATE_ROWS];

	if (rows[0] == 0.0f) {
		rows[0] = 1.0f;
		for (unsigned i = 1; i < RATE_ROWS; i++)
			rows[i] = rows[i - 1] * (1.0f - 1.0f / RATE_S);
	}
	return seconds < RATE_ROWS ? rows[seconds] : 0.0f;
}

static uint32_t
second_of(uint64_t now_ms)
{
	return (uint32_t)(now_ms / 1000) & INT32_MAX;
}

void
zonetotals_init(struct zonetotals *t)
{
	*t = (struct zonetotals){ .size = FIRST_SIZE };
	t->table = xcalloc(t->size, sizeof *t->table);
}

void
zonetotals_fini(struct zonetotals *t)
{
	free(t->table);
	*t = (struct zonetotals){ 0 };
}

static inline size_t
home_of(const struct zonetotals *t, uint64_t id)
{
	return (size_t)(id * 0x9e3779b97f4a7c15u >> 32) & (t->size - 1);
}

static struct zonetotal *
place_of(const struct zonetotals *t, uint64_t id)
{
	size_t at = home_of(t, id);

	while (t->table[at].id != 0 && t->table[at].id != id)
		at = (at + 1) & (t->size - 1);
	return &t->table[at];
}

/* Into a table of `size`, without those that are quiet since `before`. */
static void
rebuild(struct zonetotals *t, size_t size, uint32_t before)
{
	struct zonetotal *old = t->table;
	size_t old_size = t->size;

	t->table = xcalloc(size, sizeof *t->table);
	t->size = size;
	t->used = 0;
	for (size_t i = 0; i < old_size; i++) {
		if (old[i].id == 0 || old[i].second < before)
			continue;
		*place_of(t, old[i].id) = old[i];
		t->used++;
	}
	free(old);
}

/* Room for one more; false: the table is at its limit and everybody in it is awake. */
static bool
make_room(struct zonetotals *t, uint32_t second)
{
	if (t->used < t->size / 8 * 7)
		return true;
	if (t->size < ZONETOTALS_MAX) {
		rebuild(t, t->size * 2, 0);
		return true;
	}
	if (second - t->purged < PURGE_S || second < QUIET_S)
		return false;
	t->purged = second;
	rebuild(t, t->size, second - QUIET_S);
	return t->used < t->size / 8 * 7;
}

static struct zonetotal *
get(struct zonetotals *t, uint64_t id, uint32_t second)
{
	struct zonetotal *z = place_of(t, id);

	if (z->id != 0)
		return z;
	if (!make_room(t, second))
		return NULL;
	z = place_of(t, id);
	z->id = id & ID_MASK;
	z->second = second & INT32_MAX;
	t->used++;
	return z;
}

/* From one sum to the next. */
static uint32_t
step(uint32_t was, uint32_t is)
{
	return is - was <= INT32_MAX ? is - was : 0;
}

void
zonetotals_begin(struct zonetotals *t, uint64_t now_ms)
{
	(void)now_ms;
	for (size_t i = 0; i < t->size; i++)
		for (unsigned k = 0; k < ZONE_KINDS; k++)
			t->table[i].sum[k] = 0;
}

/* A bucket at a time, so that what its entries mean is on its way when it is touched. */
void
zonetotals_add(struct zonetotals *t, const struct zonecount *c, uint64_t now_ms)
{
	struct zonecount_value v[ZONECOUNT_WAYS];
	struct zonetotal *z;
	unsigned n, i;

	for (uint32_t at = 0; at < ZONECOUNT_ENTRIES; at += ZONECOUNT_WAYS) {
		for (i = n = 0; i < ZONECOUNT_WAYS; i++) {
			if (!zonecount_read(c, at + i, &v[n]))
				continue;
			__builtin_prefetch(&t->table[home_of(t, v[n].id)], 1);
			n++;
		}
		for (i = 0; i < n; i++) {
			z = get(t, v[i].id, second_of(now_ms));
			if (z == NULL) {
				t->lost++;
				continue;
			}
			z->sum[ZONE_QUERIES] += v[i].queries;
			z->sum[ZONE_NXDOMAIN] += v[i].nxdomain;
			z->sum[ZONE_ERRORS] += v[i].errors;
		}
	}
}

/* A part of what was asked since. */
static void
add_rate(struct zonetotal *z, float part, const uint32_t steps[ZONE_KINDS])
{
	float more = part * (float)steps[ZONE_QUERIES], nx = part * (float)steps[ZONE_NXDOMAIN];
	float share;

	nx = nx < more ? nx : more;
	nx += z->rate * (float)z->nx / ZONE_NX_ALL;
	z->rate += more;
	share = z->rate > 0 ? nx / z->rate : 0;
	z->nx = (uint16_t)((share < 1 ? share : 1) * ZONE_NX_ALL + 0.5f);
}

/* A zone that is new takes all of it, however much; one that was there before we were has had it before. */
static void
settle(struct zonetotal *z, uint32_t second, double seconds)
{
	uint32_t steps[ZONE_KINDS];

	for (unsigned k = 0; k < ZONE_KINDS; k++) {
		steps[k] = z->old ? step(z->last[k], z->sum[k]) : z->sum[k];
		z->total[k] += steps[k];
		z->last[k] = z->sum[k];
	}
	z->old = 1;
	if (steps[ZONE_QUERIES] == 0)
		return;
	z->rate *= fade(second - z->second);
	if (seconds > 0)
		add_rate(z, (1.0f - fade((uint32_t)(seconds + 0.999))) / (float)seconds, steps);
	z->second = second & INT32_MAX;
}

void
zonetotals_end(struct zonetotals *t, uint64_t now_ms)
{
	double seconds = t->round_ms != 0 ? (double)(now_ms - t->round_ms) / 1000.0 : 0;

	/* Two in one second: a rate over the whole of it. */
	if (seconds > 0 && seconds < 1)
		seconds = 1;
	for (size_t i = 0; i < t->size; i++)
		if (t->table[i].id != 0)
			settle(&t->table[i], second_of(now_ms), seconds);
	t->round_ms = now_ms;
}

const struct zonetotal *
zonetotals_find(const struct zonetotals *t, uint64_t id)
{
	const struct zonetotal *z = place_of(t, id);

	return z->id != 0 ? z : NULL;
}

double
zonetotals_rate(const struct zonetotal *z, uint64_t now_ms)
{
	return (double)(z->rate * fade(second_of(now_ms) - z->second));
}

uint32_t
zonetotals_nx(const struct zonetotal *z)
{
	return (z->nx * 1000u + ZONE_NX_ALL / 2) / ZONE_NX_ALL;
}

static bool
is_more(const struct zonetotal *a, const struct zonetotal *b, uint64_t now_ms)
{
	double ra = zonetotals_rate(a, now_ms), rb = zonetotals_rate(b, now_ms);

	if ((ra >= NO_RATE || rb >= NO_RATE) && ra != rb)
		return ra > rb;
	return a->total[ZONE_QUERIES] > b->total[ZONE_QUERIES];
}

size_t
zonetotals_top(
    const struct zonetotals *t, const struct zonetotal **out, size_t max, uint64_t now_ms)
{
	size_t n = 0, k;

	for (size_t i = 0; i < t->size; i++) {
		const struct zonetotal *z = &t->table[i];

		if (z->id == 0 || (n == max && !is_more(z, out[n - 1], now_ms)))
			continue;
		for (k = n < max ? n++ : n - 1; k > 0 && is_more(z, out[k - 1], now_ms); k--)
			out[k] = out[k - 1];
		out[k] = z;
	}
	return n;
}

/* Who is asked less is left out, until the others fit. */
size_t
zonetotals_rates(
    const struct zonetotals *t, const struct zonetotal **out, size_t max, uint64_t now_ms)
{
	double least = NO_RATE;
	size_t n, i;

	for (;; least *= 2) {
		for (n = i = 0; i < t->size; i++) {
			const struct zonetotal *z = &t->table[i];

			if (z->id == 0 || zonetotals_rate(z, now_ms) < least)
				continue;
			if (n == max)
				break;
			out[n++] = z;
		}
		if (i == t->size)
			return n;
	}
}
