/* trace - the steps of one answer, told to whoever asked why (`nameserve test`).
 *
 * Without a listener it costs the check of a pointer, and only where a policy is walked. */
#ifndef NS_SERVE_TRACE_H
#define NS_SERVE_TRACE_H

#include "appliance/serve/work.h"

void	 trace_say(const struct serve_conf *, const char *step, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4), cold));
#define TRACE(r, step, ...)                                                  \
	do {                                                                 \
		if (__builtin_expect((r)->conf->trace != NULL, 0))           \
			trace_say((r)->conf, step, __VA_ARGS__);             \
	} while (0)

#endif
