/* largebox - a signed zone that is a tree, with policies and ALIASes, and the zone that these lead to: a model of it, edits,
 * flips of health and other targets; what is served is held against what signing all of it makes.
 * A program that uses it names feed.c, apexset.c and what these need in its `// link:`. */
#ifndef NS_TESTS_LIB_LARGEBOX_H
#define NS_TESTS_LIB_LARGEBOX_H

#include "appliance/signer/aliasbook.h"
#include "appliance/signer/feed.h"
#include "appliance/signer/signed.h"
#include "appliance/zonemap/board.h"
#include "tests/lib/mapbox.h"

#define LARGEBOX_NOW	1795000000u
#define LARGEBOX_OWNERS	30u
#define LARGEBOX_TEXT	768u

struct largebox {
	struct mapbox	 box;
	struct writer	*w;
	struct feed	*f;
	struct board	 board;
	struct aliasbook *book;
	struct zone_keys *keys;
	bool		 held;		/* large zones stay in the making */
	bool		 aliases;	/* the zone has some: then every edit signs these, and policies, anew */
	uint32_t	 now;
	unsigned	 minimum;	/* of the SOA */
	unsigned	 publishes, refusals, asks, fits;
	unsigned	 cuts;		/* ALIASes of the zone that may answer more than is signed */
	uint64_t	 seed, serial, base, version;
	char		 line[LARGEBOX_OWNERS][LARGEBOX_TEXT];	/* of owner i; "": none */
	unsigned	 turn;		/* of the targets */
	struct signed_image image;	/* while it is looked at */
};

/* l.example.; in a buffer of zonebox_name(). */
const uint8_t	*largebox_apex(void);
/* Both zones are sent and made; closing it asserts that nothing was refused or asked for. */
struct largebox	*largebox_open(enum zone_denial, bool aliases);
void	 largebox_close(struct largebox *);

unsigned largebox_chance(struct largebox *, unsigned n);	/* below n */
/* Other records for owner i in the model, or none. */
void	 largebox_random(struct largebox *, unsigned i);

/* The model, its next version: all of it; these owners' bits. */
void	 largebox_send_whole(struct largebox *);
void	 largebox_send_edit(struct largebox *, uint64_t owners);
/* The zone that ALIASes lead to: addresses of one family, of both, a policy that may come to nothing, and nothing. */
void	 largebox_send_targets(struct largebox *);
/* Some checks are the other way round, and the signer has heard of it. */
void	 largebox_flip(struct largebox *);
/* A zone of the test's own, at the serial and version that stand there; gone: owners, or NULL. */
void	 largebox_send_zone(struct largebox *, const char *apex, Ns__FeedZone__Kind,
	    const struct wbuf *zwire, const struct wbuf *gone);
/* Its zwire; takes the text. */
struct wbuf	 largebox_zwire(const char *zone, char *text, size_t n);
/* All that is in the making, as small a slice at a time as there is; how many. */
unsigned largebox_make_all(struct largebox *);

/* What is served is what signing all of its content makes: Ed25519 says the same each time.  With signatures over the same
 * octets at hand, or with none. */
void	 largebox_expect_signed(struct largebox *, struct zone_keys *, bool at_hand);
void	 largebox_expect_whole(struct largebox *, struct zone_keys *);	/* at hand */
/* Its content is the model's. */
void	 largebox_expect_content(struct largebox *);

#endif
