/* testask - see testask.h.
 *
 * The question goes to the answer process as a DNS message, and what comes back is the reply as a resolver
 * would get it, over TCP; ldns makes text of it. */
#include "appliance/sync/testask.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/dns/rrtype.h"
#include "appliance/sync/bus.h"
#include "appliance/sync/conn.h"
#include "appliance/sync/control.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/testdraft.h"
#include "ipc/base/wbuf.h"
#include "ipc/base/xalloc.h"

#define MARGIN_NS 200000000ull
#define AWAY_NS   2500000000ull /* that others are waited for */
#define ASKED_MAX 256u
#define QUERY_MAX 512u
#define CODE_ECS  8u
#define EDNS_DO   0x8000u

struct testask {
	struct request_list asked;
	unsigned n; /* of them */
	uint64_t last_id;
};

struct testask *
testask_new(void)
{
	struct testask *t = xcalloc(1, sizeof *t);

	TAILQ_INIT(&t->asked);
	return t;
}

void
testask_destroy(struct testask **tp)
{
	struct request *r;

	if (*tp == NULL)
		return;
	while ((r = TAILQ_FIRST(&(*tp)->asked)) != NULL) {
		TAILQ_REMOVE(&(*tp)->asked, r, waiting);
		conn_detach(r);
		request_destroy(&r);
	}
	free(*tp);
	*tp = NULL;
}

/* 4 or 16 octets; 0: none. */
static size_t
read_address(const char *text, uint8_t out[16])
{
	if (inet_pton(AF_INET, text, out) == 1)
		return 4;
	return inet_pton(AF_INET6, text, out) == 1 ? 16 : 0;
}

/* "192.0.2.0/24" as an option; octets behind the prefix are cut off. */
static bool
put_ecs(struct wbuf *w, const char *text)
{
	char copy[64];
	char *slash;
	uint8_t address[16];
	size_t len, octets;
	unsigned long bits;

	if (strlen(text) >= sizeof copy)
		return false;
	memcpy(copy, text, strlen(text) + 1);
	slash = strchr(copy, '/');
	if (slash != NULL)
		*slash++ = '\0';
	len = read_address(copy, address);
	bits = len * 8;
	if (slash != NULL) {
		char *end;

		bits = isdigit((unsigned char)*slash) ? strtoul(slash, &end, 10) : 999;
		if (bits == 999 || *end != '\0')
			return false;
	}
	if (len == 0 || bits > len * 8)
		return false;
	octets = (bits + 7) / 8;
	if (bits % 8 != 0)
		address[octets - 1] &= (uint8_t)(0xff00u >> bits % 8);
	wbuf_u16(w, CODE_ECS);
	wbuf_u16(w, (uint16_t)(4 + octets));
	wbuf_u16(w, len == 4 ? 1 : 2);
	wbuf_u8(w, (uint8_t)bits);
	wbuf_u8(w, 0);
	wbuf_put(w, address, octets);
	return true;
}

/* The question as a DNS message; NULL or what is wrong with it. */
static const char *
make_query(const Ns__TestRequest *q, struct wbuf *w, struct ns_why *why)
{
	static const uint8_t root[] = { 0 };
	uint8_t name[NAME_MAX_WIRE];
	size_t len, at;
	uint16_t type = rrtype_from_text(q->type);

	if (q->draft != (q->n_zones > 0))
		return "--draft: there is no draft";
	if (q->via[0] != '\0' && strcmp(q->via, "udp") != 0 && strcmp(q->via, "tcp") != 0)
		return "--via: udp or tcp";
	if (type == 0)
		return "there is no record type of that name";
	if (name_from_text(q->name, root, name, &len, why) != NS_OK)
		return why->text;
	wbuf_put(w, "\0\0\0\0\0\1\0\0\0\0\0\1", 12);
	wbuf_put(w, name, len);
	wbuf_u16(w, type);
	wbuf_u16(w, 1);
	wbuf_u8(w, 0);
	wbuf_u16(w, RR_OPT);
	wbuf_u16(w, 1232);
	wbuf_u32(w, q->dnssec ? EDNS_DO : 0);
	at = w->len;
	wbuf_u16(w, 0);
	if (q->ecs[0] != '\0' && !put_ecs(w, q->ecs))
		return "--ecs takes a network: 192.0.2.0/24, 2001:db8::/56";
	if (wbuf_ok(w))
		put_u16(w->base + at, (uint16_t)(w->len - at - 2));
	return wbuf_ok(w) ? NULL : "the question is too long";
}

