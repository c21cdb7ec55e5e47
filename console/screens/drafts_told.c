/* drafts_told.c - what a draft makes of its zone, as the appliance's plan tells it; see drafts.h. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "console/screens/drafts.h"
#include "ipc/base/wbuf.h"
#include "ipc/base/xalloc.h"

#define TEXT_MAX 65536u /* of a state: what is longer is seen in the editor */

const Ns__PlanReply *
drafts_told(const struct drafts *d)
{
	return d == NULL ? NULL : d->plan != NULL ? d->plan : d->guess;
}

static const Ns__Conflict__RRset *
find(const Ns__PlanReply *plan, const char *name, const char *type)
{
	for (size_t z = 0; plan != NULL && z < plan->n_zones; z++)
		for (size_t i = 0; i < plan->zones[z]->n_rrsets; i++) {
			const Ns__Conflict__RRset *s = plan->zones[z]->rrsets[i];

			if (strcasecmp(s->name, name) == 0 && strcasecmp(s->type, type) == 0)
				return s;
		}
	return NULL;
}

const Ns__Conflict__RRset *
drafts_rrset(const struct drafts *d, const char *name, const char *type)
{
	return d != NULL ? find(d->plan, name, type) : NULL;
}

const Ns__Conflict__RRset *
drafts_shown(const struct drafts *d, const char *name, const char *type)
{
	return find(drafts_told(d), name, type);
}

char
draft_sign(const Ns__Conflict__RRset *s, enum ui_role *role)
{
	bool gone = s->mine != NULL && !s->mine->there, fresh = s->was != NULL && !s->was->there;

	*role = gone ? UI_REMOVED : fresh ? UI_ADDED : UI_WARN;
	return gone ? '-' : fresh ? '+' : '~';
}

char *
drafts_state_text(const Ns__Conflict__State *s)
{
	struct wbuf w = wbuf_grow(TEXT_MAX);
	char ttl[16];

	if (s == NULL)
		return xstrdup("(too long to be shown)");
	if (!s->there)
		return xstrdup("-");
	snprintf(ttl, sizeof ttl, "%u ", s->ttl);
	wbuf_put(&w, ttl, strlen(ttl));
	for (size_t i = 0; i < s->n_rdata && wbuf_ok(&w); i++) {
		wbuf_put(&w, i > 0 ? ", " : " ", i > 0 ? 2 : 1);
		wbuf_put(&w, s->rdata[i], strlen(s->rdata[i]));
	}
	wbuf_put(&w, "", 1);
	if (wbuf_ok(&w))
		return (char *)w.base;
	wbuf_free(&w);
	return xstrdup("(too long to be shown)");
}

void
drafts_text(const struct drafts *d, char *out, size_t size)
{
	const char *what = "";

	out[0] = '\0';
	if (d == NULL || d->draft == NULL)
		return;
	if (d->state == PLAN_CONFLICT)
		what = " CONFLICT";
	else if (d->state == PLAN_REFUSED)
		what = " REFUSED";
	snprintf(out, size, "draft %zu op%s%s: p", d->draft->n_ops, d->draft->n_ops == 1 ? "" : "s",
	    what);
}
