/* clean_fork - fork() below libevent.  Its handlers write the signal's number into a socket that the child shares: what is
 * sent to the child before it has handlers of its own would happen to us, too. */
#ifndef NS_CONSOLE_CORE_CLEAN_FORK_H
#define NS_CONSOLE_CORE_CLEAN_FORK_H

#include <sys/types.h>

/* As fork(); in the child every signal has its default action and none is blocked. */
pid_t clean_fork(void);

#endif
