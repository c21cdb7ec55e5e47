/* query_show.c - what was answered, as lines; see query.h. */
#include "console/screens/query.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/core/sanitize.h"
#include "ipc/base/xalloc.h"

static enum ui_role
role_of(const char *rcode)
{
	return strcmp(rcode, "NOERROR") == 0                                  ? UI_OK
	       : strcmp(rcode, "SERVFAIL") == 0 || strcmp(rcode, "NONE") == 0 ? UI_CRIT
									      : UI_WARN;
}

static void add_line(struct view *v, enum ui_role role, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void
add_line(struct view *v, enum ui_role role, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	lines_add_foreign(&((struct query_test *)v->state)->answer, role, v->ui->ascii, fmt, ap);
	va_end(ap);
}

static void
show_answers(struct view *v, const char *appliance, const char *rcode, char *const *answers,
    size_t n, const char *more)
{
	add_line(v, role_of(rcode), "%-9s %zu record%s   %s%s", rcode, n, n == 1 ? "" : "s",
	    appliance, more);
	for (size_t i = 0; i < n; i++)
		add_line(v, UI_TEXT, "          %s", answers[i]);
}

static void
show_steps(struct view *v, Ns__TestReply__Step *const *steps, size_t n)
{
	for (size_t i = 0; i < n; i++)
		add_line(v, UI_TEXT, "%2zu %-8s %s", i + 1, steps[i]->step, steps[i]->text);
}

static void
show_other(struct view *v, const Ns__TestElsewhere *o)
{
	if (o->fault[0] != '\0') {
		add_line(v, UI_WARN, "NO REPLY  %s: %s", o->appliance, o->fault);
		return;
	}
	show_answers(v, o->appliance, o->rcode, o->answers, o->n_answers, "");
	/* What decided stands before its signatures and the last step, which says what the answer is. */
	for (size_t i = o->n_steps; i-- > 1;) {
		const Ns__TestReply__Step *step = o->steps[i - 1];

		if (strcmp(step->step, "sign") == 0)
			continue;
		add_line(v, UI_DIM, "          %s: %s", step->step, step->text);
		break;
	}
}

static bool
same(const Ns__TestReply *a, const Ns__TestReply *b)
{
	bool is = strcmp(a->rcode, b->rcode) == 0 && a->n_answers == b->n_answers;

	for (size_t i = 0; is && i < a->n_answers; i++)
		is = strcmp(a->answers[i], b->answers[i]) == 0;
	return is;
}

/* What a commit of the drafts would change of the answer, before the reasons of both. */
static void
show_drafted(struct view *v)
{
	struct query_test *q = v->state;
	const Ns__TestReply *m = q->drafted;

	if (m == NULL) {
		if (q->draft_fault[0] != '\0')
			add_line(
			    v, q->no_draft ? UI_DIM : UI_CRIT, "WITH DRAFT  %s", q->draft_fault);
		return;
	}
	if (q->live != NULL && same(q->live, m)) {
		add_line(v, UI_OK, "WITH DRAFT  the same");
		return;
	}
	add_line(v, UI_WARN, "WITH DRAFT  differs");
	show_answers(v, m->appliance, m->rcode, m->answers, m->n_answers, "   with draft");
}

static void
show_live(struct view *v)
{
	struct query_test *q = v->state;
	const Ns__TestReply *m = q->live;
	char more[80] = "";

	if (m == NULL && q->fault[0] != '\0')
		add_line(v, UI_CRIT, "%s", q->fault);
	if (m == NULL)
		return;
	if (m->scope > 0)
		snprintf(more, sizeof more, "   good for its /%u", m->scope);
	if (m->truncated)
		snprintf(
		    more + strlen(more), sizeof more - strlen(more), "   TRUNCATED: ask by TCP");
	if (m->fault[0] != '\0')
		add_line(v, UI_CRIT, "NO REPLY  %s: %s", m->appliance, m->fault);
	else
		show_answers(v, m->appliance, m->rcode, m->answers, m->n_answers, more);
}

void
query_show(struct view *v)
{
	struct query_test *q = v->state;

	lines_clear(&q->answer);
	show_live(v);
	show_drafted(v);
	if (q->live != NULL && q->live->fault[0] == '\0')
		show_steps(v, q->live->steps, q->live->n_steps);
	if (q->drafted != NULL && q->live != NULL && !same(q->live, q->drafted)) {
		add_line(v, UI_HEAD, "WITH DRAFT");
		show_steps(v, q->drafted->steps, q->drafted->n_steps);
	}
	if (q->live != NULL && q->live->n_others > 0) {
		add_line(v, UI_TEXT, "%s", "");
		add_line(v, UI_HEAD, "ELSEWHERE");
	}
	for (size_t i = 0; q->live != NULL && i < q->live->n_others; i++)
		show_other(v, q->live->others[i]);
	ui_dirty(v->ui, true);
}
