/* image_format - the octets of an image, for the compiler, the reader and the tests.
 *
 *   image (map block):   struct image | apex | [flat: a node block, 8-aligned]
 *   node block:          struct nodes | flat: tags u8[], offsets u16[] of the hash table
 *                                     | leaf: order u16[nodes]
 *                                     | nsec u16[nsecs], the nodes with an NSEC set, in order;
 *                                       with IMAGE_NSEC3 those with an NSEC3 set of the chain
 *                                     | nodes in canonical order
 *   inner (map block):   struct inner | entries | keys
 *
 * Node offsets are from struct nodes, in units of 1 << shift octets.  Numbers are in host order (the
 * map never leaves the host), rendered records in network order.
 *
 * node:  u16 flags << 10 | key length    u16 number of sets    key, padded to 4    sets by type
 * The key is the owner relative to the apex in sort form: labels from the right, each ended by
 * 0x00, with 0x00 and 0x01 inside a label escaped (image_key.h), so that memcmp order is canonical
 * order and an ancestor's key is a prefix.  A node without sets is an empty non-terminal (flat only;
 * in a tree they follow from the order).  A node with nothing but NSEC3 is no name of the zone
 * (RFC 5155 7.2.8): in a flat image the hash table leaves it out.
 *
 * set:   u16 type   u16 size / 4   u16 octets of the records   u16 flags << 13 | number of records
 *        [SET_PATCH u16 n] [SET_ADD u16 n] [SET_SIG u16 octets, u16 SIG_PACKED | number]
 *        patches u16[]    adds {u16 node, u16 where}[]    records    signatures    padding to 4
 * A record is rendered with 0xC00C for its owner; signatures are packed where they can be (image_sig.h).
 * A patch is the place of a compression pointer in the records: PATCH_SET: relative to the first record, else relative to the apex as it stands in
 * the packet (biased by PATCH_BIAS, because the owner's labels lie before it).  An add is a name in
 * the records whose addresses go to the additional section: the node (flat) or 0: look it up.  A
 * set of no records holds signatures that cover nothing, or, in a node with NODE_POLICY, an ALIAS (where the
 * records would be stand its TTL and its target) or a policy for that type (there stands its form,
 * dns/policy.h, as it was committed), and where the signatures would be those of its answers (emission.h; of an
 * ALIAS: aliassig.h).
 * What one set cannot hold of those signatures is in sets of the same type behind it, with SET_MORE octets that
 * mean nothing where the policy would be.  Such sets are the last ones; who looks for records does not see them. */
#ifndef NS_ZONEMAP_IMAGE_FORMAT_H
#define NS_ZONEMAP_IMAGE_FORMAT_H

#include <stdint.h>

#include "appliance/zonemap/map.h"

#define IMAGE_MAGIC	0x4e53494du		/* "NSIM" */
#define IMAGE_LEAF_MAGIC 0x4e534c46u
#define IMAGE_INNER_MAGIC 0x4e53494eu

enum image_flag {
	IMAGE_TREE = 1,			/* the nodes are in a tree, not behind the apex */
	IMAGE_SIGNED = 2,		/* the SOA has a signature: DO means something */
	IMAGE_NSEC = 4,			/* signed, and denial is proven by NSEC */
	IMAGE_NSEC3 = 8,		/* signed, and denial is proven by NSEC3 (nsec3_chain.h) */
	IMAGE_HERE = 16,		/* signed by this appliance's signer */
	IMAGE_POLICY = 32,		/* there are policies, or ALIASes */
	IMAGE_ALIAS = 64,		/* there are ALIASes */
	IMAGE_KEYLESS = 128,		/* signed, and the apex has no DNSKEY: arrived so */
};

struct image {
	struct map_image_head	head;
	uint64_t		version;
	uint32_t		account;
	uint32_t		neg_ttl;	/* min(SOA TTL, MINIMUM), RFC 2308 3 */
	uint8_t			flags;
	uint8_t			height;		/* of the tree: 0 = its root is a leaf */
	uint16_t		spare;
	uint32_t		nodes_off;	/* flat: struct nodes from here */
	uint32_t		expires;	/* when the first signature ends; 0: there is none */
	uint32_t		begins;		/* arrived signed: when the last one does; 0: none */
	map_off			tree;		/* IMAGE_TREE; bit 0 as in struct inner_entry */
};

struct nodes {
	uint32_t	magic;
	uint32_t	size;			/* octets from here to the end of the last node */
	uint32_t	first;			/* offset of the first node, in octets */
	uint16_t	count, nsecs;
	uint8_t		shift;
	uint8_t		hash_log2;		/* flat; else 0 */
	uint8_t		flat;
	uint8_t		spare;
};

#define INNER_NSEC	1u			/* in child: a node of the NSEC lists is below */
struct inner_entry {
	map_off		child;
	uint32_t	key_off;		/* from struct inner */
	uint32_t	key_len;
};
struct inner {
	uint32_t		magic;
	uint16_t		count;
	uint8_t			level;		/* 1: children are leaves */
	uint8_t			spare;
	struct inner_entry	entry[];
};
#define INNER_MAX_CHILDREN 256u			/* 256 × (16 + a usual key) is about 8 KiB */
#define IMAGE_MAX_HEIGHT 8u

enum node_flag {
	NODE_CUT = 1,			/* NS below the apex */
	NODE_DNAME = 2,
	NODE_OCCLUDED = 4,		/* flat: below a cut or a DNAME */
	NODE_WILD = 8,			/* flat: "*" is a child */
	NODE_POLICY = 16,		/* the last sets are an ALIAS, policies */
};
#define NODE_KEY_MASK	0x03ffu			/* NAME_MAX_KEY fits */
#define NODE_FLAG_SHIFT	10

enum set_flag { SET_PATCH = 1, SET_ADD = 2, SET_SIG = 4 };
#define SET_COUNT_MASK	0x1fffu			/* 65,000 / 12 records fit */
#define SET_FLAG_SHIFT	13
#define SET_HEAD	8u
#define SET_MORE	4u
#define SET_MAX		65000u			/* rendered octets: RRSET_MAX_WIRE */

#define SIG_PACKED	0x8000u
#define SIG_OCTETS	64u			/* of P-256 and Ed25519; others are not packed */
#define SIG_PACKED_SIZE	(12u + SIG_OCTETS)

#define PATCH_SET	0x8000u
#define PATCH_PLACE	0x7fffu
#define PATCH_BIAS	512u
/* Pointers reach 16,383; names behind this in a set stay whole, and nothing points there. */
#define PATCH_REACH	15000u

#define ADD_INSIDE	0x8000u			/* at or below the owner: a referral is lost without it */
#define ADD_PLACE	0x7fffu			/* 0: the owner itself (SVCB target ".") */
#define ADD_MAX		512u

#define RR_HEAD		12u			/* pointer, type, class, TTL, rdlength */

#endif
