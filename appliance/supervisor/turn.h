/* turn - whose turn it is when several of our children want the same core. */
#ifndef NS_SUPERVISOR_TURN_H
#define NS_SUPERVISOR_TURN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum turn {
	TURN_USUAL, /* as the kernel shares it out */
	TURN_FIRST, /* at once, while it leaves something of its core: what strangers wait for */
	TURN_AFTER, /* long work that interrupts nobody */
};

/* Of the calling process, which is a child that has not become its program yet.  Only system calls
 * are made.  What the kernel does not grant is left as it was. */
void turn_take(enum turn turn);

/* What a child of TURN_FIRST had of a core when it was looked at; all zero at its start. */
struct turn_look {
	uint64_t at_ns, cpu_ns;
	bool shares; /* it takes too much of the core for real time */
};
/* Shall it have real time after it had that much of a core in that span? */
bool turn_is_urgent(bool urgent, uint64_t cpu_ns, uint64_t span_ns);
/* To be called with each tick.  True: it was changed; look->shares says to what. */
bool turn_review(pid_t pid, struct turn_look *look, uint64_t now_ns);

#endif
