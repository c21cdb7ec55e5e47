/* keyfeed - zones' keys and the fleet keys to the signer, as the store has them; no private key among them
 * that is not wrapped.  They go before the zones of the same batch (signer/keys.h). */
#ifndef NS_SYNC_KEYFEED_H
#define NS_SYNC_KEYFEED_H

#include "appliance/dns/zwire.h"
#include "appliance/keys/keystate.h"
#include "appliance/store/store.h"
#include "appliance/sync/feedblock.h"
#include "ipc/nameserve.pb-c.h"

struct asof;
struct batch;
struct touched;

/* Role, algorithm and state of a key, below KEY_KINDS. */
#define KEY_KINDS 32u
#define KEY_KIND(role, algorithm, state) \
	((uint8_t)((unsigned)(state) | (unsigned)(role) << 3 | (unsigned)((algorithm) == 15) << 4))
#define KEY_KIND_STATE(kind)	 ((enum ks_state)((kind) & 7u))
#define KEY_KIND_ROLE(kind)	 ((enum ks_role)((kind) >> 3 & 1u))
#define KEY_KIND_ALGORITHM(kind) (((kind) >> 4 & 1u) != 0 ? 15u : 13u)

/* Of one zone, as its keys are stored. */
struct key_times {
	uint64_t zone_id;
	int64_t	 next;		/* seconds; 0: nothing by time alone */
	int64_t	 apex_until;	/* signatures over DNSKEY end */
	bool	 waits_ds;
	uint32_t epoch;		/* of the oldest fleet key that wraps one of its ZSKs */
	uint8_t	 n_keys, key[KS_KEYS_MAX];	/* KEY_KIND() of each */
	bool	 gone;		/* not signed any more */
};
/* From the octets of its object; len 0: gone. */
struct key_times key_times_read(uint64_t zone_id, const void *body, size_t len);

/* ---- writer thread ---- */
/* An object of any kind was put or removed; keys are remembered. */
void	 keyfeed_delta(struct batch *, const Ns__ChangeBody__Object *);
/* What the batch changed of them. */
enum ns_err	 keyfeed_batch(struct batch *, struct feed_out *);

/* ---- feeder thread ---- */
/* All of them; asof: as they were then, NULL: as they are. */
enum ns_err	 keyfeed_all(struct store *, const char *appliance, const struct asof *,
		    struct feed_out *);

/* ---- any thread ---- */
/* The keys of a zone as they are stored, and of which change; NS_NOTFOUND: it is not signed here. */
/* What a signer makes: DNSKEY, CDS, CDNSKEY, RRSIG, NSEC, NSEC3, NSEC3PARAM. */
bool	 keys_make_type(uint16_t type);
/* What no signer of ours can sign, in words: an ALIAS, whose addresses are not known when it signs; a policy with
 * more answers than an image holds signatures for.  NULL: it can be signed. */
const char	*keys_cannot_sign(const struct rrset *);
/* RRsets that are to come into a zone: NS_INVALID when one of either is among them and the zone is signed here. */
enum ns_err	 keys_check_added(struct store *, uint64_t zone_id, const void *zwire, size_t len,
		    struct ns_why *);
enum ns_err	 keys_load(struct store *, uint64_t zone_id, struct wbuf *body, uint64_t *version);

#endif
