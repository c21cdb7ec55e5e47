/* draftrows.c - see draftrows.h. */
#include "console/screens/draftrows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "console/core/draftguess.h"
#include "console/screens/drafts.h"
#include "console/screens/zone.h"
#include "ipc/base/xalloc.h"

static void
forget_mine(struct draftrows *l)
{
	for (size_t i = 0; i < l->n_mine; i++)
		row_free(&l->mine[i]);
	free(l->mine);
	l->mine = NULL;
	l->n_mine = l->pages.before = 0;
}

void
draftrows_open(struct draftrows *l, struct view *v, const struct pages_ops *ops,
    const struct table_column *columns, unsigned values)
{
	l->values = values;
	l->table.columns = columns;
	l->table.signs = true;
	pages_init(&l->pages, v, ops, &l->table);
}

void
draftrows_close(struct draftrows *l)
{
	forget_mine(l);
	pages_free(&l->pages);
}

void
draftrows_reload(struct draftrows *l)
{
	struct view *v = l->pages.view;

	(void)drafts_look(v->ui, v->object);
	if (v->ui->revision != l->seen)
		drafts_replan(v->ui);
	l->seen = v->ui->revision;
	pages_reload(&l->pages, false);
}

struct row *
draftrows_add(struct draftrows *l)
{
	l->mine = xreallocarray(l->mine, l->n_mine + 1, sizeof *l->mine);
	l->mine[l->n_mine] = (struct row){ 0 };
	return &l->mine[l->n_mine++];
}

static void
fill_all(struct view *v, const Ns__PlanReply *plan, bool fresh, draftrows_fill_fn *fill)
{
	for (size_t z = 0; plan != NULL && z < plan->n_zones; z++)
		for (size_t i = 0; i < plan->zones[z]->n_rrsets; i++) {
			const Ns__Conflict__RRset *set = plan->zones[z]->rrsets[i];

			if (set->was != NULL && set->mine != NULL)
				fill(v, set, fresh);
		}
}

/* ---- while the appliance cannot be asked ---- */
struct served {
	const struct draftrows *list;
	const char *name, *type;
	Ns__Conflict__State *was;
};

static void
add_lines(Ns__Conflict__State *s, const char *text)
{
	for (size_t n; *text != '\0'; text += n + (text[n] != '\0')) {
		n = strcspn(text, "\n");
		s->rdata = xreallocarray(s->rdata, s->n_rdata + 1, sizeof(char *));
		s->rdata[s->n_rdata++] = xasprintf("%.*s", (int)n, text);
	}
}

/* A row is an RRset; of policies, one of its data. */
static void
take_served(void *arg, const struct row *r)
{
	struct served *s = arg;
	size_t n = strlen(s->name);

	if (strncasecmp(r->id, s->name, n) != 0 || r->id[n] != ' ' ||
	    (!s->list->policies && strcmp(r->id + n + 1, s->type) != 0))
		return;
	s->was->there = true;
	if (r->cells[2] != NULL)
		s->was->ttl = (uint32_t)strtoul(r->cells[2], NULL, 10);
	if (r->cells[s->list->values] != NULL)
		add_lines(s->was, r->cells[s->list->values]);
}

static void
served(void *arg, const char *name, const char *type, Ns__Conflict__State *was)
{
	struct served s = { arg, name, type, was };

	pages_each(&s.list->pages, take_served, &s);
}

static const Ns__PlanReply *
told(struct draftrows *l)
{
	struct drafts *d = l->pages.view->ui->drafts;

	if (d->guess != NULL && d->guess_of != l) {
		ns__plan_reply__free_unpacked(d->guess, NULL);
		d->guess = NULL;
	}
	if (d->plan == NULL && d->guess == NULL && d->draft != NULL)
		d->guess = draft_guess(d->draft, served, l);
	d->guess_of = l;
	return drafts_told(d);
}

/* An RRset that a form has just added is where the operator goes on. */
static void
go_to_accepted(struct draftrows *l)
{
	struct view *v = l->pages.view;
	char *accepted = v->ui->drafts->accepted;

	for (size_t i = 0; accepted[0] != '\0' && i < l->pages.before; i++) {
		const char *blank = strrchr(l->mine[i].id, ' '), *name;
		char id[UI_OBJECT], shown[UI_OBJECT + 32];

		snprintf(id, sizeof id, "%.*s", (int)(blank - l->mine[i].id), l->mine[i].id);
		int len = zone_relative(id, v->object, &name);
		snprintf(shown, sizeof shown, "%.*s%s", len, name, blank);
		if (strcasecmp(shown, accepted) == 0 || strcasecmp(l->mine[i].id, accepted) == 0)
			l->table.row = i;
	}
	accepted[0] = '\0';
}

void
draftrows_take(struct draftrows *l, draftrows_fill_fn *fill)
{
	struct view *v = l->pages.view;
	const struct drafts *d = v->ui->drafts;
	size_t before = l->pages.before;

	if (d == NULL || l->turn == d->turn || d->state == PLAN_ASKED)
		return;
	l->turn = d->turn;
	forget_mine(l);
	const Ns__PlanReply *plan = told(l);

	fill_all(v, plan, true, fill);
	l->pages.before = l->n_mine;
	fill_all(v, plan, false, fill);
	if (l->table.row >= before)
		l->table.row += l->pages.before - before;
	else if (l->table.row >= l->pages.before)
		l->table.row = l->pages.before;
	go_to_accepted(l);
}

size_t
draftrows_count(const struct draftrows *l)
{
	return l->pages.before + pages_count(&l->pages);
}

const struct row *
draftrows_at(struct draftrows *l, size_t row)
{
	return row < l->pages.before ? &l->mine[row] : pages_row(&l->pages, row - l->pages.before);
}

const struct row *
draftrows_shown(struct draftrows *l, size_t row)
{
	const struct row *r = draftrows_at(l, row);

	for (size_t i = l->pages.before; r != NULL && i < l->n_mine; i++)
		if (strcmp(l->mine[i].id, r->id) == 0)
			return &l->mine[i];
	return r;
}

bool
draftrows_key(const struct row *r, char name[UI_OBJECT], char *type, size_t size)
{
	const char *blank = r != NULL ? strrchr(r->id, ' ') : NULL;

	if (blank == NULL)
		return false;
	snprintf(name, UI_OBJECT, "%.*s", (int)(blank - r->id), r->id);
	snprintf(type, size, "%s", blank + 1);
	return true;
}
