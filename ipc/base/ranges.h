/* ranges - a small set of numbers as ranges of them: changes that are not served yet while later ones are.
 *
 * Where there are more than RANGES_MAX, near ones become one: the set then has numbers too many, never too few. */
#ifndef NS_BASE_RANGES_H
#define NS_BASE_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RANGES_MAX 32u

struct range {
	uint64_t from, to;		/* both are in it */
};
struct ranges {				/* zeros: an empty one */
	unsigned	n;
	struct range	of[RANGES_MAX];	/* rising, not touching each other */
};

void	 ranges_add(struct ranges *, uint64_t from, uint64_t to);	/* from > to: nothing */
void	 ranges_union(struct ranges *, const struct ranges *);
bool	 ranges_has(const struct ranges *, uint64_t number);
/* As they travel: from, to, from, to …; returns how many numbers. */
size_t	 ranges_put(const struct ranges *, uint64_t out[RANGES_MAX * 2]);
void	 ranges_read(struct ranges *, const uint64_t *pairs, size_t n);

#endif
