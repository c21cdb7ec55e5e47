/* resign_internal - what resign.c (an edit's owners, the chain by NSEC) and resign3.c (by NSEC3) share.  Nobody else
 * includes it. */
#ifndef NS_SIGNER_RESIGN_INTERNAL_H
#define NS_SIGNER_RESIGN_INTERNAL_H

#include "appliance/signer/emissions.h"
#include "appliance/signer/resign.h"
#include "appliance/signer/signowner.h"

struct op {				/* an owner that the edit touches, or whose next name is another */
	struct owner	 o;		/* o.raw NULL: it is emptied */
	uint8_t		 key[NAME_MAX_KEY];
	size_t		 keylen;
	bool		 was, is;	/* in the chain, by NSEC */
	bool		 top;		/* hides what is below it */
};
struct near {				/* a neighbour: places in `mem` of its name and its content */
	size_t		 name_at, raw_at, raw_len;
	uint8_t		 flags;		/* enum node_flag */
};
struct resign {
	struct signing	 s;
	struct signed_image *old;
	const struct pol_owners *policies;	/* of it */
	struct op	*op;		/* in canonical order, each owner once */
	size_t		 n, cap;
	struct near	*near;
	size_t		 nnear, near_cap;
	struct wbuf	 mem;
	enum resigned	 found;
};

const struct op	*resign_op(const struct resign *, const uint8_t *key, size_t keylen);
/* The owner of that key in the old image; false: none. */
bool	 resign_old(const struct resign *, const uint8_t *key, size_t keylen, struct image_node *);
/* One whose NSEC changes, or NSEC3 and with it a denial that it keeps, although the edit leaves it as it is: with what it
 * has.  False: broken. */
bool	 resign_add_near(struct resign *, const struct image_node *);
/* And all of these are ops. */
void	 resign_near_ops(struct resign *);

/* The ops signed and the NSEC3s that they change, into `out`; the owners of those that leave the chain into `gone`. */
void	 resign3_ops(struct resign *, struct wbuf *out, struct wbuf *gone);
/* resign_check() for a chain by NSEC3. */
bool	 resign3_check(const struct image_ref *, const void *zwire, size_t len, const void *gone,
	    size_t gone_len);

#endif
