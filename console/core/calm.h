/* calm - an order by a figure that moves, in which rows that are nearly equal do not change places.
 *
 * Pure.  A row passes those that it clearly exceeds, and no others. */
#ifndef NS_CONSOLE_CORE_CALM_H
#define NS_CONSOLE_CORE_CALM_H

#include <stddef.h>
#include <stdint.h>

#define CALM_CLEARLY 1.1 /* times as much */
#define CALM_NEW     SIZE_MAX

struct calm_row {
	double value;
	size_t was; /* its place before; CALM_NEW: it had none */
	const char *name; /* decides among new ones that are equal */
};
/* order[i]: which of the rows stands at place i, the most first. */
void calm_order(const struct calm_row *rows, size_t n, size_t *order);

#endif
