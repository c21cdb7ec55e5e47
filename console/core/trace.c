/* trace.c - see trace.h.  The bytes of a frame are what this thread wrote, as the kernel counts it: curses
 * writes by itself. */
#include "console/core/trace.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"

struct trace {
	int out, io;
	uint64_t key_ns, draw_ns, before;
	unsigned long frames, pages;
};

static uint64_t
written(const struct trace *t)
{
	char text[512];
	ssize_t n = pread(t->io, text, sizeof text - 1, 0);
	const char *p;

	if (n <= 0)
		return 0;
	text[n] = '\0';
	p = strstr(text, "wchar: ");
	return p != NULL ? strtoull(p + 7, NULL, 10) : 0;
}

struct trace *
trace_open(void)
{
	const char *path = getenv("NS_UI_TRACE");
	struct trace *t;

	if (path == NULL || path[0] == '\0')
		return NULL;
	t = xcalloc(1, sizeof *t);
	t->out = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	t->io = open("/proc/thread-self/io", O_RDONLY | O_CLOEXEC);
	if (t->out < 0)
		trace_close(&t);
	return t;
}

void
trace_close(struct trace **tp)
{
	if (*tp == NULL)
		return;
	if ((*tp)->out >= 0)
		close((*tp)->out);
	if ((*tp)->io >= 0)
		close((*tp)->io);
	free(*tp);
	*tp = NULL;
}

void
trace_key(struct trace *t)
{
	if (t != NULL && t->key_ns == 0)
		t->key_ns = clock_mono_ns();
}

void
trace_draw(struct trace *t)
{
	if (t == NULL)
		return;
	t->draw_ns = clock_mono_ns();
	t->before = written(t);
}

void
trace_page(struct trace *t)
{
	if (t != NULL)
		t->pages++;
}

void
trace_flush(struct trace *t, const char *why)
{
	char line[256];
	uint64_t bytes;
	int n;

	if (t == NULL)
		return;
	bytes = written(t) - t->before;
	n = snprintf(line, sizeof line,
	    "{\"frame\":%lu,\"why\":\"%s\",\"key_ms\":%.3f,\"draw_ms\":%.3f,\"flush_ms\":%.3f,"
	    "\"bytes\":%llu,\"pages\":%lu}\n",
	    ++t->frames, why, (double)t->key_ns / 1e6, (double)t->draw_ns / 1e6,
	    (double)clock_mono_ns() / 1e6, (unsigned long long)bytes, t->pages);
	t->key_ns = 0;
	if (write(t->out, line, (size_t)n) < 0)
		t->frames--;
}
