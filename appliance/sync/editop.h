/* editop - operations as people type them, read into edit.h's.  Runs in a text thread (ldns). */
#ifndef NS_SYNC_EDITOP_H
#define NS_SYNC_EDITOP_H

#include "appliance/sync/edit.h"
#include "ipc/nameserve.pb-c.h"

/* One zone's edit, read. */
struct edit_zone {
	uint8_t		 apex[255];
	uint64_t	 base_version;
	bool		 base_serial_given;
	uint32_t	 base_serial;
	size_t		 nops;
	struct edit_op	*ops;
};
struct edit_request {
	size_t		 count;
	struct edit_zone zones[];
};

/* All of a commit request; NULL with why. */
struct edit_request	*edit_request_read(const Ns__CommitRequest *, struct ns_why *);
void	 edit_request_free(void *);

#endif
