/* typeahead.c - see typeahead.h. */
#include "console/screens/typeahead.h"

#include <stdio.h>
#include <string.h>

#include "console/screens/pages.h"
#include "console/screens/ui.h"
#include "ipc/base/clock.h"

/* For what it acts on. */
static bool
must_wait(const struct view *top, const struct ns_action *a)
{
	if (!ns_action_on_rows(a))
		return false;
	return top->awaits || (!ns_action_moves(a) && top->list != NULL && pages_misses(top->list));
}

/* Behind those that wait already: whatever does not leave. */
static bool
queues(const struct ui *ui, const struct ns_action *a)
{
	return ui->typeahead.n > 0 && !ui->typeahead.going && (a == NULL || ns_action_on_rows(a));
}

static void
keep(struct ui *ui, const struct typed *t)
{
	struct typeahead *ahead = &ui->typeahead;

	if (ahead->n == 0)
		ahead->since_ms = ui->mono_ms;
	if (ahead->n < TYPEAHEAD_MAX)
		ahead->list[ahead->n++] = *t;
	else
		ui_say(ui, "The list is on its way: more than %u keys do not wait for it",
		    TYPEAHEAD_MAX);
}

bool
typeahead_key(struct ui *ui, uint32_t key, const struct ns_action *a)
{
	if (!queues(ui, a) && (a == NULL || !must_wait(ui_top(ui), a)))
		return false;
	keep(ui, &(struct typed){ .key = key });
	return true;
}

bool
typeahead_act(struct ui *ui, const struct ns_action *a)
{
	if (!queues(ui, a) && !must_wait(ui_top(ui), a))
		return false;
	keep(ui, &(struct typed){ .id = a->id });
	return true;
}

bool
typeahead_place(struct ui *ui, const char *place)
{
	struct typed t = { 0 };

	if (ui->typeahead.going || (ui->typeahead.n == 0 && !ui_top(ui)->awaits) ||
	    strlen(place) >= sizeof t.place)
		return false;
	snprintf(t.place, sizeof t.place, "%s", place);
	keep(ui, &t);
	return true;
}

void
typeahead_drop(struct ui *ui)
{
	ui->typeahead.n = 0;
}

void
typeahead_left(struct ui *ui, const struct view *was)
{
	if (!ui->typeahead.going && ui_top(ui) != was)
		typeahead_drop(ui);
}

void
typeahead_text(const struct ui *ui, char *out, size_t size)
{
	size_t n = ui->typeahead.n;

	out[0] = '\0';
	if (n > 0 && clock_since(ui->mono_ms, ui->typeahead.since_ms) >= TYPEAHEAD_TOLD)
		snprintf(out, size, "%zu key%s for the list that was asked for; Esc drops %s", n,
		    n == 1 ? " waits" : "s wait", n == 1 ? "it" : "them");
}

static const struct ns_action *
action_of(const struct ui *ui, const struct typed *t)
{
	return t->key != 0 ? keymap_find(ui->keymap, ui_top(ui)->contexts, t->key)
			   : ns_action_of(t->id);
}

/* While a line is typed, what it is about is not changed or left below it. */
static void
act(struct ui *ui, const struct typed *t, const struct ns_action *a)
{
	if (t->place[0] != '\0')
		(void)ui_go(ui, t->place);
	else if (ui->prompt.on ? a != NULL && ns_action_moves(a) : t->key == 0)
		(void)ui_act(ui, a->id);
	else if (!ui->prompt.on)
		ui_typed(ui, t->key);
}

/* As far as nothing is missing; a question is answered by nothing that was typed before it was asked. */
static void
go(struct ui *ui)
{
	struct typeahead *ahead = &ui->typeahead;

	ahead->going = true;
	while (ahead->n > 0) {
		struct typed t = ahead->list[0];
		const struct ns_action *a = action_of(ui, &t);

		if (t.place[0] != '\0' ? ui_top(ui)->awaits : a != NULL && must_wait(ui_top(ui), a))
			break;
		memmove(ahead->list, ahead->list + 1, --ahead->n * sizeof *ahead->list);
		act(ui, &t, a);
		if (ui->dialog.on)
			typeahead_drop(ui);
	}
	ahead->going = false;
}

void
ui_awaits(struct view *v)
{
	v->awaits = true;
}

void
ui_came(struct view *v, bool there)
{
	struct ui *ui = v->ui;
	size_t n = ui->typeahead.n;

	v->awaits = false;
	if (n == 0 || v != ui_top(ui) || ui->typeahead.going)
		return;
	if (there) {
		go(ui);
		return;
	}
	typeahead_drop(ui);
	ui_say(ui, "%s%s: %zu key%s typed meanwhile %s dropped", ui->message,
	    ui->message[0] != '\0' ? "" : "The list did not come", n, n == 1 ? "" : "s",
	    n == 1 ? "is" : "are");
}
