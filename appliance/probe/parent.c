/* parent.c - see parent.h. */
#include "appliance/probe/parent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <event2/event.h>

#include "appliance/dns/name.h"
#include "appliance/dns/rrtype.h"
#include "appliance/probe/lookup.h"
#include "ipc/base/xalloc.h"

#define PORT_DNS   53
#define TIMEOUT_MS 8000u
#define JOBS_MAX   (2 * PARENT_SERVERS)

struct check;
/* A look-up under way, and what its answer is about. */
struct ask {
	struct check *check;
	struct lookup *lookup; /* NULL: answered */
	size_t server;
	uint16_t type;
};

struct check {
	LIST_ENTRY(check) entry;
	struct parents *all;
	uint64_t id;
	struct event *timer;
	uint8_t zone[NAME_MAX_WIRE], parent[NAME_MAX_WIRE];
	struct ask asks[JOBS_MAX];
	size_t nasks, open;
	Ns__ParentReply reply;
	struct target targets[PARENT_SERVERS]; /* of reply.servers */
};

struct parents {
	struct parent_conf conf;
	parent_fn *fn;
	void *arg;
	LIST_HEAD(, check) checks;
	unsigned n;
};

static lookup_fn on_soa, on_parent_ns, on_address, on_facts;
static void ask_soa(struct check *);

/* ---- ends ---- */

static void
check_free(struct check *c)
{
	LIST_REMOVE(c, entry);
	c->all->n--;
	for (size_t i = 0; i < c->nasks; i++)
		lookup_cancel(&c->asks[i].lookup);
	event_free(c->timer);
	for (size_t i = 0; i < c->reply.n_servers; i++)
		protobuf_c_message_free_unpacked(&c->reply.servers[i]->base, NULL);
	free(c->reply.servers);
	if (c->reply.fault != (const char *)protobuf_c_empty_string)
		free(c->reply.fault);
	free(c);
}

static void
finish(struct check *c)
{
	struct parents *all = c->all;

	c->reply.parent = (ProtobufCBinaryData){ .len = name_len(c->parent), .data = c->parent };
	all->fn(all->arg, c->id, &c->reply);
	check_free(c);
}

static void
fail(struct check *c, char *text)
{
	c->reply.fault = text;
	finish(c);
}

static void
set_text(char **at, char *text)
{
	if (*at != (const char *)protobuf_c_empty_string)
		free(*at);
	*at = text;
}

/* The time is over: what is known is told. */
static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct check *c = arg;

	(void)fd;
	(void)what;
	if (c->reply.n_servers == 0) {
		fail(c, xstrdup("the resolver did not answer in time"));
		return;
	}
	for (size_t i = 0; i < c->nasks; i++)
		if (c->asks[i].lookup != NULL && c->asks[i].server < c->reply.n_servers)
			set_text(&c->reply.servers[c->asks[i].server]->fault,
			    xstrdup("it did not answer in time"));
	finish(c);
}

/* ---- asking ---- */

static bool
ask(struct check *c, const struct lookup_ask *what, lookup_fn *fn, size_t server)
{
	struct ask *a = &c->asks[c->nasks];

	*a = (struct ask){ .check = c, .server = server, .type = what->question.type };
	a->lookup = lookup_start(c->all->conf.base, what, fn, a);
	if (a->lookup == NULL)
		return false;
	c->nasks++;
	c->open++;
	return true;
}

static bool
ask_resolver(struct check *c, const uint8_t *name, uint16_t type, lookup_fn *fn, size_t server)
{
	const struct parent_conf *conf = &c->all->conf;
	struct lookup_ask what = { .question = { .type = type, .recurse = true } };

	name_lower(what.question.name, name, name_len(name));
	for (size_t i = 0; i < conf->nresolvers && i < LOOKUP_SERVERS; i++)
		what.servers[what.nservers++] = conf->resolvers[i];
	return ask(c, &what, fn, server);
}

