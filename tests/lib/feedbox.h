/* feedbox - the signer's feed with a map of its own: what sync would send, what the feed asked and told, and what is
 * published then.  A program that uses it names feed.c, digest.c and what these need in its `// link:`. */
#ifndef NS_TESTS_LIB_FEEDBOX_H
#define NS_TESTS_LIB_FEEDBOX_H

#include "appliance/dns/name.h"
#include "appliance/signer/digest.h"
#include "appliance/signer/feed.h"
#include "ipc/base/wbuf.h"
#include "ipc/nameserve.pb-c.h"
#include "tests/lib/mapbox.h"

#define FEEDBOX_ASKED 4096
#define FEEDBOX_ZONES 64	/* of one message */

struct feedbox {
	struct mapbox	 box;
	struct writer	*w;
	struct feed	*f;
	struct digest	*d;
	unsigned	 asks, ask_alls, publishes, refusals;
	bool		 full;
	uint8_t		 asked[FEEDBOX_ASKED][NAME_MAX_WIRE];
	/* the last page of digests; asked for as number FEEDBOX_PAGE */
	uint8_t		 page[DIGEST_PAGE][NAME_MAX_WIRE];
	uint8_t		 sum[DIGEST_PAGE][32];
	size_t		 npage;
	bool		 end, replied;
};
#define FEEDBOX_PAGE 99

/* Welcomed, with nothing in it. */
struct feedbox	*feedbox_open(uint64_t limit);
void	 feedbox_close(struct feedbox *);
/* The signer goes, and a successor comes to the same map, which is yet to be welcomed. */
void	 feedbox_close_writer(struct feedbox *);
void	 feedbox_open_writer(struct feedbox *);
/* The link broke and is there again. */
void	 feedbox_reconnect(struct feedbox *);

/* ---- what sync sends ---- */

struct feedbox_message {
	Ns__Feed	 feed;
	Ns__FeedZone	 zone[FEEDBOX_ZONES], *ptr[FEEDBOX_ZONES];
	uint8_t		 name[FEEDBOX_ZONES][64];
	struct wbuf	 zwire[FEEDBOX_ZONES];
};
/* Freed by deliver, as are its zones' texts. */
struct feedbox_message	*feedbox_message(uint64_t revision, bool publish);
void	 feedbox_deliver(struct feedbox *, struct feedbox_message *);
/* The zone of that number (mapbox_name), and no content; with the one of feedbox_zone(). */
Ns__FeedZone	*feedbox_add(struct feedbox_message *, Ns__FeedZone__Kind, uint32_t number,
	    uint64_t version);
Ns__FeedZone	*feedbox_add_text(struct feedbox_message *, Ns__FeedZone__Kind, uint32_t number,
	    uint64_t version, unsigned hosts);
/* A zone of n hosts, with its apex or not; the stamp is in the SOA and in every address. */
void	 feedbox_zone(uint32_t number, uint32_t stamp, unsigned from, unsigned n, bool soa,
	    struct wbuf *out);

/* A message of one zone, published. */
void	 feedbox_replace(struct feedbox *, uint32_t number, uint64_t version, unsigned hosts);
void	 feedbox_delta(struct feedbox *, uint32_t number, uint64_t base, uint64_t version,
	    unsigned hosts);
void	 feedbox_delete(struct feedbox *, uint32_t number, uint64_t version);

/* What is published for a zone is what this text says; version 0: nothing. */
void	 feedbox_expect(struct feedbox *, uint32_t number, uint64_t version, unsigned hosts);

#endif
