/* presence - see presence.h: the table. */
#include "appliance/sync/presence.h"

#include <stdio.h>
#include <string.h>

static bool
is_of(const struct presence_lease *l, const uint8_t *zone, size_t len)
{
	return l->zone_len == len && memcmp(l->zone, zone, len) == 0;
}

static struct presence_lease *
find(struct presence *p, const uint8_t *zone, size_t len, const char *name, const char *appliance)
{
	for (size_t i = 0; i < PRESENCE_MAX; i++) {
		struct presence_lease *l = &p->leases[i];

		if (is_of(l, zone, len) && strcmp(l->name, name) == 0 &&
		    strcmp(l->appliance, appliance) == 0)
			return l;
	}
	return NULL;
}

/* One that is free or over, or ends before all others. */
static struct presence_lease *
make_room(struct presence *p)
{
	struct presence_lease *first = &p->leases[0];

	for (size_t i = 0; i < PRESENCE_MAX && first->zone_len != 0; i++)
		if (p->leases[i].zone_len == 0 || p->leases[i].until_ns < first->until_ns)
			first = &p->leases[i];
	return first;
}

void
presence_put(struct presence *p, const uint8_t *zone, size_t len, const char *name,
    const char *appliance, uint64_t now_ns)
{
	struct presence_lease *l = find(p, zone, len, name, appliance);

	if (l == NULL || l->until_ns <= now_ns) {
		if (l == NULL)
			l = make_room(p);
		*l = (struct presence_lease){ .zone_len = len, .since_ns = now_ns };
		memcpy(l->zone, zone, len);
		snprintf(l->name, sizeof l->name, "%s", name);
		snprintf(l->appliance, sizeof l->appliance, "%s", appliance);
	}
	l->until_ns = now_ns + PRESENCE_NS;
}

void
presence_drop(
    struct presence *p, const uint8_t *zone, size_t len, const char *name, const char *appliance)
{
	struct presence_lease *l = find(p, zone, len, name, appliance);

	if (l != NULL)
		*l = (struct presence_lease){ 0 };
}

size_t
presence_others(const struct presence *p, const uint8_t *zone, size_t len, const char *name,
    uint64_t now_ns, const struct presence_lease **out, size_t max)
{
	size_t n = 0, k;

	for (size_t i = 0; i < PRESENCE_MAX; i++) {
		const struct presence_lease *l = &p->leases[i];

		if (!is_of(l, zone, len) || l->until_ns <= now_ns || strcmp(l->name, name) == 0 ||
		    (n == max && l->since_ns <= out[n - 1]->since_ns))
			continue;
		for (k = n < max ? n++ : n - 1; k > 0 && l->since_ns > out[k - 1]->since_ns; k--)
			out[k] = out[k - 1];
		out[k] = l;
	}
	return n;
}