uint64_t
testask_id(struct sync *s)
{
	return ++s->testask->last_id;
}

static void
wait_for(struct sync *s, struct request *r)
{
	TAILQ_INSERT_TAIL(&s->testask->asked, r, waiting);
	s->testask->n++;
}

static void
wait_no_more(struct sync *s, struct request *r)
{
	TAILQ_REMOVE(&s->testask->asked, r, waiting);
	s->testask->n--;
}

static bool
is_elsewhere(const struct sync *s, const Ns__TestRequest *q)
{
	return q->at[0] != '\0' && strcmp(q->at, s->name) != 0;
}

/* False: it was refused. */
static bool
ask_here(struct sync *s, struct request *r, const Ns__Explain *ask)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;

	env.id = r->asked_id = testask_id(s);
	env.body_case = NS__ENVELOPE__BODY_EXPLAIN;
	env.explain = (Ns__Explain *)(uintptr_t)ask;
	if (bus_send(s, ROLE_ANSWER, &env) == NS_OK)
		return true;
	request_refuse(s, r, NS_UNAVAILABLE, ES_NO_ANSWER,
	    "the answer process, which explains, is not there; DNS is answered all the "
	    "same");
	return false;
}

/* Asks wherever it shall be asked; with the drafts of a request that has them, which are planned. */
static void
ask_all(struct sync *s, struct request *r)
{
	const Ns__TestRequest *q = r->env->test_request;
	struct testdraft *drafts = testdraft_take(r);
	Ns__Explain ask = NS__EXPLAIN__INIT;
	uint8_t query[QUERY_MAX], client[16];
	struct wbuf w = wbuf_init(query, sizeof query);

	(void)make_query(q, &w, &(struct ns_why){ 0 });
	ask.query = (ProtobufCBinaryData){ w.len, query };
	ask.client = (ProtobufCBinaryData){ read_address(q->client, client), client };
	ask.udp = strcmp(q->via, "udp") == 0;
	ask.drafts = testdraft_zones(drafts, &ask.n_drafts);
	if ((!is_elsewhere(s, q) || testaway_begin(s, r)) &&
	    (!testaway_asks_here(r) || ask_here(s, r, &ask)))
		wait_for(s, r);
	testdraft_free(drafts);
}

void
testask_request(struct sync *s, struct request *r)
{
	const Ns__TestRequest *q = r->env->test_request;
	uint8_t query[QUERY_MAX], client[16];
	struct wbuf w = wbuf_init(query, sizeof query);
	struct ns_why why = { 0 };
	const char *fault = make_query(q, &w, &why);

	if (fault == NULL && q->client[0] != '\0' && read_address(q->client, client) == 0)
		fault = "the client is no IPv4 or IPv6 address";
	if (fault != NULL)
		request_refuse(s, r, NS_USAGE, ES_REQUEST, fault);
	else if (s->testask->n == ASKED_MAX)
		request_refuse(s, r, NS_UNAVAILABLE, ES_BUSY, "busy: too many tests at once");
	else if (q->draft && (!is_elsewhere(s, q) || strcmp(q->at, "all") == 0))
		testdraft_plan(s, r, ask_all);
	else
		ask_all(s, r);
}

static void
fill_answers(Ns__TestReply *m, const ldns_pkt *pkt)
{
	const ldns_rr_list *list = ldns_pkt_answer(pkt);
	size_t n = ldns_rr_list_rr_count(list);

	m->answers = xcalloc(n + 1, sizeof *m->answers);
	for (size_t i = 0; i < n; i++) {
		char *line = ldns_rr2str(ldns_rr_list_rr(list, i));

		if (line == NULL)
			continue;
		line[strcspn(line, "\n")] = '\0';
		for (char *p = line; *p != '\0'; p++)
			if (*p == '\t')
				*p = ' ';
		m->answers[m->n_answers++] = xstrdup(line);
		free(line);
	}
}

