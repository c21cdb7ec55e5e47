/* roll - see roll.h. */
#include "appliance/fleet/roll.h"

#include <string.h>

static bool
same(const uint8_t a[FLEET_KEY], const uint8_t b[FLEET_KEY])
{
	return memcmp(a, b, FLEET_KEY) == 0;
}

enum roll_step
roll_step(const struct member *own, const struct fleet_keys *now, const struct fleet_keys *next)
{
	if (own == NULL || !own->enrolled || own->removed)
		return ROLL_NONE;
	if (next != NULL && same(own->key, next->public_key))
		return ROLL_TAKE;
	if (!same(own->key, now->public_key))
		return ROLL_LOST;
	if (!own->roll.asked)
		return ROLL_NONE;
	if (!own->roll.announced)
		return next != NULL ? ROLL_TELL : ROLL_MAKE;
	return next != NULL && same(own->roll.key, next->public_key) ? ROLL_SHOW : ROLL_LOST;
}

static size_t
add_server(const uint8_t *list[3], size_t n, const uint8_t *key)
{
	for (size_t i = 0; i < n; i++)
		if (same(list[i], key))
			return n;
	list[n] = key;
	return n + 1;
}

size_t
roll_choices(const struct roll_known *k, struct roll_choice out[ROLL_CHOICES])
{
	enum roll_step step = roll_step(k->own, k->now, k->next);
	bool shown = step == ROLL_SHOW || step == ROLL_TAKE;
	const struct fleet_keys *own[2] = { k->now, k->next };
	const uint8_t *server[3];
	size_t nservers = 0, nown = k->next != NULL ? 2 : 1, n = 0;

	if (k->server != NULL && k->server->enrolled)
		nservers = add_server(server, nservers, k->server->key);
	if (k->server != NULL && k->server->roll.announced)
		nservers = add_server(server, nservers, k->server->roll.key);
	nservers = add_server(server, nservers, k->told);
	if (shown) {
		own[0] = k->next;
		own[1] = k->now;
	}
	for (size_t i = 0; i < nown; i++)
		for (size_t j = 0; j < nservers; j++)
			out[n++] = (struct roll_choice){ own[i], server[j] };
	return n;
}
