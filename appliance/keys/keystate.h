/* keystate - the life of a zone's keys as one table: what each key does now, and what comes next.
 *
 * Pure: times and what was seen of the DS are arguments, new keys are asked for and handed in.  The primary's
 * signer takes the steps (keywork.c), sync decides when to ask it and tells people; a simulation walks
 * complete rolls with it (tests/unit/keyroll_test.c).
 *
 *   ZSK roll        pre-publication (RFC 6781 4.1.1.1, RFC 7583 3.2.1): published, DNSKEY TTL, active; the old
 *                   one stays published for the longest TTL of the zone, because its signatures are cached
 *   in an emergency double signature (RFC 6781 4.1.1.2): the new one signs at once beside the old one
 *   KSK roll        double KSK (RFC 7583 3.3.1): both sign DNSKEY, then the DS changes, then the old one goes
 *   algorithm roll  the conservative one (RFC 6781 4.1.4): signatures, keys, DS, keys gone, signatures gone
 *   leaving         no step back to unsigned before the last DS has left the caches
 *
 * A step counts from the moment it was really taken, never from when it was due: whoever is late by days does
 * nothing too soon.  Times are seconds of keyclock.h. */
#ifndef NS_KEYS_KEYSTATE_H
#define NS_KEYS_KEYSTATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/base/err.h"

#define KS_KEYS_MAX	16u		/* of a zone */

#define KS_DNSKEY_TTL	3600u		/* of DNSKEY, CDS, CDNSKEY */
#define KS_DS_TTL	86400u		/* at the parent, where it is not known */
#define KS_MARGIN	3600u		/* until every appliance and every parent's server has the newest */
#define KS_MARGIN_URGENT 300u		/* in an emergency */
#define KS_ZSK_LIFE	(90u * 86400u)
#define KS_ZSK_JITTER	(10u * 86400u)	/* so that zones signed in one night do not roll in one */
#define KS_APEX_RENEW	(30u * 86400u)	/* of signatures over DNSKEY left when they are made anew */

enum ks_role { KS_KSK, KS_ZSK, KS_ROLES };
/* The numbers are stored. */
enum ks_state {
	KS_PRESIGN = 1,			/* algorithm roll: its signatures come before its DNSKEY */
	KS_PUBLISHED = 2,		/* in DNSKEY, until every cache has that */
	KS_READY = 3,			/* KSK: the DS may be, and is asked to be, its own */
	KS_ACTIVE = 4,
	KS_OUTGOING = 5,		/* ZSK in an emergency: signs until its successor's work is everywhere */
	KS_RETIRED = 6,			/* published only because caches need it */
	KS_POSTSIGN = 7,		/* algorithm roll: no longer in DNSKEY, still signs */
	KS_STATES
};

struct ks_key {
	enum ks_role	role;
	uint8_t		algorithm;
	uint16_t	tag;
	enum ks_state	state;
	int64_t		since;		/* in that state */
	int64_t		entered[KS_STATES]; /* each state that it was in; 0: it was not, or nobody noted it */
	int64_t		ds_gone;	/* KSK: its DS has been away since; 0: it is there, or nobody looked */
	uint32_t	id;		/* the caller's: never the same for two keys of a zone */
};

struct ks_zone {
	uint8_t		algorithm;	/* of keys to come */
	bool		leaving;	/* to be unsigned when no cache has a DS, */
	int64_t		leaving_since;	/* 0: it is not, or nobody noted it */
	bool		urgent;		/* a roll in an emergency is under way */
	bool		ds_ever;	/* the parent has had a DS */
	int64_t		no_ds;		/* leaving: none has been there since; 0: not known */
	uint32_t	zone_ttl;	/* the longest that anything in a cache may have */
	uint32_t	ds_ttl;
	int64_t		apex_until;	/* the first signature over DNSKEY ends; 0: to be made */
	uint32_t	seed;		/* spreads lifetimes */
	uint32_t	last_id;
	unsigned	n;
	struct ks_key	key[KS_KEYS_MAX];
};

