/* palette.c - see palette.h. */
#include "console/screens/palette.h"

#include <stdlib.h>
#include <string.h>

#include "console/core/key.h"
#include "console/core/sanitize.h"
#include "console/screens/mouse.h"
#include "ipc/base/xalloc.h"

#define HISTORY 64u
#define ZONES   24u /* that are asked for, to complete a name */
#define ZONE_MS 2000u
#define HINT    512u

struct palette {
	char *history[HISTORY]; /* the oldest first */
	size_t n, at; /* at == n: the line that is being typed */
	char *typed; /* that line, while another one is looked at */
	uint64_t request; /* zones of the word that is being completed */
	char hint[HINT];
	bool refused; /* the hint is why the line was not taken */
};

void
run_free(struct run *r)
{
	free(r->argv);
	free(r->env);
	*r = (struct run){ 0 };
}

static struct palette *
palette_of(struct ui *ui)
{
	if (ui->palette == NULL)
		ui->palette = xcalloc(1, sizeof *ui->palette);
	return ui->palette;
}

static void
forget(struct ui *ui)
{
	struct palette *p = palette_of(ui);

	if (p->request != 0)
		ns_client_cancel(ui->client, p->request);
	p->request = 0;
	p->hint[0] = '\0';
	p->refused = false;
}

void
palette_free(struct ui *ui)
{
	struct palette *p = ui->palette;

	if (p == NULL)
		return;
	forget(ui);
	for (size_t i = 0; i < p->n; i++)
		free(p->history[i]);
	free(p->typed);
	free(p);
	ui->palette = NULL;
}

void
palette_open(struct ui *ui)
{
	struct palette *p = palette_of(ui);

	forget(ui);
	p->at = p->n;
	prompt_open(&ui->prompt, ':', "");
}

const char *
palette_hint(const struct ui *ui)
{
	return ui->palette != NULL ? ui->palette->hint : "";
}

static void
hint(struct ui *ui, const char *text)
{
	sanitize(palette_of(ui)->hint, HINT, text, ui->ascii);
	ui_dirty(ui, true);
}

/* ---- what was typed before ---- */

static void
remember(struct palette *p, const char *line)
{
	if (p->n > 0 && strcmp(p->history[p->n - 1], line) == 0)
		return;
	if (p->n == HISTORY) {
		free(p->history[0]);
		memmove(p->history, p->history + 1, --p->n * sizeof *p->history);
	}
	p->history[p->n++] = xstrdup(line);
}

static void
recall(struct ui *ui, bool older)
{
	struct palette *p = palette_of(ui);

	if (older ? p->at == 0 : p->at >= p->n)
		return;
	if (p->at == p->n) {
		free(p->typed);
		p->typed = xstrdup(edit_text(&ui->prompt.edit));
	}
	p->at += older ? (size_t)-1 : 1;
	prompt_set(&ui->prompt, p->at == p->n ? p->typed : p->history[p->at]);
}

/* ---- completion ---- */

/* Actions of this screen are words, too, where a line begins. */
static void
add_actions(struct ui *ui, const char *line, struct candidates *c)
{
	size_t len = strlen(line);

	for (const struct ns_action *a = ns_actions; a->id != ACT_NONE; a++) {
		bool there = strncmp(a->name, line, len) != 0 ||
			     (a->contexts & ui_top(ui)->contexts) == 0 ||
			     strcmp(a->group, "MOVE") == 0;

		for (size_t i = 0; i < c->n && !there; i++)
			there = strcmp(c->list[i], a->name) == 0;
		if (!there && c->n < CANDIDATES_MAX)
			snprintf(c->list[c->n++], CANDIDATE_LEN, "%s", a->name);
	}
}

/* As far as all of them go together, and which they are. */
static void
complete_with(struct ui *ui, const char *const *words, size_t n, size_t start)
{
	const char *line = edit_text(&ui->prompt.edit);
	size_t typed = strlen(line) - start, same = n > 0 ? strlen(words[0]) : 0;
	char list[HINT] = "", *whole;
	size_t used = 0;

	for (size_t i = 1; i < n; i++) {
		size_t k = 0;

		while (k < same && words[i][k] == words[0][k])
			k++;
		same = k;
	}
	for (size_t i = 0; i < n && n > 1 && used < sizeof list; i++)
		used += (size_t)snprintf(
		    list + used, sizeof list - used, "%s%s", i > 0 ? "  " : "", words[i]);
	hint(ui, n == 0 ? "nothing begins so" : list);
	if (n == 0 || same < typed)
		return;
	whole = xasprintf("%.*s%.*s%s", (int)start, line, (int)same, words[0],
	    n == 1 && words[0][same - 1] != '=' ? " " : "");
	prompt_set(&ui->prompt, whole);
	free(whole);
}

