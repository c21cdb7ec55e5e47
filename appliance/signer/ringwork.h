/* ringwork - what a KeyWork asks of the fleet keys: made, made anew in place of lost ones, sealed to whoever is to have them.
 * Pure but for the vault. */
#ifndef NS_SIGNER_RINGWORK_H
#define NS_SIGNER_RINGWORK_H

#include "appliance/signer/vault.h"
#include "ipc/base/err.h"
#include "ipc/nameserve.pb-c.h"

/* Into the vault, and what is sealed into *out, which keywork_free() frees. NS_DENIED: others have them. */
enum ns_err	 ringwork_do(struct vault *, const Ns__KeyWork *, Ns__KeyWorkDone *out, struct ns_why *)
		    __attribute__((warn_unused_result));

#endif
