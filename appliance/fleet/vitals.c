/* vitals.c - see vitals.h. */
#include "appliance/fleet/vitals.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"

#define DAY_MS      86400000ll
#define MINUTE_NS   60000000000ull
#define TRIP_MAX_US 10000000ll /* a slower one tells nothing */

/* ---- messages ---- */
void
vitals_read(struct vitals *v, const Ns__FleetVitals *m)
{
	*v = (struct vitals){ 0 };
	if (m == NULL)
		return;
	v->memory_mib = m->memory_mib;
	v->geo_day = m->geo_day;
	v->clocked = m->clocked;
	v->clock_us = m->clock_us;
}

void
vitals_put(const struct vitals *v, Ns__FleetVitals *m)
{
	ns__fleet_vitals__init(m);
	m->memory_mib = v->memory_mib;
	m->geo_day = v->geo_day;
	m->clocked = v->clocked;
	m->clock_us = v->clock_us;
}

void
vitals_show(const struct vitals *v, Ns__FleetListReply__Appliance *a)
{
	char text[CLOCK_RFC3339_LEN];

	a->memory_mib = v->memory_mib;
	a->clock_ms = v->clocked ? (double)v->clock_us / 1000 : (double)NAN;
	if (v->geo_day != 0)
		a->geo_built =
		    xasprintf("%.10s", clock_rfc3339((int64_t)v->geo_day * DAY_MS, text));
	else
		a->geo_built = xstrdup("");
}

/* ---- clocks ---- */
bool
clockdiff_take(struct clockdiff *d, const struct clock_trip *t, uint64_t now_ns)
{
	int64_t whole = t->came_us - t->sent_us, round;

	if (t->sent_us <= 0 || t->came_us <= 0 || t->theirs_us <= 0 || whole < 0 ||
	    whole > TRIP_MAX_US || t->held_us > (uint64_t)whole)
		return false;
	round = whole - (int64_t)t->held_us;
	if (d->known && round > d->round_us && clock_since(now_ns, d->at_ns) < CLOCK_KEEP_NS)
		return false;
	*d = (struct clockdiff){ true, t->theirs_us - (t->came_us - round / 2), round, now_ns };
	return true;
}

/* ---- load ---- */
/* The place of a name; FLEET_MEMBERS: it has none. */
static size_t
place_of(const struct loadpast *p, const char *name)
{
	size_t i = 0;

	while (i < FLEET_MEMBERS && (p->of[i].seen_ns == 0 || strcmp(p->of[i].name, name) != 0))
		i++;
	return i;
}

/* Its own, or that of who was not heard of for the longest. */
static struct loadpast_of *
place_for(struct loadpast *p, const char *name)
{
	size_t at = place_of(p, name);
	struct loadpast_of *o = &p->of[0];

	if (at < FLEET_MEMBERS)
		return &p->of[at];
	for (size_t i = 1; i < FLEET_MEMBERS; i++)
		if (p->of[i].seen_ns < o->seen_ns)
			o = &p->of[i];
	*o = (struct loadpast_of){ 0 };
	snprintf(o->name, sizeof o->name, "%s", name);
	for (size_t k = 0; k < LOAD_POINTS; k++)
		o->points[k] = -1;
	return o;
}

static void
next_minute(struct loadpast *p)
{
	for (size_t i = 0; i < FLEET_MEMBERS; i++) {
		struct loadpast_of *o = &p->of[i];

		memmove(o->points, o->points + 1, (LOAD_POINTS - 1) * sizeof o->points[0]);
		o->points[LOAD_POINTS - 1] = -1;
		o->sum = 0;
		o->n = 0;
	}
	p->minute_ns += MINUTE_NS;
}

void
loadpast_add(struct loadpast *p, const char *name, double qps, uint64_t now_ns)
{
	struct loadpast_of *o;

	if (p->minute_ns == 0)
		p->minute_ns = now_ns;
	if (clock_since(now_ns, p->minute_ns) >= (LOAD_POINTS + 1) * MINUTE_NS)
		p->minute_ns = now_ns - (LOAD_POINTS + 1) * MINUTE_NS;
	while (clock_since(now_ns, p->minute_ns) >= MINUTE_NS)
		next_minute(p);
	o = place_for(p, name);
	o->seen_ns = now_ns;
	if (!(qps >= 0))
		return;
	o->sum += qps;
	o->points[LOAD_POINTS - 1] = (float)(o->sum / ++o->n);
}

const float *
loadpast_of(const struct loadpast *p, const char *name)
{
	size_t at = place_of(p, name);

	return at < FLEET_MEMBERS ? p->of[at].points : NULL;
}
