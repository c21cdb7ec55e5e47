/* clock - the two clocks.  Intervals use the monotonic one only; the wall clock is for what people
 * and records read.  Pure logic takes `now` as an argument and never calls these. */
#ifndef NS_BASE_CLOCK_H
#define NS_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

uint64_t clock_mono_ns(void);
uint64_t clock_mono_ms(void);
/* now - then; 0 when `then` is later.  A loop reads `now` once and may meet what began after that. */
uint64_t clock_since(uint64_t now, uint64_t then);
/* The monotonic one; UINT64_MAX is no deadline, and costs no look. */
bool	 clock_is_past(uint64_t deadline_ns);
int64_t	 clock_wall_ms(void);			/* since 1970, UTC */
int64_t	 clock_wall_us(void);
uint32_t clock_wall_s(void);			/* the same mod 2^32, of the last timer tick: cheap */

#define CLOCK_RFC3339_LEN 32
char	*clock_rfc3339(int64_t wall_ms, char out[CLOCK_RFC3339_LEN]);	/* 2026-11-22T06:00:00.000Z */

#endif
