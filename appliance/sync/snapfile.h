/* snapfile - the octets of a snapshot: records behind their lengths, in one order, read with bounds.
 *
 * Pure: octets in and out.  A record is an envelope (ipc/envelope.h bounds what it may hold and ask for), behind a u32
 * in network order.  What a reader has accepted is one snapshot in the right order whose end says what came; what
 * the records mean is the receiver's to check (snapadopt.c).  Fuzzed (tests/fuzz/snapshot_fuzz.c). */
#ifndef NS_SYNC_SNAPFILE_H
#define NS_SYNC_SNAPFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/base/err.h"
#include "ipc/base/wbuf.h"
#include "ipc/nameserve.pb-c.h"

#define SNAP_FORMAT	1u
#define SNAP_RECORD_MAX (1u << 20)	/* octets of a record */
#define SNAP_OCTETS_MAX (64ull << 30)	/* of a file */
#define SNAP_DIGEST	32u		/* SHA-256: a file's identity, and of what is checked in it */

/* How many records of each kind; its end says the same. */
struct snap_counts {
	uint64_t zones, things, rows, changes;
};

/* Appends a record, and counts it; false: too large.  Packed already, or not. */
bool	 snap_packed(struct wbuf *, const void *envelope, size_t len, Ns__Envelope__BodyCase,
	    struct snap_counts *);
bool	 snap_envelope(struct wbuf *, const Ns__Envelope *, struct snap_counts *);

/* Each record in order; an error ends it. */
typedef enum ns_err snap_record_fn(void *arg, const Ns__Envelope *, struct ns_why *);
struct snap_reader;
struct snap_reader *snap_reader_new(snap_record_fn *, void *arg);
void	 snap_reader_destroy(struct snap_reader **);
/* Octets in any cuts.  NS_CORRUPT: no snapshot. */
enum ns_err	 snap_read(struct snap_reader *, const void *data, size_t len, struct ns_why *)
		    __attribute__((warn_unused_result));
/* No more: was that all of it? */
enum ns_err	 snap_read_end(const struct snap_reader *, struct ns_why *) __attribute__((warn_unused_result));

#endif
