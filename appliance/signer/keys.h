/* keys - what signing needs to know of a zone's keys, and nothing else of them.
 *
 * Whoever holds keys (states, timers, wrapping, storage) gives one struct zone_keys a zone; whoever signs
 * takes it as it is, and decides nothing about keys.  Immutable once it is given away, counted: a zone that
 * is being signed keeps the one it began with.  Private keys are EVP_PKEY handles; their memory is the
 * holder's care.  They come closed: the first signature that has to be made opens them (zone_keys_open), and a
 * zone whose signatures are all there needs none.
 *
 * What the holder delivers:
 *   - keys_find_fn, asked by feed.c for each zone that arrives and for each refresh: the keys of that apex.
 *     With each a blob that `open` makes a handle of, as long as somebody holds the keys.
 *   - The keys of a change before its zones: in one Feed they are taken in first, then the zones, so that a
 *     zone's content and keys of one revision are one publish.  A change of keys alone is told with
 *     feed_keys_changed(); the zone is then signed anew from what is served.
 *   - `apex`: DNSKEY, CDS and CDNSKEY with the RRSIGs over them, made by the primary's signer with
 *     apexset_make() (apexset.h), committed with the keys and the same on every appliance: a signer without the KSK
 *     serves them as they are.  The private half of a KSK is needed by apexset_make() alone; here it may be NULL.
 *   - A new `apex` before its signatures end (APEX_RENEW).
 * A signed zone's content has no RRSIG, NSEC, NSEC3 or NSEC3PARAM, and no DNSKEY, CDS or CDNSKEY at its apex:
 * whoever enables signing refuses others. */
#ifndef NS_SIGNER_KEYS_H
#define NS_SIGNER_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

#include "appliance/dns/name.h"
#include "ipc/base/err.h"

#define ZONE_KEYS_MAX	 16u		/* of one zone: two rolls of both roles under two algorithms */
#define DNSKEY_RDATA_MAX 68u		/* flags, protocol, algorithm, 64 octets (P-256) */
#define RRSIG_SIG_LEN	 64u		/* octets of a signature, both algorithms (RFC 6605 4, 8080 4) */
#define ZONE_KEY_CLOSED	 72u		/* octets of a private half, wrapped (keyblob.h) */

enum key_algorithm { KEY_P256 = 13, KEY_ED25519 = 15 };
enum key_flags { KEY_ZSK = 256, KEY_KSK = 257 };

struct zone_key {
	uint16_t	flags;		/* enum key_flags; the role */
	uint8_t		algorithm;	/* enum key_algorithm */
	uint16_t	tag;
	bool		published;	/* its DNSKEY is in `apex` */
	bool		signs;		/* ZSK: all sets but those in `apex`; KSK: those */
	uint8_t		rdlen;
	uint8_t		rdata[DNSKEY_RDATA_MAX];
	EVP_PKEY	*pkey;		/* of the same key; NULL: not here, or closed: */
	uint8_t		 closed_len;	/* 0: there is nothing to open */
	uint8_t		 closed[ZONE_KEY_CLOSED];
};

enum zone_denial {
	DENIAL_NSEC,
	DENIAL_NSEC3,			/* SHA-1, 0 iterations, no salt (RFC 9276 3.1) */
	DENIAL_NSEC3_OPTOUT,		/* and delegations without DS left out (RFC 5155 6) */
};

struct zone_keys;
/* Gives a key that is closed its handle. */
typedef enum ns_err zone_key_open_fn(void *arg, const struct zone_keys *, struct zone_key *,
	    struct ns_why *);

struct zone_keys {
	unsigned	 refs;
	uint8_t		 zone[NAME_MAX_WIRE];	/* for `open` */
	unsigned	 n;
	struct zone_key	 key[ZONE_KEYS_MAX];
	enum zone_denial denial;
	/* Zwire of the apex: DNSKEY, CDS, CDNSKEY, and RRSIG sets over these. */
	uint8_t		*apex;
	size_t		 apex_len;
	zone_key_open_fn *open;			/* NULL: none is closed */
	void		*open_arg;
};

enum keys_found {
	KEYS_NONE,			/* not signed here: served as it came */
	KEYS_FOUND,
	KEYS_LOCKED,			/* signed here, but its keys cannot be read: `why` says it.
					 * The zone stays as it is served, and is not served when it is not */
};
/* *out is a reference of the caller's; set with KEYS_FOUND only. */
typedef enum keys_found keys_find_fn(void *arg, const uint8_t *apex, struct zone_keys **out,
	    struct ns_why *why);

/* One reference, no keys, denial by NSEC. */
struct zone_keys	*zone_keys_new(void);
struct zone_keys	*zone_keys_ref(struct zone_keys *);
void	 zone_keys_unref(struct zone_keys **);		/* frees the handles with the last one */
/* Opens those that are closed, the first time that somebody has to sign. */
enum ns_err	 zone_keys_open(struct zone_keys *, struct ns_why *) __attribute__((warn_unused_result));
bool	 zone_keys_are_open(const struct zone_keys *);
/* A ZSK that signs and whose private half is here, open or closed. */
bool	 zone_key_makes(const struct zone_key *);

/* A new key pair, with rdata and tag; neither published nor signing.  NS_FAILED: OpenSSL says no. */
enum ns_err	 zone_key_generate(struct zone_key *, enum key_algorithm, enum key_flags,
		    struct ns_why *) __attribute__((warn_unused_result));
/* The same of a key pair that is there; takes the handle when it succeeds. */
enum ns_err	 zone_key_take(struct zone_key *, EVP_PKEY *, enum key_flags, struct ns_why *)
		    __attribute__((warn_unused_result));
/* A handle that can verify only, from DNSKEY rdata; NULL: not a key of ours. */
EVP_PKEY	*zone_key_public(const uint8_t *rdata, size_t len);
/* Can what it signed be verified here? */
bool	 zone_key_verifies(const struct zone_key *);
/* One for any number of P-256 keys, and it set to be that key; false: not one. */
EVP_PKEY	*zone_key_p256(void);
bool	 zone_key_p256_set(EVP_PKEY *, const struct zone_key *);

#endif
