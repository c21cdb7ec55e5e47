/* pipe.c - see pipe.h. */
#include "ipc/client/pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ipc/base/text.h"
#include "ipc/base/xalloc.h"
#include "ipc/envelope.h"
#include "ipc/sock.h"

#define OUT_MAX   (2u * NS_MSG_MAX) /* that wait to be written */
#define SSH_WORDS 32
#define DEST_MAX  256u
#define SAID_MAX  200u /* of what ssh complains of */

struct pipe {
	char *address;
	int epoll, fd, errors; /* fd: a socket pair, both directions */
	pid_t pid;
	struct stream in, out;
	bool ended, broken, waits; /* waits: for room to write */
	char said[SAID_MAX]; /* the last line of ssh's standard error, clean */
	char line[SAID_MAX];
	size_t line_len;
};

bool
pipe_is(const char *address)
{
	return strncmp(address, "ssh:", 4) == 0;
}

/* What ssh is given: a URL as it is, else without our prefix. */
static const char *
destination(const char *address)
{
	return strncmp(address, "ssh://", 6) == 0 ? address : address + 4;
}

enum ns_err
pipe_check(const char *address, struct ns_why *why)
{
	static const char good[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-@:[]%/";
	const char *to = destination(address);
	const char *host = to == address ? to + 6 : to;

	/* ssh takes what begins with a dash for an option. */
	if (host[0] == '\0' || host[0] == '-' || strstr(host, "@-") != NULL ||
	    strlen(to) > DEST_MAX || strspn(to, good) != strlen(to) ||
	    (to != address && strchr(to, '/') != NULL))
		return ns_fail(why, NS_USAGE, NS_CODE_SOCKET,
		    "%.100s: expected ssh:USER@HOST, or ssh://USER@HOST:PORT", address);
	return NS_OK;
}

/* ---- the process ---- */
static void
run_ssh(const char *address, int fd, int errors)
{
	static const char *const fixed[] = { "-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10",
		"-o", "ClearAllForwardings=yes", "-e", "none", "--" };
	char *argv[SSH_WORDS + 16], *own = getenv("NAMESERVE_SSH");
	char words[1024];
	size_t n = 0;
	sigset_t none;

	snprintf(words, sizeof words, "%s", own != NULL && own[0] != '\0' ? own : "ssh");
	for (char *rest = words, *w; (w = strsep(&rest, " ")) != NULL && n < SSH_WORDS;)
		if (w[0] != '\0')
			argv[n++] = w;
	for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
		argv[n++] = (char *)(uintptr_t)fixed[i];
	argv[n++] = (char *)(uintptr_t)destination(address);
	argv[n++] = (char *)(uintptr_t) "nameserve";
	argv[n++] = (char *)(uintptr_t) "proxy";
	argv[n++] = (char *)(uintptr_t) "--stdio";
	argv[n] = NULL;
	if (dup2(fd, STDIN_FILENO) < 0 || dup2(fd, STDOUT_FILENO) < 0 ||
	    dup2(errors, STDERR_FILENO) < 0)
		_exit(127);
	close_range(3, ~0u, 0);
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execvp(argv[0], argv);
	static const char sorry[] = "ssh cannot be run: is openssh-client installed?\n";
	(void)!write(STDERR_FILENO, sorry, sizeof sorry - 1);
	_exit(127);
}

static int
watch(struct pipe *p, int op, int fd, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.fd = fd };

	return epoll_ctl(p->epoll, op, fd, &ev);
}

struct pipe *
pipe_open(const char *address, int epoll, struct ns_why *why)
{
	struct pipe *p = xcalloc(1, sizeof *p);
	int pair[2] = { -1, -1 }, errors[2] = { -1, -1 };

	p->address = xstrdup(address);
	p->epoll = epoll;
	p->fd = p->errors = -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0 ||
	    pipe2(errors, O_CLOEXEC) != 0 || (p->pid = fork()) < 0) {
		ns_fail(why, NS_FAILED, NS_CODE_SOCKET, "%s: %s", address, strerror(errno));
		for (int i = 0; i < 2; i++) {
			if (pair[i] >= 0)
				close(pair[i]);
			if (errors[i] >= 0)
				close(errors[i]);
		}
		p->pid = 0;
		pipe_close(&p);
		return NULL;
	}
	if (p->pid == 0)
		run_ssh(address, pair[1], errors[1]);
	close(pair[1]);
	close(errors[1]);
	p->fd = pair[0];
	p->errors = errors[0];
	fcntl(p->fd, F_SETFL, O_NONBLOCK);
	fcntl(p->errors, F_SETFL, O_NONBLOCK);
	watch(p, EPOLL_CTL_ADD, p->fd, EPOLLIN);
	watch(p, EPOLL_CTL_ADD, p->errors, EPOLLIN);
	return p;
}

