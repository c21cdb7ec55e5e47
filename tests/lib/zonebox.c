/* zonebox.c - see zonebox.h. */
#include "tests/lib/zonebox.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "appliance/dns/zonetext.h"

#define ZONE_MAX (256u << 20)

const uint8_t *
zonebox_name(const char *text)
{
	static uint8_t ring[8][NAME_MAX_WIRE];
	static unsigned next;
	uint8_t *out = ring[next++ % 8];
	size_t len;

	assert_int_equal(name_from_text(text, (const uint8_t *)"", out, &len, NULL), NS_OK);
	return out;
}

size_t
zonebox_hex(const char *hex, uint8_t *out, size_t size)
{
	size_t n = 0;

	while (*hex != '\0') {
		unsigned v;

		if (*hex == ' ') {
			hex++;
			continue;
		}
		assert_true(n < size);
		assert_int_equal(sscanf(hex, "%2x", &v), 1);
		out[n++] = (uint8_t)v;
		hex += 2;
	}
	return n;
}

struct wbuf
zonebox_zwire(const char *apex, const char *text, size_t len, size_t piece, uint64_t *records)
{
	struct rrpile *pile = rrpile_new();
	struct zonetext *zt = zonetext_new(zonebox_name(apex), pile);
	struct wbuf out = wbuf_grow(ZONE_MAX);
	struct ns_why why = { 0 };
	uint64_t n = 0;

	for (size_t at = 0; at < len; at += piece) {
		size_t some = len - at < piece ? len - at : piece;

		if (zonetext_feed(zt, text + at, some, &why) != NS_OK)
			fail_msg("line %u: %s", why.line, why.text);
	}
	if (zonetext_end(zt, &why) != NS_OK || rrpile_to_zwire(pile, &out, &n, &why) != NS_OK)
		fail_msg("line %u: %s", why.line, why.text);
	if (records != NULL)
		*records = n;
	zonetext_destroy(&zt);
	rrpile_destroy(&pile);
	return out;
}

static const char *
folder(void)
{
	static const char *const places[] = { "../shared/zones", "../../shared/zones" };
	const char *given = getenv("NS_ZONES");

	if (given != NULL)
		return given;
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		if (access(places[i], R_OK) == 0)
			return places[i];
	}
	return NULL;
}

char *
zonebox_read(const char *file, size_t *len)
{
	struct wbuf all = wbuf_grow(ZONE_MAX);
	const char *dir = folder();
	char path[512], piece[65536];
	int fd[2], status = 0;
	ssize_t n;
	pid_t pid;

	if (dir == NULL) {
		if (getenv("CI") != NULL)
			fail_msg("../shared/zones is missing");
		return NULL;
	}
	snprintf(path, sizeof path, "%s/%s", dir, file);
	assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(fd[1], 1);
		execlp("gzip", "gzip", "-dcf", "--", path, (char *)NULL);
		_exit(127);
	}
	close(fd[1]);
	while ((n = read(fd[0], piece, sizeof piece)) > 0)
		wbuf_put(&all, piece, (size_t)n);
	close(fd[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	*len = all.len;
	wbuf_u8(&all, 0);
	assert_true(wbuf_ok(&all));
	return (char *)all.base;
}
