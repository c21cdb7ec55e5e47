/* trace - NS_UI_TRACE=FILE: one JSON object a frame, from which tests take how long a key and a frame take.
 *
 * {"frame":3,"why":"key","key_ms":…,"draw_ms":…,"flush_ms":…,"bytes":…}: monotonic milliseconds with
 * fractions; key_ms is when the first key that this frame shows was read, 0 without one. */
#ifndef NS_CONSOLE_CORE_TRACE_H
#define NS_CONSOLE_CORE_TRACE_H

#include <stdint.h>

struct trace;

struct trace *trace_open(void); /* NULL: not wanted */
void trace_close(struct trace **);
void trace_key(struct trace *); /* NULL allowed here and below */
void trace_draw(struct trace *);
/* A frame is written. */
void trace_flush(struct trace *, const char *why);

#endif
