/* flood - open-loop UDP load that misses nothing: what was asked, what came back, how late.
 *
 *     flood ADDRESS@PORT QUESTIONS RATE SECONDS PORTS
 *
 * QUESTIONS holds lines `NAME TYPE`. Queries leave at their intended times, whatever the answers do;
 * latency counts from the intended time. A reply is matched by source port, id and question; one that
 * matches nothing is `stray`. After the last query it waits 1.5 s. One JSON line at the end:
 * {"sent","answered","lost","stray","servfail","refused","p50_us","p99_us","p999_us","max_us",
 *  "lost_at":[ms after the start, of the first 4,096 lost]}.  One thread. */
#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "appliance/dns/name.h"
#include "appliance/dns/rrtype.h"
#include "ipc/base/clock.h"
#include "ipc/base/wbuf.h"
#include "ipc/base/xalloc.h"

#define IDS       65536u
#define PORTS_MAX 1024u
#define BURST     64u
#define HIST_US   2000000u
#define LINGER_NS 1500000000ull
#define LATE_NS   1000000000ull /* a reply after a second is lost */

struct question {
	uint8_t wire[280];
	uint16_t len;
};
struct port {
	int fd;
	uint16_t next;
	uint64_t *due_ns; /* by id; 0: nothing outstanding */
	uint32_t *question; /* by id */
};

static struct question *questions;
static size_t nquestions;
static struct port ports[PORTS_MAX];
static unsigned nports;
static uint32_t hist[HIST_US + 1];
static uint64_t sent, answered, stray, late, rcodes[16];

