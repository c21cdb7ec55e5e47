/* sigframe - a frame of the signature file (sigfile.h): its octets, read, written and wiped. */
#ifndef NS_SIGNER_SIGFRAME_H
#define NS_SIGNER_SIGFRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/dns/name.h"
#include "appliance/signer/sigfile.h"
#include "ipc/base/wbuf.h"

#define FRAME_HEAD  16u
#define FRAME_WIPED 0x4e535330u
#define PAYLOAD_MAX (8u + 1u + NAME_MAX_WIRE + 2u + SIGFILE_FRAME * SIGFILE_ENTRY)

struct frame {			/* points into the payload */
	uint64_t	 before;
	const uint8_t	*apex, *entry;
	unsigned	 n;
	uint64_t	 size;	/* with its head */
};

/* Octets of the payload that a head announces; 0: not a frame's. */
uint32_t sigframe_len(const uint8_t head[FRAME_HEAD]);
/* A payload of that length; false: it does not add up. */
bool	 sigframe_check(const uint8_t head[FRAME_HEAD], const uint8_t *payload, struct frame *);
/* The one at a place of a file, its payload appended to `to`. */
bool	 sigframe_read(int fd, uint64_t at, struct wbuf *to, struct frame *);
/* Its octets, appended. */
void	 sigframe_put(struct wbuf *, uint64_t before, const uint8_t *apex, const uint8_t *entries,
	    unsigned n);
bool	 sigframe_wipe(int fd, uint64_t at, const struct frame *);

#endif
