/* compare - ask several servers the same questions and tell where they differ.
 *
 *     compare QUESTIONS udp|tcp ADDRESS@PORT... [-- ADDRESS@PORT[/tcp]...]
 *
 * QUESTIONS holds lines `NAME TYPE FLAGS`; FLAGS is a word of letters: d (EDNS with DO), e (EDNS
 * without), r (RD), c (CD), a (AD), z (the header's Z), - (none), and of letters with a number: s512
 * (EDNS size), v1 (EDNS version), o65001 (an option with 4 octets), D2 (so many OPTs), O4 (opcode), C3 (class), Q2 (QDCOUNT,
 * with so many questions).  An answer becomes a normal form by ldns, which is no code of ours: header
 * bits, rcode, the question's bytes, each section as a sorted set of canonical records, OPT as version
 * and DO, and whether it is longer than asked for.  For each question whose normal forms are not all
 * equal, one JSON line
 * {"name","type","flags","proto","answers":[text of each server]} on stdout; at the end
 * {"asked":N,"different":N,"silent":[N of each server],"unsteady":[N]}.  Servers behind -- are asked only
 * what the others answer differently; with /tcp over TCP.  Unsteady is what a server answered in another way
 * when it was asked again.
 *
 * Silent is a question only when its server says nothing to it and something to others, again and again: a
 * server that a busy machine keeps from running is waited for, and one that says nothing for a minute ends the
 * run.  So the figures are those of the servers and not those of the machine.
 *
 * Run by tests/system/test_answers*.py.  One thread, no state but its arrays. */
#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <ldns/ldns.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ipc/base/clock.h"
#include "ipc/base/rbuf.h"
#include "ipc/base/wbuf.h"
#include "ipc/base/xalloc.h"

#define WINDOW       96u /* questions in flight to one server */
#define TRIES        8u /* sendings of one question, others being answered, before it counts as silent */
#define RESEND_MS    400u
#define STALL_MS     60000u /* without a word */
#define PROBE        0xffffu /* the id of a question that is asked again to hear something */
#define MAX_SERVERS  8u
#define MAX_QUESTION 700u
#define MAX_FLAGS    64u
#define HASH         32u

struct question {
	char *name, *type, *flags;
	uint8_t wire[MAX_QUESTION];
	size_t len, qlen, limit; /* of the question section; of a reply over UDP */
	size_t number; /* in the file */
};

struct server {
	const char *text;
	struct sockaddr_in addr;
	bool tcp;
	uint8_t (*hash)[HASH]; /* of the normal form; all zero: silent */
	char **form; /* when it is wanted itself; NULL: silent */
	const struct question *probe; /* one that it has answered; NULL: none yet */
	uint64_t heard_ms; /* the last message of any kind */
	unsigned silent, unsteady;
};

struct run {
	struct question *q;
	size_t n;
	bool tcp;
	struct server servers[MAX_SERVERS];
	unsigned nservers, njudges; /* the judges come last */
};

/* One question on its way. */
struct flight {
	size_t index;
	uint64_t sent_ms; /* 0: not yet */
	unsigned lost; /* sendings behind which the server said something else */
	bool used;
};

static void
die(const char *what)
{
	fprintf(stderr, "compare: %s: %s\n", what, strerror(errno));
	exit(2);
}

/* The number behind a letter of the flags; `otherwise` when the letter is not there. */
static unsigned
flag(const struct question *q, char letter, unsigned otherwise)
{
	const char *at = strchr(q->flags, letter);

	return at != NULL ? (unsigned)strtoul(at + 1, NULL, 10) : otherwise;
}

