/* sigaudit - every signature that an image holds, verified cryptographically: for `verify --signatures`.
 *
 * Reads the image with its own DNSKEY alone, as a validator would, whoever signed it: each RRSIG over the set that
 * it covers, the tables of what policies may answer (emission.h), windows against `now`, and that what must be signed
 * is.  In slices; between them the image may be replaced, then the caller begins anew.  Algorithms but 13 and 15 are
 * counted, not verified. */
#ifndef NS_SIGNER_SIGAUDIT_H
#define NS_SIGNER_SIGAUDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/zonemap/map.h"

struct sigaudit;
struct sigaudit_found {
	uint64_t	verified, skipped, wrong;
	char		first[600];	/* what is wrong with the first that is: owner, type, reason */
};

struct sigaudit	*sigaudit_new(void);
void	 sigaudit_destroy(struct sigaudit **);
/* False: the image is not signed (or broken), so there is nothing to do. */
bool	 sigaudit_begin(struct sigaudit *, const struct map_view *, map_off, uint32_t now);
/* Works until `deadline` (clock_mono_ns), a name at least; true: there is more to do. */
bool	 sigaudit_step(struct sigaudit *, uint64_t deadline_ns);
const struct sigaudit_found	*sigaudit_found(const struct sigaudit *);

#endif
