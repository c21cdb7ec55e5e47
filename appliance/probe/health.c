/* health - see health.h. */
#include "appliance/probe/health.h"

#include <stdlib.h>
#include <string.h>

enum health_level
health_level(enum board_state state, unsigned flags, bool disputed)
{
	if (flags & BOARD_OVERRIDDEN)
		return HEALTH_WARN;
	if (flags & BOARD_INITIAL || state == BOARD_UNKNOWN)
		return HEALTH_NONE;
	if (state == BOARD_DOWN)
		return HEALTH_CRIT;
	return flags & (BOARD_STALE | BOARD_FROZEN) || disputed ? HEALTH_WARN : HEALTH_OK;
}

const char *
health_level_name(enum health_level l)
{
	static const char *const names[HEALTH_LEVELS] = { "crit", "warn", "none", "ok" };

	return names[l];
}

const char *
health_note(enum board_state state, unsigned flags)
{
	return flags & BOARD_OVERRIDDEN ? state == BOARD_UP ? "forced up" : "forced down"
	       : flags & BOARD_FROZEN   ? "frozen"
	       : flags & BOARD_STALE    ? "stale"
					: "";
}

int
health_cmp(enum health_level a, const char *a_name, enum health_level b, const char *b_name)
{
	return a != b ? (int)a - (int)b : strcmp(a_name, b_name);
}

static int
by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

uint32_t
health_median(uint32_t *list, size_t n)
{
	if (n == 0)
		return 0;
	qsort(list, n, sizeof *list, by_size);
	return list[(n - 1) / 2];
}

bool
health_cursor(const char *text, enum health_level *level, const char **name)
{
	if (text[0] < '0' || text[0] >= '0' + (char)HEALTH_LEVELS || text[1] == '\0')
		return false;
	*level = (enum health_level)(text[0] - '0');
	*name = text + 1;
	return true;
}
