/* blast - how many questions a server answers: a closed loop over UDP with a window, and a look at the replies.
 *
 *     blast PORT QUERIES SECONDS [do] [check=FILE]     SECONDS 0: until all are answered
 *     blast PORT QUERIES 0 [do] save=FILE
 *
 * QUERIES: as tests/lib/asklist.h has them.  `save` asks one query in 100, one after the other and without a load; `check`
 * compares each reply to one of these with what was saved, octet for octet (but the id).  One JSON line:
 * qps, received, lost, query and reply octets (means), rcodes, compared, different. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"
#include "tests/lib/asklist.h"

#define WINDOW      256
#define SAMPLE      100u
#define SILENT_NS   50000000u /* without a reply that long, what is out is lost */
#define ALONE_TRIES 3
#define PASSES      20 /* through the file, for those that were lost */

struct sample {
	uint16_t len; /* 0: no answer */
	uint8_t reply[1500];
};
struct load {
	int fd;
	struct asklist list;
	struct askbatch *io;
	struct sample *samples; /* of every SAMPLE-th query; NULL: no check */
	uint32_t who[65536]; /* which query has this id now */
	uint32_t next, passes;
	bool *answered; /* by query; NULL: all are asked again and again */
	uint64_t sent, received, lost, octets_in, octets_out, rcodes[16], compared, different;
	long out;
};

/* What the server says when nobody else asks. */
static void
ask_alone(const struct load *l, uint32_t i, struct sample *s)
{
	uint8_t reply[ASKLIST_REPLY];
	struct pollfd p = { .fd = l->fd, .events = POLLIN };

	for (unsigned tries = 0; tries < ALONE_TRIES; tries++) {
		struct iovec packet = asklist_packet(&l->list, i, (uint16_t)i);

		if (send(l->fd, packet.iov_base, packet.iov_len, 0) < 0 || poll(&p, 1, 1000) != 1)
			continue;
		ssize_t n = recv(l->fd, reply, sizeof reply, 0);
		if (n < 12 || (size_t)n > sizeof s->reply || reply[0] != (uint8_t)(i >> 8) ||
		    reply[1] != (uint8_t)i)
			continue;
		memcpy(s->reply, reply, (size_t)n);
		s->len = (uint16_t)n;
		return;
	}
}

static size_t
sample_count(const struct load *l)
{
	return l->list.count / SAMPLE + 1;
}

static int
samples_save(const struct load *l, const char *path)
{
	struct sample *samples = xcalloc(sample_count(l), sizeof *samples);
	FILE *f = fopen(path, "wb");
	size_t n = 0;

	for (uint32_t i = 0; i < l->list.count; i += SAMPLE)
		ask_alone(l, i, &samples[i / SAMPLE]);
	if (f != NULL)
		n = fwrite(samples, sizeof *samples, sample_count(l), f);
	free(samples);
	return f != NULL && fclose(f) == 0 && n == sample_count(l) ? 0 : 1;
}

static bool
samples_load(struct load *l, const char *path)
{
	FILE *f = fopen(path, "rb");
	size_t n = 0;

	l->samples = xcalloc(sample_count(l), sizeof *l->samples);
	if (f != NULL) {
		n = fread(l->samples, sizeof *l->samples, sample_count(l), f);
		(void)fclose(f);
	}
	return n == sample_count(l);
}

static void
check(struct load *l, uint32_t i, const uint8_t *reply, size_t len)
{
	const struct sample *s;

	if (l->samples == NULL || i % SAMPLE != 0)
		return;
	s = &l->samples[i / SAMPLE];
	l->compared++;
	if (len != s->len || memcmp(reply + 2, s->reply + 2, len - 2) != 0)
		l->different++;
}

/* The next query to send; false: all are answered, or were asked often enough. */
static bool
next_query(struct load *l, uint32_t *i)
{
	while (l->answered != NULL && l->next < l->list.count && l->answered[l->next])
		l->next++;
	if (l->next >= l->list.count) {
		if (l->answered != NULL)
			return false;
		l->next = 0;
	}
	*i = l->next++;
	return true;
}

/* Sends one batch; false: nothing more to send, or no room. */
static bool
send_batch(struct load *l)
{
	unsigned n = 0;
	uint32_t i;
	int sent;

	for (; n < ASKLIST_BATCH && next_query(l, &i); n++) {
		uint16_t id = (uint16_t)(l->sent + n);

		l->who[id] = i;
		l->io->out[n] = asklist_packet(&l->list, i, id);
	}
	sent = n > 0 ? sendmmsg(l->fd, l->io->tx, n, 0) : 0;
	if (sent <= 0)
		return false;
	for (int k = 0; k < sent; k++)
		l->octets_in += l->io->out[k].iov_len;
	l->sent += (uint64_t)sent;
	l->out += sent;
	return true;
}

