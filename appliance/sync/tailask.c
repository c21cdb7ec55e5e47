/* tailask - see tailask.h. */
#include "appliance/sync/tailask.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/sync/bus.h"
#include "appliance/sync/conn.h"
#include "appliance/sync/control.h"
#include "appliance/sync/errors.h"
#include "ipc/base/xalloc.h"
#include "ipc/envelope.h"

#define MARGIN_NS    200000000ull
#define ASKED_MAX    256u
#define ROWS_MAX     200u
#define ROWS_DEFAULT 50u

struct tailask {
	struct request_list asked; /* each waits for the rows of its own id */
	unsigned n;
	uint64_t last_id;
};

struct tailask *
tailask_new(void)
{
	struct tailask *t = xcalloc(1, sizeof *t);

	TAILQ_INIT(&t->asked);
	return t;
}

void
tailask_destroy(struct tailask **tp)
{
	struct request *r;

	while ((r = TAILQ_FIRST(&(*tp)->asked)) != NULL) {
		TAILQ_REMOVE(&(*tp)->asked, r, waiting);
		conn_detach(r);
		request_destroy(&r);
	}
	free(*tp);
	*tp = NULL;
}

static void
wait_no_more(struct sync *s, struct request *r)
{
	TAILQ_REMOVE(&s->tailask->asked, r, waiting);
	s->tailask->n--;
}

static void
ask_all(struct sync *s, struct request *r)
{
	Ns__TailRequest body = *r->env->tail_request;
	Ns__Envelope each = NS__ENVELOPE__INIT;

	body.scope = (char *)(uintptr_t) "";
	each.body_case = NS__ENVELOPE__BODY_TAIL_REQUEST;
	each.tail_request = &body;
	everywhere_begin(s, r, &each, tailask_merge);
}

static bool
is_here(const struct sync *s, const char *scope)
{
	return scope[0] == '\0' ||
	       (strncmp(scope, "appliance:", 10) == 0 && strcmp(scope + 10, s->name) == 0);
}

void
tailask_request(struct sync *s, struct request *r)
{
	Ns__TailRequest *q = r->env->tail_request;
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__TailAsk ask = NS__TAIL_ASK__INIT;

	if (strcmp(q->scope, "fleet") == 0) {
		ask_all(s, r);
		return;
	}
	if (!is_here(s, q->scope)) {
		request_refuse(s, r, NS_USAGE, ES_REQUEST,
		    "a scope is fleet, or this appliance; --appliance NAME asks another one");
		return;
	}
	if (s->tailask->n == ASKED_MAX) {
		request_refuse(s, r, NS_UNAVAILABLE, ES_BUSY, "busy: too many watch at once");
		return;
	}
	ask.request = q;
	ask.whole_clients = r->caller.role >= USER_ADMIN;
	env.id = r->asked_id = ++s->tailask->last_id;
	env.body_case = NS__ENVELOPE__BODY_TAIL_ASK;
	env.tail_ask = &ask;
	if (bus_send(s, ROLE_ANSWER, &env) != NS_OK) {
		request_refuse(s, r, NS_UNAVAILABLE, ES_NO_ANSWER,
		    "the answer process, which watches, is not there; DNS is answered all the "
		    "same");
		return;
	}
	TAILQ_INSERT_TAIL(&s->tailask->asked, r, waiting);
	s->tailask->n++;
}

void
tailask_rows(struct sync *s, const Ns__Envelope *env)
{
	const Ns__TailRows *m = env->tail_rows;
	struct request *r;

	TAILQ_FOREACH(r, &s->tailask->asked, waiting)
	if (r->asked_id == env->id)
		break;
	if (r == NULL)
		return; /* nobody waits for it any more */
	wait_no_more(s, r);
	if (m->reply == NULL) {
		request_refuse(s, r, NS_USAGE, ES_FILTER, m->fault);
		return;
	}
	request_reply(r, NS__ENVELOPE__BODY_TAIL_REPLY, ns_message_copy(&m->reply->base));
	request_finish(s, r);
}

void
tailask_tick(struct sync *s, uint64_t now_ns)
{
	struct request *r, *next;

	for (r = TAILQ_FIRST(&s->tailask->asked); r != NULL; r = next) {
		next = TAILQ_NEXT(r, waiting);
		if (now_ns + MARGIN_NS < r->deadline_ns)
			continue;
		wait_no_more(s, r);
		request_refuse(
		    s, r, NS_UNAVAILABLE, ES_NO_ANSWER, "the answer process did not reply in time");
	}
}

/* ---- of all appliances ---- */
static int
by_time(const void *a, const void *b)
{
	return strcmp((*(Ns__TailRow *const *)a)->at, (*(Ns__TailRow *const *)b)->at);
}

/* Moves what is in one reply to the end of another. */
static void
append(Ns__TailReply *to, Ns__TailReply *from)
{
	to->rows = xreallocarray(to->rows, to->n_rows + from->n_rows + 1, sizeof *to->rows);
	for (size_t i = 0; i < from->n_rows; i++)
		to->rows[to->n_rows++] = from->rows[i];
	from->n_rows = 0;
	to->next = xreallocarray(to->next, to->n_next + from->n_next + 1, sizeof *to->next);
	for (size_t i = 0; i < from->n_next; i++)
		to->next[to->n_next++] = from->next[i];
	from->n_next = 0;
	to->dropped += from->dropped;
}

/* The oldest go first: what is newer is what is watched. */
static void
cut(Ns__TailReply *m, size_t max)
{
	size_t too_many = m->n_rows > max ? m->n_rows - max : 0;

	for (size_t i = 0; i < too_many; i++)
		ns__tail_row__free_unpacked(m->rows[i], NULL);
	if (too_many > 0)
		memmove(m->rows, m->rows + too_many, max * sizeof *m->rows);
	m->n_rows -= too_many;
	m->dropped += too_many;
}

/* Who is silent is asked from the same mark on when it is back. */
static void
keep_mark(Ns__TailReply *m, const Ns__TailRequest *q, const char *name)
{
	Ns__TailMark *mark;

	for (size_t i = 0; i < q->n_after; i++) {
		if (strcmp(q->after[i]->appliance, name) != 0)
			continue;
		mark = xmalloc(sizeof *mark);
		ns__tail_mark__init(mark);
		mark->appliance = xstrdup(name);
		mark->after = q->after[i]->after;
		m->next = xreallocarray(m->next, m->n_next + 1, sizeof *m->next);
		m->next[m->n_next++] = mark;
	}
}

void
tailask_merge(struct request *r, const struct everywhere_part *parts, size_t n)
{
	const Ns__TailRequest *q = r->env->tail_request;
	size_t max = q->limit == 0 ? ROWS_DEFAULT : q->limit < ROWS_MAX ? q->limit : ROWS_MAX;
	Ns__TailReply *m = xmalloc(sizeof *m);

	ns__tail_reply__init(m);
	m->silent = xcalloc(n, sizeof *m->silent);
	for (size_t i = 0; i < n; i++) {
		const Ns__Envelope *env = parts[i].reply;

		if (env != NULL && env->body_case == NS__ENVELOPE__BODY_TAIL_REPLY) {
			append(m, env->tail_reply);
		} else {
			keep_mark(m, q, parts[i].name);
			m->silent[m->n_silent++] = xstrdup(parts[i].name);
		}
	}
	if (m->n_rows > 0)
		qsort(m->rows, m->n_rows, sizeof *m->rows, by_time);
	cut(m, max);
	request_reply(r, NS__ENVELOPE__BODY_TAIL_REPLY, m);
}