void
pipe_close(struct pipe **pp)
{
	struct pipe *p = *pp;

	if (p == NULL)
		return;
	*pp = NULL;
	if (p->fd >= 0)
		close(p->fd);
	if (p->errors >= 0)
		close(p->errors);
	if (p->pid > 0) { /* it holds nothing of ours: at once, so that it is gone when we go on */
		kill(p->pid, SIGKILL);
		while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	stream_free(&p->in);
	stream_free(&p->out);
	free(p->address);
	free(p);
}

/* ---- octets ---- */
static void
ends(struct pipe *p)
{
	p->ended = true;
}

static void
flush(struct pipe *p)
{
	while (!p->ended && stream_left(&p->out) > 0) {
		ssize_t n = send(p->fd, p->out.base + p->out.at, stream_left(&p->out),
		    MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			ends(p);
		if (n <= 0)
			break;
		stream_eat(&p->out, (size_t)n);
	}
	bool waits = stream_left(&p->out) > 0;
	if (waits != p->waits && !p->ended)
		watch(p, EPOLL_CTL_MOD, p->fd, waits ? EPOLLIN | EPOLLOUT : EPOLLIN);
	p->waits = waits;
}

/* The last line that has something in it is the reason. */
static void
read_errors(struct pipe *p)
{
	char c[512];
	ssize_t n;

	while (p->errors >= 0 && (n = read(p->errors, c, sizeof c)) >= 0) {
		for (ssize_t i = 0; i < n; i++) {
			if (c[i] != '\n' && c[i] != '\r' && p->line_len + 1 < sizeof p->line) {
				p->line[p->line_len++] = c[i];
				continue;
			}
			p->line[p->line_len] = '\0';
			text_scrub(p->line);
			if (p->line_len > 0)
				text_copy(p->said, sizeof p->said, p->line);
			p->line_len = 0;
		}
		if (n == 0) {
			close(p->errors);
			p->errors = -1;
		}
	}
}

static void
read_some(struct pipe *p)
{
	uint8_t *to = stream_space(&p->in, STREAM_READ);
	ssize_t n = read(p->fd, to, STREAM_READ);

	if (n > 0)
		stream_grew(&p->in, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		ends(p);
}

bool
pipe_readable(struct pipe *p)
{
	const uint8_t *at;
	size_t n;
	enum stream_verdict v;

	flush(p);
	v = stream_next(&p->in, &at, &n);
	/* One message is enough at a time: the rest may wait in the kernel. */
	while (v == STREAM_NONE && !p->ended) {
		size_t before = stream_left(&p->in);

		read_some(p);
		v = stream_next(&p->in, &at, &n);
		if (stream_left(&p->in) == before)
			break;
	}
	read_errors(p); /* after the end of the rest: then all is there */
	p->broken |= v == STREAM_BROKEN;
	return v == STREAM_MESSAGE;
}

Ns__Envelope *
pipe_recv(struct pipe *p)
{
	Ns__Envelope *env;
	const uint8_t *at;
	size_t n;

	if (stream_next(&p->in, &at, &n) != STREAM_MESSAGE)
		return NULL;
	env = ns_envelope_unpack(at, n, NULL);
	stream_eat(&p->in, n + 4);
	return env;
}

enum ns_err
pipe_send(struct pipe *p, const void *message, size_t len)
{
	if (p->ended || stream_left(&p->out) + len > OUT_MAX)
		return NS_UNAVAILABLE;
	stream_put(&p->out, message, len);
	flush(p);
	return NS_OK;
}

bool
pipe_gone(const struct pipe *p, struct ns_why *why)
{
	if (!p->ended && !p->broken)
		return false;
	if (p->broken)
		ns_fail(why, NS_UNAVAILABLE, NS_CODE_LINK_LOST,
		    "%s: what answers there is not `nameserve proxy --stdio`", p->address);
	else
		ns_fail(why, NS_UNAVAILABLE, NS_CODE_LINK_LOST, "%s: %s", p->address,
		    p->said[0] != '\0' ? p->said : "the connection was lost");
	return true;
}
