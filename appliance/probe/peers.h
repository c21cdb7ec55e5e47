/* peers - the fleet as this probe knows it: who votes, from where, and when each was heard last.
 *
 * Pure, time is an argument.  A peer keeps its slot as long as it is in the list, so that votes name it
 * by a number; slot 0 is ourselves.  Who has left counts as drained does, and its slot is given again
 * when all are taken: what was heard before `since_ms` is not of the one who has it now. */
#ifndef NS_PROBE_PEERS_H
#define NS_PROBE_PEERS_H

#include "appliance/probe/quorum.h"

#define PEER_NAME 64u

struct peer {
	char		 name[PEER_NAME], site[PEER_NAME];
	bool		 listed;
	uint64_t	 since_ms, heard_ms;
	uint64_t	 epoch, seq;	/* of the last message that was taken */
};
struct peers {
	struct peer	 list[QUORUM_MEMBERS];
	struct quorum_member members[QUORUM_MEMBERS];	/* by slot, as of the last look */
	size_t		 count;		/* slots that were ever taken */
	size_t		 others;	/* listed, but for ourselves */
	uint64_t	 round;		/* rises when others may be assigned than before */
	bool		 frozen;
};
struct peer_row {
	const char	*name, *site;
	bool		 out;
};

void	 peers_init(struct peers *, const char *self, const char *site, uint64_t now_ms);
/* All of the fleet.  Without ourselves in it we are as peers_init() said: alone, or not let in yet. */
void	 peers_set(struct peers *, const struct peer_row *, size_t n, uint64_t now_ms);
/* NULL: not in the fleet. */
struct peer	*peers_find(struct peers *, const char *name);
/* A message of that peer.  false: it is not newer than the last one. */
bool	 peers_heard(struct peers *, struct peer *, uint64_t epoch, uint64_t seq, uint64_t now_ms);
/* Who is silent, and whether we are cut off. */
void	 peers_look(struct peers *, uint64_t now_ms);

#endif
