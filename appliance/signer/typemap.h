/* typemap - a set of types as the bitmap of NSEC and NSEC3 (RFC 4034 4.1.2). */
#ifndef NS_SIGNER_TYPEMAP_H
#define NS_SIGNER_TYPEMAP_H

#include "ipc/base/wbuf.h"

#define TYPEMAP_MAX (256u * 34u)

struct typemap {
	uint8_t	bits[256][32];
	uint8_t	len[256];		/* octets of a window that are in use; 0: none */
	unsigned windows;		/* none from this one on: nearly all types are in the first */
};

void	 typemap_add(struct typemap *, uint16_t type);
/* Appends it, and leaves an empty one. */
void	 typemap_put(struct typemap *, struct wbuf *out);

#endif
