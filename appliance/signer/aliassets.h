/* aliassets - what an ALIAS may answer now: every set of addresses that its target may come to (serve/address.h). */
#ifndef NS_SIGNER_ALIASSETS_H
#define NS_SIGNER_ALIASSETS_H

#include "appliance/serve/address.h"
#include "appliance/zonemap/board.h"
#include "ipc/base/wbuf.h"

struct alias_set {
	enum alias_family family;
	uint16_t	count;
	size_t		at;		/* in octets: addresses in order, each once */
};
struct alias_sets {
	struct alias_set *set;		/* in order of octets within a family, each once */
	size_t		 n, cap;
	struct wbuf	 octets;
	uint8_t		 some, none, unknown;	/* 1 << family: ways that end so; unknown: nobody knows yet */
	bool		 cut;		/* there are more than ALIASSIG_SETS, or than a policy tells */
};

struct aliasbook;
struct alias_view {			/* where it is looked up, and who wants to know what decides */
	const struct map_view	*map;
	const struct board	*board;	/* NULL: all is up, and nothing is known of what is not ours */
	uint32_t		 account;
	const uint8_t		*apex;	/* of the ALIAS's zone */
	struct aliasbook	*book;	/* NULL: nobody */
	void	(*check)(void *arg, const uint8_t *apex, uint64_t check);	/* may be NULL */
	void			*arg;
};
struct alias_sets	*alias_sets_of(const struct alias_view *, const uint8_t *target);
void	 alias_sets_free(struct alias_sets **);
/* Families of which there is certainly nothing: what is not known is not denied. */
uint8_t	 alias_sets_denied(const struct alias_sets *);

#endif
