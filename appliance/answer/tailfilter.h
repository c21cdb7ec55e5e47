/* tailfilter - which of the sampled queries somebody wants to see.
 *
 * Words are ANDed, `-` before one says not: `foo`, `^foo`, `*.x.*` on the name, and zone: name: type: rcode:
 * client: via:.  Pure; matching costs bounded time. */
#ifndef NS_ANSWER_TAILFILTER_H
#define NS_ANSWER_TAILFILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/zonemap/tail.h"

#define TAILFILTER_WORDS 16u
#define TAILFILTER_WORD  255u /* octets of a word */
#define TAILFILTER_WHY   400u

enum tailfilter_kind {
	TF_PART,
	TF_PREFIX,
	TF_GLOB,
	TF_ZONE,
	TF_NAME,
	TF_TYPE,
	TF_RCODE,
	TF_CLIENT,
	TF_VIA,
};
#define TAILFILTER_DROP 256u /* as rcode: no reply was sent */

struct tailfilter {
	unsigned n;
	struct tailfilter_word {
		enum tailfilter_kind kind;
		bool not ;
		char text[TAILFILTER_WORD + 1]; /* PART, PREFIX, GLOB */
		uint64_t number; /* hash of a zone, type, rcode, bits of a network, flags of via */
		uint8_t octets[TAIL_NAME]; /* a name, a network */
		uint8_t len; /* of them; of a network: 4 or 16 */
	} words[TAILFILTER_WORDS];
};

/* The hash that rows have for a zone of that name. */
typedef uint64_t tailfilter_hash_fn(void *arg, const uint8_t *lname, size_t len);
/* False: why says what is wrong. */
bool tailfilter_read(struct tailfilter *, const char *text, tailfilter_hash_fn *, void *arg,
    char why[TAILFILTER_WHY]);
bool tailfilter_match(const struct tailfilter *, const struct tail_row *);

/* "NXDOMAIN" of 3; those that nobody may send over the wire are named by number. */
#define TAILFILTER_RCODES 24u
const char *tailfilter_rcode(unsigned rcode);

#endif
