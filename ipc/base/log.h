/* log - one line, key=value, to stderr, once, where a thing is decided.
 *
 * `2026-11-22T06:00:00.000Z level=info role=sync event=import.done zones=3 text="..."`; under
 * systemd (JOURNAL_STREAM set) with a <N> priority prefix and without the time.  Values that are
 * not plain words are quoted and escaped, so a stranger's bytes cannot forge a line.  fatal()
 * exits 1 (fatal_config() exits 2); both are for start-up and for our own bugs.  A line that a
 * stranger can cause goes through a log_limit. */
#ifndef NS_BASE_LOG_H
#define NS_BASE_LOG_H

#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* At most `burst` lines a second from one place; how many were held back is told with the next. */
struct log_limit {
	uint64_t	second;
	unsigned	count, held;
};

void	 log_init(const char *role, unsigned index, enum log_level);

/* event is a dotted constant; fmt produces further `key=value` text.  Use %s only for words that
 * are ours; strings from outside go through log_quote(). */
void	 log_error(const char *event, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void	 log_warn(const char *event, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void	 log_info(const char *event, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void	 log_debug(const char *event, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
_Noreturn void	 fatal(const char *event, const char *fmt, ...)
		    __attribute__((format(printf, 2, 3)));
_Noreturn void	 fatal_config(const char *event, const char *fmt, ...)
		    __attribute__((format(printf, 2, 3)));

/* text quoted and escaped, in one of eight rotating per-thread buffers (256 bytes, truncated). */
const char	*log_quote(const char *text);
int		 log_allowed(struct log_limit *, unsigned burst);
/* The first, then one line in so many seconds; a limit of its own. */
int		 log_seldom(struct log_limit *, unsigned seconds);

#endif
