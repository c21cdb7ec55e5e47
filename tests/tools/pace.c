/* pace - latency at a fixed rate: an open loop over UDP, by intended send time.
 *
 *     pace PORT QUERIES RATE SECONDS      at most; SIGTERM ends it and has it print what there is
 *
 * Query number i is meant to leave at start + i / RATE, whatever became of those before it; its latency is the
 * time from then until its reply was seen, so a server (or a generator) that stalls pays for every query that
 * it kept waiting.  Every 50 us replies are taken and what is due leaves, as a network card that gathers
 * interrupts does it: up to 100 us of each latency are the generator's own, and most of its core is not needed.  A reply after 1 s is lost.  One JSON line per 100 ms of intended time:
 *     {"t":NS,"sent":N,"lost":N,"late":NS,"h":{"BUCKET":N,…}}
 * t: CLOCK_MONOTONIC; late: by how much the generator itself was late at worst; h: a histogram with 32 buckets
 * to a power of two (bench/rig.py: bucket_ns()).  RATE is at most 60,000: an id is used again after a second. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>

#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"
#include "tests/lib/asklist.h"

#define RATE_MAX  60000u
#define WINDOW_NS 100000000u
#define LOST_NS   1000000000u
#define GRAIN_NS  50000u
#define SUB       32u /* buckets to a power of two */
#define BUCKETS   (SUB * 27u) /* up to 2^31 ns */

struct window {
	uint32_t sent, lost;
	uint64_t late;
	uint32_t bucket[BUCKETS];
};
struct pace {
	int fd;
	struct asklist list;
	struct askbatch *io;
	struct window *windows;
	size_t n_windows;
	double gap_ns;
	uint64_t start, sent, count;
	uint64_t due[65536]; /* by id: intended time of what is out; 0: answered */
};

static volatile sig_atomic_t stopped;

static void
on_stop(int number)
{
	(void)number;
	stopped = 1;
}

static unsigned
bucket_of(uint64_t ns)
{
	unsigned log2 = ns < SUB ? 0 : 63u - (unsigned)__builtin_clzll(ns) - 5u;
	unsigned i = ns < SUB ? (unsigned)ns : (log2 + 1) * SUB + (unsigned)(ns >> log2) - SUB;

	return i < BUCKETS ? i : BUCKETS - 1;
}

static uint64_t
due_at(const struct pace *p, uint64_t i)
{
	return p->start + (uint64_t)((double)i * p->gap_ns);
}

static struct window *
window_of(struct pace *p, uint64_t due)
{
	size_t i = (due - p->start) / WINDOW_NS;

	return &p->windows[i < p->n_windows ? i : p->n_windows - 1];
}

/* What should have left by now.  An id whose query is still out after its second is lost. */
static void
send_due(struct pace *p, uint64_t now)
{
	unsigned n = 0;
	uint64_t due;

	while (
	    n < ASKLIST_BATCH && p->sent + n < p->count && (due = due_at(p, p->sent + n)) <= now) {
		uint16_t id = (uint16_t)(p->sent + n);
		struct window *w = window_of(p, due);

		if (p->due[id] != 0)
			window_of(p, p->due[id])->lost++;
		p->due[id] = due;
		w->sent++;
		if (now - due > w->late)
			w->late = now - due;
		p->io->out[n] =
		    asklist_packet(&p->list, (uint32_t)((p->sent + n) % p->list.count), id);
		n++;
	}
	/* What the socket does not take is lost: it is never sent later. */
	if (n > 0)
		(void)sendmmsg(p->fd, p->io->tx, n, MSG_DONTWAIT);
	p->sent += n;
}

static bool
receive(struct pace *p)
{
	int n = recvmmsg(p->fd, p->io->rx, ASKLIST_BATCH, MSG_DONTWAIT, NULL);
	uint64_t now = clock_mono_ns();

	for (int i = 0; i < n; i++) {
		const uint8_t *reply = p->io->reply[i];
		uint16_t id = (uint16_t)(reply[0] << 8 | reply[1]);
		struct window *w;

		if (p->due[id] == 0)
			continue;
		w = window_of(p, p->due[id]);
		if (now - p->due[id] > LOST_NS)
			w->lost++;
		else
			w->bucket[bucket_of(now - p->due[id])]++;
		p->due[id] = 0;
	}
	return n > 0;
}

static void
sleep_until(uint64_t ns)
{
	struct timespec at = { .tv_sec = (time_t)(ns / 1000000000u),
		.tv_nsec = (long)(ns % 1000000000u) };

	(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

static void
run(struct pace *p)
{
	uint64_t now, next = p->start;

	while ((now = clock_mono_ns()) < due_at(p, p->count) + LOST_NS) {
		if (stopped)
			p->count = p->sent;
		while (receive(p))
			;
		send_due(p, now);
		/* What one call has no room for follows at once. */
		if (p->sent < p->count && due_at(p, p->sent) <= now)
			continue;
		if (now >= next)
			next += (now - next) / GRAIN_NS * GRAIN_NS + GRAIN_NS;
		sleep_until(next);
	}
	for (size_t i = 0; i < 65536; i++) {
		if (p->due[i] != 0)
			window_of(p, p->due[i])->lost++;
	}
}

static void
print(const struct pace *p)
{
	for (size_t i = 0; i < p->n_windows && p->windows[i].sent > 0; i++) {
		const struct window *w = &p->windows[i];

		printf("{\"t\":%lu,\"sent\":%u,\"lost\":%u,\"late\":%lu,\"h\":{",
		    p->start + i * (uint64_t)WINDOW_NS, w->sent, w->lost, w->late);
		for (unsigned b = 0, n = 0; b < BUCKETS; b++) {
			if (w->bucket[b] > 0)
				printf("%s\"%u\":%u", n++ > 0 ? "," : "", b, w->bucket[b]);
		}
		printf("}}\n");
	}
}

int
main(int argc, char **argv)
{
	struct pace *p = xcalloc(1, sizeof *p);
	struct sigaction stop = { .sa_handler = on_stop };
	double rate = argc == 5 ? atof(argv[3]) : 0, seconds = argc == 5 ? atof(argv[4]) : 0;

	if (rate < 1 || rate > RATE_MAX || seconds <= 0 || seconds > 3600) {
		fprintf(stderr, "usage: pace PORT QUERIES RATE SECONDS (RATE <= %u)\n", RATE_MAX);
		return 2;
	}
	p->fd = asklist_connect((uint16_t)atoi(argv[1]));
	p->list = asklist_read(argv[2], false);
	p->io = askbatch_new();
	p->gap_ns = 1e9 / rate;
	p->count = (uint64_t)(rate * seconds);
	p->n_windows = (size_t)(seconds * 1e9 / WINDOW_NS + 0.999);
	p->windows = xcalloc(p->n_windows, sizeof *p->windows);
	/* Touched now, not when it counts. */
	memset(p->windows, 0, p->n_windows * sizeof *p->windows);
	(void)sigaction(SIGTERM, &stop, NULL);
	(void)prctl(PR_SET_TIMERSLACK, 1);
	p->start = clock_mono_ns() + 1000000;
	run(p);
	print(p);
	asklist_free(&p->list);
	free(p->windows);
	free(p->io);
	free(p);
	return 0;
}
