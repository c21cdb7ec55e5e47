/* draftop.c - see draftop.h. */
#include "ipc/client/draftop.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ipc/base/hash.h"
#include "ipc/base/xalloc.h"
#include "ipc/client/draft.h"
#include "ipc/envelope.h"

Ns__Draft *
draft_new(const char *zone, uint64_t version, uint32_t serial, int64_t now_ms)
{
	Ns__Draft *d = xmalloc(sizeof *d);

	ns__draft__init(d);
	d->zone = draft_zone(zone);
	d->base_version = version;
	d->base_serial = serial;
	d->created_ms = now_ms;
	return d;
}

Ns__RecordOp *
op_copy(const Ns__RecordOp *op)
{
	Ns__RecordOp *copy = ns_message_copy(&op->base);

	if (copy == NULL) /* what we packed ourselves */
		abort();
	return copy;
}

size_t
draft_holds(const char *zone, const char *name)
{
	char *whole = draft_zone(name);
	size_t n = strlen(whole), z = strlen(zone);
	bool in = z <= n && strcmp(whole + n - z, zone) == 0 &&
		  (z == n || z == 1 || whole[n - z - 1] == '.');

	free(whole);
	return in ? z : 0;
}

static void
touched(Ns__Draft *d, int64_t now_ms)
{
	d->updated_ms = now_ms;
	d->serial_no++;
}

void
draft_add(Ns__Draft *d, const Ns__RecordOp *op, int64_t now_ms)
{
	d->ops = xreallocarray(d->ops, d->n_ops + 1, sizeof *d->ops);
	d->ops[d->n_ops++] = op_copy(op);
	touched(d, now_ms);
}

/* ---- steps and undo ---- */
static void
forget_oldest_step(Ns__Draft *d)
{
	protobuf_c_message_free_unpacked(&d->steps[0]->base, NULL);
	memmove(d->steps, d->steps + 1, --d->n_steps * sizeof *d->steps);
}

static void
push_step(Ns__Draft *d, Ns__Draft__Step *step)
{
	d->steps = xreallocarray(d->steps, d->n_steps + 1, sizeof *d->steps);
	d->steps[d->n_steps++] = step;
	while (d->n_steps > DRAFT_STEPS_MAX ||
	       (d->n_steps > 0 && ns__draft__get_packed_size(d) > DRAFT_OCTETS / 4))
		forget_oldest_step(d);
}

/* The draft as it is, for what comes in its place. */
static Ns__Draft__Step *
step_of(const Ns__Draft *d)
{
	Ns__Draft__Step *s = xmalloc(sizeof *s);

	ns__draft__step__init(s);
	s->base_version = d->base_version;
	s->base_serial = d->base_serial;
	s->ops = xcalloc(d->n_ops + 1, sizeof *s->ops);
	for (; s->n_ops < d->n_ops; s->n_ops++)
		s->ops[s->n_ops] = op_copy(d->ops[s->n_ops]);
	return s;
}

static void
swap_step(Ns__Draft *d, Ns__Draft__Step *s)
{
	Ns__Draft__Step was = *s;

	s->ops = d->ops;
	s->n_ops = d->n_ops;
	s->base_version = d->base_version;
	s->base_serial = d->base_serial;
	d->ops = was.ops;
	d->n_ops = was.n_ops;
	d->base_version = was.base_version;
	d->base_serial = was.base_serial;
}

static void
clear_ops(Ns__Draft *d)
{
	while (d->n_ops > 0)
		ns__record_op__free_unpacked(d->ops[--d->n_ops], NULL);
}

void
draft_replace(Ns__Draft *d, const Ns__ZoneEdit *edit, int64_t now_ms)
{
	Ns__Draft__Step *step = step_of(d);

	clear_ops(d);
	for (size_t i = 0; i < edit->n_ops; i++)
		draft_add(d, edit->ops[i], now_ms);
	d->base_version = edit->base_version;
	d->base_serial = edit->base_serial;
	step->made = (uint32_t)d->n_ops;
	push_step(d, step);
	touched(d, now_ms);
}

void
draft_comment(Ns__Draft *d, const char *text)
{
	size_t len = strlen(text);

	while (len > DRAFT_COMMENT_MAX || (len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80))
		len--; /* never half a character */
	if (d->comment != protobuf_c_empty_string)
		free(d->comment);
	d->comment = xasprintf("%.*s", (int)len, text);
}

