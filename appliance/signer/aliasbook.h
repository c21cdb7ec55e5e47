/* aliasbook - which zones signed here must be signed again for their ALIASes, because what these lead to is another.
 *
 * Every name on the way of an ALIAS is noted while it is followed, by the zone of the ALIAS.  When a zone that holds
 * such a name is edited, comes or goes, or what the probe knows of the name becomes other addresses, the zones that
 * follow it are told, and forgotten: they note it again when they are signed. */
#ifndef NS_SIGNER_ALIASBOOK_H
#define NS_SIGNER_ALIASBOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/zonemap/aliases.h"

struct aliasbook;

struct aliasbook	*aliasbook_new(void);
void	 aliasbook_destroy(struct aliasbook **);
/* An ALIAS of the zone `apex` follows that name, lower case.  The table may be NULL. */
void	 aliasbook_follow(struct aliasbook *, const uint8_t *apex, const uint8_t *name,
	    const struct alias_table *);
typedef void aliasbook_fn(void *arg, const uint8_t *apex);
/* What zone `changed` holds is another: told is every zone that follows a name in it, some more than once. */
void	 aliasbook_changed(struct aliasbook *, const uint8_t *changed, aliasbook_fn *, void *arg);
/* The same of those that follow a name of which the probe knows something else than when it was noted.  Costs a load
 * while nothing changes. */
void	 aliasbook_look(struct aliasbook *, const struct alias_table *, aliasbook_fn *, void *arg);
bool	 aliasbook_is_empty(const struct aliasbook *);

#endif
