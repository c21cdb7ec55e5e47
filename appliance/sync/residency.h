/* residency - at which sites a zone may be held at all.
 *
 * `zone set ZONE --sites A,B` and `account set NAME --sites A,B` keep it as objects of kind "residency",
 * named after the number of the zone ("z17") or account ("a4"), never after the zone: they are replicated
 * everywhere.  A zone's own word wins over its account's; neither: everywhere.  It outlives the zone, so
 * that what the log holds of a deleted one stays where it was.
 *
 * The primary and the standby hold everything, so their sites must be among all that is set: whoever makes
 * one asks residency_may_lead().  Where an appliance is, is what its invitation said (roster), never what it
 * says itself; one whose invitation named no site holds no zone that is kept to some.
 *   redact.c   the primary: what of a change, and which zones, an appliance may have
 *   withhold.c the replica: what it must not have any more goes, to the last byte of its disk */
#ifndef NS_SYNC_RESIDENCY_H
#define NS_SYNC_RESIDENCY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/store/store.h"
#include "appliance/sync/request.h"
#include "ipc/nameserve.pb-c.h"

#define RESIDENCY_KIND	"residency"
#define RESIDENCY_KEY	24u	/* the name: a letter, 20 digits */
#define RESIDENCY_SITES 16u	/* of one zone or account */
/* No account: of a deleted zone that the log does not tell any more.  It may be held nowhere but at the
 * primary. */
#define RESIDENCY_LOST UINT32_MAX

/* ---- all of them, as the store has them now ---- */
struct residency;
/* NULL with NS_OK: nothing is kept to some sites.  An error means: not known, so give nothing away. */
enum ns_err	 residency_load(struct store *, struct residency **);
void	 residency_free(struct residency **);
bool	 residency_has_accounts(const struct residency *);
/* Is it kept to some sites; may it be held at that one ("": an unknown site)? */
bool	 residency_kept(const struct residency *, uint64_t zone, uint32_t account);
bool	 residency_allows(const struct residency *, uint64_t zone, uint32_t account, const char *site);

/* One of them ('z' or 'a'); free it as a message; NULL: nothing is set. */
Ns__Residency	*residency_get(struct store *, char kind, uint64_t id);
bool	 residency_names(char *const *sites, size_t n, const char *site);

/* For lists: names of the sites, malloc'ed; *n 0: everywhere. */
char	**residency_sites(struct store *, uint64_t zone, uint32_t account, size_t *n);
char	**residency_account_sites(struct store *, uint64_t account, size_t *n);
/* "zone a.example.: fra1 nyc1", one of each; malloc'ed. */
enum ns_err	 residency_describe(struct store *, char ***out, size_t *n);

/* May the appliance at that site be primary or standby?  NS_CONFLICT names what may not be held there. */
enum ns_err	 residency_may_lead(struct store *, const char *name, const char *site, struct ns_why *);

/* May a draft that holds the zone's records be made for this caller: where his appliance is?  NS_DENIED. */
enum ns_err	 residency_may_tell(struct store *, const struct store_zone *, const struct caller *,
		    struct ns_why *) __attribute__((warn_unused_result));

/* ---- residencyset.c: the requests (writer thread of the primary) ---- */
enum ns_err	 residency_zone_set(struct request *, struct batch *);
enum ns_err	 residency_account_set(struct request *, struct batch *);

/* ---- redact.c ---- */
/* Does the body touch a zone that is kept to some sites? */
enum ns_err	 redact_touches(struct store *, const struct residency *, const Ns__ChangeBody *,
		    bool *touches);
/* Take the zones out that may not be held at that site, with their keys; *cut: there were some.  Their numbers
 * stay in withheld_zones. */
enum ns_err	 redact_body(struct store *, const struct residency *, const char *site,
		    Ns__ChangeBody *, bool *cut);
/* A zone, living or deleted. */
enum ns_err	 redact_zone(struct store *, const struct residency *, const char *site, uint64_t id,
		    bool *allowed);
/* An object of that kind and name: the keys of a zone go where the zone may, all else everywhere. */
enum ns_err	 redact_object(struct store *, const struct residency *, const char *site, const char *kind,
		    const char *name, bool *allowed);

/* ---- withhold.c (writer thread of a replica) ---- */
/* These zones may not be here: content, names, keys and what the log holds of them go; *gone counts zones that
 * were here. */
enum ns_err	 withhold_zones(struct batch *, const uint64_t *ids, size_t n, unsigned *gone,
		    struct ns_why *);
/* Nothing of them is to be left anywhere: until that is done, a fact says so (writer.c). */
enum ns_err	 withhold_note(struct store *, const uint64_t *ids, size_t n, struct ns_why *);
/* How that note has a zone's name, so that it is not in the store any more. */
#define WITHHELD_NAME 33u
const char	*withheld_name(const uint8_t *name, char hex[WITHHELD_NAME]);
/* Take them (sorted) out of a change's body; their numbers stay.  True: something of them was in it. */
bool	 withhold_body(Ns__ChangeBody *, const uint64_t *ids, size_t n);

#endif
