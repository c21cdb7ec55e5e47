/* name - domain names in wire form (RFC 1035 3.1), uncompressed.
 *
 * A name is checked once, where it enters (name_check, name_read, name_from_text); after that it
 * is passed as a bare pointer and trusted to be 1..255 octets that end with the root label.
 * Comparison ignores ASCII case (RFC 4343).  Canonical order is RFC 4034 6.1.  No allocation. */
#ifndef NS_DNS_NAME_H
#define NS_DNS_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/base/err.h"
#include "ipc/base/rbuf.h"

#define NAME_MAX_WIRE	255
#define NAME_MAX_LABELS	127		/* without the root label */
#define NAME_MAX_TEXT	1024		/* every octet as \DDD, dots, NUL */
#define NAME_MAX_KEY	512		/* name_sort_key */

/* Length of the name at the start of bytes we do not trust; 0 when it is not one. */
size_t	 name_check(const uint8_t *, size_t avail);
/* The same from a reader, copied to out with its case; 0 and r->bad when it is not one. */
size_t	 name_read(struct rbuf *, uint8_t out[NAME_MAX_WIRE]);

size_t	 name_len(const uint8_t *);			/* octets with the root label */
unsigned name_labels(const uint8_t *);			/* without the root label */
const uint8_t	*name_parent(const uint8_t *);		/* one label less; not for the root */
const uint8_t	*name_skip(const uint8_t *, unsigned labels);
bool	 name_is_wild(const uint8_t *);			/* leftmost label is "*" */

void	 name_lower(uint8_t *dst, const uint8_t *src, size_t len);	/* dst may be src */
bool	 name_equal(const uint8_t *, const uint8_t *);
bool	 name_is_below(const uint8_t *name, const uint8_t *ancestor);	/* strictly below */
bool	 name_in(const uint8_t *name, const uint8_t *apex);		/* equal or below */
int	 name_cmp(const uint8_t *, const uint8_t *);			/* canonical order */
unsigned name_common(const uint8_t *, const uint8_t *);			/* labels shared, from the right */

/* A byte string whose memcmp order (shorter first) is canonical order; its length.  Labels from
 * the right, lower case, 0x00 and 0x01 inside a label escaped, each ended by 0x00.  The key of an
 * ancestor is a prefix of the keys of all names below it. */
size_t	 name_sort_key(const uint8_t *, uint8_t out[NAME_MAX_KEY]);
/* And back; 0 when the key is not one. */
size_t	 name_from_key(const uint8_t *key, size_t len, uint8_t out[NAME_MAX_WIRE]);

/* Master-file form, absolute, with \DDD and \. escapes; returns out. */
char	*name_to_text(const uint8_t *, char out[NAME_MAX_TEXT]);
void	 name_show(const uint8_t *, char *out, size_t size);	/* the same, cut where there is no room */
/* text is relative to origin unless it ends in a dot; "@" is the origin.  Keeps case.  Fills
 * why->field and why->text on NS_INVALID. */
enum ns_err	 name_from_text(const char *text, const uint8_t *origin, uint8_t out[NAME_MAX_WIRE],
		    size_t *len, struct ns_why *) __attribute__((warn_unused_result));
/* The same of text that is not ended by a NUL. */
enum ns_err	 name_from_chars(const char *text, size_t textlen, const uint8_t *origin,
		    uint8_t out[NAME_MAX_WIRE], size_t *len, struct ns_why *)
		    __attribute__((warn_unused_result));

#endif
