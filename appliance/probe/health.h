/* health - how one check is, in one word, and in which order people look at checks.  Pure. */
#ifndef NS_PROBE_HEALTH_H
#define NS_PROBE_HEALTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/zonemap/board.h"

/* The worst first. */
enum health_level { HEALTH_CRIT, HEALTH_WARN, HEALTH_NONE, HEALTH_OK, HEALTH_LEVELS };

/* What a person forced is no alarm, and not all well; neither is a vote that speaks against the state. */
enum health_level	 health_level(enum board_state, unsigned flags, bool disputed);
const char	*health_level_name(enum health_level);
/* "", or why there is more to say: a flag's word. */
const char	*health_note(enum board_state, unsigned flags);
/* By level, then by name; < 0: a is before b. */
int		 health_cmp(enum health_level a, const char *a_name, enum health_level b,
		    const char *b_name);
/* The middle one; they are put in order.  0: there are none. */
uint32_t	 health_median(uint32_t *, size_t);
/* A page's cursor is the last row of the page before: its level as a digit, then its name.  False: not one. */
bool		 health_cursor(const char *text, enum health_level *, const char **name);

#endif
