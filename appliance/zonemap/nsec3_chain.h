/* nsec3_chain - which NSEC3 records of a zone prove what is not there (RFC 5155 7.1, 10.4).
 *
 * A zone may hold records of several chains while its salt or its iterations change.  Only those that
 * belong to the first NSEC3PARAM that we can use are in an image's list, so that the one before a hash
 * is the one that covers it.  Pure; for the compiler (signer, tests) and for serve/. */
#ifndef NS_ZONEMAP_NSEC3_CHAIN_H
#define NS_ZONEMAP_NSEC3_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NSEC3_SHA1	1u		/* the only algorithm there is */
#define NSEC3_HASH	20u		/* octets of it */
#define NSEC3_LABEL	32u		/* and of its text (RFC 4648 7, no padding) */
#define NSEC3_KEY	(NSEC3_LABEL + 1u)	/* an image key: the label and its end */
/* Each proof hashes three names, each hash is this many rounds more.  RFC 9276 3.1 asks zones for 0, and
 * validators take what is above 100 to 150 for unsigned: a chain above it is not used at all. */
#define NSEC3_ITERATIONS_MAX 150u

struct image_ref;
struct image_node;
struct rrset;

struct nsec3_chain {
	bool		used;
	uint8_t		salt_len;
	uint16_t	iterations;
	uint8_t		salt[255];
};

/* Rdata of an NSEC3PARAM; false: not one that we use (RFC 5155 4.1.2: flags must be 0). */
bool	 nsec3_chain_read(const uint8_t *rdata, size_t len, struct nsec3_chain *);
bool	 nsec3_chain_equal(const struct nsec3_chain *, const struct nsec3_chain *);
/* The first one of an NSEC3PARAM set that we use; from zwire, and from an image's apex. */
void	 nsec3_chain_of_set(const struct rrset *, struct nsec3_chain *);
void	 nsec3_chain_of_image(const struct image_ref *, struct nsec3_chain *);
/* Does an NSEC3 set at that key belong to the chain?  From zwire, and from a node. */
bool	 nsec3_chain_has_set(const struct nsec3_chain *, const uint8_t *key, size_t keylen,
	    const struct rrset *);
bool	 nsec3_chain_has_node(const struct nsec3_chain *, const struct image_node *);
/* The hash of a name (RFC 5155 5), lower case as it must be, and a hash as base32hex, whose order is the
 * same.  On the stack: queries do it. */
void	 nsec3_digest(const struct nsec3_chain *, const uint8_t *name, size_t len,
	    uint8_t hash[NSEC3_HASH]);
void	 nsec3_label(const uint8_t hash[NSEC3_HASH], uint8_t label[NSEC3_LABEL]);
void	 nsec3_hash(const struct nsec3_chain *, const uint8_t *name, size_t len,
	    uint8_t label[NSEC3_LABEL]);		/* both */

/* Nothing but NSEC3 is at the node: its owner is no name of the zone (RFC 5155 7.2.8). */
bool	 nsec3_is_alone(const struct image_node *);

#endif