/* What all of the parent's servers say. Bit i: key[i], also after ks_step() has taken a key away. */
struct ks_ds {
	bool		known;		/* each of them was asked and answered */
	uint32_t	all, any;	/* every server, at least one has a DS of it */
	bool		other;		/* a DS that is of none of them */
};

enum ks_do {
	KS_NOTHING,			/* nothing changed */
	KS_CHANGED,			/* keys or DS: DNSKEY and its signatures are to be made anew */
	KS_WANT_KEY,			/* ks_add() one of that role and state, then ks_step() again */
	KS_UNSIGN,			/* the zone may be served unsigned */
};
struct ks_want {
	enum ks_role	role;
	uint8_t		algorithm;
	enum ks_state	state;
};

/* ---- what people ask for; each refuses with why when a roll is under way that it would break ---- */
/* A first KSK and ZSK are to be added by the caller (ks_want tells the states): */
void	 ks_begin(struct ks_zone *, uint8_t algorithm, uint32_t seed);
enum ns_err	 ks_roll(struct ks_zone *, enum ks_role, bool urgent, int64_t now, struct ks_want *want,
		    struct ns_why *);
/* KSK and ZSK of it are wanted, both in KS_PRESIGN. */
enum ns_err	 ks_roll_algorithm(struct ks_zone *, uint8_t algorithm, struct ns_why *);
/* The key that ks_roll() wanted is added: in an emergency the one before it is on its way out. */
void	 ks_rolled(struct ks_zone *, enum ks_role, int64_t now);
/* Somebody says that the parent has the DS of what is ready, and of nothing else. */
enum ns_err	 ks_submitted(const struct ks_zone *, struct ks_ds *, struct ns_why *);
/* NS_CONFLICT: a DS is there.  asked: wait for it to go, and ask for that (RFC 8078 4). */
enum ns_err	 ks_leave(struct ks_zone *, const struct ks_ds *, bool asked, int64_t now, struct ns_why *);

/* It stays signed after all. */
void	 ks_stay(struct ks_zone *);

/* Keys that nobody can open any more are gone at once. */
void	 ks_lose(struct ks_zone *, enum ks_role);
bool	 ks_add(struct ks_zone *, enum ks_role, uint8_t algorithm, uint16_t tag, enum ks_state,
	    int64_t now);

/* ---- what time and the parent bring ---- */
/* Notes what was seen; true: something that must be kept changed. */
bool	 ks_observe(struct ks_zone *, const struct ks_ds *, int64_t now);
/* One transition that is due. Again until KS_NOTHING or KS_UNSIGN. ds may be NULL. */
enum ks_do	 ks_step(struct ks_zone *, struct ks_ds *, int64_t now, struct ks_want *want);
/* When ks_step() may next do something of its own accord, 0: not before a DS is seen; and which key that is
 * about (-1: none). */
int64_t	 ks_next(const struct ks_zone *, int *key);
/* The same of one key alone. */
int64_t	 ks_key_next(const struct ks_zone *, unsigned key);
/* Does it wait for something at the parent? */
bool	 ks_waits_ds(const struct ks_zone *);
bool	 ks_apex_due(const struct ks_zone *, int64_t now);

/* ---- what a key does ---- */
bool	 ks_publishes(const struct ks_key *);
bool	 ks_signs(const struct ks_key *);	/* KSK: DNSKEY, CDS, CDNSKEY; ZSK: all else */
/* Keys that the parent should have a DS of (CDS and `dnssec ds`); 0 with leaving: "have none". */
uint32_t	 ks_cds(const struct ks_zone *);
const char	*ks_role_name(enum ks_role);
const char	*ks_state_name(enum ks_state);
/* What comes next for a key, in words. */
const char	*ks_next_text(const struct ks_zone *, unsigned key);

#endif
