/* dnssec - zones' keys at the primary: what people and time ask for, done by the signer, committed here.
 *
 *   dnssec.c       a request's way: store (reader) → parent (probe), where that matters → signer → writer (loop)
 *   dnssecread.c   what the store says of the zone (reader)
 *   dnssecwrite.c  the new keys as one change (writer)
 *   dnssecshow.c   dnssec keys, dnssec ds
 *   keysched.c     when what is due, by time and by the parent's DS; at the primary alone
 *   keyring.c      the fleet keys, sealed to whoever may have them
 * Sync sees private keys wrapped, never open. */
#ifndef NS_SYNC_DNSSEC_H
#define NS_SYNC_DNSSEC_H

#include "appliance/keys/keystate.h"
#include "appliance/store/store.h"
#include "appliance/sync/request.h"
#include "appliance/sync/sync.h"

#define DNSSEC_X25519 32u

struct batch;

/* Somebody whom the fleet keys are sealed to. */
struct ring_wish {
	char	 name[64];
	uint8_t	 key[DNSSEC_X25519];
	bool	 known;		/* the key is */
	bool	 apex;		/* the key for KSKs, too */
};

/* ---- a request's state, from thread to thread ---- */
struct dnssec {
	struct store_zone z;
	uint64_t	 keys_version;	/* 0: the zone is not signed */
	struct wbuf	 keys;
	uint32_t	 zone_ttl;	/* the longest in the zone */
	bool		 waits_ds, ds_ever;
	bool		 fresh;		/* nobody has fleet keys yet */
	bool		 ringed;	/* we have, in the store */
	bool		 lost;		/* … any more: what there was of them goes with this change, where new ones come */
	char		 holder[64];	/* lost here: a member that has the one for KSKs; "": none */
	struct ring_wish *wishes;	/* who gets them with this change; keyring.h: */
	size_t		 nwishes;
	char		 (*gone)[64];	/* who had them and is not a member any more */
	size_t		 ngone;
	bool		 rotate;	/* … so there is a new key for ZSKs; older ones than that wrap nothing */
	uint32_t	 forget_before;
	char		 strange[64];	/* who says another key than it had */
	uint64_t	 asked;		/* of the question to probe or signer; 0: none is open */
	bool		 at_parent;	/* it is the probe's */
	uint64_t	 until_ns;	/* then it is over */
	int64_t		 now;		/* seconds of keyclock.h */
	Ns__ParentReply	*parent;	/* NULL: nobody said anything */
	Ns__KeyWorkDone	*done;
	int64_t		 expires;	/* the first signature that is served; 0: none, or nobody said */
	bool		 told;		/* the signer was asked for that */
};

/* ---- loop ---- */
void	 dnssec_set_request(struct sync *, struct request *);
void	 dnssec_show_request(struct sync *, struct request *);
void	 zone_show_request(struct sync *, struct request *);
/* The same as the first, of this zone, by the primary itself (keysched.c). */
void	 dnssec_event(struct sync *, struct request *, uint64_t zone_id);
/* A malloc'ed reply. */
Ns__DnssecShowReply	*dnssec_show_make(const struct sync *, const struct dnssec *);
void	 dnssec_show_zone(const struct dnssec *, Ns__ZoneInfo *);	/* adds what is known of signatures and keys */
/* For keyring.c: a request's fresh state; and its way from the signer on. */
struct dnssec	*dnssec_state(struct request *);
void	 dnssec_ask_signer(struct sync *, struct request *);
void	 dnssec_signer_hello(struct sync *, const Ns__RoleHello *);
void	 dnssec_parent(struct sync *, const Ns__Envelope *);	/* from the probe */
void	 dnssec_done(struct sync *, const Ns__Envelope *);	/* KeyWorkDone or Error, from the signer */
void	 dnssec_signatures(struct sync *, const Ns__Envelope *);	/* from the signer */
void	 dnssec_tick(struct sync *, uint64_t now_ns);
void	 dnssec_stop(void);
/* Is this answer of the probe ours? */
static inline bool
dnssec_asked(uint64_t id)
{
	return id >> 63 != 0;
}
/* Why this appliance's signer can keep no key; NULL: it can. */
const char	*dnssec_trouble(void);
const uint8_t	*dnssec_public(void);	/* NULL: not known */

/* ---- reader ---- */
enum ns_err	 dnssec_read(struct request *, struct store *);
enum ns_err	 dnssec_show_read(struct request *, struct store *);

/* ---- writer ---- */
enum ns_err	 dnssec_set_write(struct request *, struct batch *);
enum ns_err	 keyring_write(struct request *, struct batch *);

#endif
