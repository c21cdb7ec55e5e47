/* work - what the passes of a batch hand to one another, and the reply in the making.
 *
 * struct work lives in query.scratch between the passes; struct reply lives on the stack of the last
 * one.  One thread, no allocation.  Files of serve/ only. */
#ifndef NS_SERVE_WORK_H
#define NS_SERVE_WORK_H

#include "appliance/dns/name.h"
#include "appliance/dns/policy.h"
#include "appliance/dns/rrtype.h"
#include "appliance/serve/serve.h"
#include "appliance/zonemap/image_read.h"
#include "appliance/zonemap/nsec3_chain.h"

#define DNS_HEADER	12u
#define POINTER_REACH	0x3fffu		/* what a compression pointer can say */
#define CHAIN_MAX	16u		/* CNAMEs and DNAMEs followed in one reply */
#define NSEC_MAX	(CHAIN_MAX + 4u)
#define WORK_SUFFIXES	4u		/* candidate apexes that are prefetched */

enum dns_class { CLASS_IN = 1, CLASS_CH = 3 };
enum dns_rcode {
	RCODE_NOERROR = 0,
	RCODE_FORMERR = 1,
	RCODE_SERVFAIL = 2,
	RCODE_NXDOMAIN = 3,
	RCODE_NOTIMP = 4,
	RCODE_REFUSED = 5,
	RCODE_YXDOMAIN = 6,
	RCODE_NOTAUTH = 9,
	RCODE_BADVERS = 16,
	RCODE_BADCOOKIE = 23,
};

/* Options that we know, in the order of the reply: padding is last (RFC 7830 3). */
enum option_id {
	OPTION_NSID,
	OPTION_ECS,
	OPTION_COOKIE,
	OPTION_KEEPALIVE,
	OPTION_ZONEVERSION,
	OPTION_PADDING,
	OPTIONS
};

/* Why it is no plain answer: ede.c has the texts. */
enum ede {
	EDE_NONE,
	EDE_NOT_OURS,
	EDE_NO_APEX,
	EDE_CLASS,
	EDE_CHAOS,
	EDE_OPCODE,
	EDE_TRANSFER,
	EDE_TRANSFER_UDP,
	EDE_IMAGE,
	EDE_CHAIN,
	EDE_ALIAS,
	EDE_ALIAS_STALE,
	EDE_DNAME,
	EDE_EXPIRED,
	EDE_NOT_YET,
	EDE_KEYLESS,
	EDE_BARE,
	EDE_LAST_SIGNED,
	EDE_UNSIGNED,
	EDE_OPTIONS,
	EDE_COOKIE,
	EDE_ECS,
	EDE_KEEPALIVE,
	EDE_ZONEVERSION,
};

/* The network that the resolver asks for (RFC 7871), for answers that depend on the place. */
struct ecs {
	uint8_t		family;			/* 1: IPv4, 2: IPv6, 0: none was told */
	uint8_t		source;			/* bits of address that count; zeros behind them */
	uint8_t		scope;			/* bits that the answer depends on (7.2.1) */
	uint8_t		address[16];
};

struct work {
	bool		done;			/* verdict and reply are final */
	bool		has_question, edns, dnssec_ok;
	bool		bad_option;		/* OPT can be read, but not all that is in it */
	bool		bad_cookie;		/* a server cookie that is not valid */
	uint8_t		options, seen;		/* bits of enum option_id: in the reply, in the query */
	uint8_t		ede;			/* enum ede */
	uint16_t	opt_len;		/* room for our OPT record, without EDE and padding */
	uint8_t		labels, qlen;		/* of the name in the question */
	uint8_t		nhash, hash_at;		/* hash[i] is of the name from label hash_at + i on */
	uint16_t	qclass, limit;		/* limit: octets of the reply, OPT included */
	uint16_t	keylen;
	uint8_t		rel;			/* labels below the apex */
	uint8_t		cookie[24];		/* of the reply */
	struct ecs	ecs;
	map_off		image;			/* 0: not ours; before find_zone: probably this one, */
	uint8_t		peeked;			/* by hash[peeked] */
	const void	*hint;			/* flat images: the node that key probably has */
	uint64_t	hash[WORK_SUFFIXES];
	uint64_t	owner_hash;		/* flat images: of key */
	uint8_t		off[NAME_MAX_LABELS + 1];
	uint8_t		found;			/* flat images: enum image_found of key, and its node */
	struct image_node node;
	struct image_ref zone;			/* once image is opened */
	bool		has_set;		/* node has set, of the type asked for */
	struct image_set set;
	bool		has_cover;		/* key is not there, and node's NSEC says so */
	uint8_t		lname[NAME_MAX_WIRE + IMAGE_KEY_SLACK];
	uint8_t		key[NAME_MAX_KEY];
};

/* The name that is being answered and where its labels stand in the reply. */
struct hop {
	struct image_ref zone;
	const uint8_t	*name, *off;		/* lower case; where its labels begin */
	const uint16_t	*at;			/* by label: its place in the reply; NULL: the question */
	const uint8_t	*key;			/* relative to the zone's apex */
	size_t		 keylen;
	unsigned	 labels, rel;
	enum image_found found;			/* in a flat zone: of key */
	struct image_node node;			/* when it is there */
};

