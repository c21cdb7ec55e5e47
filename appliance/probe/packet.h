/* packet - one DNS query of ours as octets, and what came back as records.
 *
 * Replies are a stranger's: their size and number of records are bounded before ldns reads them, and
 * every record is checked against its type before anybody sees it.  Pure; fuzzed.  RFC 1035, 6891. */
#ifndef NS_PROBE_PACKET_H
#define NS_PROBE_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/base/wbuf.h"

#define PACKET_UDP	1232u	/* what we say we take (DNS flag day 2020); nothing is fragmented */
#define PACKET_RECORDS	512u	/* of one reply; a delegation has a dozen */

struct packet_question {
	uint8_t		 name[255];	/* lower case */
	uint16_t	 type;
	bool		 recurse;	/* RD: a resolver is asked */
};

void	 packet_query(struct wbuf *, uint16_t id, const struct packet_question *);

enum packet_section { SECTION_ANSWER, SECTION_AUTHORITY, SECTION_ADDITIONAL, SECTION_MAX };
struct packet_record {
	enum packet_section section;
	uint8_t		 owner[255];	/* lower case */
	uint16_t	 type;
	uint32_t	 ttl;
	const uint8_t	*rdata;		/* names in it uncompressed */
	size_t		 len;
};
struct packet {
	uint8_t		 rcode;
	bool		 aa;
	struct packet_record *records;
	size_t		 n;
};

enum packet_verdict {
	PACKET_GOOD,
	PACKET_STRAY,		/* not an answer to this question: somebody guesses */
	PACKET_CUT,		/* TC: ask over TCP */
	PACKET_BROKEN,		/* ours, and nobody can read it */
};
/* On PACKET_GOOD *out is filled, for packet_free(). */
enum packet_verdict	 packet_read(const uint8_t *, size_t, uint16_t id,
			    const struct packet_question *, struct packet *out);
void	 packet_free(struct packet *);

#endif
