/* clock.c - see clock.h.  vDSO calls only: safe inside every sandbox. */
#include "ipc/base/clock.h"

#include <stdio.h>
#include <time.h>

#ifndef NS_TEST_WALL_AHEAD_MS
#define NS_TEST_WALL_AHEAD_MS 0 /* of a test build, whose wall clock is wrong */
#endif

uint64_t
clock_mono_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

bool
clock_is_past(uint64_t deadline_ns)
{
	return deadline_ns != UINT64_MAX && clock_mono_ns() >= deadline_ns;
}

uint64_t
clock_mono_ms(void)
{
	return clock_mono_ns() / 1000000u;
}

uint64_t
clock_since(uint64_t now, uint64_t then)
{
	return now > then ? now - then : 0;
}

int64_t
clock_wall_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ((int64_t)ts.tv_sec * 1000 + NS_TEST_WALL_AHEAD_MS) * 1000 + ts.tv_nsec / 1000;
}

int64_t
clock_wall_ms(void)
{
	return clock_wall_us() / 1000;
}

uint32_t
clock_wall_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME_COARSE, &ts);
	return (uint32_t)ts.tv_sec;
}

/* Years that RFC 3339 can write; beyond them the bound is shown. */
#define RFC3339_MIN_MS (-62167219200000) /* 0000-01-01 */
#define RFC3339_MAX_MS (253402300799999) /* 9999-12-31 */

/* Not gmtime_r(): glibc's opens /etc/localtime on first use, which a sandboxed role may not.
 * Days to civil date as in Howard Hinnant, "chrono-compatible low-level date algorithms". */
char *
clock_rfc3339(int64_t wall_ms, char out[CLOCK_RFC3339_LEN])
{
	int64_t ms, sec, days, era, doe, yoe, doy, mp, year, month, day;

	if (wall_ms < RFC3339_MIN_MS)
		wall_ms = RFC3339_MIN_MS;
	if (wall_ms > RFC3339_MAX_MS)
		wall_ms = RFC3339_MAX_MS;
	ms = ((wall_ms % 1000) + 1000) % 1000;
	sec = (wall_ms - ms) / 1000;
	days = sec / 86400 - (sec % 86400 < 0);
	sec -= days * 86400;

	days += 719468; /* from 0000-03-01 */
	era = (days >= 0 ? days : days - 146096) / 146097;
	doe = days - era * 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	day = doy - (153 * mp + 2) / 5 + 1;
	month = mp < 10 ? mp + 3 : mp - 9;
	year = yoe + era * 400 + (month <= 2);

	snprintf(out, CLOCK_RFC3339_LEN, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
	    (unsigned)year % 10000u, (unsigned)month % 100u, (unsigned)day % 100u,
	    (unsigned)(sec / 3600) % 100u, (unsigned)(sec / 60 % 60) % 100u,
	    (unsigned)(sec % 60) % 100u, (unsigned)ms % 1000u);
	return out;
}