static void
opt_put(struct wbuf *w, const struct question *q)
{
	bool option = strchr(q->flags, 'o') != NULL;

	wbuf_u8(w, 0);
	wbuf_u16(w, LDNS_RR_TYPE_OPT);
	wbuf_u16(w, (uint16_t)q->limit);
	wbuf_u8(w, 0);
	wbuf_u8(w, (uint8_t)flag(q, 'v', 0));
	wbuf_u16(w, strchr(q->flags, 'd') != NULL ? 0x8000 : 0);
	wbuf_u16(w, option ? 8 : 0);
	if (option) {
		wbuf_u16(w, (uint16_t)flag(q, 'o', 0));
		wbuf_u16(w, 4);
		wbuf_u32(w, 0x01020304);
	}
}

static void
question_build(struct question *q)
{
	struct wbuf w = wbuf_init(q->wire, sizeof q->wire);
	bool edns = strpbrk(q->flags, "de") != NULL;
	unsigned opts = edns ? flag(q, 'D', 1) : 0, questions = flag(q, 'Q', 1);
	unsigned opcode = flag(q, 'O', 0);
	ldns_rdf *name = ldns_dname_new_frm_str(q->name);

	if (name == NULL)
		die(q->name);
	q->limit = edns ? flag(q, 's', 1232) : 512;
	wbuf_u16(&w, 0);
	wbuf_u8(&w, (uint8_t)(opcode << 3 | (strchr(q->flags, 'r') != NULL ? 1 : 0)));
	wbuf_u8(&w, (uint8_t)((strchr(q->flags, 'c') != NULL ? 0x10 : 0) |
			      (strchr(q->flags, 'a') != NULL ? 0x20 : 0) |
			      (strchr(q->flags, 'z') != NULL ? 0x40 : 0)));
	wbuf_u16(&w, (uint16_t)questions);
	wbuf_u32(&w, 0);
	wbuf_u16(&w, (uint16_t)opts);
	for (unsigned i = 0; i < questions; i++) {
		wbuf_put(&w, ldns_rdf_data(name), ldns_rdf_size(name));
		wbuf_u16(&w, (uint16_t)ldns_get_rr_type_by_name(q->type));
		wbuf_u16(&w, (uint16_t)flag(q, 'C', 1));
	}
	q->qlen = w.len - 12;
	for (unsigned i = 0; i < opts; i++)
		opt_put(&w, q);
	if (!wbuf_ok(&w))
		die(q->name);
	q->len = w.len;
	q->limit = q->limit < 512 ? 512 : q->limit;
	ldns_rdf_deep_free(name);
}

static void
questions_read(struct run *run, const char *path)
{
	FILE *f = fopen(path, "r");
	char name[1100], type[32], flags[MAX_FLAGS];
	size_t cap = 0;

	if (f == NULL)
		die(path);
	while (fscanf(f, "%1099s %31s %63s", name, type, flags) == 3) {
		if (run->n == cap)
			run->q = xreallocarray(run->q, cap = cap ? cap * 2 : 4096, sizeof *run->q);
		struct question *q = &run->q[run->n++];
		q->number = run->n - 1;
		q->name = xstrdup(name);
		q->type = xstrdup(type);
		q->flags = xstrdup(flags);
		question_build(q);
	}
	fclose(f);
}

/* ---- normal form ---- */

