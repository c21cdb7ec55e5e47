/* aliassig - the signatures of what an ALIAS may answer, as they stand behind it in a zone that is signed here.
 *
 * What an ALIAS answers is a set of addresses that somebody else decides; the signer signs each one that there may be
 * now, and workers look up what they found.  Where that is not there (yet) they send the nearest that is.
 *
 *   head     u8 1   u16 octets   u8 denied: a bit for each family   u32 TTL that is signed
 *   none     u8 2   u16 octets   u8 family   a denial (emission.h), without that family's type
 *   set      u8 3   u16 octets   u8 family   u16 addresses   addresses in order, each once   signatures
 *   signature       u8 algorithm   u16 tag   u32 expiration   u32 inception   64 octets
 *
 * Items stand in pieces, each of which fits an image's set; the first piece begins with the head.  `denied`: the
 * owner's NSEC or NSEC3 says that there is none of the family.  `none` is there when some asker gets none of a
 * family that is not denied.  Numbers in network order, nothing aligned.  Readers check bounds. */
#ifndef NS_ZONEMAP_ALIASSIG_H
#define NS_ZONEMAP_ALIASSIG_H

#include "appliance/zonemap/aliases.h"
#include "appliance/zonemap/emission.h"

#define ALIASSIG_ITEM	3u			/* octets before what an item holds */
#define ALIASSIG_SIG	(11u + EMISSION_SIG)
#define ALIASSIG_PIECE	60000u			/* octets after which another begins */
#define ALIASSIG_SETS	4096u			/* of one ALIAS: more are not signed */

enum aliassig_kind { ALIASSIG_END, ALIASSIG_HEAD, ALIASSIG_NONE, ALIASSIG_SET };
struct aliassig {
	enum aliassig_kind kind;
	enum alias_family family;		/* NONE, SET */
	uint8_t		denied;			/* HEAD: 1 << family */
	uint32_t	ttl;			/* HEAD */
	struct emission_denial denial;		/* NONE */
	unsigned	count, nsigs;		/* SET */
	const uint8_t	*addresses, *sigs;
};

/* The item at *p, which moves behind it; END: there is none, or it is broken. */
enum aliassig_kind	 aliassig_next(const uint8_t **p, const uint8_t *end, struct aliassig *);
static inline size_t
aliassig_len(enum alias_family family)
{
	return family == ALIAS_V4 ? 4 : 16;
}
/* Is that address in the set? */
bool	 aliassig_has(const struct aliassig *, const uint8_t *address);
/* A signature's fields: emission.h's, without those that say of what. */
void	 aliassig_at(const struct aliassig *, unsigned i, struct emission *);

/* All items of a name: from an RRSIG set that covers ALIAS, or from the node of an image that has one. */
struct rrset;
struct image_node;
typedef void	 aliassig_fn(void *arg, const struct aliassig *);
void	 aliassig_each_of_set(const struct rrset *, aliassig_fn *, void *arg);
void	 aliassig_each_of_node(const struct image_node *, aliassig_fn *, void *arg);

#endif
