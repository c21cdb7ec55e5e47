/* making - a zone on its way from content to an image that may be served, in slices: read out of the old image where it
 * is not given, signed, checked, built.
 *
 * Between two slices others may publish and abort; what is made is in no root until its owner puts it there, so a
 * signer that dies, or a zone that becomes another, costs work alone.  The old image must not be reclaimed meanwhile:
 * whoever replaces it says so. */
#ifndef NS_SIGNER_MAKING_H
#define NS_SIGNER_MAKING_H

#include "appliance/signer/compile.h"
#include "appliance/signer/content.h"
#include "ipc/base/wbuf.h"

struct making;

/* From content, which it takes. */
struct making	*making_of_content(struct compiler *, const struct compile_zone *, struct wbuf *);
/* From the old image, with an edit in it where there is one; copies that. */
struct making	*making_of_image(struct compiler *, const struct compile_zone *,
		    const struct content_edit *);
/* Until the deadline (clock_mono_ns), a little at least; true: there is more to do. */
bool	 making_step(struct making *, uint64_t deadline_ns);
/* The keys are others now, or there are none: what was read stays, what was signed with a key that still signs too.
 * Takes a reference of its own. */
void	 making_rekey(struct making *, struct zone_keys *, uint32_t now);
/* The old image is another one now, of the same content: what is still to be read is read from there. */
void	 making_moved(struct making *, map_off);
/* The image, once _step had nothing more to do; destroys it either way. */
enum ns_err	 making_end(struct making **, map_off *, struct ns_why *)
		    __attribute__((warn_unused_result));
void	 making_cancel(struct making **);
unsigned making_percent(const struct making *);
bool	 making_is_small(const struct making *);	/* from content that one block holds */

#endif
