/* records_marks.c - what is done to several RRsets at once; see records.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/core/rrform.h"
#include "console/screens/ask.h"
#include "console/screens/drafts.h"
#include "console/screens/records.h"
#include "ipc/base/wbuf.h"
#include "ipc/base/xalloc.h"

static const char *
id_at(void *arg, size_t row)
{
	const struct row *r = draftrows_at(&((struct records *)arg)->list, row);

	return r != NULL ? r->id : NULL;
}

/* Marked rows, in the list's order; fn for each that is here. */
static size_t
each_marked(struct records *s, void (*fn)(void *arg, const struct row *), void *arg)
{
	size_t n = 0;

	for (size_t row = 0; row < draftrows_count(&s->list) && n < s->marks.n; row++) {
		const struct row *r = draftrows_at(&s->list, row);

		if (r == NULL || !marks_has(&s->marks, r->id))
			continue;
		fn(arg, draftrows_shown(&s->list, row));
		n++;
	}
	return n;
}

static void
add_lines(void *arg, const struct row *r)
{
	if (r->cells[CELL_LINES] != NULL)
		wbuf_put(arg, r->cells[CELL_LINES], strlen(r->cells[CELL_LINES]));
}

void
records_copy_marked(struct records *s, struct copies *c)
{
	struct wbuf w = wbuf_grow(1u << 20);

	(void)each_marked(s, add_lines, &w);
	wbuf_put(&w, "", 1);
	if (wbuf_ok(&w))
		copies_add(c, "zone lines", (char *)w.base);
	else
		wbuf_free(&w);
}

/* An operation of each marked RRset, and the memory that it stands on. */
struct marked_ops {
	Ns__RecordOp *ops;
	size_t n, skipped;
	bool deletes;
	uint32_t ttl;
};

static void
split_values(Ns__RecordOp *op, const char *values)
{
	for (const char *p = values; *p != '\0';) {
		size_t len = strcspn(p, "\n");

		op->rdata = xreallocarray(op->rdata, op->n_rdata + 1, sizeof *op->rdata);
		op->rdata[op->n_rdata++] = xasprintf("%.*s", (int)len, p);
		p += len + (p[len] != '\0');
	}
}

static void
add_op(void *arg, const struct row *r)
{
	struct marked_ops *m = arg;
	const char *blank = strrchr(r->id, ' ');
	Ns__RecordOp *op;

	/* A policy has its TTL within; a record too long to be held here is for the editor. */
	if (!m->deletes && (strcmp(blank + 1, "NSPOLICY") == 0 || r->cells[CELL_VALUES] == NULL)) {
		m->skipped++;
		return;
	}
	m->ops = xreallocarray(m->ops, m->n + 1, sizeof *m->ops);
	op = &m->ops[m->n++];
	ns__record_op__init(op);
	op->kind = m->deletes ? NS__RECORD_OP__KIND__DEL : NS__RECORD_OP__KIND__SET;
	op->name = xasprintf("%.*s", (int)(blank - r->id), r->id);
	op->type = xstrdup(blank + 1);
	op->ttl = m->ttl;
	op->ttl_given = !m->deletes;
	if (!m->deletes)
		split_values(op, r->cells[CELL_VALUES]);
}

static void
put_marked(struct view *v, bool deletes, uint32_t ttl)
{
	struct records *s = v->state;
	struct marked_ops m = { .deletes = deletes, .ttl = ttl };

	(void)each_marked(s, add_op, &m);
	if (m.n > 0 &&
	    drafts_put_all(v->ui, v->object, s->list.version, s->list.serial, m.ops, m.n)) {
		ui_say(v->ui, "%zu RRsets %s in the draft%s; u undoes one by one", m.n,
		    deletes ? "deleted" : "changed",
		    m.skipped > 0 ? ", policies left as they are" : "");
		marks_clear(&s->marks);
	}
	for (size_t i = 0; i < m.n; i++) {
		for (size_t k = 0; k < m.ops[i].n_rdata; k++)
			free(m.ops[i].rdata[k]);
		free(m.ops[i].rdata);
		free(m.ops[i].name);
		free(m.ops[i].type);
	}
	free(m.ops);
}

static const struct ask_field ttl_field[] = { { "TTL", NULL, "", "seconds, or like 30m 12h 2d",
    12 } };

/* The form stands on the list. */
static void
ttl_accept(struct view *form)
{
	struct ui *ui = form->ui;
	uint32_t ttl;

	if (!rr_ttl(ask_text(form, 0), &ttl)) {
		ask_wrong(form, 0, "seconds, or like 30m 12h 2d; at most 2147483647");
		return;
	}
	ui_back(ui);
	if (ui_top(ui)->ops == &screen_records)
		put_marked(ui_top(ui), false, ttl);
}

bool
records_mark(struct view *v, enum ns_action_id id)
{
	struct records *s = v->state;
	struct ask_what what = { "Records > TTL of those marked", v->object, ttl_field, 1,
		ttl_accept, 0 };
	size_t missed;

	if (id == ACT_SET_TTL) {
		(void)ask_open(v->ui, &what);
		return true;
	}
	if (id == ACT_DELETE && s->marks.n > 0) {
		put_marked(v, true, 0);
		return true;
	}
	if (!marks_act(&s->marks, id, &s->list.table, draftrows_count(&s->list), id_at, s, &missed))
		return false;
	if (missed > 0)
		ui_say(v->ui, "%zu RRsets are not marked: they are not loaded", missed);
	else if (s->marks.ranging)
		ui_say(v->ui, "A range begins here: move, and v ends it");
	return true;
}

bool
records_peel(struct view *v)
{
	return marks_peel(&((struct records *)v->state)->marks);
}
