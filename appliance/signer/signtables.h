/* signtables - the tables behind the policies and ALIASes of a zone that is signed here (emission.h, aliassig.h), read as
 * RRsets with the RRSIGs that a resolver would get: for whoever judges them (signcheck, sigaudit).
 *
 * What is told lasts for the call alone.  Tables of what may be answered, and denials for where it is nothing. */
#ifndef NS_SIGNER_SIGNTABLES_H
#define NS_SIGNER_SIGNTABLES_H

#include "appliance/dns/zwire.h"

struct signtables;
struct signtables_reader {
	const uint8_t	*apex;
	void	(*set)(void *arg, const struct rrset *, const struct rrset *sigs);
	void	(*wrong)(void *arg, const struct rrset *, const char *text);	/* owner and type of it alone */
	void	*arg;
};

struct signtables	*signtables_new(void);
void	 signtables_destroy(struct signtables **);

/* `tables`: the RRSIG set that covers NSPOLICY or ALIAS; NULL: there is none. */
void	 signtables_policies(struct signtables *, const struct signtables_reader *, const struct rrset *policies,
	    const struct rrset *tables);
void	 signtables_alias(struct signtables *, const struct signtables_reader *, const struct rrset *alias,
	    const struct rrset *tables);

#endif
