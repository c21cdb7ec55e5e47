/* textfile.c - see textfile.h: files, and whose editor has them. */
#include "console/screens/textfile.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "console/core/loop.h"
#include "console/screens/drafts.h"
#include "console/screens/textpage.h"
#include "ipc/base/xalloc.h"

char *
textfile_new(const char *dir, const char *suffix, const void *text, size_t len)
{
	char *path = xasprintf("%s/edit-XXXXXX%s", dir, suffix);
	int fd = mkstemps(path, (int)strlen(suffix)); /* mode 0600 */

	if (fd >= 0)
		close(fd);
	if (fd >= 0 && textfile_write(path, text, len))
		return path;
	if (fd >= 0)
		(void)unlink(path);
	free(path);
	return NULL;
}

bool
textfile_write(const char *path, const void *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_NOFOLLOW | O_CLOEXEC);
	const char *p = text;
	bool ok = fd >= 0;

	while (ok && len > 0) {
		ssize_t n = write(fd, p, len);

		ok = n > 0;
		p += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return (fd < 0 || close(fd) == 0) && ok;
}

bool
textfile_read(const char *path, struct wbuf *out)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	uint8_t piece[65536];
	ssize_t n = -1;

	*out = wbuf_grow(TEXTFILE_MAX);
	while (fd >= 0 && wbuf_ok(out) && (n = read(fd, piece, sizeof piece)) > 0)
		wbuf_put(out, piece, (size_t)n);
	if (fd >= 0)
		close(fd);
	return n == 0 && wbuf_ok(out);
}

/* ---- an editor ---- */
struct run {
	void (*ended)(void *arg, enum textfile_end);
	void *arg;
};

static void
ended(void *arg, int status)
{
	struct run run = *(struct run *)arg;

	free(arg);
	run.ended(run.arg,
	    WIFEXITED(status) && WEXITSTATUS(status) == 0 ? TEXTFILE_DONE : TEXTFILE_FAILED);
}

char *
textfile_command(void)
{
	const char *editor = getenv("VISUAL");

	if (editor == NULL || editor[0] == '\0')
		editor = getenv("EDITOR");
	if (editor == NULL || editor[0] == '\0')
		editor = "vi";
	return xasprintf("exec %s \"$@\"", editor);
}

bool
textfile_edit(struct ui *ui, const struct textfile_what *what,
    void (*fn)(void *arg, enum textfile_end), void *arg)
{
	char at[24], *command;
	struct run *run;
	bool started;

	if (ui->restricted)
		return textpage_open(ui, what, fn, arg);
	snprintf(at, sizeof at, "+%u", what->line > 0 ? what->line : 1);
	command = textfile_command();
	run = xmalloc(sizeof *run);
	*run = (struct run){ fn, arg };
	char *path = xstrdup(what->path);
	char *argv[] = { (char[]){ "/bin/sh" }, (char[]){ "-c" }, command, (char[]){ "editor" }, at,
		path, NULL };
	started = loop_program(ui->loop, argv[0], argv, ended, run);
	if (!started)
		free(run);
	free(command);
	free(path);
	return started;
}