static int
line_cmp(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
section_text(FILE *out, const char *title, const ldns_rr_list *list)
{
	size_t n = ldns_rr_list_rr_count(list);
	char **lines = xcalloc(n + 1, sizeof *lines);

	for (size_t i = 0; i < n; i++) {
		ldns_rr *rr = ldns_rr_list_rr(list, i);
		ldns_rr2canonical(rr);
		lines[i] = ldns_rr2str(rr);
	}
	qsort(lines, n, sizeof *lines, line_cmp);
	fprintf(out, "%s %zu\n", title, n);
	for (size_t i = 0; i < n; i++) {
		fputs(lines[i], out);
		free(lines[i]);
	}
	free(lines);
}

/* Text of an answer without what may differ between right servers: id, sizes, order, options. */
static char *
normal_form(const struct question *q, bool tcp, const uint8_t *msg, size_t len)
{
	ldns_pkt *pkt = NULL;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (ldns_wire2pkt(&pkt, msg, len) != LDNS_STATUS_OK) {
		fprintf(out, "unreadable:");
		for (size_t i = 2; i < len; i++)
			fprintf(out, " %02x", msg[i]);
		fputc('\n', out);
		fclose(out);
		return text;
	}
	fprintf(out, "rcode %d opcode %d%s%s%s%s%s%s%s%s%s\n", ldns_pkt_get_rcode(pkt),
	    ldns_pkt_get_opcode(pkt), ldns_pkt_qr(pkt) ? " qr" : "", ldns_pkt_aa(pkt) ? " aa" : "",
	    ldns_pkt_tc(pkt) ? " tc" : "", ldns_pkt_rd(pkt) ? " rd" : "",
	    ldns_pkt_ra(pkt) ? " ra" : "", ldns_pkt_ad(pkt) ? " ad" : "",
	    ldns_pkt_cd(pkt) ? " cd" : "",
	    len >= 12 + q->qlen && memcmp(msg + 4, q->wire + 4, 2) == 0 &&
		    memcmp(msg + 12, q->wire + 12, q->qlen) == 0
		? ""
		: " QUESTION?",
	    !tcp && len > q->limit ? " TOO-LONG" : "");
	if (ldns_pkt_edns(pkt))
		fprintf(out, "edns %d%s extended %d\n", ldns_pkt_edns_version(pkt),
		    ldns_pkt_edns_do(pkt) ? " do" : "", ldns_pkt_edns_extended_rcode(pkt));
	section_text(out, "answer", ldns_pkt_answer(pkt));
	section_text(out, "authority", ldns_pkt_authority(pkt));
	section_text(out, "additional", ldns_pkt_additional(pkt));
	ldns_pkt_free(pkt);
	fclose(out);
	return text;
}

static bool
is_answered(const struct server *s, size_t number)
{
	static const uint8_t silence[HASH];

	return memcmp(s->hash[number], silence, HASH) != 0;
}

static void
answer_keep(const struct run *run, struct server *s, size_t index, const uint8_t *msg, size_t len)
{
	const struct question *q = &run->q[index];
	char *text = normal_form(q, s->tcp, msg, len);
	uint8_t hash[HASH];

	if (s->probe == NULL)
		s->probe = q;
	EVP_Digest(text, strlen(text), hash, NULL, EVP_sha256(), NULL);
	if (s->form == NULL)
		memcpy(s->hash[q->number], hash, HASH);
	else if (s->hash != NULL && is_answered(s, q->number))
		s->unsteady += memcmp(s->hash[q->number], hash, HASH) != 0;
	if (s->form != NULL)
		s->form[index] = text;
	else
		free(text);
}

/* ---- asking ---- */

static int
server_connect(const struct server *s)
{
	bool tcp = s->tcp;
	int fd = socket(AF_INET, tcp ? SOCK_STREAM : SOCK_DGRAM, 0), size = 4 << 20, on = 1;

	if (fd < 0 || connect(fd, (const void *)&s->addr, sizeof s->addr) < 0)
		die(s->text);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	if (tcp)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	return fd;
}

static uint16_t
id_of(const struct flight *f)
{
	return (uint16_t)(f->index % PROBE);
}

static bool
question_send(const struct question *q, uint16_t id, bool tcp, int fd)
{
	uint8_t buf[2 + MAX_QUESTION];

	put_u16(buf, (uint16_t)q->len);
	memcpy(buf + 2, q->wire, q->len);
	put_u16(buf + 2, id);
	if (tcp)
		return send(fd, buf, q->len + 2, MSG_NOSIGNAL) == (ssize_t)q->len + 2;
	return send(fd, buf + 2, q->len, 0) >= 0 || errno == ECONNREFUSED || errno == ENOBUFS;
}

/* One message into buf; 0: none now, -1: the connection is gone. */
static ssize_t
message_receive(bool tcp, int fd, uint8_t *buf, size_t size)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	size_t want = 2, have = 0;

	if (poll(&p, 1, 20) <= 0)
		return 0;
	if (!tcp) {
		ssize_t n = recv(fd, buf, size, 0);
		return n < 0 ? 0 : n;
	}
	for (int part = 0; part < 2; part++) {
		for (have = 0; have < want;) {
			ssize_t n = recv(fd, buf + have, want - have, 0);
			if (n <= 0)
				return -1;
			have += (size_t)n;
		}
		if (part == 0)
			want = get_u16(buf);
	}
	return (ssize_t)have;
}

