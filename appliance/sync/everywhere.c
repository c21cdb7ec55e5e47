/* everywhere - see everywhere.h. */
#include "appliance/sync/everywhere.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/sync/conn.h"
#include "appliance/sync/control.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/fleet.h"
#include "appliance/sync/relay.h"
#include "ipc/base/clock.h"
#include "ipc/base/text.h"
#include "ipc/base/xalloc.h"

#define MARGIN_NS 200000000ull
#define HERE      UINT64_MAX /* as a part's id: this appliance's own is still to come */

struct everywhere {
	struct request_list asked;
	unsigned n;
	uint64_t last; /* number of the last one, in asked_id */
};
struct ask {
	everywhere_fn *merge;
	size_t n, open;
	struct everywhere_part parts[FLEET_MEMBERS + 1]; /* this appliance is the first */
};

struct everywhere *
everywhere_new(void)
{
	struct everywhere *e = xcalloc(1, sizeof *e);

	TAILQ_INIT(&e->asked);
	return e;
}

void
everywhere_destroy(struct everywhere **ep)
{
	struct request *r;

	while ((r = TAILQ_FIRST(&(*ep)->asked)) != NULL) {
		TAILQ_REMOVE(&(*ep)->asked, r, waiting);
		conn_detach(r);
		request_destroy(&r);
	}
	free(*ep);
	*ep = NULL;
}

static void
ask_free(void *state)
{
	struct ask *a = state;

	for (size_t i = 0; i < a->n; i++)
		if (a->parts[i].reply != NULL)
			ns__envelope__free_unpacked(a->parts[i].reply, NULL);
	free(a);
}

static void
end(struct sync *s, struct request *r)
{
	struct ask *a = r->state;

	TAILQ_REMOVE(&s->everywhere->asked, r, waiting);
	s->everywhere->n--;
	/* Nothing from anybody: as the appliance itself has refused it. */
	if (r->err == NS_OK)
		a->merge(r, a->parts, a->n);
	request_finish(s, r);
}

/* ---- this appliance ---- */
static void
finish_here(struct sync *s, struct request *sub)
{
	uint64_t number = sub->forward_id;
	struct request *r;

	TAILQ_FOREACH(r, &s->everywhere->asked, waiting)
	if (r->asked_id == number)
		break;
	if (r != NULL) {
		struct ask *a = r->state;

		a->parts[0].id = 0;
		a->parts[0].reply = sub->reply;
		sub->reply = NULL;
		r->err = sub->err;
		r->why = sub->why;
		if (--a->open == 0 || r->err != NS_OK)
			end(s, r);
	}
	request_destroy(&sub);
}

static void
ask_here(struct sync *s, struct request *r, const Ns__Envelope *each)
{
	struct ns_peer peer = { 0 };
	struct request *sub = request_new(&peer, each);

	sub->kind = r->kind;
	sub->caller = r->caller;
	sub->deadline_ns = r->deadline_ns;
	sub->finish = finish_here;
	sub->forward_id = r->asked_id;
	control_start(s, sub, s->name);
}

/* ---- the others ---- */
static void
ask_others(struct sync *s, struct request *r, const Ns__Envelope *each)
{
	const struct roster *roster = s->fleet->roster;
	struct ask *a = r->state;

	for (size_t i = 0; s->fleet->on && i < roster->count && a->n <= FLEET_MEMBERS; i++) {
		const struct member *m = &roster->members[i];
		struct everywhere_part *p = &a->parts[a->n];

		if (!m->enrolled || m->removed || strcmp(m->name, s->name) == 0)
			continue;
		text_copy(p->name, sizeof p->name, m->name);
		p->id = relay_send(s, m->name, &r->caller, EVERYWHERE_NS / 1000000, each);
		a->n++;
		a->open += p->id != 0;
	}
}

void
everywhere_begin(struct sync *s, struct request *r, const Ns__Envelope *each, everywhere_fn *merge)
{
	struct ask *a;

	if (s->everywhere->n == EVERYWHERE_MAX) {
		request_refuse(
		    s, r, NS_UNAVAILABLE, ES_BUSY, "busy: too many questions to all appliances");
		return;
	}
	a = xcalloc(1, sizeof *a);
	a->merge = merge;
	a->n = a->open = 1;
	a->parts[0].id = HERE;
	text_copy(a->parts[0].name, sizeof a->parts[0].name, s->name);
	r->state = a;
	r->free_state = ask_free;
	r->asked_id = ++s->everywhere->last;
	TAILQ_INSERT_TAIL(&s->everywhere->asked, r, waiting);
	s->everywhere->n++;
	ask_others(s, r, each);
	ask_here(s, r, each); /* may end it */
}

void
everywhere_take(struct sync *s, uint64_t id, const char *from, Ns__Envelope *env)
{
	struct request *r;

	TAILQ_FOREACH(r, &s->everywhere->asked, waiting)
	{
		struct ask *a = r->state;

		for (size_t i = 1; i < a->n; i++) {
			struct everywhere_part *p = &a->parts[i];

			if (p->id != id || strcmp(p->name, from) != 0)
				continue;
			p->id = 0;
			p->reply = env;
			if (--a->open == 0)
				end(s, r);
			return;
		}
	}
	ns__envelope__free_unpacked(env, NULL); /* too late */
}

void
everywhere_tick(struct sync *s, uint64_t now_ns)
{
	struct request *r, *next;

	for (r = TAILQ_FIRST(&s->everywhere->asked); r != NULL; r = next) {
		struct ask *a = r->state;

		next = TAILQ_NEXT(r, waiting);
		if (now_ns < r->arrived_ns + EVERYWHERE_NS && now_ns + MARGIN_NS < r->deadline_ns)
			continue;
		if (a->parts[0].id == 0)
			end(s, r);
	}
}