/* An answer came: its look-up is gone.  The check; true: it was the last of this stage. */
static bool
answered(struct ask *a)
{
	a->lookup = NULL;
	return --a->check->open == 0;
}

static void
stage(struct check *c)
{
	c->nasks = c->open = 0;
}

/* ---- 1: who is the parent ---- */

static void
on_soa(void *arg, const struct packet *p, const char *fault)
{
	struct ask *a = arg;
	struct check *c = a->check;

	(void)answered(a);
	stage(c);
	if (p == NULL) {
		fail(c, xasprintf("the resolver: %s", fault));
		return;
	}
	for (size_t i = 0; i < p->n; i++) {
		const struct packet_record *r = &p->records[i];

		if (r->type == RR_SOA && r->section != SECTION_ADDITIONAL &&
		    name_in(c->parent, r->owner)) {
			memcpy(c->parent, r->owner, name_len(r->owner));
			if (!ask_resolver(c, c->parent, RR_NS, on_parent_ns, 0))
				fail(c, xstrdup("too many look-ups at once"));
			return;
		}
	}
	/* An alias, or nothing at all: the next name up must know. */
	if (c->parent[0] == 0) {
		fail(c, xstrdup("the resolver knows no zone above it"));
		return;
	}
	memmove(c->parent, name_parent(c->parent), name_len(name_parent(c->parent)));
	ask_soa(c);
}

static void
ask_soa(struct check *c)
{
	if (!ask_resolver(c, c->parent, RR_SOA, on_soa, 0))
		fail(c, xstrdup("too many look-ups at once"));
}

/* ---- 2: its servers ---- */

static Ns__ParentReply__Server *
add_server(struct check *c, const uint8_t *name, size_t len)
{
	Ns__ParentReply__Server *s = xmalloc(sizeof *s);

	ns__parent_reply__server__init(s);
	s->name = (ProtobufCBinaryData){ .len = len, .data = xmemdup(name, len) };
	name_lower(s->name.data, name, len);
	c->reply.servers = xreallocarray(
	    c->reply.servers, c->reply.n_servers + 1, sizeof(Ns__ParentReply__Server *));
	c->reply.servers[c->reply.n_servers++] = s;
	return s;
}

static void
on_parent_ns(void *arg, const struct packet *p, const char *fault)
{
	struct ask *a = arg;
	struct check *c = a->check;
	bool ok = true;

	(void)answered(a);
	stage(c);
	for (size_t i = 0; p != NULL && i < p->n && c->reply.n_servers < PARENT_SERVERS; i++) {
		const struct packet_record *r = &p->records[i];

		if (r->type == RR_NS && r->section == SECTION_ANSWER &&
		    name_equal(r->owner, c->parent))
			(void)add_server(c, r->rdata, r->len);
	}
	for (size_t i = 0; i < c->reply.n_servers; i++) {
		ok = ok && ask_resolver(c, c->reply.servers[i]->name.data, RR_A, on_address, i);
		ok = ok && ask_resolver(c, c->reply.servers[i]->name.data, RR_AAAA, on_address, i);
	}
	if (c->reply.n_servers == 0)
		fail(c, xasprintf("the resolver gives no name servers of the parent%s%s",
			    fault != NULL ? ": " : "", fault != NULL ? fault : ""));
	else if (!ok)
		fail(c, xstrdup("too many look-ups at once"));
}

/* ---- 3: their addresses ---- */

