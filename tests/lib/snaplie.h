/* snaplie - snapshots whose digest is right and whose content is not: a good one with its records edited.  A program that
 * uses it names adopt.c and snapfile.c in its `// link:`. */
#ifndef NS_TESTS_LIB_SNAPLIE_H
#define NS_TESTS_LIB_SNAPLIE_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/sync/snapwrite.h"
#include "ipc/base/err.h"
#include "ipc/nameserve.pb-c.h"

struct snaplie {
	const char	*what;			/* NULL: the last one */
	bool		(*edit)(Ns__Envelope *);	/* what becomes of a record; false: it is not there */
	enum ns_err	 want;			/* of whoever takes it over */
};

extern const struct snaplie snaplies[];

/* Copies the file at `path`, edited, to `path`.x; its name, the caller's, and its digest. */
char	*snaplie_file(const struct snaplie *, const char *path, uint8_t digest[SNAP_DIGEST]);

#endif
