/* draftguess.c - see draftguess.h. */
#include "console/core/draftguess.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ipc/base/xalloc.h"
#include "ipc/client/draftop.h"
#include "ipc/envelope.h"

/* "www" and "@" to what a list has. */
static char *
absolute(const char *name, const char *zone)
{
	size_t len = strlen(name);
	char *text = strcmp(name, "@") == 0            ? xstrdup(zone)
		     : len > 0 && name[len - 1] == '.' ? xstrdup(name)
						       : xasprintf("%s.%s", name, zone);

	for (char *p = text; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	return text;
}

static char *
upper(const char *type)
{
	char *text = xstrdup(type);

	for (char *p = text; *p != '\0'; p++)
		*p = (char)toupper((unsigned char)*p);
	return text;
}

static Ns__Conflict__State *
state_new(void)
{
	Ns__Conflict__State *s = xmalloc(sizeof *s);

	ns__conflict__state__init(s);
	return s;
}

static Ns__Conflict__RRset *
set_new(const Ns__Draft *d, const Ns__RecordOp *op, draft_was_fn *was, void *arg)
{
	Ns__Conflict__RRset *s = xmalloc(sizeof *s);

	ns__conflict__rrset__init(s);
	s->zone = xstrdup(d->zone);
	s->name = absolute(op->name, d->zone);
	s->type = upper(op->type);
	s->was = state_new();
	was(arg, s->name, s->type, s->was);
	s->mine = ns_message_copy(&s->was->base);
	if (s->mine == NULL)
		abort(); /* what is ours is a message */
	return s;
}

static Ns__Conflict__RRset *
set_of(Ns__PlanReply__Zone *z, const Ns__Draft *d, const Ns__RecordOp *op, draft_was_fn *was,
    void *arg)
{
	for (size_t i = 0; i < z->n_rrsets; i++)
		if (op_names(op, d->zone, z->rrsets[i]->name, z->rrsets[i]->type))
			return z->rrsets[i];
	z->rrsets = xreallocarray(z->rrsets, z->n_rrsets + 1, sizeof(Ns__Conflict__RRset *));
	return z->rrsets[z->n_rrsets++] = set_new(d, op, was, arg);
}

static void
drop(Ns__Conflict__State *s, const char *rdata)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->n_rdata; i++)
		if (rdata == NULL || strcmp(s->rdata[i], rdata) == 0)
			free(s->rdata[i]);
		else
			s->rdata[kept++] = s->rdata[i];
	s->n_rdata = kept;
}

static void
add(Ns__Conflict__State *s, const char *rdata)
{
	drop(s, rdata);
	s->rdata = xreallocarray(s->rdata, s->n_rdata + 1, sizeof(char *));
	s->rdata[s->n_rdata++] = xstrdup(rdata);
}

/* Of a policy one is added, or goes, by its type alone. */
static void
drop_policy(Ns__Conflict__State *s, const char *rdata)
{
	size_t n = strcspn(rdata, " "), i = 0;

	while (i < s->n_rdata)
		if (strncasecmp(s->rdata[i], rdata, n) == 0 && s->rdata[i][n] == ' ')
			drop(s, s->rdata[i]);
		else
			i++;
}

static void
apply(Ns__Conflict__State *s, const Ns__RecordOp *op, bool policy)
{
	bool add_it = op->kind != NS__RECORD_OP__KIND__DEL;

	if (op->kind == NS__RECORD_OP__KIND__SET || (!add_it && op->n_rdata == 0))
		drop(s, NULL);
	for (size_t i = 0; i < op->n_rdata; i++) {
		if (policy)
			drop_policy(s, op->rdata[i]);
		if (add_it)
			add(s, op->rdata[i]);
		else
			drop(s, op->rdata[i]);
	}
	s->there = add_it || s->n_rdata > 0;
	if (add_it && op->ttl_given)
		s->ttl = op->ttl;
}

Ns__PlanReply *
draft_guess(const Ns__Draft *d, draft_was_fn *was, void *arg)
{
	Ns__PlanReply *plan = xmalloc(sizeof *plan);
	Ns__PlanReply__Zone *z = xmalloc(sizeof *z);

	ns__plan_reply__init(plan);
	ns__plan_reply__zone__init(z);
	z->zone = xstrdup(d->zone);
	plan->zones = xcalloc(1, sizeof(Ns__PlanReply__Zone *));
	plan->zones[plan->n_zones++] = z;
	for (size_t i = 0; i < d->n_ops; i++) {
		const Ns__RecordOp *op = d->ops[i];

		if (op->type[0] != '\0')
			apply(set_of(z, d, op, was, arg)->mine, op,
			    strcasecmp(op->type, "NSPOLICY") == 0);
	}
	return plan;
}
