/* wan - a network of long links for tests: IP packets between TUN devices in network namespaces.
 *
 *     wan SEED DELAY_MS JITTER_MS LOSS_PER_MILLE NAMESPACE=ADDRESS…
 *
 * Each NAMESPACE (a path below /run/netns) has a TUN device `wan0`, made by whoever starts this (tests/lib/wan.py).
 * A packet for ADDRESS leaves in that namespace DELAY_MS plus up to JITTER_MS later, so that neighbours overtake
 * each other, or never: LOSS_PER_MILLE of them are lost.  Each direction of each pair draws from a generator of its
 * own, seeded: the same packets meet the same fate.  Delay is on each way, half of a round trip.
 *
 * Lines on stdin, each answered with one line: `cut N`, `mend N` (link number N: nothing in or out), `plain` (no loss
 * from here on), `count` ({"packets","octets","lost","late_us"} since the start; octets are of the IP packets that
 * entered a link).  Ends with the end of stdin. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"

#define LINKS   64u
#define PACKET  2048u
#define WAITING 65536u /* packets on their way: at 150 ms that is 5 Gbit/s */

struct link {
	int fd;
	uint32_t address; /* network order */
	bool cut;
};
struct packet {
	uint64_t due_ns, number; /* in order of number where the time is the same */
	unsigned to;
	unsigned len;
	uint8_t data[PACKET];
};
static struct link links[LINKS];
static unsigned n_links;
static uint64_t dice[LINKS][LINKS];
static struct packet *heap[WAITING];
static size_t waiting;
static uint64_t delay_ns, jitter_ns, loss, numbers;
static struct {
	uint64_t packets, octets, lost, late_us;
} count;

/* ---- chance ---- */
static uint64_t
draw(uint64_t *state)
{
	uint64_t z = *state += 0x9E3779B97F4A7C15u; /* splitmix64 */

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
	z = (z ^ z >> 27) * 0x94D049BB133111EBu;
	return z ^ z >> 31;
}

/* ---- packets on their way, the next one first ---- */
static bool
before(const struct packet *a, const struct packet *b)
{
	return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->number < b->number;
}

static void
push(struct packet *p)
{
	size_t i = waiting++;

	for (; i > 0 && before(p, heap[(i - 1) / 2]); i = (i - 1) / 2)
		heap[i] = heap[(i - 1) / 2];
	heap[i] = p;
}

static struct packet *
pop(void)
{
	struct packet *first = heap[0], *last = heap[--waiting];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < waiting) {
		if (child + 1 < waiting && before(heap[child + 1], heap[child]))
			child++;
		if (!before(heap[child], last))
			break;
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = last;
	return first;
}

/* ---- in and out ---- */
static unsigned
link_of(uint32_t address)
{
	unsigned i = 0;

	while (i < n_links && links[i].address != address)
		i++;
	return i;
}

static void
take(unsigned from, const uint8_t *data, size_t len)
{
	struct packet *p;
	uint64_t *state;
	uint32_t target;
	unsigned to;

	if (len < 20 || data[0] >> 4 != 4)
		return; /* the kernel's own IPv6 chatter */
	memcpy(&target, data + 16, sizeof target);
	to = link_of(target);
	if (to == n_links)
		return;
	count.packets++;
	count.octets += len;
	state = &dice[from][to];
	if (draw(state) % 1000 < loss || links[from].cut || links[to].cut || waiting == WAITING) {
		count.lost++;
		return;
	}
	p = xmalloc(sizeof *p);
	p->due_ns = clock_mono_ns() + delay_ns + (jitter_ns > 0 ? draw(state) % jitter_ns : 0);
	p->number = numbers++;
	p->to = to;
	p->len = (unsigned)len;
	memcpy(p->data, data, len);
	push(p);
}

static void
deliver(void)
{
	uint64_t now = clock_mono_ns();

	while (waiting > 0 && heap[0]->due_ns <= now) {
		struct packet *p = pop();

		if ((now - p->due_ns) / 1000 > count.late_us)
			count.late_us = (now - p->due_ns) / 1000;
		if (!links[p->to].cut && write(links[p->to].fd, p->data, p->len) < 0)
			count.lost++;
		free(p);
	}
}