/* The file once more, for what is not answered yet; false: enough. */
static bool
again(struct load *l)
{
	if (l->next < l->list.count || l->out > 0)
		return true;
	if (++l->passes == PASSES || memchr(l->answered, 0, l->list.count) == NULL)
		return false;
	l->next = 0;
	return true;
}

static bool
receive(struct load *l)
{
	int n = recvmmsg(l->fd, l->io->rx, ASKLIST_BATCH, MSG_DONTWAIT, NULL);

	for (int i = 0; i < n; i++) {
		const uint8_t *p = l->io->reply[i];
		size_t len = l->io->rx[i].msg_len;

		if (len < 12)
			continue;
		l->rcodes[p[3] & 15]++;
		l->octets_out += len;
		check(l, l->who[p[0] << 8 | p[1]], p, len);
		if (l->answered != NULL)
			l->answered[l->who[p[0] << 8 | p[1]]] = true;
	}
	if (n <= 0)
		return false;
	l->received += (uint64_t)n;
	l->out -= n;
	return true;
}

static double
run(struct load *l, double seconds)
{
	struct pollfd p = { .fd = l->fd, .events = POLLIN };
	uint64_t start = clock_mono_ns(), end = start + (uint64_t)(seconds * 1e9), heard = start;
	uint64_t now;

	if (seconds <= 0)
		l->answered = xcalloc(l->list.count, sizeof *l->answered);
	while ((now = clock_mono_ns()) < end || (l->answered != NULL && again(l))) {
		while (l->out + (long)ASKLIST_BATCH <= WINDOW && send_batch(l))
			continue;
		if (receive(l)) {
			heard = now;
		} else if (clock_since(clock_mono_ns(), heard) > SILENT_NS) {
			l->lost += (uint64_t)(l->out > 0 ? l->out : 0);
			l->out = 0;
			heard = clock_mono_ns();
		} else {
			(void)poll(&p, 1, 1);
		}
	}
	return (double)(clock_mono_ns() - start) / 1e9;
}

static void
print(const struct load *l, double seconds)
{
	double received = l->received > 0 ? (double)l->received : 1;

	printf("{\"qps\":%.0f,\"seconds\":%.3f,\"sent\":%lu,\"received\":%lu,\"lost\":%lu,"
	       "\"query_octets\":%.2f,\"reply_octets\":%.2f,\"compared\":%lu,\"different\":%lu,"
	       "\"rcodes\":{",
	    (double)l->received / seconds, seconds, l->sent, l->received, l->lost,
	    (double)l->octets_in / (double)(l->sent > 0 ? l->sent : 1),
	    (double)l->octets_out / received, l->compared, l->different);
	for (unsigned i = 0, n = 0; i < 16; i++) {
		if (l->rcodes[i] > 0)
			printf("%s\"%u\":%lu", n++ > 0 ? "," : "", i, l->rcodes[i]);
	}
	printf("}}\n");
}

int
main(int argc, char **argv)
{
	const char *save = NULL, *checked = NULL;
	struct load *l = xcalloc(1, sizeof *l);
	bool dnssec_ok = false;
	int code = 0;

	for (int i = 4; i < argc; i++) {
		dnssec_ok |= strcmp(argv[i], "do") == 0;
		if (strncmp(argv[i], "check=", 6) == 0)
			checked = argv[i] + 6;
		if (strncmp(argv[i], "save=", 5) == 0)
			save = argv[i] + 5;
	}
	if (argc < 4) {
		fprintf(
		    stderr, "usage: blast PORT QUERIES SECONDS [do] [check=FILE | save=FILE]\n");
		return 2;
	}
	l->fd = asklist_connect((uint16_t)atoi(argv[1]));
	l->list = asklist_read(argv[2], dnssec_ok);
	l->io = askbatch_new();
	if (save != NULL)
		code = samples_save(l, save);
	else if (checked != NULL && !samples_load(l, checked))
		code = 1;
	else
		print(l, run(l, atof(argv[3])));
	asklist_free(&l->list);
	free(l->samples);
	free(l->answered);
	free(l->io);
	free(l);
	return code;
}
