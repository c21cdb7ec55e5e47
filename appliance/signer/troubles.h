/* troubles - what is wrong here with zones and keys, until it no longer is: for `status`. */
#ifndef NS_SIGNER_TROUBLES_H
#define NS_SIGNER_TROUBLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TROUBLES_TOLD 8u		/* of a kind whose words are kept; of more the names */
#define TROUBLES_TEXT 480u

enum trouble_kind {
	TROUBLE_KEYRING,		/* the fleet keys that are ours do not open; of no zone: the root's name */
	TROUBLE_LOCKED,			/* a zone's keys do not open, or are not what signed it */
	TROUBLE_REFUSED,		/* what came of a zone is not served */
	TROUBLE_ALIAS,			/* an ALIAS may answer more than is signed */
	TROUBLE_KINDS
};

struct troubles;

struct troubles	*troubles_new(void);
void	 troubles_destroy(struct troubles **);
/* In place of what was said of that zone before. */
void	 troubles_set(struct troubles *, enum trouble_kind, const uint8_t *apex, const char *text);
bool	 troubles_end(struct troubles *, enum trouble_kind, const uint8_t *apex);	/* false: there was none */
/* The first of each kind, and how many more there are; "" when all is well. */
void	 troubles_text(const struct troubles *, char out[TROUBLES_TEXT]);

#endif