void
draft_rebase(Ns__Draft *d, uint64_t version, uint32_t serial, int64_t now_ms)
{
	for (size_t i = 0; i < d->n_steps; i++) {
		d->steps[i]->base_version = version;
		d->steps[i]->base_serial = serial;
	}
	d->base_version = version;
	d->base_serial = serial;
	touched(d, now_ms);
}

bool
draft_undo(Ns__Draft *d, struct draft_undone *undone, int64_t now_ms)
{
	*undone = (struct draft_undone){ 0 };
	if (d->n_steps > 0 && d->n_ops <= d->steps[d->n_steps - 1]->made) {
		undone->step = d->steps[--d->n_steps];
		swap_step(d, undone->step);
	} else if (d->n_ops > 0) {
		undone->op = d->ops[--d->n_ops];
	} else {
		return false;
	}
	touched(d, now_ms);
	return true;
}

void
draft_redo(Ns__Draft *d, struct draft_undone *undone, int64_t now_ms)
{
	if (undone->step != NULL) {
		swap_step(d, undone->step);
		push_step(d, undone->step);
		touched(d, now_ms);
		undone->step = NULL;
	} else {
		draft_add(d, undone->op, now_ms);
	}
	draft_undone_free(undone);
}

void
draft_undone_free(struct draft_undone *undone)
{
	if (undone->op != NULL)
		ns__record_op__free_unpacked(undone->op, NULL);
	if (undone->step != NULL)
		protobuf_c_message_free_unpacked(&undone->step->base, NULL);
	*undone = (struct draft_undone){ 0 };
}

/* "www", "www.example.com." and "@" against a name's text; an escaped dot at the end is none. */
static bool
names_same(const char *typed, const char *zone, const char *name)
{
	size_t n = strlen(typed), all = strlen(name);

	if (n > 0 && typed[n - 1] == '.' && (n < 2 || typed[n - 2] != '\\'))
		return strcasecmp(typed, name) == 0;
	if (strcmp(typed, "@") == 0)
		return strcasecmp(zone, name) == 0;
	return all == n + 1 + strlen(zone) && strncasecmp(typed, name, n) == 0 && name[n] == '.' &&
	       strcasecmp(name + n + 1, zone) == 0;
}

bool
op_names(const Ns__RecordOp *op, const char *zone, const char *name, const char *type)
{
	return (op->type[0] == '\0' || strcasecmp(op->type, type) == 0) &&
	       names_same(op->name, zone, name);
}

size_t
draft_leave_out(Ns__Draft *d, const char *name, const char *type, int64_t now_ms)
{
	Ns__Draft__Step *step = step_of(d);
	size_t kept = 0, n = d->n_ops;

	for (size_t i = 0; i < n; i++)
		if (d->ops[i]->type[0] != '\0' && op_names(d->ops[i], d->zone, name, type))
			ns__record_op__free_unpacked(d->ops[i], NULL);
		else
			d->ops[kept++] = d->ops[i];
	d->n_ops = kept;
	step->made = (uint32_t)kept;
	if (kept != n) {
		push_step(d, step);
		touched(d, now_ms);
	} else {
		protobuf_c_message_free_unpacked(&step->base, NULL);
	}
	return n - kept;
}

void
draft_edit(Ns__ZoneEdit *edit, const Ns__Draft *d)
{
	ns__zone_edit__init(edit);
	edit->zone = d->zone;
	edit->base_version = d->base_version;
	edit->base_serial = d->base_serial;
	edit->ops = d->ops;
	edit->n_ops = d->n_ops;
}

char *
draft_key(const Ns__CommitRequest *commit)
{
	static const uint8_t a[16] = "drafts' key one", b[16] = "drafts' key two";
	size_t len = ns__commit_request__get_packed_size(commit);
	uint8_t *bytes = xmalloc(len + 1);
	char *key;

	ns__commit_request__pack(commit, bytes);
	key = xasprintf("draft-%016llx%016llx", (unsigned long long)hash_sip24(a, bytes, len),
	    (unsigned long long)hash_sip24(b, bytes, len));
	free(bytes);
	return key;
}

size_t
plan_signs(const Ns__PlanReply__Zone *z)
{
	size_t n = 0;
	bool soa = false;

	for (size_t i = 0; i < z->n_rrsets; i++) {
		const Ns__Conflict__RRset *set = z->rrsets[i];

		soa = soa || strcmp(set->type, "SOA") == 0;
		n += set->mine == NULL || set->mine->there; /* NULL: too long to be told */
	}
	return z->signed_here && z->n_rrsets > 0 ? n + !soa : 0;
}

