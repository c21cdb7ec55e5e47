/* serve - question to reply, and nothing else: no I/O, no allocation, no clock.
 *
 * The worker answers with it, the answer process explains with it.  A batch goes through in passes,
 * so that the memory each query needs is already on its way when it is touched:
 *     parse → find zone → find name → sections.
 * Each query ends with a verdict that names what the peer gets.  RFC 1034 4.3.2 is the algorithm;
 * the sentence behind each choice stands at its step. */
#ifndef NS_SERVE_SERVE_H
#define NS_SERVE_SERVE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/zonemap/map.h"

#define SERVE_BATCH	32		/* most that a worker takes at once */
#define SERVE_UDP_MAX	1232		/* what we offer and never exceed over UDP */
#define SERVE_TCP_MAX	65535

enum serve_verdict { SERVE_DROP, SERVE_REPLY };

/* How it came: UDP can be forged and is small, TLS is padded. */
enum serve_transport { SERVE_UDP, SERVE_TCP, SERVE_TLS };

/* What kind of answer it became: what rate limits and budgets count by. */
enum serve_class {
	SERVE_CLASS_ERROR,		/* FORMERR, NOTIMP, REFUSED, BADVERS … */
	SERVE_CLASS_POSITIVE,
	SERVE_CLASS_WILDCARD,		/* positive, made from a wildcard: any name gets one */
	SERVE_CLASS_NODATA,
	SERVE_CLASS_NXDOMAIN,
	SERVE_CLASS_REFERRAL,
	SERVE_CLASSES
};

/* What the caller thinks of an answer that is about to be written: all of it, an empty one with TC, or
 * silence. */
enum serve_gate { SERVE_GATE_OPEN, SERVE_GATE_SLIP, SERVE_GATE_SHUT };
struct query;
typedef enum serve_gate serve_gate_fn(void *arg, const struct query *, enum serve_class);

/* Where a network is, as far as the files say: zeros are not known. */
struct client_place {
	uint32_t	asn, city;	/* city: GeoNames' number */
	char		continent[2], country[2];
	char		subdivision[8];	/* "US-CA" */
	uint8_t		prefix;		/* all addresses that share these bits are there */
};
typedef void serve_place_fn(void *arg, unsigned family /* 4, 6 */, const uint8_t *address,
    struct client_place *);
/* One step of an answer, for people. */
typedef void serve_trace_fn(void *arg, const char *step, const char *text);
struct board;

struct serve_conf {
	char	version[64];		/* version.bind, CH TXT; empty: REFUSED */
	char	id[64];			/* id.server and NSID */
	/* Asked, when set, before the answer to a name is written that is not in its zone: NXDOMAIN, or
	 * WILDCARD for what a wildcard or a DNAME makes up.  Of these any number can be asked. */
	serve_gate_fn	*gate;
	void	*gate_arg;
	uint32_t now_s;			/* wall clock, set for each batch */
	/* For policies. */
	const struct board *board;	/* health; NULL: everything is up */
	serve_place_fn	*place;		/* NULL: nobody's place is known */
	void	*place_arg;
	uint64_t *random;		/* the caller's, changed with each choice; NULL: no chance */
	serve_trace_fn	*trace;		/* NULL: nobody wants to know */
	void	*trace_arg;
	uint16_t keepalive;		/* of a connection without queries, in 0.1 s; 0: not told */
};

/* What a policy made of the answer: for counters. */
enum serve_routed {
	SERVE_ROUTED = 1 << 0,		/* a policy answered */
	SERVE_ROUTED_DOWN = 1 << 1,	/* from a pool that is down, as its when_down says */
	SERVE_ROUTED_ECS = 1 << 2,	/* for the client's network, by EDNS client subnet */
	SERVE_ROUTED_NOWHERE = 1 << 3,	/* the place was wanted, and no file knows it */
};

struct query {
	/* given */
	const uint8_t	*pkt;
	size_t		 len;
	uint8_t		*out;		/* out_cap octets; not the same memory as pkt */
	size_t		 out_cap;	/* ≥ SERVE_UDP_MAX; SERVE_TCP_MAX for TCP */
	enum serve_transport	transport;
	struct sockaddr_storage	client;	/* family AF_UNSPEC: unknown */
	/* result */
	enum serve_verdict	verdict;
	size_t		 out_len;
	uint8_t		 rcode;		/* with EDNS's high bits */
	uint16_t	 qtype;
	bool		 truncated;
	enum serve_class	class;
	uint8_t		 routed;	/* enum serve_routed */
	map_off		 zone;		/* image of the zone of the question; 0: none of ours */
	uint64_t	 zone_hash;	/* zone_hash() of its apex, where zone is not 0 */
	uint64_t	 name_hash;	/* of the question's name; in a zone of ours only */
	bool		 policy_unsigned; /* the policy's answer has no signature yet: another was sent */
	bool		 cookie_ok;	/* a valid server cookie came: the address is not forged */
	/* between the passes; private to serve/ */
	struct {
		uint64_t	w[148];
	} scratch;
};

/* Answers all n (≤ SERVE_BATCH) from one view.  With view->root NULL nothing may be answered yet:
 * the caller does not call. */
void	 serve_batch(const struct serve_conf *, const struct map_view *, struct query *, size_t n);
/* Makes the reply that serve_batch() just wrote an empty one with TC: ask again over TCP. */
void	 serve_truncate(const struct serve_conf *, struct query *);

#endif
