/* linear - the console line by line: for screen readers, plain terminals and serial lines.
 *
 * The same screens and actions; nothing is painted over: each command prints what the screen then says, a row a
 * line, with numbers to choose by. */
#ifndef NS_CONSOLE_SCREENS_LINEAR_H
#define NS_CONSOLE_SCREENS_LINEAR_H

#include "console/screens/console.h"

/* Until q or the end of the input; the exit code. */
int linear_run(struct ns_client *, const struct console_options *);

#endif