/* The scope that the reply's OPT record has for the client's network. */
static uint32_t
scope_of(const ldns_pkt *pkt)
{
	const ldns_rdf *opt = ldns_pkt_edns_data(pkt);
	struct rbuf r;

	if (opt == NULL)
		return 0;
	r = rbuf_init(ldns_rdf_data(opt), ldns_rdf_size(opt));
	while (rbuf_left(&r) >= 4) {
		uint16_t code = rbuf_u16(&r);
		struct rbuf option = rbuf_sub(&r, rbuf_u16(&r));

		if (code == CODE_ECS) {
			(void)rbuf_bytes(&option, 3);
			return rbuf_u8(&option);
		}
	}
	return 0;
}

static Ns__TestReply *
make_reply(const Ns__Explained *in)
{
	Ns__TestReply *m = xmalloc(sizeof *m);
	ldns_pkt *pkt = NULL;
	char *rcode = NULL;

	ns__test_reply__init(m);
	if (in->reply.len > 0 &&
	    ldns_wire2pkt(&pkt, in->reply.data, in->reply.len) == LDNS_STATUS_OK) {
		rcode = ldns_pkt_rcode2str(ldns_pkt_get_rcode(pkt));
		fill_answers(m, pkt);
		m->scope = scope_of(pkt);
		m->truncated = ldns_pkt_tc(pkt);
	}
	m->rcode = xstrdup(rcode != NULL ? rcode : "NONE");
	free(rcode);
	ldns_pkt_free(pkt);
	m->steps = xcalloc(in->n_steps + 1, sizeof *m->steps);
	for (size_t i = 0; i < in->n_steps; i++) {
		Ns__TestReply__Step *step = xmalloc(sizeof *step);

		ns__test_reply__step__init(step);
		step->step = xstrdup(in->steps[i]->step);
		step->text = xstrdup(in->steps[i]->text);
		m->steps[m->n_steps++] = step;
	}
	return m;
}

void
testask_explained(struct sync *s, const Ns__Envelope *env)
{
	struct request *r;
	Ns__TestReply *m;

	TAILQ_FOREACH(r, &s->testask->asked, waiting)
	if (r->asked_id == env->id)
		break;
	if (r == NULL)
		return; /* nobody waits for it any more */
	if (env->explained->n_steps == 0) {
		wait_no_more(s, r);
		request_refuse(s, r, NS_UNAVAILABLE, ES_NO_ANSWER, env->explained->fault);
		return;
	}
	m = make_reply(env->explained);
	m->appliance = xstrdup(s->name);
	if (r->state != NULL && !testaway_here(r, m))
		return;
	if (r->state == NULL)
		request_reply(r, NS__ENVELOPE__BODY_TEST_REPLY, m);
	wait_no_more(s, r);
	request_finish(s, r);
}

void
testask_tested(struct sync *s, const char *from, const Ns__FleetTested *in)
{
	struct request *r;
	bool done = false;

	TAILQ_FOREACH(r, &s->testask->asked, waiting)
	if (testaway_take(r, from, in, &done))
		break;
	if (r == NULL || !done)
		return;
	wait_no_more(s, r);
	request_finish(s, r);
}

static bool
is_late(const struct request *r, uint64_t now_ns)
{
	return now_ns + MARGIN_NS >= r->deadline_ns ||
	       (r->state != NULL && now_ns > r->arrived_ns + AWAY_NS);
}

void
testask_tick(struct sync *s, uint64_t now_ns)
{
	struct request *r, *next;

	for (r = TAILQ_FIRST(&s->testask->asked); r != NULL; r = next) {
		next = TAILQ_NEXT(r, waiting);
		if (!is_late(r, now_ns))
			continue;
		wait_no_more(s, r);
		if (testaway_late(r))
			request_finish(s, r);
		else
			request_refuse(s, r, NS_UNAVAILABLE, ES_NO_ANSWER,
			    r->state != NULL ? "that appliance did not answer in time"
					     : "the answer process did not reply in time");
	}
}