enum section { ANSWER, AUTHORITY, ADDITIONAL };

struct emission_denial;
struct reply {
	const struct serve_conf	*conf;
	const struct map_view	*view;
	struct query		*q;
	struct work		*w;
	uint8_t			*out;
	size_t			 len, limit;	/* limit: without the OPT record */
	uint16_t		 count[3];
	uint8_t			 rcode;
	bool			 aa, tc, silent;	/* silent: written, and not to be sent */
	enum serve_class	 class;
	struct hop		 hop;
	/* While a policy has no answer: what stands in for its name's NSEC or NSEC3 (emission.h). */
	const struct emission_denial	*denial;
	/* NSECs sent, by key, and those that wait until the answer section is complete (proof.c). */
	unsigned		 nsent, nwaiting;
	const uint8_t		*sent[NSEC_MAX];
	struct {
		struct image_ref	zone;
		struct image_node	node;
	} waiting[CHAIN_MAX + 1];
};

/* What RFC 1034 4.3.2 step 3 ends at. */
enum lookup_kind {
	LOOKUP_BROKEN,
	LOOKUP_NODE,		/* the name itself */
	LOOKUP_ENT,		/* it exists without records */
	LOOKUP_CUT,		/* a zone cut at or above it */
	LOOKUP_DNAME,		/* a DNAME above it */
	LOOKUP_WILD,		/* a wildcard answers for it; nsets may be 0 */
	LOOKUP_NXDOMAIN,
};
struct lookup {
	enum lookup_kind	kind;
	struct image_node	node;	/* NODE, CUT, DNAME, WILD */
	size_t			keylen;	/* of the closest encloser; CUT and DNAME: of that node */
	unsigned		depth;	/* labels of that below the apex */
};

/* parse.c, edns.c: checks the packet and fills w; done is set when there is nothing to look up. */
void	 parse_query(const struct serve_conf *, const struct map_view *, struct query *,
	    struct work *);
void	 hash_suffixes(const struct map_view *, const struct query *, struct work *);
/* What the readers of a query share. */
struct parse {
	const struct serve_conf	*conf;
	const struct map_view	*view;
	struct query		*q;
	struct work		*w;
	struct rbuf		 r;
	uint8_t			 version;	/* of EDNS */
};
/* The OPT record (behind its type); false: FORMERR. */
bool	 edns_read(struct parse *);
void	 edns_write(struct reply *);
#define OPTION_HEAD 4u
/* The option will be answered, in that many octets. */
static inline void
edns_answer(struct work *w, enum option_id id, size_t len)
{
	w->options |= (uint8_t)(1u << id);
	w->opt_len = (uint16_t)(w->opt_len + OPTION_HEAD + len);
}
/* cookie.c */
bool	 cookie_read(struct parse *, const uint8_t *data, size_t len);
uint8_t	*cookie_write(const struct reply *, uint8_t *p);
/* ecs.c: false: malformed. */
bool	 ecs_read(struct ecs *, const uint8_t *data, size_t len);
size_t	 ecs_size(const struct ecs *);
uint8_t	*ecs_write(const struct ecs *, uint8_t *p);
/* ede.c: the option, without its text, or nothing: what the room is for. */
uint8_t	*ede_write(enum ede, uint8_t *p, size_t room);

/* zone.c: the zone that answers for a name from label `from` on; 0: none of ours. */
map_off	 zone_find(const struct map_view *, const uint8_t *name, const uint8_t *off,
	    unsigned labels, unsigned from);
/* The image of a zone that a name of so many labels is in; false: broken, or its apex is the longer one. */
bool	 zone_open(const struct map_view *, map_off, unsigned labels, struct image_ref *);
/* Zone of a parsed question: uses the hashes that were made in the first pass. */
map_off	 zone_of_question(const struct map_view *, const struct query *, const struct work *);
/* zone_hash() of the apex that w->zone has. */
uint64_t zone_hash_of_question(const struct map_view *, const struct work *);

/* lookup.c */
void	 lookup_name(const struct hop *, struct lookup *);
/* Any name at or below the apex, in any zone form: for additional data. */
void	 lookup_other(const struct hop *, const uint8_t *lname, struct lookup *);

/* reply.c */
void	 reply_begin(struct reply *, const struct serve_conf *, const struct map_view *,
	    struct query *);
void	 reply_end(struct reply *);
void	 reply_error(const struct serve_conf *, struct query *, uint8_t rcode);

/* emit.c: false when it does not fit; then nothing is written. */
bool	 emit_set(struct reply *, enum section, const struct image_set *, unsigned label);
bool	 emit_set_at(struct reply *, enum section, const struct image_set *, uint16_t pointer);
/* Only the signatures, whether the asker wants any or not. */
bool	 emit_sigs(struct reply *, enum section, const struct image_set *, unsigned label);
bool	 emit_sigs_at(struct reply *, enum section, const struct image_set *, uint16_t pointer);
bool	 emit_named(struct reply *, enum section, const struct image_set *, const uint8_t *owner,
	    size_t len);