/* ---- conflicts ---- */
bool
state_same(const Ns__Conflict__State *a, const Ns__Conflict__State *b)
{
	if (a == NULL || b == NULL || a->there != b->there || a->n_rdata != b->n_rdata ||
	    (a->there && a->ttl != b->ttl))
		return false;
	for (size_t i = 0; i < a->n_rdata; i++)
		if (strcmp(a->rdata[i], b->rdata[i]) != 0)
			return false;
	return true;
}

static bool
holds(char *const *list, size_t n, const char *rdata)
{
	while (n > 0)
		if (strcmp(list[--n], rdata) == 0)
			return true;
	return false;
}

/* Those of `from` that are not there already, and are no record of before that the other side does not have. */
static void
add_wanted(Ns__Conflict__State *s, const Ns__Conflict__RRset *set, const Ns__Conflict__State *from,
    const Ns__Conflict__State *other)
{
	for (size_t i = 0; i < from->n_rdata; i++) {
		char *rdata = from->rdata[i];
		bool was = holds(set->was->rdata, set->was->n_rdata, rdata);

		if (!holds(s->rdata, s->n_rdata, rdata) &&
		    (!was || holds(other->rdata, other->n_rdata, rdata)))
			s->rdata[s->n_rdata++] = rdata;
	}
}

Ns__Conflict__State
draft_both(const Ns__Conflict__RRset *set, char **rdata)
{
	Ns__Conflict__State s = NS__CONFLICT__STATE__INIT;

	if (!set->mine->there || !set->theirs->there)
		return set->mine->there ? *set->mine : *set->theirs;
	s.rdata = rdata;
	add_wanted(&s, set, set->mine, set->theirs);
	add_wanted(&s, set, set->theirs, set->mine);
	s.there = s.n_rdata > 0;
	s.ttl = set->mine->ttl;
	return s;
}

/* The RRset as one operation. */
static void
add_state(Ns__Draft *d, const Ns__Conflict__RRset *set, enum decision what, int64_t now_ms)
{
	char **rdata = xcalloc(set->mine->n_rdata + set->theirs->n_rdata + 1, sizeof *rdata);
	Ns__Conflict__State both = draft_both(set, rdata),
			    *s = what == DECIDE_BOTH ? &both : set->mine;
	Ns__RecordOp op = NS__RECORD_OP__INIT;

	op.name = set->name;
	op.type = set->type;
	op.kind = s->there ? NS__RECORD_OP__KIND__SET : NS__RECORD_OP__KIND__DEL;
	op.ttl = s->ttl;
	op.ttl_given = s->there;
	op.rdata = s->rdata;
	op.n_rdata = s->n_rdata;
	draft_add(d, &op, now_ms);
	free(rdata);
}

/* Is it told whole, and decided where it must be? */
static bool
settled(const Ns__Draft *d, const Ns__Conflict *c, const enum decision *decided)
{
	for (size_t i = 0; i < c->n_rrsets; i++) {
		const Ns__Conflict__RRset *set = c->rrsets[i];

		if (strcasecmp(set->zone, d->zone) != 0)
			continue;
		if (set->was == NULL || set->theirs == NULL || set->mine == NULL ||
		    (set->overlaps && decided[i] == DECIDE_NOT))
			return false;
	}
	return !c->truncated;
}

bool
draft_settle(Ns__Draft *d, const Ns__Conflict *c, const enum decision *decided, int64_t now_ms)
{
	const Ns__Conflict__Zone *z = NULL;
	Ns__Draft__Step *step;

	for (size_t i = 0; i < c->n_zones; i++)
		if (strcasecmp(c->zones[i]->zone, d->zone) == 0)
			z = c->zones[i];
	if (z == NULL || !settled(d, c, decided))
		return false;
	step = step_of(d);
	clear_ops(d);
	for (size_t i = 0; i < c->n_rrsets; i++) {
		const Ns__Conflict__RRset *set = c->rrsets[i];
		enum decision what = set->overlaps ? decided[i] : DECIDE_MINE;
		bool mine = !state_same(set->mine, set->was) && !state_same(set->mine, set->theirs);

		if (strcasecmp(set->zone, d->zone) != 0 || !mine || what == DECIDE_THEIRS)
			continue;
		add_state(d, set, what, now_ms);
	}
	d->base_version = z->version;
	d->base_serial = z->serial;
	step->made = (uint32_t)d->n_ops;
	push_step(d, step);
	touched(d, now_ms);
	return true;
}
