/* watch - the checks that policies of zones signed here look at: whose flip asks for other signatures.
 *
 * What is signed covers health as it was and each single flip from there (emissions.h), so a flip is answered at
 * once; but it moves "as it is", and the zones that look at the check are signed anew before the next one.
 * The board is looked at every WATCH_MS: a load for each check. */
#ifndef NS_SIGNER_WATCH_H
#define NS_SIGNER_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/dns/zwire.h"
#include "appliance/zonemap/board.h"
#include "appliance/zonemap/map.h"

#define WATCH_MS 10u

struct watch;

struct watch	*watch_new(void);
void	 watch_destroy(struct watch **);
/* The zone is about to be signed and looks at that check. */
void	 watch_check(struct watch *, const struct board *, const uint8_t *apex, uint64_t check);
/* Notes every zone with policies that is signed here: what an earlier signer watched is not known. */
void	 watch_adopted(struct watch *, const struct map_view *);
/* Notes the zones of which a check counts otherwise now; each is watched again once it is signed. */
void	 watch_look(struct watch *, const struct board *);
/* Notes that zone, for another reason. */
void	 watch_note(struct watch *, const uint8_t *apex);
/* The zones that were noted, to be taken with watch_done(); NULL: none. */
const uint8_t	*watch_next(const struct watch *);
void	 watch_done(struct watch *, const uint8_t *apex);
bool	 watch_is_empty(const struct watch *);	/* no check, no zone that was noted */

#endif