/* The question on its way that this message answers, NULL when it is late, a probe's or nobody's. */
static struct flight *
flight_of(struct flight *flights, const uint8_t *msg)
{
	for (unsigned i = 0; i < WINDOW; i++)
		if (flights[i].used && get_u16(msg) == id_of(&flights[i]))
			return &flights[i];
	return NULL;
}

/* All that is due goes out; how many were given up.  False: the connection is gone. */
static bool
flights_send(
    const struct run *run, struct server *s, int fd, struct flight *flights, size_t *given_up)
{
	uint64_t now = clock_mono_ms();
	bool again = false;

	if (now - s->heard_ms > STALL_MS)
		die(s->text);
	for (unsigned i = 0; i < WINDOW; i++) {
		struct flight *f = &flights[i];

		if (!f->used || (f->sent_ms > 0 && now - f->sent_ms < RESEND_MS))
			continue;
		f->lost += f->sent_ms > 0 && s->heard_ms >= f->sent_ms;
		if (f->lost == TRIES) {
			s->silent++;
			++*given_up;
			f->used = false;
			continue;
		}
		again |= f->sent_ms > 0;
		f->sent_ms = now;
		if (!question_send(&run->q[f->index], id_of(f), s->tcp, fd))
			return false;
	}
	return !again || s->probe == NULL || question_send(s->probe, PROBE, s->tcp, fd);
}

/* What has come is kept, until a question may follow; how many it were.  -1: the connection is gone. */
static int
flights_receive(const struct run *run, struct server *s, int fd, struct flight *flights, bool more)
{
	static uint8_t buf[65536];
	int done = 0;

	for (;;) {
		ssize_t n = message_receive(s->tcp, fd, buf, sizeof buf);
		struct flight *f;

		if (n < 0 && done == 0)
			return -1;
		if (n < 12)
			return done;
		s->heard_ms = clock_mono_ms();
		f = flight_of(flights, buf);
		if (f == NULL)
			continue;
		answer_keep(run, s, f->index, buf, (size_t)n);
		f->used = false;
		done++;
		if (more)
			return done;
	}
}

static void
server_ask_all(const struct run *run, struct server *s)
{
	struct flight flights[WINDOW] = { 0 };
	int fd = server_connect(s);
	size_t next = 0, done = 0;

	s->heard_ms = clock_mono_ms();
	while (done < run->n) {
		int received = -1;

		for (unsigned i = 0; i < WINDOW && next < run->n; i++)
			if (!flights[i].used)
				flights[i] = (struct flight){ .index = next++, .used = true };
		if (flights_send(run, s, fd, flights, &done))
			received = flights_receive(run, s, fd, flights, next < run->n);
		if (received >= 0) {
			done += (size_t)received;
			continue;
		}
		close(fd);
		fd = server_connect(s);
		for (unsigned i = 0; i < WINDOW; i++)
			flights[i].sent_ms = 0;
	}
	close(fd);
}

/* The questions whose answers are not all alike. */
static struct run
run_different(const struct run *run)
{
	struct run d = *run;

	d.n = 0;
	d.q = xcalloc(run->n + 1, sizeof *d.q);
	for (size_t i = 0; i < run->n; i++) {
		bool same = true;
		for (unsigned s = 1; s < run->nservers; s++)
			same &= memcmp(run->servers[0].hash[i], run->servers[s].hash[i], HASH) == 0;
		if (!same)
			d.q[d.n++] = run->q[i];
	}
	d.nservers += d.njudges;
	for (unsigned s = 0; s < d.nservers; s++)
		d.servers[s].form = xcalloc(d.n + 1, sizeof *d.servers[s].form);
	return d;
}

