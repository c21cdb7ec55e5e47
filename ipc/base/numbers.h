/* numbers - a list of numbers that grows: zones by id, changes by revision.  Free with numbers_free(). */
#ifndef NS_BASE_NUMBERS_H
#define NS_BASE_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct numbers {			/* zeros: an empty one */
	uint64_t	*list;
	size_t		 count, room;
};

void	 numbers_add(struct numbers *, uint64_t);	/* at its end */
void	 numbers_sort(struct numbers *);
bool	 numbers_has(const struct numbers *, uint64_t);	/* of one that is sorted */
/* The same of a plain list. */
bool	 numbers_among(const uint64_t *sorted, size_t count, uint64_t);
void	 numbers_free(struct numbers *);

#endif
