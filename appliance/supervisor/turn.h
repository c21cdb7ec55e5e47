/* turn - whose turn it is when several of our children want the same core. */
#ifndef NS_SUPERVISOR_TURN_H
#define NS_SUPERVISOR_TURN_H

enum turn {
	TURN_USUAL, /* as the kernel shares it out */
	TURN_FIRST, /* short turns that weigh more: what strangers wait for */
	TURN_AFTER, /* long work that interrupts nobody */
};

/* Of the calling process, which is a child that has not become its program yet.  Only system calls
 * are made.  What the kernel does not grant is left as it was. */
void turn_take(enum turn turn);

#endif