static void
zones_came(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct ui *ui = arg;
	struct palette *p = palette_of(ui);
	const char *line = edit_text(&ui->prompt.edit), *blank = strrchr(line, ' ');
	const char *words[ZONES + 1] = { NULL };
	char *names[ZONES + 1];
	size_t n = 0, start = blank != NULL ? (size_t)(blank - line) + 1 : 0;

	p->request = 0;
	if (!ui->prompt.on || ui->prompt.label != ':')
		return;
	if (env == NULL) {
		hint(ui, why->text[0] != '\0' ? why->text : ns_err_text(why->err));
		return;
	}
	for (size_t i = 0; i < env->zone_list_reply->n_zones && n < ZONES; i++) {
		const char *name = env->zone_list_reply->zones[i]->name;

		if (strncasecmp(name, line + start, strlen(line + start)) == 0)
			words[n] = names[n] = xasprintf("%.*s", ui_name_len(name), name), n++;
	}
	if (env->zone_list_reply->next[0] != '\0' && n > 1) { /* there are more than we see */
		char text[64];

		snprintf(text, sizeof text, "%llu zones begin so: type on",
		    (unsigned long long)env->zone_list_reply->total);
		hint(ui, text);
	} else {
		complete_with(ui, words, n, start);
	}
	while (n > 0)
		free(names[--n]);
}

static void
ask_zones(struct ui *ui, const char *part)
{
	Ns__ZoneListRequest body = NS__ZONE_LIST_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;
	char filter[PROMPT_LINE + 1];

	/* What stands in a name as it is; with anything else the filter would be another. */
	if (part[strspn(
		part, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")] != '\0')
		return;
	snprintf(filter, sizeof filter, "%s%s", part[0] != '\0' ? "^" : "", part);
	body.filter = filter;
	body.limit = ZONES;
	request.body_case = NS__ENVELOPE__BODY_ZONE_LIST_REQUEST;
	request.zone_list_request = &body;
	palette_of(ui)->request = ns_client_request(ui->client, &request, ZONE_MS, zones_came, ui);
}

static void
complete(struct ui *ui)
{
	const char *line = edit_text(&ui->prompt.edit);
	const char *words[CANDIDATES_MAX];
	struct candidates c = { 0 };

	if (ui->prompt.edit.at != ui->prompt.edit.len) {
		hint(ui, "Tab completes where the line ends");
		return;
	}
	if (ui->grammar != NULL)
		ui->grammar->complete(ui->grammar->arg, line, &c);
	if (strchr(line, ' ') == NULL)
		add_actions(ui, line, &c);
	for (size_t i = 0; i < c.n; i++)
		words[i] = c.list[i];
	if (c.zones)
		ask_zones(ui, line + c.start);
	else
		complete_with(ui, words, c.n, c.start);
}

/* ---- doing it ---- */

static enum palette_end
refuse(struct ui *ui, const char *why)
{
	palette_of(ui)->refused = true;
	hint(ui, why);
	return PALETTE_REFUSED;
}

/* An action by its name; a word that begins several, or none that is here, is refused. */
static enum palette_end
do_action(struct ui *ui, const char *line)
{
	const struct ns_action *a = ns_action_named(line);
	char why[160];

	if (a == NULL)
		snprintf(why, sizeof why,
		    ui->paper != NULL
			? "%.80s: no such command; help lists what can be done here"
			: "%.80s: no such command; Tab lists them, ? what can be done here",
		    line);
	else if ((a->contexts & ui_top(ui)->contexts) == 0)
		snprintf(why, sizeof why, "%s: not on this screen", a->name);
	if (a == NULL || (a->contexts & ui_top(ui)->contexts) == 0)
		return refuse(ui, why);
	ui_act(ui, a->id);
	return PALETTE_ACTED;
}

/* One that is meant by its whole name, here. */
static bool
is_action(struct ui *ui, const char *line)
{
	const struct ns_action *a = ns_action_named(line);

	return a != NULL && strcmp(a->name, line) == 0 && (a->contexts & ui_top(ui)->contexts) != 0;
}

enum palette_end
palette_line(struct ui *ui, const char *line)
{
	const struct grammar *g = ui->grammar;
	struct run run = { 0 };
	char why[HINT];

	forget(ui);
	if (mouse_line(ui, line) || ui_go(ui, line))
		return PALETTE_ACTED;
	if (g == NULL || is_action(ui, line) || !g->knows(g->arg, line))
		return do_action(ui, line);
	if (!g->take(g->arg, line, ns_client_at(ui->client), &run, why, sizeof why))
		return refuse(ui, why);
	if (ui->paper != NULL)
		output_print(ui, &run);
	else
		output_open(ui, line, &run);
	run_free(&run);
	return PALETTE_RAN;
}

static void
enter(struct ui *ui)
{
	char *line = xstrdup(edit_text(&ui->prompt.edit)), *from = line, *end = line + strlen(line);

	while (*from == ' ')
		from++;
	while (end > from && end[-1] == ' ')
		*--end = '\0';
	ui->prompt.on = false; /* what it does may open another one */
	if (*from != '\0') {
		remember(palette_of(ui), from);
		if (palette_line(ui, from) == PALETTE_REFUSED) { /* to be mended */
			ui->prompt.on = true;
			palette_of(ui)->at = palette_of(ui)->n;
		}
	}
	free(line);
}

void
palette_key(struct ui *ui, uint32_t key)
{
	enum prompt_end end;

	if (key == UIKEY_TAB) {
		complete(ui);
		return;
	}
	if (key == UIKEY_UP || key == UIKEY_DOWN) {
		recall(ui, key == UIKEY_UP);
		return;
	}
	if (key == UIKEY_ENTER) {
		enter(ui);
		return;
	}
	end = prompt_key(&ui->prompt, key);
	if (end == PROMPT_CANCEL)
		ui->prompt.on = false;
	if (end != PROMPT_MORE)
		forget(ui);
}