/* Directly, RD=0: NS and DS of the zone. */
static void
ask_servers(struct check *c)
{
	stage(c);
	for (size_t i = 0; i < c->reply.n_servers; i++) {
		static const uint16_t types[] = { RR_NS, RR_DS };
		Ns__ParentReply__Server *s = c->reply.servers[i];
		char text[TARGET_TEXT];
		const char *kind;

		if (c->targets[i].len == 0) {
			set_text(&s->fault, xstrdup("the resolver has no address for it"));
			continue;
		}
		set_text(&s->address, xstrdup(target_to_text(&c->targets[i], text)));
		kind = target_refused(&c->all->conf.rules, &c->targets[i]);
		if (kind != NULL) {
			set_text(&s->fault,
			    xasprintf("%s address is not asked, see [probe] allow", kind));
			continue;
		}
		for (size_t j = 0; j < 2; j++) {
			struct lookup_ask what = { .nservers = 1,
				.question = { .type = types[j] } };

			memcpy(what.question.name, c->zone, name_len(c->zone));
			what.servers[0] = c->targets[i];
			if (!ask(c, &what, on_facts, i))
				set_text(&s->fault, xstrdup("too many look-ups at once"));
		}
	}
	if (c->open == 0)
		finish(c);
}

static void
on_address(void *arg, const struct packet *p, const char *fault)
{
	struct ask *a = arg;
	struct check *c = a->check;
	struct target *t = &c->targets[a->server];

	(void)fault;
	for (size_t i = 0; p != NULL && i < p->n; i++) {
		const struct packet_record *r = &p->records[i];

		/* IPv4 wins: nobody without IPv6 shall see faults that are his own. */
		if (r->section == SECTION_ANSWER && r->type == a->type &&
		    (t->len == 0 || a->type == RR_A)) {
			(void)target_from_octets(t, r->rdata, r->len, PORT_DNS);
			break;
		}
	}
	if (answered(a))
		ask_servers(c);
}

/* ---- 4: what they say ---- */

static void
on_facts(void *arg, const struct packet *p, const char *fault)
{
	struct ask *a = arg;
	struct check *c = a->check;
	Ns__ParentReply__Server *s = c->reply.servers[a->server];

	if (p == NULL)
		set_text(&s->fault, xstrdup(fault));
	else if (a->type == RR_NS)
		parent_take_ns(s, c->zone, c->parent, p);
	else
		parent_take_ds(s, c->zone, p);
	if (answered(a))
		finish(c);
}

/* ---- begin ---- */

struct parents *
parents_new(const struct parent_conf *conf, parent_fn *fn, void *arg)
{
	struct parents *all = xcalloc(1, sizeof *all);

	all->conf = *conf;
	all->fn = fn;
	all->arg = arg;
	LIST_INIT(&all->checks);
	return all;
}

void
parents_destroy(struct parents **allp)
{
	struct check *c;

	if (*allp == NULL)
		return;
	while ((c = LIST_FIRST(&(*allp)->checks)) != NULL)
		check_free(c);
	free(*allp);
	*allp = NULL;
}

const char *
parents_begin(struct parents *all, uint64_t id, const uint8_t *zone, unsigned timeout_ms)
{
	struct timeval tv;
	struct check *c;

	if (all->conf.nresolvers == 0)
		return "no resolver is configured: set [resolver] address and start nameserved "
		       "anew";
	if (zone[0] == 0)
		return "the root zone has no parent";
	if (all->n == PARENT_CHECKS)
		return "busy: too many checks at once";
	if (timeout_ms == 0)
		timeout_ms = TIMEOUT_MS;
	c = xcalloc(1, sizeof *c);
	c->all = all;
	c->id = id;
	ns__parent_reply__init(&c->reply);
	name_lower(c->zone, zone, name_len(zone));
	memcpy(c->parent, name_parent(c->zone), name_len(name_parent(c->zone)));
	c->timer = evtimer_new(all->conf.base, on_deadline, c);
	if (c->timer == NULL)
		abort(); /* out of memory: we stop */
	LIST_INSERT_HEAD(&all->checks, c, entry);
	all->n++;
	if (!ask_resolver(c, c->parent, RR_SOA, on_soa, 0)) {
		check_free(c);
		return "busy: too many look-ups at once";
	}
	tv = (struct timeval){ timeout_ms / 1000, (suseconds_t)(timeout_ms % 1000) * 1000 };
	(void)event_add(c->timer, &tv);
	return NULL;
}
