/* addressway - the way from a name to the addresses that it has by an ALIAS or a policy.
 *
 * A target in a zone of ours, of the same account, is followed at once: over CNAME, DNAME, policies and
 * further ALIASes, at most CHAIN_MAX names.  Where that leads out of our zones the addresses are what this
 * appliance's probe has looked up beforehand (zonemap/aliases.h); nobody is asked while a client waits.
 * The TTL is the least of all that was followed.  address.c goes one way for one asker, addressall.c all there are. */
#ifndef NS_SERVE_ADDRESSWAY_H
#define NS_SERVE_ADDRESSWAY_H

#include "appliance/serve/address.h"

enum go { GO_FOUND, GO_NONE, GO_NEXT, GO_OUT, GO_BROKEN, GO_TOLD };	/* TOLD: policy() has said all of it */
struct way {
	struct reply	*r;
	uint16_t	 type;
	uint32_t	 ttl;
	uint32_t	 account;
	uint8_t		 alias[NAME_MAX_WIRE];	/* target of the last ALIAS: the probe knows it */
	uint8_t		 next[NAME_MAX_WIRE];
	struct address_set *out;
	/* What the policy of that set gives. */
	enum go		(*policy)(struct way *, const struct image_set *);
	const struct address_each *each;	/* all ways, at no time: NULL: one */
	unsigned	 branch, *steps;	/* with it: how deep, and how many names are left */
};

/* From the node on, in its zone; then from w->next on. */
enum go	 way_at_node(struct way *, const struct hop *, const struct image_node *);
enum go	 way_follow(struct way *);
void	 way_lower_ttl(struct way *, uint32_t ttl);
bool	 way_go_to(struct way *, const uint8_t *name, size_t len);
/* w->out as a set of addresses, each once. */
void	 way_begin_body(struct way *);
void	 way_put_address(struct way *, const uint8_t *address);

#endif
