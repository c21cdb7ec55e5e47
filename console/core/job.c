/* job.c - see job.h. */
#include "console/core/job.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "console/core/clean_fork.h"
#include "ipc/base/xalloc.h"

#define READ_MAX 16384u /* octets before keys have their turn */
#define KILL_S   2 /* from SIGTERM to SIGKILL */

enum { OUT, ERR, PIPES };

struct job {
	struct job_user user;
	struct event *child, *timer;
	pid_t pid; /* 0: it was waited for */
	int status;
	struct source {
		struct job *job;
		struct event *ev; /* NULL: at its end */
		int fd; /* -1 then, too */
		char line[JOB_LINE + 1];
		size_t len;
	} sources[PIPES];
};

static void
source_close(struct source *s)
{
	if (s->ev != NULL)
		event_free(s->ev);
	if (s->fd >= 0)
		close(s->fd);
	s->ev = NULL;
	s->fd = -1;
}

static void
job_free(struct job *j)
{
	for (int i = 0; i < PIPES; i++)
		source_close(&j->sources[i]);
	if (j->child != NULL)
		event_free(j->child);
	if (j->timer != NULL)
		event_free(j->timer);
	free(j);
}

/* ---- what it writes ---- */

static void
line_end(struct source *s)
{
	s->line[s->len] = '\0';
	s->len = 0;
	if (s->job->user.line != NULL)
		s->job->user.line(s->job->user.arg, s->line, s == &s->job->sources[ERR]);
}

/* false: there is no more. */
static bool
source_read(struct source *s)
{
	char piece[READ_MAX];
	ssize_t n = read(s->fd, piece, sizeof piece);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	for (ssize_t i = 0; i < n; i++) {
		if (piece[i] != '\n' && piece[i] != '\0')
			s->line[s->len++] = piece[i];
		if (piece[i] == '\n' || s->len == JOB_LINE)
			line_end(s);
	}
	if (n <= 0 && s->len > 0)
		line_end(s);
	return n > 0;
}

static void
end_when_over(struct job *j)
{
	struct job_user user = j->user;
	int status = j->status;

	if (j->pid != 0 || j->sources[OUT].ev != NULL || j->sources[ERR].ev != NULL)
		return;
	job_free(j);
	if (user.ended != NULL)
		user.ended(user.arg, status);
}

static void
on_output(evutil_socket_t fd, short what, void *arg)
{
	struct source *s = arg;
	struct job *j = s->job;

	(void)fd, (void)what;
	if (source_read(s))
		return;
	source_close(s);
	end_when_over(j);
}

/* ---- its life ---- */

static void
on_child(evutil_socket_t sig, short what, void *arg)
{
	struct job *j = arg;
	pid_t pid = j->pid;

	(void)sig, (void)what;
	if (pid == 0 || waitpid(pid, &j->status, WNOHANG) != pid)
		return;
	j->pid = 0;
	/* What it started and left behind would keep its output open. */
	kill(-pid, SIGTERM);
	end_when_over(j);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct job *j = arg;

	(void)fd, (void)what;
	if (j->pid != 0)
		kill(-j->pid, SIGKILL);
}

static void
child(const int fds[PIPES], const char *path, char *const argv[], char *const env[], pid_t parent)
{
	int null = open("/dev/null", O_RDONLY);

	setsid();
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent || null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(fds[OUT], STDOUT_FILENO) < 0 || dup2(fds[ERR], STDERR_FILENO) < 0)
		_exit(127);
	closefrom(3);
	for (size_t i = 0; env != NULL && env[i] != NULL; i++)
		putenv(env[i]);
	execv(path, argv);
	_exit(127);
}

/* The reading ends in r, the writing ends in w. */
static bool
pipes(int r[PIPES], int w[PIPES])
{
	int out[2], err[2];

	if (pipe2(out, O_CLOEXEC) != 0)
		return false;
	if (pipe2(err, O_CLOEXEC) != 0) {
		close(out[0]);
		close(out[1]);
		return false;
	}
	r[OUT] = out[0], w[OUT] = out[1];
	r[ERR] = err[0], w[ERR] = err[1];
	return fcntl(r[OUT], F_SETFL, O_NONBLOCK) == 0 && fcntl(r[ERR], F_SETFL, O_NONBLOCK) == 0;
}

struct job *
job_start(struct event_base *base, const char *path, char *const argv[], char *const env[],
    const struct job_user *user)
{
	pid_t parent = getpid(), pid;
	int r[PIPES], w[PIPES];
	struct job *j;

	if (!pipes(r, w))
		return NULL;
	pid = clean_fork();
	if (pid == 0)
		child(w, path, argv, env, parent);
	close(w[OUT]);
	close(w[ERR]);
	if (pid < 0) {
		close(r[OUT]);
		close(r[ERR]);
		return NULL;
	}
	j = xcalloc(1, sizeof *j);
	j->pid = pid;
	j->user = *user;
	for (int i = 0; i < PIPES; i++) {
		struct source *s = &j->sources[i];

		s->job = j;
		s->fd = r[i];
		s->ev = event_new(base, s->fd, EV_READ | EV_PERSIST, on_output, s);
		event_add(s->ev, NULL);
	}
	j->timer = event_new(base, -1, 0, on_timer, j);
	j->child = evsignal_new(base, SIGCHLD, on_child, j);
	event_add(j->child, NULL);
	return j;
}

void
job_stop(struct job **jp)
{
	static const struct timeval patience = { KILL_S, 0 };
	struct job *j = *jp;

	if (j == NULL)
		return;
	*jp = NULL;
	j->user = (struct job_user){ 0 };
	for (int i = 0; i < PIPES; i++)
		source_close(&j->sources[i]);
	if (j->pid == 0) {
		job_free(j);
		return;
	}
	kill(-j->pid, SIGTERM);
	kill(j->pid, SIGTERM); /* when it is not the leader of a session yet */
	event_add(j->timer, &patience);
}