static bool
is_different(const struct run *d, size_t i)
{
	const char *first = d->servers[0].form[i];

	for (unsigned s = 1; s < d->nservers - d->njudges; s++) {
		const char *other = d->servers[s].form[i];

		if ((first == NULL) != (other == NULL) ||
		    (first != NULL && strcmp(first, other) != 0))
			return true;
	}
	return false;
}

/* What each says to the question. */
static void
show(const struct run *d, size_t i)
{
	json_t *answers = json_array(), *line;

	for (unsigned s = 0; s < d->nservers; s++) {
		const char *text = d->servers[s].form[i];
		json_array_append_new(answers, json_string(text ? text : "silent\n"));
	}
	line = json_pack("{ss ss ss ss so}", "name", d->q[i].name, "type", d->q[i].type, "flags",
	    d->q[i].flags, "proto", d->tcp ? "tcp" : "udp", "answers", answers);
	json_dumpf(line, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(line);
}

/* Ask those once more, and the judges too, and show what is different still. */
static size_t
report(struct run *run)
{
	struct run d = run_different(run);
	size_t different = 0;

	for (unsigned s = 0; s < d.nservers; s++) {
		server_ask_all(&d, &d.servers[s]);
		run->servers[s].unsteady = d.servers[s].unsteady;
	}
	for (size_t i = 0; i < d.n; i++)
		if (is_different(&d, i)) {
			show(&d, i);
			different++;
		}
	return different;
}

static void
server_parse(struct server *s, const char *text, bool tcp)
{
	char *host = xstrdup(text), *at = strchr(host, '@');

	if (at == NULL)
		die(text);
	*at = '\0';
	s->text = text;
	s->tcp = tcp || strstr(at + 1, "/tcp") != NULL;
	s->addr.sin_family = AF_INET;
	s->addr.sin_port = htons((uint16_t)atoi(at + 1));
	if (inet_pton(AF_INET, host, &s->addr.sin_addr) != 1)
		die(text);
	free(host);
}

static void
servers_parse(struct run *run, int argc, char **argv)
{
	bool judges = false;

	for (int i = 3; i < argc; i++) {
		if (strcmp(argv[i], "--") == 0) {
			judges = true;
			continue;
		}
		if (run->nservers + run->njudges == MAX_SERVERS)
			die(argv[i]);
		server_parse(&run->servers[run->nservers + run->njudges], argv[i], run->tcp);
		*(judges ? &run->njudges : &run->nservers) += 1;
	}
}

int
main(int argc, char **argv)
{
	struct run run = { 0 };

	if (argc < 4) {
		fprintf(stderr, "usage: compare QUESTIONS udp|tcp ADDRESS@PORT... "
				"[-- ADDRESS@PORT[/tcp]...]\n");
		return 2;
	}
	questions_read(&run, argv[1]);
	run.tcp = strcmp(argv[2], "tcp") == 0;
	servers_parse(&run, argc, argv);
	for (unsigned s = 0; s < run.nservers; s++) {
		run.servers[s].hash = xcalloc(run.n, sizeof *run.servers[s].hash);
		server_ask_all(&run, &run.servers[s]);
	}
	size_t different = report(&run);
	json_t *silent = json_array(), *unsteady = json_array();
	for (unsigned s = 0; s < run.nservers; s++) {
		json_array_append_new(silent, json_integer(run.servers[s].silent));
		json_array_append_new(unsteady, json_integer(run.servers[s].unsteady));
	}
	json_t *end = json_pack("{sI sI so so}", "asked", (json_int_t)run.n, "different",
	    (json_int_t)different, "silent", silent, "unsteady", unsteady);
	json_dumpf(end, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(end);
	return 0;
}
