/* sigfile - the signatures that this signer made, kept for its next start: <data>/signer/signatures.{0,1}.
 *
 * Its loss costs work and nothing else: a signature is taken from it only for the very records that it was made
 * for (found by their print), by a key that signs now, and what is served is checked like anything new.  So
 * nothing is synced, and whatever does not add up is forgotten.
 *
 *   file    "NSSIGS01"    u64 generation    frames
 *   frame   u32 "NSSF" ("NSS0": wiped)    u32 octets of the payload    u64 its checksum
 *           u64 place of the zone's frame before    u8 octets of the apex    apex    u16 entries    entries
 *   entry   u16 type    16 octets print    u8 algorithm    u16 tag    u32 expiration    u32 inception    64 signature
 *
 * Network order.  Frames are appended to one file; when it has doubled, what is of use goes to the other one,
 * in slices, whose generation then is the higher one.  Both are opened before the sandbox closes. */
#ifndef NS_SIGNER_SIGFILE_H
#define NS_SIGNER_SIGFILE_H

#include "appliance/signer/rrsig.h"

#define SIGFILE_ENTRY	93u
#define SIGFILE_FRAME	60000u		/* entries of one frame at most */
#define SIGFILE_SMALL	(64u << 20)	/* octets below which it is not made anew */

struct sigfile;

/* Takes both descriptors (read-write).  `now` is for what has ended already. */
struct sigfile	*sigfile_open(const int fd[2]);
void	 sigfile_close(struct sigfile **);

/* What the file has of one zone, and what it is to get; not longer than the file is open.  Any number at a time. */
struct sigzone;
struct sigzone	*sigzone_open(struct sigfile *, const uint8_t *apex);
void	 sigzone_close(struct sigzone **);	/* what was not kept is forgotten */
/* Rdata of a signature of that print by that key; its length, 0: none. */
size_t	 sigzone_find(struct sigzone *, const struct rrset *, const uint8_t print[RRSIG_PRINT],
	    const struct zone_key *, uint8_t out[RRSIG_MAX]);
/* One was made. */
void	 sigzone_note(struct sigzone *, const uint8_t print[RRSIG_PRINT], const uint8_t *rdata,
	    size_t len);
/* Writes what was noted: when what it is part of is served; or before, where it would be much to make again. */
void	 sigzone_keep(struct sigzone *);
unsigned sigzone_notes(const struct sigzone *);
/* The zone is not signed here any more: nothing of it stays, its name neither. */
void	 sigfile_wipe(struct sigfile *, const uint8_t *apex);

/* Works at making it smaller until `deadline` (clock_mono_ns); true: there is more to do. */
bool	 sigfile_step(struct sigfile *, uint32_t now, uint64_t deadline_ns);

struct sigfile_state {
	uint64_t	octets, zones, frames;	/* of the file in use */
	uint64_t	dropped;		/* octets that did not add up at the start */
	bool		broken;			/* it cannot be written: full disk */
};
void	 sigfile_state(const struct sigfile *, struct sigfile_state *);

#endif
