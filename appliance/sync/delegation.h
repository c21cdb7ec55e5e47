/* delegation - what the parent says of a zone, held against what the zone says of itself.
 *
 * Pure: our side is read from the store, the other came from the probe; out comes the verdict and what a
 * person should do at the registrar.  RFC 1034 4.2.2, 4034 5, 7344. */
#ifndef NS_SYNC_DELEGATION_H
#define NS_SYNC_DELEGATION_H

#include <stddef.h>
#include <stdint.h>

#include "ipc/nameserve.pb-c.h"

struct delegation_name {
	uint8_t	 wire[255];		/* lower case */
};
struct delegation_address {
	uint8_t	 name[255];
	uint8_t	 octets[16];
	size_t	 len;			/* 4 or 16 */
};
struct delegation_blob {
	uint8_t	*data;
	size_t	 len;
};

/* Of our zone, as it is stored. */
struct delegation {
	uint8_t	 zone[255];
	struct delegation_name *ns;	/* of the apex */
	size_t	 nns;
	struct delegation_address *glue; /* of those of them that lie in the zone */
	size_t	 nglue;
	struct delegation_blob *keys, *cds;	/* rdata of DNSKEY and CDS at the apex */
	size_t	 nkeys, ncds;
};
void	 delegation_add_ns(struct delegation *, const uint8_t *name);
void	 delegation_add_address(struct delegation *, const uint8_t *name, const uint8_t *, size_t);
void	 delegation_add_key(struct delegation *, const uint8_t *, size_t);
void	 delegation_add_cds(struct delegation *, const uint8_t *, size_t);
void	 delegation_free(struct delegation *);

/* A malloc'ed reply; NULL when no server of the parent answered, then *why points at what was wrong,
 * in parent or constant. */
Ns__ZoneCheckReply *delegation_judge(const struct delegation *, const Ns__ParentReply *parent,
    const char **why);

#endif
