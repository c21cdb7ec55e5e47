/* err.c - texts and exit codes of the closed set in err.h.
 *
 * Called by every process, from any thread; no state.
 * Ranges of the stable codes (E0000 is "none"; a number is never given to another meaning):
 *   10xx transport, versions, permissions     11xx-13xx names and rdata     14xx checks
 *   20xx-21xx edits, commits, idempotency     30xx import and zone text     40xx store
 *   50xx zone map and signer                  60xx configuration            90xx roles of the fleet */
#include "ipc/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ipc/base/text.h"

static const struct {
	const char *text;
	int exit;
} classes[NS_ERR_MAX] = {
	[NS_OK] = { "done", 0 },
	[NS_FAILED] = { "failed", 1 },
	[NS_USAGE] = { "the request is not understood", 2 },
	[NS_NOTFOUND] = { "not found", 3 },
	[NS_DENIED] = { "not permitted", 4 },
	[NS_CONFLICT] = { "conflicts with what is there", 5 },
	[NS_INVALID] = { "rejected by validation", 6 },
	[NS_UNAVAILABLE] = { "not available now", 7 },
	[NS_UNKNOWN] = { "outcome unknown, retry with the same idempotency key", 8 },
	[NS_CONFIRM] = { "needs a confirmation", 9 },
	[NS_LATE] = { "not served everywhere in time", 11 },
	[NS_CORRUPT] = { "stored or received data is corrupt", 1 },
	[NS_VERSION] = { "the other side speaks another version", 7 },
};

const char *
ns_err_text(enum ns_err err)
{
	/* The number may come out of a message: outside the set it is our own trouble. */
	return (unsigned)err < NS_ERR_MAX ? classes[err].text : classes[NS_FAILED].text;
}

int
ns_err_exit(enum ns_err err)
{
	return (unsigned)err < NS_ERR_MAX ? classes[err].exit : classes[NS_FAILED].exit;
}

enum ns_err
ns_fail(struct ns_why *why, enum ns_err err, uint16_t code, const char *fmt, ...)
{
	char text[sizeof why->text];
	va_list ap;

	if (why == NULL)
		return err;
	/* By way of a copy, because the arguments may point into why itself. */
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	text_scrub(text); /* it may quote a stranger, and be cut inside a character */
	memcpy(why->text, text, sizeof why->text);
	why->err = err;
	why->code = code;
	return err;
}
