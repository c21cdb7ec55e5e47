/* keysteps - where the roll of a zone's KSK is: what is done, what is under way, what comes.  Pure. */
#ifndef NS_CONSOLE_SCREENS_KEYSTEPS_H
#define NS_CONSOLE_SCREENS_KEYSTEPS_H

#include <stdbool.h>
#include <stddef.h>

#include "ipc/nameserve.pb-c.h"

#define STEPS_MAX 5u

enum step_mark { STEP_DONE, STEP_NOW, STEP_NEXT };
struct keysteps {
	char title[96]; /* empty: no roll is under way */
	size_t n;
	struct {
		enum step_mark mark;
		char text[96];
		char when[40]; /* not sanitized yet; empty: by no time alone */
		char since[40]; /* likewise, of the one that is under way; empty: not known */
	} list[STEPS_MAX];
};

void keysteps_of(const Ns__DnssecShowReply *, struct keysteps *);
/* Some server of the parent has a DS of this zone, as far as it is known. */
bool keysteps_ds_there(const Ns__DnssecShowReply *);

#endif
