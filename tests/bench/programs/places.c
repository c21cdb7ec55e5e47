/* places - what looking up costs a server here, whatever it looks up: the limit with random reads.
 *
 *     places PORT PAD PLACES LINES
 *
 * Like shared/bench/reflect.c it returns what it got, with QR set and PAD octets more; but for each query it first
 * reads LINES lines of the cache at each of PLACES random places in 128 MiB of huge pages, where a zone map of
 * 100,000 zones would be.  The places of a batch are fetched ahead, as the worker does. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#define BATCH  32
#define REPLY  2048u
#define MEMORY ((size_t)128 << 20)
#define PLACE  512u /* a place begins at a multiple of this */
#define MOST   16u

static struct mmsghdr message[BATCH];
static struct iovec part[BATCH];
static uint8_t buffer[BATCH][REPLY];
static struct sockaddr_in from[BATCH];
static const uint8_t *place[BATCH][MOST];
static uint64_t seed = 88172645463325252u;
static volatile unsigned sink;

static int
open_socket(uint16_t port)
{
	struct sockaddr_in own = { .sin_family = AF_INET, .sin_port = htons(port) };
	const int size = 4 << 20;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&own, sizeof own) < 0) {
		perror("places");
		exit(1);
	}
	return fd;
}

static void
fetch(const uint8_t *memory, int n, unsigned places, unsigned lines)
{
	for (int i = 0; i < n; i++) {
		for (unsigned p = 0; p < places; p++) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			place[i][p] = memory + (seed & (MEMORY - 1) & ~(uint64_t)(PLACE - 1));
			for (unsigned l = 0; l < lines; l++)
				__builtin_prefetch(place[i][p] + 64 * l);
		}
	}
}

static void
touch(int n, unsigned places, unsigned lines)
{
	for (int i = 0; i < n; i++) {
		for (unsigned p = 0; p < places; p++) {
			for (unsigned l = 0; l < lines; l++)
				sink += place[i][p][64 * l];
		}
	}
}

static void
turn(int fd, const uint8_t *memory, size_t pad, unsigned places, unsigned lines)
{
	int n, sent = 0, k;

	for (int i = 0; i < BATCH; i++) {
		part[i] = (struct iovec){ buffer[i], REPLY };
		message[i].msg_hdr = (struct msghdr){ .msg_name = &from[i],
			.msg_namelen = sizeof from[i],
			.msg_iov = &part[i],
			.msg_iovlen = 1 };
	}
	n = recvmmsg(fd, message, BATCH, MSG_WAITFORONE, NULL);
	fetch(memory, n, places, lines);
	touch(n, places, lines);
	for (int i = 0; i < n; i++) {
		buffer[i][2] |= 0x80;
		part[i].iov_len = message[i].msg_len + pad;
	}
	for (; sent < n; sent += k) {
		k = sendmmsg(fd, message + sent, (unsigned)(n - sent), 0);
		if (k <= 0)
			break;
	}
}

int
main(int argc, char **argv)
{
	unsigned places = argc == 5 ? (unsigned)atoi(argv[3]) : MOST + 1;
	unsigned lines = argc == 5 ? (unsigned)atoi(argv[4]) : 0;
	uint8_t *memory;
	size_t pad;
	int fd;

	if (places > MOST || lines > PLACE / 64) {
		fprintf(stderr, "usage: places PORT PAD PLACES LINES\n");
		return 2;
	}
	pad = (size_t)atoi(argv[2]);
	if (pad > REPLY / 2)
		pad = REPLY / 2;
	fd = open_socket((uint16_t)atoi(argv[1]));
	memory = aligned_alloc(2u << 20, MEMORY);
	if (memory == NULL)
		return 1;
	(void)madvise(memory, MEMORY, MADV_HUGEPAGE);
	memset(memory, 1, MEMORY);
	for (;;)
		turn(fd, memory, pad, places, lines);
}
