/* emission - the signatures of what a policy may answer, as they stand behind it in a zone that is signed here.
 *
 * A policy's answer is some answers of one pool: `first` is the number of that pool's first answer, `mask`
 * has a bit for each one given.  The signer signs those that health allows now and with any single check the
 * other way round; workers look up what they picked, and where it is not there take the one that is nearest.
 *
 *   table    u16 entries    entries, in order of first, mask    denial, or nothing
 *   more     u16 entries    entries: those that follow; there are some when the piece before it has EMISSION_PIECE
 *   entry    u16 first    u64 mask    u64 print    u8 algorithm    u16 tag    u32 expiration    u32 inception
 *            64 octets of signature
 *   denial   u8 octets of the key    key    u16 octets of the record    record    signatures
 *
 * One entry for each key that signs.  `print` tells the signer whether an entry is of the same records as
 * before.  The denial is what takes the place of the NSEC or NSEC3 of the node with that key (image_key.h) when
 * the policy has no answer to give: without the policy's type; rendered like any set (image_format.h).
 * Numbers in network order, nothing aligned.  Readers check bounds. */
#ifndef NS_ZONEMAP_EMISSION_H
#define NS_ZONEMAP_EMISSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EMISSION_SIZE	  93u
#define EMISSION_SIG	  64u
#define EMISSIONS_MAX	  4096u		/* of one policy: CLOSURE_MAX */
#define EMISSION_SIGNERS  4u		/* keys that sign each: two while one is rolled, four with the algorithm */
#define EMISSION_PIECE	  640u		/* entries of a piece, but the last: it must fit an image's set */
#define EMISSION_PIECES	  (EMISSIONS_MAX * EMISSION_SIGNERS / EMISSION_PIECE + 1)
#define EMISSION_KEYS	  4u		/* of one emission that are sent */

struct emission {
	uint64_t	mask, print;
	uint32_t	expiration, inception;
	uint16_t	first, tag;
	uint8_t		algorithm;
	const uint8_t	*sig;
};
struct emission_table {
	unsigned	 n, pieces;
	const uint8_t	*piece[EMISSION_PIECES];	/* the entries of each */
	const uint8_t	*denial;
	size_t		 denial_len;
};
struct emission_denial {
	const uint8_t	*key, *body, *sig;
	size_t		 key_len, body_len, sig_len;
};

/* The first piece; then each that follows.  False: it is none, and the table is what it was. */
bool	 emission_open(struct emission_table *, const uint8_t *, size_t len);
bool	 emission_more(struct emission_table *, const uint8_t *, size_t len);
/* That of the policy for a type, from an RRSIG set that covers NSPOLICY: each rdata is a u16 type and a piece. */
struct rrset;
bool	 emission_open_set(struct emission_table *, const struct rrset *, uint16_t type);
/* The same of a node that has the policy. */
struct image_node;
bool	 emission_open_node(struct emission_table *, const struct image_node *, uint16_t type);
void	 emission_at(const struct emission_table *, unsigned i, struct emission *);
/* Number of the first entry of that emission; n: there is none. */
unsigned emission_find(const struct emission_table *, uint16_t first, uint64_t mask);
/* The first entry of the emission that has most in common with that one, of the same pool where there is one; n:
 * the table is empty. */
unsigned emission_nearest(const struct emission_table *, uint16_t first, uint64_t mask);
bool	 emission_denial(const struct emission_table *, struct emission_denial *);
bool	 emission_denial_read(const uint8_t *, size_t len, struct emission_denial *);

#endif
