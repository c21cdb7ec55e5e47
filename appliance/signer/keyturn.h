/* keyturn - requests for keys that wait their turn: they come by the hundreds when many zones are signed at once, take a
 * millisecond each, and no feed is to wait for them. */
#ifndef NS_SIGNER_KEYTURN_H
#define NS_SIGNER_KEYTURN_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc/nameserve.pb-c.h"

struct keyturn;

struct keyturn	*keyturn_new(void);
void	 keyturn_destroy(struct keyturn **);
void	 keyturn_put(struct keyturn *, uint64_t id, const Ns__KeyWork *);	/* copied */
/* The oldest one, malloc'ed, with what it is answered by; NULL: none waits. */
Ns__KeyWork	*keyturn_take(struct keyturn *, uint64_t *id);
void	 keyturn_forget(struct keyturn *);	/* nobody waits for an answer any more */

#endif
