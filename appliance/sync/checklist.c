/* checklist - check list and check show: which there are from the store (a reader thread), how they are
 * from the probe (the bus).  Without the probe the states are unknown, and that is said. */
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/sync/bus.h"
#include "appliance/sync/checks.h"
#include "appliance/sync/conn.h"
#include "appliance/sync/control.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/reader.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"
#include "ipc/envelope.h"

#define PAGE         1000u
#define FLIPS        100u /* of a history, when nobody says how many */
#define PAGE_TELL    16u /* of a query: each with the votes of 256 appliances they fit a message */
#define REPLY_OCTETS (900u << 10) /* of checks in one message: more is the next page */
#define WAIT_NS      1000000000ull
#define USERS_NAMED  16u

struct listing {
	uint64_t asked; /* id of the query */
	uint64_t until_ns;
	size_t at; /* checks of the reply that have been asked about; */
	size_t told, octets; /* that have been told, and how long they are */
	bool history; /* flips and no checks */
	unsigned limit;
};
static struct request_list asked = TAILQ_HEAD_INITIALIZER(asked);
static uint64_t last_id;

static void
listing_free(void *state)
{
	free(state);
}

/* ---- reader ---- */
static void
describe(const Ns__Check *c, Ns__CheckInfo *info)
{
	info->type = xstrdup(c->type);
	info->target = xstrdup(c->target);
}

static bool
take(void *arg, const struct store_object *o, const void *body, size_t len)
{
	struct request *r = arg;
	const Ns__CheckListRequest *in = r->env->check_list_request;
	const struct listing *l = r->state;
	Ns__CheckListReply *m = r->reply->check_list_reply;
	Ns__CheckInfo *info;
	Ns__Check *c;

	if (strstr(o->name, in->filter) == NULL)
		return true;
	m->total++;
	if (strcmp(o->name, in->cursor) <= 0 && in->cursor[0] != '\0')
		return true;
	if (m->n_checks == l->limit) {
		if (m->next[0] == '\0') {
			free(m->next);
			m->next = xstrdup(m->checks[m->n_checks - 1]->name);
		}
		return true;
	}
	if ((c = ns__check__unpack(NULL, len, body)) == NULL)
		return true;
	info = xmalloc(sizeof *info);
	ns__check_info__init(info);
	info->name = xstrdup(o->name);
	info->id = o->id;
	info->state = xstrdup("unknown");
	describe(c, info);
	ns__check__free_unpacked(c, NULL);
	m->checks = xreallocarray(m->checks, m->n_checks + 1, sizeof *m->checks);
	m->checks[m->n_checks++] = info;
	return true;
}

static bool
user(void *arg, const struct store_mentioned *m)
{
	Ns__CheckInfo *info = arg;
	char text[NAME_MAX_TEXT];

	if (info->used_count++ < USERS_NAMED)
		info->used_by[info->n_used_by++] = xstrdup(name_to_text(m->owner, text));
	return true;
}

static enum ns_err
read_users(struct store *s, Ns__CheckInfo *info)
{
	info->used_by = xcalloc(USERS_NAMED, sizeof *info->used_by);
	return store_mention_each(s, STORE_CHECKS, info->name, strlen(info->name), user, info);
}

static enum ns_err
read_one(struct request *r, struct store *s)
{
	const char *name = r->env->check_list_request->name;
	struct wbuf body = wbuf_grow(STORE_OBJECT_MAX);
	struct store_object o;
	enum ns_err err = store_object_get(s, CHECK_KIND, name, &o, &body);

	if (err == NS_OK) {
		(void)take(r, &o, body.base, body.len);
		if (r->reply->check_list_reply->n_checks == 1)
			r->reply->check_list_reply->checks[0]->definition =
			    ns__check__unpack(NULL, body.len, body.base);
		if (r->reply->check_list_reply->n_checks == 1)
			err = read_users(s, r->reply->check_list_reply->checks[0]);
	}
	wbuf_free(&body);
	if (err == NS_NOTFOUND)
		return ns_fail(
		    &r->why, err, ES_NO_OBJECT, "there is no check %.64s: check list", name);
	return err == NS_OK ? err : read_failed(&r->why, err);
}

static void
reply_begin(struct request *r)
{
	Ns__CheckListReply *m = xmalloc(sizeof *m);

	ns__check_list_reply__init(m);
	m->next = xstrdup("");
	request_reply(r, NS__ENVELOPE__BODY_CHECK_LIST_REPLY, m);
}

static void
read_work(struct job *job, void *store)
{
	struct request *r = (struct request *)job;

	if (request_expired(r))
		return;
	reply_begin(r);
	if (r->env->check_list_request->name[0] != '\0') {
		r->err = read_one(r, store);
		return;
	}
	r->err = store_object_each(store, CHECK_KIND, take, r);
	if (r->err != NS_OK)
		r->err = read_failed(&r->why, r->err);
}

/* ---- loop ---- */
static void
refuse_history(struct sync *s, struct request *r)
{
	request_refuse(s, r, NS_UNAVAILABLE, ES_NO_PROBE,
	    "the probe process, which knows what flipped, is not there; try again");
}

static bool
send_query(struct sync *s, struct listing *l, Ns__CheckQuery *q)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;

	env.id = l->asked = ++last_id;
	env.body_case = NS__ENVELOPE__BODY_CHECK_QUERY;
	env.check_query = q;
	l->until_ns = clock_mono_ns() + WAIT_NS;
	return bus_send(s, ROLE_PROBE, &env) == NS_OK;
}