static void
die(const char *what)
{
	fprintf(stderr, "flood: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void
questions_read(const char *path)
{
	FILE *f = fopen(path, "r");
	char name[1100], type[32];
	size_t cap = 0, len;
	uint8_t wire[NAME_MAX_WIRE];
	static const uint8_t root[1];

	if (f == NULL)
		die(path);
	while (fscanf(f, "%1099s %31s", name, type) == 2) {
		if (name_from_text(name, root, wire, &len, NULL) != NS_OK)
			die(name);
		if (nquestions == cap)
			questions =
			    xreallocarray(questions, cap = cap ? 2 * cap : 4096, sizeof *questions);
		struct question *q = &questions[nquestions++];
		struct wbuf w = wbuf_init(q->wire, sizeof q->wire);
		static const uint8_t head[12] = { 0, 0, 0, 0, 0, 1 };
		wbuf_put(&w, head, sizeof head);
		wbuf_put(&w, wire, len);
		wbuf_u16(&w, rrtype_from_text(type));
		wbuf_u16(&w, 1);
		q->len = (uint16_t)w.len;
	}
	fclose(f);
	if (nquestions == 0)
		die("no questions");
}

static void
ports_open(const char *target)
{
	char *host = xstrdup(target), *at = strchr(host, '@');
	struct sockaddr_in a = { .sin_family = AF_INET };
	int size = 4 << 20;

	if (at == NULL)
		die(target);
	*at = '\0';
	a.sin_port = htons((uint16_t)atoi(at + 1));
	inet_pton(AF_INET, host, &a.sin_addr);
	free(host);
	for (unsigned i = 0; i < nports; i++) {
		ports[i].fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
		if (ports[i].fd < 0 || connect(ports[i].fd, (void *)&a, sizeof a) < 0)
			die("socket");
		if (setsockopt(ports[i].fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0)
			(void)setsockopt(ports[i].fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
		ports[i].due_ns = xcalloc(IDS, sizeof *ports[i].due_ns);
		ports[i].question = xcalloc(IDS, sizeof *ports[i].question);
	}
}

/* The n queries that are due, all from one port, in one call. */
static void
burst_send(struct port *p, unsigned n, uint64_t first_due, double gap_ns)
{
	static uint8_t out[BURST][280];
	struct mmsghdr m[BURST] = { 0 };
	struct iovec io[BURST];

	for (unsigned i = 0; i < n; i++) {
		uint16_t id = p->next++;
		uint32_t q = (uint32_t)((sent + i) % nquestions);
		memcpy(out[i], questions[q].wire, questions[q].len);
		put_u16(out[i], id);
		p->due_ns[id] = first_due + (uint64_t)(gap_ns * i);
		p->question[id] = q;
		io[i] = (struct iovec){ out[i], questions[q].len };
		m[i].msg_hdr.msg_iov = &io[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	for (unsigned done = 0; done < n;) {
		int k = sendmmsg(p->fd, m + done, n - done, 0);
		if (k > 0)
			done += (unsigned)k;
		else if (errno != EAGAIN && errno != ECONNREFUSED && errno != ENOBUFS)
			die("sendmmsg");
	}
	sent += n;
}

static void
reply_take(struct port *p, const uint8_t *msg, size_t len, uint64_t now)
{
	uint16_t id = len >= 12 ? get_u16(msg) : 0;
	const struct question *q = &questions[p->question[id]];

	if (len < q->len || p->due_ns[id] == 0 ||
	    memcmp(msg + 12, q->wire + 12, (size_t)q->len - 12) != 0) {
		stray++;
		return;
	}
	uint64_t took = now > p->due_ns[id] ? now - p->due_ns[id] : 0;
	p->due_ns[id] = 0;
	rcodes[msg[3] & 15]++;
	answered++;
	late += took > LATE_NS;
	hist[took / 1000 > HIST_US ? HIST_US : took / 1000]++;
}

static void
port_drain(struct port *p)
{
	static uint8_t in[BURST][4096];
	static struct mmsghdr m[BURST];
	static struct iovec io[BURST];

	for (;;) {
		for (unsigned i = 0; i < BURST; i++) {
			io[i] = (struct iovec){ in[i], sizeof in[i] };
			m[i].msg_hdr = (struct msghdr){ .msg_iov = &io[i], .msg_iovlen = 1 };
		}
		int k = recvmmsg(p->fd, m, BURST, MSG_DONTWAIT, NULL);
		if (k <= 0)
			return;
		uint64_t now = clock_mono_ns();
		for (int i = 0; i < k; i++)
			reply_take(p, in[i], m[i].msg_len, now);
		if (k < (int)BURST)
			return;
	}
}

static double
percentile(double share)
{
	uint64_t want = (uint64_t)((double)answered * share), have = 0;

	for (unsigned i = 0; i <= HIST_US; i++)
		if ((have += hist[i]) > want)
			return i;
	return HIST_US;
}

static void
report(uint64_t start)
{
	json_t *lost_at = json_array();
	unsigned max = HIST_US;

	for (unsigned p = 0; p < nports; p++)
		for (unsigned id = 0; id < IDS; id++)
			if (ports[p].due_ns[id] != 0 && json_array_size(lost_at) < 4096)
				json_array_append_new(lost_at,
				    json_integer(
					(json_int_t)((ports[p].due_ns[id] - start) / 1000000)));
	while (max > 0 && hist[max] == 0)
		max--;
	json_t *j = json_pack("{sI sI sI sI sI sI sI sf sf sf sI so}", "sent", (json_int_t)sent,
	    "answered", (json_int_t)answered, "lost", (json_int_t)(sent - answered), "late",
	    (json_int_t)late, "stray", (json_int_t)stray, "servfail", (json_int_t)rcodes[2],
	    "refused", (json_int_t)rcodes[5], "p50_us", percentile(0.5), "p99_us", percentile(0.99),
	    "p999_us", percentile(0.999), "max_us", (json_int_t)max, "lost_at", lost_at);
	json_dumpf(j, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(j);
}

int
main(int argc, char **argv)
{
	if (argc != 6) {
		fprintf(stderr, "usage: flood ADDRESS@PORT QUESTIONS RATE SECONDS PORTS\n");
		return 2;
	}
	double rate = atof(argv[3]), seconds = atof(argv[4]), gap = 1e9 / rate;
	nports = (unsigned)atoi(argv[5]);
	if (nports == 0 || nports > PORTS_MAX || rate <= 0)
		die("arguments");
	questions_read(argv[2]);
	ports_open(argv[1]);

	int ep = epoll_create1(0);
	for (unsigned i = 0; i < nports; i++) {
		struct epoll_event e = { .events = EPOLLIN, .data.u32 = i };
		epoll_ctl(ep, EPOLL_CTL_ADD, ports[i].fd, &e);
	}
	uint64_t start = clock_mono_ns(), end = start + (uint64_t)(seconds * 1e9), now;
	unsigned turn = 0;
	while ((now = clock_mono_ns()) < end + LINGER_NS && (now < end || answered < sent)) {
		uint64_t due = now >= end ? sent : (uint64_t)((double)(now - start) / gap);
		while (sent < due) {
			uint64_t n = due - sent < BURST / 8 ? due - sent : BURST / 8;
			burst_send(&ports[turn++ % nports], (unsigned)n,
			    start + (uint64_t)((double)sent * gap), gap);
		}
		struct epoll_event events[64];
		int k = epoll_wait(ep, events, 64, 1);
		for (int i = 0; i < k; i++)
			port_drain(&ports[events[i].data.u32]);
	}
	report(start);
	return 0;
}
