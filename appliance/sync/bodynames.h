/* bodynames - the zones that a change's body names, from its first octets alone.
 *
 * A page of the history names zones of fifty changes, and a body may be hundreds of megabytes.  In a body the
 * zones come first, each with its kind and name at its start, so a few octets of each are enough.  Pure but
 * for the reading, which the caller does; the bytes are not trusted. */
#ifndef NS_SYNC_BODYNAMES_H
#define NS_SYNC_BODYNAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BODY_PIECE 512u		/* octets that hold a zone's head: its name has 255 at most */

struct body_name {
	const uint8_t	*name;		/* NULL: none that could be read */
	size_t		 name_len;
	uint32_t	 serial;	/* of the zone after the change; 0: not in these octets */
	size_t		 next;		/* offset of what follows the zone, from the piece's start */
};
/* What stands at the start of a piece of a body: false when that is no zone. */
bool	 body_name_read(const void *piece, size_t len, struct body_name *);
/* The first object of a body that has neither zones nor settings: its name alone; false: there is none such. */
bool	 body_object_read(const void *piece, size_t len, struct body_name *);

#endif
