/* tailing - see tailing.h. */
#include "appliance/answer/tailing.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "appliance/answer/zonenames.h"
#include "appliance/dns/rrtype.h"
#include "ipc/base/clock.h"

_Static_assert(sizeof((struct tailing_text *)0)->type >= RRTYPE_MAX_TEXT, "a type fits");

bool
tailing_collect(
    struct tailing *t, const struct worker_memory *const *m, size_t workers, uint64_t now_ns)
{
	return tailbook_collect(&t->book, m, workers, now_ns);
}

static uint64_t
hash_of(void *map, const uint8_t *lname, size_t len)
{
	return zonenames_hash(map, lname, len);
}

/* /24 and /48: whose query it was is not everybody's to see. */
static void
client_text(const struct tail_row *r, bool whole, char out[64])
{
	uint8_t address[16];
	char text[INET6_ADDRSTRLEN];
	unsigned keep = r->family == 4 ? 3 : 6, octets = r->family == 4 ? 4 : 16;

	snprintf(out, 64, "-");
	if (r->family == 0)
		return;
	memcpy(address, r->address, sizeof address);
	if (!whole)
		memset(address + keep, 0, octets - keep);
	inet_ntop(r->family == 4 ? AF_INET : AF_INET6, address, text, sizeof text);
	snprintf(out, 64, "%s%s", text, whole ? "" : r->family == 4 ? "/24" : "/48");
}

static void
fill_row(struct tailing *t, size_t i, const struct tail_row *r, bool whole, uint64_t now_ns,
    int64_t wall_ms)
{
	struct tailing_text *text = &t->texts[i];
	Ns__TailRow *out = &t->rows[i];
	int64_t ago_ms = r->at_ns < now_ns ? (int64_t)((now_ns - r->at_ns) / 1000000) : 0;

	ns__tail_row__init(out);
	clock_rfc3339(wall_ms - ago_ms, text->at);
	client_text(r, whole, text->client);
	name_to_text(r->name, text->name);
	rrtype_to_text(r->qtype, text->type);
	out->at = text->at;
	out->appliance = (char *)(uintptr_t)t->appliance;
	out->client = text->client;
	out->name = text->name;
	out->type = text->type;
	out->rcode =
	    (char *)(uintptr_t)(r->flags & TAIL_DROPPED ? "DROP" : tailfilter_rcode(r->rcode));
	out->us = (double)r->us10 / 10;
	out->via = (char *)(uintptr_t)(r->flags & TAIL_TLS   ? "tls"
				       : r->flags & TAIL_TCP ? "tcp"
							     : "udp");
	out->sample = r->one_in;
	t->list[i] = out;
}

static void
fill(
    struct tailing *t, const struct tailbook_out *got, bool whole, uint64_t now_ns, int64_t wall_ms)
{
	for (size_t i = 0; i < got->n; i++) {
		fill_row(t, i, got->rows[i], whole, now_ns, wall_ms);
		if (t->rows[i].sample < got->one_in)
			t->rows[i].sample = got->one_in;
	}
	ns__tail_mark__init(&t->mark);
	t->mark.appliance = (char *)(uintptr_t)t->appliance;
	t->mark.after = got->next;
	t->marks[0] = &t->mark;
	t->reply.n_next = 1;
	t->reply.next = t->marks;
	t->reply.n_rows = got->n;
	t->reply.rows = t->list;
	t->reply.dropped = got->dropped;
}

static uint64_t
mark_of(const struct tailing *t, const Ns__TailRequest *r)
{
	for (size_t i = 0; i < r->n_after; i++)
		if (strcmp(r->after[i]->appliance, t->appliance) == 0)
			return r->after[i]->after;
	return 0;
}

Ns__TailRows *
tailing_ask(struct tailing *t, const struct map *map, const struct worker_memory *const *m,
    size_t workers, const Ns__TailAsk *ask, uint64_t now_ns, int64_t wall_ms)
{
	const Ns__TailRequest *r = ask->request;
	struct tailfilter filter;
	struct tailbook_out got;

	ns__tail_rows__init(&t->message);
	ns__tail_reply__init(&t->reply);
	if (r == NULL ||
	    !tailfilter_read(&filter, r->filter, hash_of, (void *)(uintptr_t)map, t->fault)) {
		t->message.fault = r == NULL ? (char *)(uintptr_t) "no request" : t->fault;
		return &t->message;
	}
	t->message.reply = &t->reply;
	tailbook_wish(&t->book, t->wish, r->sample, now_ns);
	(void)tailbook_open(&t->book, m, workers, now_ns / 1000);
	(void)tailbook_collect(&t->book, m, workers, now_ns);
	tailbook_read(
	    &t->book, &filter, mark_of(t, r), r->sample > 0 ? r->sample : 1, r->limit, &got);
	fill(t, &got, ask->whole_clients, now_ns, wall_ms);
	return &t->message;
}
