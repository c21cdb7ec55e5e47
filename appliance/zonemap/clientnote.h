/* clientnote - what a client network that is among those that ask most asks for, and what it gets: beside its slot
 * in the sketch of clients (topk.h), in a worker's shared memory.
 *
 * The name is that of Boyer and Moore's vote (1981): the one that more than half of the network's queries ask for is
 * found if there is one, with one name and one count in memory; `lead` says by how much it leads.
 *
 * One writer, the worker, for sampled queries alone; nobody trusts what stands here: the reader of a note checks
 * its length, and the caller of the reader the name. */
#ifndef NS_ZONEMAP_CLIENTNOTE_H
#define NS_ZONEMAP_CLIENTNOTE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLIENTNOTE_NAME 256u /* octets of a name */

struct clientnote {
	_Atomic uint64_t owner; /* the client's key; 0: being written */
	_Atomic uint64_t all, nxdomain, errors; /* weights since the slot is his */
	_Atomic uint64_t lead, name_hash, len;
	_Atomic uint64_t name[CLIENTNOTE_NAME / 8];
};

/* A query of `owner`, never 0; taken: its slot is new.  len 0: for no name of ours. */
struct clientnote_query {
	uint64_t weight, name_hash;
	const uint8_t *name;
	size_t len;
	bool nxdomain, error;
};
void	 clientnote_add(struct clientnote *, uint64_t owner, bool taken, const struct clientnote_query *);

/* As it is; false: it is another client's, or was being written. */
struct clientnote_value {
	uint64_t all, nxdomain, errors, lead;
	size_t len; /* ≤ CLIENTNOTE_NAME; 0: no name */
	uint8_t name[CLIENTNOTE_NAME];
};
bool	 clientnote_read(const struct clientnote *, uint64_t owner, struct clientnote_value *);

#endif
