/* log.c - one line a call, with one write(2), so that lines of several processes do not mix.
 *
 * Every process but the query path; any thread once log_init() has run.  No allocation, no file is
 * opened, no locale is read: it works in every sandbox and when memory is gone. */
#include "ipc/base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ipc/base/clock.h"

#define LOG_LINE_MAX  2048u /* below PIPE_BUF: a pipe takes it whole */
#define LOG_QUOTE_MAX 256u
#define LOG_QUOTES    8u

static const struct {
	const char *name;
	char priority; /* sd-daemon(3) */
} levels[] = {
	[LOG_LEVEL_ERROR] = { "error", '3' },
	[LOG_LEVEL_WARN] = { "warn", '4' },
	[LOG_LEVEL_INFO] = { "info", '6' },
	[LOG_LEVEL_DEBUG] = { "debug", '7' },
};

static char who[64] = "role=none";
static enum log_level threshold = LOG_LEVEL_INFO;
static bool to_journal;
static _Thread_local unsigned held_back; /* of the log_limit that let the next line through */

/* JOURNAL_STREAM is inherited by everything below a unit, also by what has its stderr elsewhere. */
static bool
stderr_is_journal(void)
{
	const char *env = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	return env != NULL && sscanf(env, "%llu:%llu", &dev, &ino) == 2 &&
	       fstat(STDERR_FILENO, &st) == 0 && st.st_dev == dev && st.st_ino == ino;
}

void
log_init(const char *role, unsigned index, enum log_level level)
{
	if (index > 0)
		snprintf(who, sizeof who, "role=%s index=%u", role, index);
	else
		snprintf(who, sizeof who, "role=%s", role);
	threshold = level;
	to_journal = stderr_is_journal();
}

static size_t
clip(int printed, size_t room)
{
	if (printed < 0)
		return 0;
	return (size_t)printed < room ? (size_t)printed : room - 1;
}

static size_t
line_head(char *line, size_t size, enum log_level level, const char *event)
{
	char stamp[CLOCK_RFC3339_LEN];
	int n;

	if (to_journal)
		n = snprintf(line, size, "<%c>level=%s %s event=%s", levels[level].priority,
		    levels[level].name, who, event);
	else
		n = snprintf(line, size, "%s level=%s %s event=%s",
		    clock_rfc3339(clock_wall_ms(), stamp), levels[level].name, who, event);
	return clip(n, size);
}

static void
line_write(const char *line, size_t len)
{
	while (len > 0) {
		ssize_t n = write(STDERR_FILENO, line, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		line += n;
		len -= (size_t)n;
	}
}

static void
log_line(enum log_level level, const char *event, const char *fmt, va_list ap)
{
	char line[LOG_LINE_MAX];
	size_t len, body, room = sizeof line - 1; /* the newline's */
	int saved = errno;

	if (level > threshold)
		return;
	len = line_head(line, room, level, event);
	if (held_back > 0) {
		len += clip(snprintf(line + len, room - len, " held=%u", held_back), room - len);
		held_back = 0;
	}
	body = len;
	if (fmt[0] != '\0' && len + 1 < room) {
		line[len++] = ' ';
		len += clip(vsnprintf(line + len, room - len, fmt, ap), room - len);
	}
	/* The last fence: whatever a caller forgot to quote, it stays one line. */
	for (size_t i = body; i < len; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	line[len++] = '\n';
	line_write(line, len);
	errno = saved;
}

#define LOG_FN(name, level)                                \
	void name(const char *event, const char *fmt, ...) \
	{                                                  \
		va_list ap;                                \
		va_start(ap, fmt);                         \
		log_line(level, event, fmt, ap);           \
		va_end(ap);                                \
	}

LOG_FN(log_error, LOG_LEVEL_ERROR)
LOG_FN(log_warn, LOG_LEVEL_WARN)
LOG_FN(log_info, LOG_LEVEL_INFO)
LOG_FN(log_debug, LOG_LEVEL_DEBUG)

void
fatal(const char *event, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(LOG_LEVEL_ERROR, event, fmt, ap);
	va_end(ap);
	_exit(1);
}

void
fatal_config(const char *event, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(LOG_LEVEL_ERROR, event, fmt, ap);
	va_end(ap);
	_exit(2);
}

/* Bytes that may stand in a value without quotes. */
static bool
is_plain(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("._-+/:@*,%", c) != NULL);
}

/* One byte, escaped, into at most four; anything beyond ASCII too, because a terminal may obey it. */
static size_t
escape(char out[5], unsigned char c)
{
	if (c == '"' || c == '\\')
		return (size_t)snprintf(out, 5, "\\%c", c);
	if (c == '\n')
		return (size_t)snprintf(out, 5, "\\n");
	if (c < 0x20 || c >= 0x7f)
		return (size_t)snprintf(out, 5, "\\x%02x", c);
	out[0] = (char)c;
	return 1;
}

const char *
log_quote(const char *text)
{
	static _Thread_local char ring[LOG_QUOTES][LOG_QUOTE_MAX];
	static _Thread_local unsigned next;
	char *out = ring[next++ % LOG_QUOTES], one[5];
	const unsigned char *p = (const unsigned char *)(text != NULL ? text : "");
	size_t len = 0, n;

	while (is_plain(p[len]) && len < LOG_QUOTE_MAX - 1)
		len++;
	if (len > 0 && p[len] == '\0' && len < LOG_QUOTE_MAX) {
		memcpy(out, p, len + 1);
		return out;
	}
	len = 0;
	out[len++] = '"';
	for (; *p != '\0'; p++) {
		n = escape(one, *p);
		if (len + n + sizeof "...\"" > LOG_QUOTE_MAX) {
			memcpy(out + len, "...", 3);
			len += 3;
			break;
		}
		memcpy(out + len, one, n);
		len += n;
	}
	out[len++] = '"';
	out[len] = '\0';
	return out;
}

int
log_allowed(struct log_limit *limit, unsigned burst)
{
	uint64_t second = clock_mono_ms() / 1000;

	if (second != limit->second) {
		limit->second = second;
		limit->count = 0;
	}
	if (limit->count >= burst) {
		limit->held++;
		return 0;
	}
	limit->count++;
	held_back = limit->held;
	limit->held = 0;
	return 1;
}

int
log_seldom(struct log_limit *limit, unsigned seconds)
{
	uint64_t now = clock_mono_ms() / 1000;

	if (limit->count > 0 && now - limit->second < seconds) {
		limit->held++;
		return 0;
	}
	limit->second = now;
	limit->count = 1;
	held_back = limit->held;
	limit->held = 0;
	return 1;
}
