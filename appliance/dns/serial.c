/* serial.c - SOA serial numbers; see serial.h. */
#include "appliance/dns/serial.h"

#include <time.h>

bool
serial_newer(uint32_t a, uint32_t b)
{
	uint32_t ahead = a - b;

	return ahead != 0 && ahead < 0x80000000u;
}

/* YYYYMMDD00 of that time, UTC; 0 when the year has no such number. */
static uint32_t
serial_of_day(int64_t wall_ms)
{
	time_t t = (time_t)(wall_ms / 1000);
	struct tm tm;
	unsigned year;

	if (gmtime_r(&t, &tm) == NULL || tm.tm_year < 70 || tm.tm_year + 1900 > 4293)
		return 0;
	year = (unsigned)tm.tm_year + 1900;
	return ((year * 100 + (unsigned)tm.tm_mon + 1) * 100 + (unsigned)tm.tm_mday) * 100;
}

uint32_t
serial_next(uint32_t old, int64_t wall_ms)
{
	uint32_t today = serial_of_day(wall_ms);
	uint32_t next = old + 1;

	if (today != 0 && serial_newer(today, old))
		return today;
	return next != 0 ? next : 1;
}
