/* trace.c - see trace.h.  Not on the query path: workers have no listener. */
#include "appliance/serve/trace.h"

#include <stdarg.h>
#include <stdio.h>

void
trace_say(const struct serve_conf *conf, const char *step, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	conf->trace(conf->trace_arg, step, text);
}
