/* err - what can go wrong and is expected, as one closed set.
 *
 * Every function of ours that can fail for an expected reason returns enum ns_err (0 is ok).
 * ns_err_text() gives the sentence that log, CLI and API share; ns_err_exit() the exit code of
 * nameserve(1).  `struct ns_why` carries what the user must know beside the class: the
 * stable code shown as E1234, and where it is.  Fill it with ns_fail(). */
#ifndef NS_BASE_ERR_H
#define NS_BASE_ERR_H

#include <stdint.h>

enum ns_err {
	NS_OK = 0,
	NS_FAILED,		/* exit 1: our own trouble, see text */
	NS_USAGE,		/* exit 2: the request's words are off */
	NS_NOTFOUND,		/* exit 3 */
	NS_DENIED,		/* exit 4: not permitted, unknown user, read-only */
	NS_CONFLICT,		/* exit 5: stale base, name taken */
	NS_INVALID,		/* exit 6: rejected by validation */
	NS_UNAVAILABLE,		/* exit 7: no connection, deadline, busy, disk full, map full */
	NS_UNKNOWN,		/* exit 8: outcome unknown, retry with the same key */
	NS_CONFIRM,		/* exit 9: confirmation needed */
	NS_LATE,		/* exit 11: not served everywhere in time */
	NS_CORRUPT,		/* exit 1: bytes from disk or wire that break their own rules */
	NS_VERSION,		/* exit 7: the other side speaks another major version */
	NS_ERR_MAX
};

/* Where and why.  All strings are truncated, never overrun; empty means "does not apply". */
struct ns_why {
	enum ns_err	err;
	uint16_t	code;			/* stable number, shown as E%04u; ranges in err.c */
	uint32_t	line;			/* of the input file; 0: none */
	char		zone[256];
	char		owner[256];
	char		type[16];
	char		field[32];
	char		text[512];		/* one sentence: cause and next step */
};

const char	*ns_err_text(enum ns_err);
int		 ns_err_exit(enum ns_err);

/* Fill class, code and text of why (NULL allowed) and return err, so that callers write
 * `return ns_fail(...)`.  The place (zone, owner, type, field, line) is left to whoever knows it,
 * before or after: start from `struct ns_why why = { 0 };`.  Arguments may point into why;
 * control characters and what is not UTF-8 become '?'. */
enum ns_err	 ns_fail(struct ns_why *why, enum ns_err err, uint16_t code, const char *fmt, ...)
		    __attribute__((format(printf, 4, 5)));

#endif
