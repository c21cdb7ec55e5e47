/* serve_zones - answers for master files over UDP and TCP on loopback, with serve/ and nothing else.
 *
 *     serve_zones PORT ORIGIN=FILE...
 *
 * For comparing answers with other servers without the other processes.  One thread; TCP one
 * connection at a time.  Says "ready" on stdout. */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lib/zonekit.h"

static uint8_t reply[SERVE_TCP_MAX + 2];

static int
listen_on(int type, uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, type, 0), on = 1, big = 4 << 20;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &big, sizeof big);
	if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0 ||
	    (type == SOCK_STREAM && listen(fd, 64) != 0)) {
		perror("bind");
		exit(1);
	}
	return fd;
}

static void
answer_udp(struct zonekit *k, int fd)
{
	uint8_t pkt[4096];
	struct sockaddr_in from;
	socklen_t fromlen = sizeof from;
	ssize_t n = recvfrom(fd, pkt, sizeof pkt, 0, (struct sockaddr *)&from, &fromlen);
	size_t len = n > 0 ? zonekit_ask(k, pkt, (size_t)n, false, reply) : 0;

	if (len > 0)
		(void)!sendto(fd, reply, len, 0, (struct sockaddr *)&from, fromlen);
}

/* One message of a connection; false: it is over. */
static bool
answer_tcp(struct zonekit *k, int fd)
{
	uint8_t pkt[65535], head[2];
	size_t len, n;

	if (recv(fd, head, 2, MSG_WAITALL) != 2)
		return false;
	n = get_u16(head);
	if (recv(fd, pkt, n, MSG_WAITALL) != (ssize_t)n)
		return false;
	len = zonekit_ask(k, pkt, n, true, reply + 2);
	put_u16(reply, (uint16_t)len);
	return len > 0 && send(fd, reply, len + 2, MSG_NOSIGNAL) == (ssize_t)len + 2;
}

int
main(int argc, char **argv)
{
	struct zonekit k;
	struct pollfd p[34] = { 0 };
	nfds_t n = 2;
	uint16_t port;

	if (argc < 3) {
		fputs("usage: serve_zones PORT ORIGIN=FILE...\n", stderr);
		return 2;
	}
	port = (uint16_t)atoi(argv[1]);
	zonekit_init(&k, 4ull << 30);
	for (int i = 2; i < argc; i++) {
		char *file = strchr(argv[i], '=');
		struct wbuf text;

		if (file == NULL)
			return 2;
		*file++ = '\0';
		text = zonekit_read(file);
		zonekit_add(&k, argv[i], (const char *)text.base, text.len, 1);
		wbuf_free(&text);
	}
	zonekit_publish(&k);
	p[0] = (struct pollfd){ listen_on(SOCK_DGRAM, port), POLLIN, 0 };
	p[1] = (struct pollfd){ listen_on(SOCK_STREAM, port), POLLIN, 0 };
	puts("ready");
	fflush(stdout);
	while (poll(p, n, -1) >= 0) {
		if (p[0].revents != 0)
			answer_udp(&k, p[0].fd);
		for (nfds_t i = n; i-- > 2;) {
			if (p[i].revents != 0 && !answer_tcp(&k, p[i].fd)) {
				close(p[i].fd);
				p[i] = p[--n];
			}
		}
		if (p[1].revents != 0 && n < 34)
			p[n++] = (struct pollfd){ accept(p[1].fd, NULL, NULL), POLLIN, 0 };
	}
	return 1;
}
