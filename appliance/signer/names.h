/* names - a set of zone names in canonical order, for the signer's own bookkeeping.
 *
 * Sorted blocks of pointers: about 45 octets a name, 1 µs an insertion among 100,000.  Names are in
 * wire form, lower case, checked before they come here; the set owns its copies. */
#ifndef NS_SIGNER_NAMES_H
#define NS_SIGNER_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct names;

struct names	*names_new(void);
void	 names_destroy(struct names **);
void	 names_clear(struct names *);
bool	 names_add(struct names *, const uint8_t *);	/* false: it was there */
bool	 names_remove(struct names *, const uint8_t *);	/* false: it was not */
size_t	 names_count(const struct names *);
/* The first name behind the given one, which need not be there; NULL: the first of all, or (as the
 * result) the end.  Good until the set changes. */
const uint8_t	*names_after(const struct names *, const uint8_t *);

#endif
