/* content - what was committed of a zone that is signed here: out of its image, and with an edit in it. */
#ifndef NS_SIGNER_CONTENT_H
#define NS_SIGNER_CONTENT_H

#include "appliance/zonemap/image_read.h"

struct content_edit {			/* as image_edit() takes it; the caller's */
	const void	*zwire, *gone;
	size_t		 len, gone_len;
};

/* The image's owners without what signing made, with the edit in them where there is one, in slices.  The image
 * must not be retired meanwhile. */
struct content_reader;
struct content_reader	*content_begin(const struct image_ref *, const struct content_edit *);
/* Appends to `out` until the deadline (clock_mono_ns), one owner at least; true: there is more to do. */
bool	 content_step(struct content_reader *, struct wbuf *out, uint64_t deadline_ns);
/* The image is another one, of the same content and a tree as well; it is opened in place of the one before. */
void	 content_moved(struct content_reader *);
/* NS_CORRUPT: the image is broken, or the edit breaks its form.  Destroys the reader either way. */
enum ns_err	 content_end(struct content_reader **, struct ns_why *)
		    __attribute__((warn_unused_result));
void	 content_destroy(struct content_reader **);

/* All of it at once, without an edit.  False: the image is broken. */
bool	 content_of_image(const struct image_ref *, struct wbuf *out);

#endif
