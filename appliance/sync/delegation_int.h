/* delegation_int - what delegation.c and delegation_ds.c share. */
#ifndef NS_SYNC_DELEGATION_INT_H
#define NS_SYNC_DELEGATION_INT_H

#include <stdbool.h>

#include "appliance/sync/delegation.h"

/* Takes the text over. */
void	 delegation_say(char ***list, size_t *n, char *text);
bool	 delegation_answered(const Ns__ParentReply__Server *);
/* Fills ds; needs delegated. */
void	 delegation_judge_ds(const struct delegation *, const Ns__ParentReply *, Ns__ZoneCheckReply *);

#endif
