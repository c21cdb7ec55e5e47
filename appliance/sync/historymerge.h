/* historymerge - two lists, newest first, as one by their times: changes, and events beside them.  Pure.
 *
 * Each is a page of a longer one, so what is older than the end of a page that has more behind it waits: the next page
 * of that list comes first. */
#ifndef NS_SYNC_HISTORYMERGE_H
#define NS_SYNC_HISTORYMERGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct merge_side {
	size_t	 n;
	bool	 more;			/* behind the page; */
	int64_t	 reached_ms;		/* then: of the last one that was looked at, whether it is in the page or not */
	int64_t	 (*at_ms)(const void *rows, size_t i);
	const void *rows;
	size_t	 taken;			/* filled in */
};
/* Which side the next row is of, at most `limit` times; of two of one time the first side's is the newer one. */
size_t history_merge(struct merge_side side[2], size_t limit, uint8_t *order);

#endif
