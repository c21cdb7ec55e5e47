/* signbox - a zone with keys through the signer's feed: a model of what it should be, sent whole and by edits, and held
 * against what is served.  A program that uses it names feed.c, apexset.c and what these need in its `// link:`. */
#ifndef NS_TESTS_LIB_SIGNBOX_H
#define NS_TESTS_LIB_SIGNBOX_H

#include "appliance/signer/feed.h"
#include "appliance/signer/sigfile.h"
#include "appliance/zonemap/image_read.h"
#include "tests/lib/mapbox.h"

#define SIGNBOX_NOW	1795000000u
#define SIGNBOX_OWNERS	40u
#define SIGNBOX_TEXT	256u

struct signbox {
	struct mapbox	 box;
	struct writer	*w;
	struct feed	*f;
	struct zone_keys *keys;			/* NULL: not signed */
	bool		 locked, large;		/* large: a tree */
	bool		 closed;		/* keys come closed; locked: and do not open */
	bool		 start;			/* what is sent whole is the whole store */
	unsigned	 opens;
	bool		 held;			/* what is made in slices stays in the making until make_all */
	struct zone_keys *(*others)(const uint8_t *apex);	/* keys of other zones, a reference; NULL: they have none */
	unsigned	 slices;
	uint32_t	 now;
	unsigned	 asks, publishes, refusals;
	struct ns_why	 why;
	/* the zone as it should be */
	char		 line[SIGNBOX_OWNERS][SIGNBOX_TEXT];	/* of owner i; "": none */
	uint32_t	 serial;
	uint64_t	 seed;
	int		 fd[2];			/* of the file of signatures; 0: none */
	struct sigfile	*file;
};

/* s.example.; in a buffer of zonebox_name(). */
const uint8_t	*signbox_apex(void);
/* Started, with keys that keykit made. */
struct signbox	*signbox_open(enum key_algorithm, enum zone_denial);
/* The same, large, held, and served as it is; it has keys from the start or gets them later. */
struct signbox	*signbox_open_large(enum zone_denial, bool is_signed);
void	 signbox_close(struct signbox *);
/* A map that nobody has written to, and the file of signatures as it is. */
void	 signbox_start(struct signbox *);
void	 signbox_stop(struct signbox *);
/* Each signature of the file wrong in one bit, with checksums that are right. */
void	 signbox_spoil(const struct signbox *);

/* Other records for owner i in the model, or none. */
void	 signbox_random(struct signbox *, unsigned i);
/* The model, its next serial: all of it; these owners' bits; no change of it, but of its keys. */
void	 signbox_send_whole(struct signbox *);
void	 signbox_send_edit(struct signbox *, uint64_t owners);
void	 signbox_send_keys(struct signbox *);
/* Another zone is created or edited: it is published at once, whatever is in the making. */
void	 signbox_send_other(struct signbox *);
/* All that is in the making, as small a slice at a time as there is. */
void	 signbox_make_all(struct signbox *);

/* The image that is published; valid until the next call. */
bool	 signbox_served(struct signbox *, struct image_ref *);
/* It is the model's content, and fit with these keys now. */
void	 signbox_expect(struct signbox *);

#endif
