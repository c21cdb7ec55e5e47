/* aliassign - what the ALIAS of an owner may answer, signed (aliassig.h), and what its chain says of it. */
#ifndef NS_SIGNER_ALIASSIGN_H
#define NS_SIGNER_ALIASSIGN_H

#include "appliance/signer/aliassets.h"
#include "appliance/signer/emissions.h"

/* The owner has that ALIAS: what it may answer is looked up, or (z->aliases is NULL) stays as it was. */
void	 owner_alias(struct signing *, struct owner *, const struct rrset *alias);
void	 owner_free(struct owner *);
/* Adds the table of the owner that s->sheet holds, as an RRSIG set that covers ALIAS. */
void	 aliassign_add(struct signing *, const struct owner *, const struct emission_chain *);

#endif
