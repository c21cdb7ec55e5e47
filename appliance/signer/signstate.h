/* signstate - what sync is told of signatures: SignerState after each sweep, ZoneSignatures when it asks. */
#ifndef NS_SIGNER_SIGNSTATE_H
#define NS_SIGNER_SIGNSTATE_H

#include "appliance/signer/compile.h"
#include "appliance/signer/refresh.h"
#include "ipc/nameserve.pb-c.h"

struct signstate {
	Ns__SignerState	msg;
	char		zone[NAME_MAX_TEXT], external[NAME_MAX_TEXT], making[NAME_MAX_TEXT];
};
/* The message points into the struct. */
void	 signstate_fill(struct signstate *, const struct refresh_state *, const struct feed *,
	    uint32_t now);
/* Fills the answer in: found nothing, it is as it was asked. */
void	 signstate_of_zone(struct writer *, uint32_t now, Ns__ZoneSignatures *);

#endif