void	 emit_cap_ttl(struct reply *, size_t from, uint32_t ttl);
void	 emit_ttl(struct reply *, size_t from, uint32_t ttl);
/* Where label number i of the hop's name stands in the reply. */
unsigned hop_place(const struct hop *, unsigned label);
/* The label at which the name with that many labels below the apex begins. */
static inline unsigned
hop_label(const struct hop *h, unsigned depth)
{
	return h->rel - depth;
}

/* The asker wants DNSSEC records, and the zone at hand has them. */
static inline bool
wants_dnssec(const struct reply *r)
{
	return r->w->dnssec_ok && (r->hop.zone.image->flags & IMAGE_SIGNED) != 0;
}

/* answer.c: the whole of step 3 for the hop at hand, following chains. */
void	 answer_question(struct reply *);
/* chain.c: the next name; false: the chain ends here. */
struct chain_name {
	uint16_t	at[NAME_MAX_LABELS + 1];
	uint8_t		off[NAME_MAX_LABELS + 1];
	uint8_t		name[NAME_MAX_WIRE + IMAGE_KEY_SLACK];
	uint8_t		key[NAME_MAX_KEY];
};
struct chain {
	unsigned	n;
	map_off		first, image;	/* the zone of the question, that of the hop */
	uint64_t	seen[CHAIN_MAX + 1];
	/* The hop's, and the one that may follow it: the hop stays whole when the chain ends. */
	struct chain_name	buf[2];
	unsigned		cur;
	/* DNAMEs sent, by node, and where their targets stand. */
	unsigned	ndname;
	const uint8_t	*dname[CHAIN_MAX + 1];
	uint16_t	target[CHAIN_MAX + 1];
};
void	 chain_begin(struct chain *, const struct reply *);
bool	 chain_cname(struct chain *, struct reply *, const struct image_set *, bool wild);
bool	 chain_sent_dname(const struct chain *, const struct image_node *);
bool	 chain_dname(struct chain *, struct reply *, const struct lookup *);

/* policy.c: false: the name has no policy for the type that is asked for.  *moved: the hop is another. */
bool	 policy_answer(struct reply *, struct chain *, const struct lookup *, bool *moved);
/* What a pool gives: numbers of its answers. */
struct picked {
	unsigned	n;
	uint16_t	first;		/* of that pool */
	uint16_t	answer[POLICY_PICK];
};
/* What the policy of that set says to this asker; false: broken. */
bool	 policy_pick(struct reply *, const struct image_set *, struct policy *, struct picked *);
/* aliasreply.c: false: the name has no ALIAS that the question is about. */
bool	 alias_answer(struct reply *, const struct lookup *);

/* negative.c */
void	 negative_nodata(struct reply *, const struct lookup *);
void	 negative_nxdomain(struct reply *, const struct lookup *);
/* referral.c */
void	 referral(struct reply *, const struct lookup *);
/* proof.c: what DO asks for beside the signatures; nothing in an unsigned zone. */
bool	 proof_wanted(const struct reply *);
void	 proof_nxdomain(struct reply *, const struct lookup *);
void	 proof_nodata(struct reply *, const struct lookup *);
void	 proof_wild(struct reply *);		/* noted, because more answers may follow */
void	 proof_flush(struct reply *);		/* what was noted; before anything else of AUTHORITY */
void	 proof_no_ds(struct reply *, const struct lookup *);
/* One NSEC or NSEC3 with its signature, once; `whole`: its zone is not the hop's. */
void	 proof_put(struct reply *, const struct image_node *, bool whole);
/* nsec.c, nsec3.c: which records show it. */
struct denial {
	void	(*nxdomain)(struct reply *, const struct lookup *);
	void	(*nodata)(struct reply *, const struct lookup *);
	bool	(*wild)(const struct reply *, struct image_node *);	/* that the hop's name is not there */
	void	(*no_ds)(struct reply *, const struct lookup *);
};
extern const struct denial denial_nsec, denial_nsec3;
/* pack.c: an NS set written anew with all the compression there is; where its names went. */
#define PACKED_MAX	64u
struct packed {
	unsigned	n;
	uint16_t	from[PACKED_MAX], to[PACKED_MAX];
};
bool	 emit_packed(struct reply *, enum section, const struct image_set *, unsigned label,
	    struct packed *);
/* additional.c: addresses for a set that was just sent: its records begin at `base`, or its names are
 * where `packed` (else NULL) says.  What did not fit: */
enum fit { FIT_ALL, FIT_SOME, FIT_NOT };	/* optional ones missing; mandatory glue missing */
enum fit additional(struct reply *, const struct image_set *, size_t base,
	    const struct packed *);
/* Addresses for the name in one record that a policy gave: its rdata stands at `at` in the reply. */
void	 additional_one(struct reply *, uint16_t type, const uint8_t *rdata, size_t len, size_t at);
/* chaos.c */
void	 chaos(const struct serve_conf *, struct query *);

static inline struct work *
work_of(struct query *q)
{
	_Static_assert(sizeof(struct work) <= sizeof q->scratch, "scratch is too small");
	return (struct work *)(void *)&q->scratch;
}

#endif