/* False: there is nobody to ask, or nothing more to ask about. */
static bool
ask(struct sync *s, struct request *r)
{
	struct listing *l = r->state;
	const Ns__CheckListReply *m = r->reply->check_list_reply;
	Ns__CheckQuery q = NS__CHECK_QUERY__INIT;
	uint64_t ids[PAGE_TELL];

	while (q.n_ids < PAGE_TELL && l->at < m->n_checks)
		ids[q.n_ids++] = m->checks[l->at++]->id;
	if (q.n_ids == 0)
		return false;
	q.ids = ids;
	q.flips = r->env->check_list_request->name[0] != '\0';
	return send_query(s, l, &q);
}

/* What flipped is the probe's to know: of checks that are no more, too. */
static void
ask_history(struct sync *s, struct request *r)
{
	const Ns__CheckListRequest *in = r->env->check_list_request;
	struct listing *l = r->state;
	Ns__CheckQuery q = NS__CHECK_QUERY__INIT;

	l->history = true;
	q.history = in->limit == 0 ? FLIPS : l->limit;
	q.history_of = in->name;
	if (send_query(s, l, &q))
		TAILQ_INSERT_TAIL(&asked, r, waiting);
	else
		refuse_history(s, r);
}

static void
read_done(struct job *job, struct sync *s)
{
	struct request *r = (struct request *)job;

	if (r->err == NS_OK && request_awaited(r) && ask(s, r))
		TAILQ_INSERT_TAIL(&asked, r, waiting);
	else
		request_finish(s, r);
}

void
check_list_request(struct sync *s, struct request *r)
{
	struct listing *l = xcalloc(1, sizeof *l);
	unsigned limit = r->env->check_list_request->limit;

	l->limit = limit == 0 || limit > PAGE ? PAGE : limit;
	r->state = l;
	r->free_state = listing_free;
	if (r->env->check_list_request->history) {
		reply_begin(r);
		ask_history(s, r);
		return;
	}
	r->job.work = read_work;
	r->job.done = read_done;
	request_push(s, s->reads, r->kind->lane, r);
}

static char *
moved(char **from)
{
	char *text = *from;

	*from = (char *)(uintptr_t)protobuf_c_empty_string;
	return text;
}

/* What the probe says goes over into what the store says. */
static void
merge(Ns__CheckInfo *info, Ns__CheckInfo *told)
{
	free(info->state);
	info->state = moved(&told->state);
	info->since = moved(&told->since);
	info->reason = moved(&told->reason);
	info->initial = told->initial;
	info->stale = told->stale;
	info->frozen = told->frozen;
	info->votes = told->votes;
	info->n_votes = told->n_votes;
	info->flips = told->flips;
	info->n_flips = told->n_flips;
	info->override = told->override;
	info->needed = told->needed;
	info->looks = told->looks;
	info->n_looks = told->n_looks;
	told->votes = NULL;
	told->flips = NULL;
	told->looks = NULL;
	told->n_looks = 0;
	told->n_votes = told->n_flips = 0;
	told->override = NULL;
}

/* Votes of many appliances may be more than a message holds.  True: it is full. */
static bool
cut(Ns__CheckListReply *m, struct listing *l)
{
	for (; l->told < l->at; l->told++) {
		l->octets += ns__check_info__get_packed_size(m->checks[l->told]);
		if (l->octets > REPLY_OCTETS)
			break;
	}
	if (l->told == l->at)
		return false;
	while (m->n_checks > l->told)
		ns__check_info__free_unpacked(m->checks[--m->n_checks], NULL);
	free(m->next);
	m->next = xstrdup(m->checks[m->n_checks - 1]->name);
	return true;
}

void
check_list_report(struct sync *s, const Ns__Envelope *env)
{
	Ns__CheckReport *told;
	struct request *r;
	Ns__CheckListReply *m;

	TAILQ_FOREACH(r, &asked, waiting)
	if (((struct listing *)r->state)->asked == env->id)
		break;
	if (r == NULL)
		return;
	told = ns_message_copy(&env->check_report->base);
	m = r->reply->check_list_reply;
	for (size_t i = 0, j = 0; told != NULL && i < told->n_checks; i++) {
		/* In the order in which they were asked for, some perhaps missing. */
		while (j < m->n_checks && m->checks[j]->id != told->checks[i]->id)
			j++;
		if (j == m->n_checks)
			break;
		merge(m->checks[j], told->checks[i]);
	}
	if (told != NULL) {
		m->frozen = told->frozen;
		m->flips = told->history;
		m->n_flips = told->n_history;
		told->history = NULL;
		told->n_history = 0;
	}
	if (told != NULL)
		ns__check_report__free_unpacked(told, NULL);
	if (!((struct listing *)r->state)->history && !cut(m, r->state) && ask(s, r))
		return;
	TAILQ_REMOVE(&asked, r, waiting);
	request_finish(s, r);
}

/* The probe is silent or gone: what the store knows is better than nothing. */
void
check_list_tick(struct sync *s, uint64_t now_ns)
{
	struct request *r, *next;

	for (r = TAILQ_FIRST(&asked); r != NULL; r = next) {
		next = TAILQ_NEXT(r, waiting);
		if (now_ns < ((struct listing *)r->state)->until_ns && request_awaited(r))
			continue;
		TAILQ_REMOVE(&asked, r, waiting);
		if (((struct listing *)r->state)->history)
			refuse_history(s, r);
		else
			request_finish(s, r);
	}
}

void
check_list_stop(void)
{
	struct request *r;

	while ((r = TAILQ_FIRST(&asked)) != NULL) {
		TAILQ_REMOVE(&asked, r, waiting);
		conn_detach(r);
		request_destroy(&r);
	}
}
