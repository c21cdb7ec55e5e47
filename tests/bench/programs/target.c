/* target - what the checks of the bench ask: every address of 127/8 at one port, as many connections as come.
 *
 *     target PORT [http]      closes each connection at once, or after a reply to what was said */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS 256

static const char reply[] =
    "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nall is ok";

static void
accept_all(int epoll, int listener, int http)
{
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };

		if (!http || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) != 0)
			close(fd);
	}
}

static void
answer(int fd)
{
	char in[4096];
	ssize_t n = recv(fd, in, sizeof in, 0);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n > 0)
		(void)!send(fd, reply, sizeof reply - 1, MSG_NOSIGNAL);
	close(fd);
}

int
main(int argc, char **argv)
{
	struct sockaddr_in any = { .sin_family = AF_INET };
	struct epoll_event events[EVENTS], first = { .events = EPOLLIN };
	int http = argc > 2 && strcmp(argv[2], "http") == 0, one = 1;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	if (argc < 2)
		return 2;
	any.sin_port = htons((uint16_t)atoi(argv[1]));
	first.data.fd = listener;
	(void)setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(listener, (struct sockaddr *)&any, sizeof any) != 0 ||
	    listen(listener, 4096) != 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &first) != 0) {
		perror("target");
		return 1;
	}
	for (;;) {
		int n = epoll_wait(epoll, events, EVENTS, -1);

		for (int i = 0; i < n; i++) {
			if (events[i].data.fd == listener)
				accept_all(epoll, listener, http);
			else
				answer(events[i].data.fd);
		}
	}
}
