/* difftext - differences and record data as master-file lines, for replies.  Reader and writer threads. */
#ifndef NS_SYNC_DIFFTEXT_H
#define NS_SYNC_DIFFTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/sync/patch.h"

#define DIFF_TEXT_LINES	 1000		/* of one side of one zone */
#define DIFF_TEXT_OCTETS (600u << 10)	/* of all lines: a reply must fit NS_MSG_MAX */

/* Lines are malloc'ed and the caller's; `octets` counts over all zones of a reply. */
struct diff_lines {
	char	**line;
	size_t	 count;
	size_t	*octets;
	bool	 cut;
};
/* Records that only one of two zwires has. */
void	 diff_lines_make(struct bytes before, struct bytes after, size_t *octets,
	    struct diff_lines *removed, struct diff_lines *added);
/* One record's data, without tabs; malloc'ed. */
char	*rdata_line(uint16_t type, const uint8_t *rdata, size_t len);

#endif
