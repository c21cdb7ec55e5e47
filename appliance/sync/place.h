/* place - where a refusal belongs, in its fields and at the head of its sentence.  Pure; any thread. */
#ifndef NS_SYNC_PLACE_H
#define NS_SYNC_PLACE_H

#include <stdint.h>

#include "ipc/base/err.h"

/* Zone, owner (NULL: none) and type (0: none) in master-file form, where they are not set yet. */
void	 place_names(struct ns_why *, const uint8_t *apex, const uint8_t *owner, uint16_t type);
/* `OWNER TYPE "value": text`, once; value NULL: none. */
void	 place_sentence(struct ns_why *, const char *value);

#endif