/* ---- commands ---- */
static void
command(const char *line)
{
	unsigned n;

	if (sscanf(line, "cut %u", &n) == 1 && n < n_links)
		links[n].cut = true;
	else if (sscanf(line, "mend %u", &n) == 1 && n < n_links)
		links[n].cut = false;
	else if (strncmp(line, "plain", 5) == 0)
		loss = 0;
	printf("{\"packets\":%llu,\"octets\":%llu,\"lost\":%llu,\"late_us\":%llu}\n",
	    (unsigned long long)count.packets, (unsigned long long)count.octets,
	    (unsigned long long)count.lost, (unsigned long long)count.late_us);
	fflush(stdout);
}

static bool
commands(void)
{
	char text[256], *line, *rest = text;
	ssize_t n = read(STDIN_FILENO, text, sizeof text - 1);

	if (n <= 0)
		return false;
	text[n] = '\0';
	while ((line = strsep(&rest, "\n")) != NULL)
		if (line[0] != '\0')
			command(line);
	return true;
}

/* ---- coming ---- */
static void
need(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "wan: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
open_link(char *word)
{
	struct link *l = &links[n_links];
	struct ifreq ifr = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	char *path = strsep(&word, "=");
	int ns = open(path, O_RDONLY | O_CLOEXEC);

	need(n_links < LINKS && word != NULL && inet_pton(AF_INET, word, &l->address) == 1, path);
	need(ns >= 0 && setns(ns, CLONE_NEWNET) == 0, path);
	close(ns);
	memcpy(ifr.ifr_name, "wan0", 5);
	l->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	need(l->fd >= 0 && ioctl(l->fd, TUNSETIFF, &ifr) == 0, "/dev/net/tun");
	n_links++;
}

static struct timespec
until_next(void)
{
	uint64_t now = clock_mono_ns(), ns = 1000000000;

	if (waiting > 0)
		ns = heap[0]->due_ns > now ? heap[0]->due_ns - now : 0;
	return (struct timespec){ (time_t)(ns / 1000000000), (long)(ns % 1000000000) };
}

static void
run(void)
{
	struct pollfd fds[LINKS + 1];
	uint8_t data[PACKET];
	ssize_t len;

	fds[n_links] = (struct pollfd){ STDIN_FILENO, POLLIN, 0 };
	for (unsigned i = 0; i < n_links; i++)
		fds[i] = (struct pollfd){ links[i].fd, POLLIN, 0 };
	for (;;) {
		struct timespec t = until_next();

		if (ppoll(fds, n_links + 1, &t, NULL) < 0 && errno != EINTR)
			return;
		for (unsigned i = 0; i < n_links; i++)
			while ((fds[i].revents & POLLIN) != 0 &&
			       (len = read(links[i].fd, data, sizeof data)) > 0)
				take(i, data, (size_t)len);
		deliver();
		if (fds[n_links].revents != 0 && !commands())
			return;
	}
}

int
main(int argc, char **argv)
{
	uint64_t seed;

	if (argc < 7) {
		fprintf(stderr,
		    "usage: wan SEED DELAY_MS JITTER_MS LOSS_PER_MILLE NAMESPACE=ADDRESS...\n");
		return 2;
	}
	seed = strtoull(argv[1], NULL, 10);
	delay_ns = (uint64_t)(atof(argv[2]) * 1e6);
	jitter_ns = (uint64_t)(atof(argv[3]) * 1e6);
	loss = strtoull(argv[4], NULL, 10);
	for (unsigned i = 0; i < LINKS; i++)
		for (unsigned j = 0; j < LINKS; j++)
			dice[i][j] = seed + i * 1000003u + j * 7919u;
	for (int i = 5; i < argc; i++)
		open_link(argv[i]);
	(void)prctl(PR_SET_TIMERSLACK, 1UL);
	printf("ready\n");
	fflush(stdout);
	run();
	return 0;
}
