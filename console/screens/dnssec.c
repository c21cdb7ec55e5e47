/* dnssec - a zone's keys: what they do, what comes next and what it waits for, and the DS for the registrar. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/core/sanitize.h"
#include "console/screens/copy.h"
#include "console/screens/dnssec.h"
#include "console/screens/drafts.h"
#include "console/screens/keysteps.h"
#include "console/screens/pages.h"
#include "console/screens/zone.h"
#include "ipc/base/xalloc.h"

#define SHOW_MS      5000u
#define LOOK_MS      12000u /* the parent's servers may be slow */
#define DS_MAX       4u
#define TEXT         1024u
#define TIME_X       46 /* of the times of steps, */
#define COLUMNS_FROM 70 /* where there are columns for them */
#define LINE_MOST    118 /* a longer line says no more */

struct dnssec {
	struct ns_table table;
	struct row *rows;
	char **dnskeys; /* of the rows, to copy */
	size_t n;
	uint64_t request, look;
	bool loaded, looked, signs, ds_there;
	char status[16], state[TEXT], waits[TEXT], parent[TEXT], until[TEXT], ends[TEXT];
	struct keysteps steps;
	char *ds[DS_MAX];
	size_t n_ds;
};

static const char *
algorithm(unsigned number)
{
	return number == 13   ? "ECDSAP256"
	       : number == 15 ? "ED25519"
	       : number == 8  ? "RSASHA256"
			      : "";
}

/* ---- what comes ---- */
static void
clear(struct dnssec *d)
{
	for (size_t i = 0; i < d->n; i++) {
		row_free(&d->rows[i]);
		free(d->dnskeys[i]);
	}
	for (size_t i = 0; i < d->n_ds; i++)
		free(d->ds[i]);
	free(d->rows);
	free(d->dnskeys);
	d->rows = NULL;
	d->dnskeys = NULL;
	d->n = d->n_ds = 0;
}

static void
take_key(struct view *v, const Ns__DnssecShowReply__Key *k)
{
	struct dnssec *d = v->state;
	struct row *r = &d->rows[d->n];
	bool ready = strcmp(k->state, "ready") == 0;

	r->id = xasprintf("%u", k->tag);
	row_set(v, r, 0, UI_TEXT, "%u", k->tag);
	row_set(v, r, 1, UI_TEXT, "%s", algorithm(k->algorithm));
	row_set(v, r, 2, UI_TEXT, "%s", strcmp(k->role, "ksk") == 0 ? "KSK" : "ZSK");
	row_set(v, r, 3, ready ? UI_WARN : k->signs ? UI_OK : UI_TEXT, "%s", k->state);
	row_set(v, r, 4, UI_TEXT, "%.10s", k->since);
	row_set(v, r, 5, strcmp(k->ds_seen, "all") == 0 ? UI_OK : UI_DIM, "%s",
	    strcmp(k->ds_seen, "unknown") == 0 ? "?" : k->ds_seen);
	row_set(v, r, 6, ready ? UI_WARN : UI_TEXT, "%.10s%s%s", k->next_at,
	    k->next_at[0] != '\0' ? " " : "", k->next);
	d->dnskeys[d->n++] = sanitize_dup(k->dnskey, v->ui->ascii);
}

static void
take_texts(struct view *v, const Ns__DnssecShowReply *m)
{
	struct dnssec *d = v->state;
	char text[TEXT];

	sanitize(d->status, sizeof d->status, m->status, v->ui->ascii);
	if (m->n_keys > 0)
		snprintf(text, sizeof text, "%s   %u %s   %s", m->status, m->algorithm,
		    algorithm(m->algorithm), m->denial);
	else
		snprintf(text, sizeof text, "%s",
		    strcmp(m->status, "external") == 0 ? "signed elsewhere" : "not signed");
	sanitize(d->state, sizeof d->state, text, v->ui->ascii);
	snprintf(text, sizeof text, "waits for %s", m->waits_for);
	sanitize(d->waits, sizeof d->waits, m->waits_for[0] != '\0' ? text : "", v->ui->ascii);
	if (m->parent_fault[0] != '\0')
		snprintf(text, sizeof text, "the parent could not be asked: %s", m->parent_fault);
	else if (m->parent_asked[0] != '\0')
		snprintf(text, sizeof text, "parent asked %.10s %.5sZ", m->parent_asked,
		    strlen(m->parent_asked) > 16 ? m->parent_asked + 11 : "");
	else
		snprintf(text, sizeof text, "the parent was not asked yet");
	sanitize(d->parent, sizeof d->parent, text, v->ui->ascii);
	snprintf(text, sizeof text, "signatures over DNSKEY until %.10s", m->dnskey_signed_until);
	sanitize(d->until, sizeof d->until, m->n_keys > 0 ? text : "", v->ui->ascii);
	snprintf(
	    text, sizeof text, m->expired ? "EXPIRED on %.10s" : "signed until %.10s", m->expires);
	sanitize(d->ends, sizeof d->ends, m->expires[0] != '\0' ? text : "", v->ui->ascii);
	if (m->ds_after[0] != '\0') {
		snprintf(text, sizeof text,
		    "no DS at the parent before %.16sZ: caches hold unsigned answers", m->ds_after);
		sanitize(d->waits, sizeof d->waits, text, v->ui->ascii);
	}
}

static void
take(struct view *v, const Ns__DnssecShowReply *m)
{
	struct dnssec *d = v->state;
	char *at = d->table.row < d->n ? xstrdup(d->rows[d->table.row].id) : NULL;

	clear(d);
	d->rows = xcalloc(m->n_keys + 1, sizeof *d->rows);
	d->dnskeys = xcalloc(m->n_keys + 1, sizeof *d->dnskeys);
	for (size_t i = 0; i < m->n_keys; i++)
		take_key(v, m->keys[i]);
	for (size_t i = 0; at != NULL && i < d->n; i++)
		if (strcmp(d->rows[i].id, at) == 0)
			d->table.row = i;
	free(at);
	for (; d->n_ds < DS_MAX && d->n_ds < m->n_ds; d->n_ds++)
		d->ds[d->n_ds] = sanitize_dup(m->ds[d->n_ds], v->ui->ascii);
	take_texts(v, m);
	keysteps_of(m, &d->steps);
	d->signs = m->n_keys > 0;
	d->ds_there = keysteps_ds_there(m);
	d->loaded = true;
}

static void
came(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct view *v = arg;
	struct dnssec *d = v->state;

	d->request = 0;
	ui_dirty(v->ui, false);
	if (env == NULL)
		ui_say_why(v->ui, why);
	else
		take(v, env->dnssec_show_reply);
	if (env != NULL)
		ui_live(v);
}

static void
looked(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct view *v = arg;
	struct dnssec *d = v->state;

	(void)why; /* what is known without the parent is on screen */
	d->look = 0;
	ui_dirty(v->ui, false);
	if (env != NULL)
		take(v, env->dnssec_show_reply);
}

static uint64_t
ask(struct view *v, bool look)
{
	Ns__DnssecShowRequest body = NS__DNSSEC_SHOW_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	body.zone = v->object;
	body.look = look;
	request.body_case = NS__ENVELOPE__BODY_DNSSEC_SHOW_REQUEST;
	request.dnssec_show_request = &body;
	return ns_client_request(
	    v->ui->client, &request, look ? LOOK_MS : SHOW_MS, look ? looked : came, v);
}

/* ---- life ---- */
static const struct table_column columns[] = { { "TAG", 5, 0, true, 0 },
	{ "ALGORITHM", 9, 0, false, 0 }, { "ROLE", 4, 0, false, 0 }, { "STATE", 9, 0, false, 0 },
	{ "SINCE", 10, 0, false, 90 }, { "DS", 4, 0, false, 0 }, { "NEXT", 20, 1, false, 0 },
	{ NULL, 0, 0, false, 0 } };

static void
dnssec_open(struct view *v)
{
	((struct dnssec *)v->state)->table.columns = columns;
}

static void
dnssec_reload(struct view *v)
{
	struct dnssec *d = v->state;

	(void)drafts_look(v->ui, v->object);
	if (d->request == 0)
		d->request = ask(v, false);
	if (!d->looked)
		d->look = ask(v, true);
	d->looked = true;
}

static void
dnssec_tick(struct view *v)
{
	struct dnssec *d = v->state;

	if (d->request == 0 && d->look == 0)
		d->request = ask(v, false);
}

static void
dnssec_close(struct view *v)
{
	struct dnssec *d = v->state;

	if (d->request != 0)
		ns_client_cancel(v->ui->client, d->request);
	if (d->look != 0)
		ns_client_cancel(v->ui->client, d->look);
	clear(d);
}

/* ---- drawing ---- */
static const char *
cell(void *arg, size_t row, unsigned column, enum ui_role *role)
{
	const struct row *r = &((struct dnssec *)arg)->rows[row];

	*role = (enum ui_role)r->roles[column];
	return r->cells[column] != NULL ? r->cells[column] : "";
}

/* "20 Nov 10:00" of what is done, "until 25 Nov 12:00" or "waiting 2d" of what is under way, "-": nobody knows. */
static void
when_text(const struct view *v, size_t i, char out[32])
{
	const struct keysteps *s = &((const struct dnssec *)v->state)->steps;
	char text[16];

	keysteps_time(s->list[i].mark == STEP_DONE ? s->list[i].at : s->list[i].until, text);
	if (s->list[i].mark != STEP_NOW || s->list[i].until[0] != '\0')
		snprintf(out, 32, "%s%s", s->list[i].mark == STEP_NOW ? "until " : "", text);
	else if (s->list[i].since[0] != '\0') {
		ui_ago(v->ui, s->list[i].since, text);
		snprintf(out, 32, "waiting %s", text);
	} else
		snprintf(out, 32, "-");
}

static void
draw_step(struct view *v, struct rect r, size_t i)
{
	static const char *const marks[] = { "done", "NOW", "next" };
	static const enum ui_role roles[] = { UI_OK, UI_WARN, UI_DIM };
	const struct keysteps *steps = &((const struct dnssec *)v->state)->steps;
	enum step_mark m = steps->list[i].mark;
	struct surface *s = v->ui->surface;
	int x = r.x + 8, at = r.w >= COLUMNS_FROM ? r.x + TIME_X : 0;
	char when[32];

	when_text(v, i, when);
	surface_put(s, r.x + 2, r.y, 4, roles[m], marks[m]);
	x += surface_putf(s, x, r.y, (at > 0 ? at - 1 : r.x + r.w - 1) - x,
	    m == STEP_NEXT ? UI_DIM : UI_TEXT, "%zu %s", i + 1, steps->list[i].text);
	if (at > 0)
		surface_put(s, at, r.y, r.x + r.w - 1 - at, m == STEP_NOW ? UI_WARN : UI_DIM, when);
	else if (strcmp(when, "-") != 0)
		surface_putf(s, x, r.y, r.x + r.w - 1 - x, UI_TEXT, ", %s", when);
}

static int
draw_steps(struct view *v, struct rect r, bool all)
{
	struct dnssec *d = v->state;
	struct surface *s = v->ui->surface;
	char line[SURFACE_MAX];
	int y = r.y;

	surface_put(s, r.x + 1, y, r.w - 2, UI_TITLE,
	    d->steps.title[0] != '\0' ? d->steps.title : "No KSK roll is under way");
	surface_put_right(s, r.x + r.w / 2, y++, r.w / 2 - 1, UI_DIM, d->until);
	for (size_t i = 0; i < d->steps.n && y < r.y + r.h; i++)
		if (all || d->steps.list[i].mark == STEP_NOW)
			draw_step(v, (struct rect){ r.x, y++, r.w, 1 }, i);
	keysteps_line(&d->steps, r.w - 2 < LINE_MOST ? r.w - 2 : LINE_MOST, line, sizeof line);
	if (all && line[0] != '\0' && y < r.y + r.h)
		surface_put(s, r.x + 1, y++, r.w - 2, UI_TEXT, line);
	return y;
}

static void
draw_ds(struct view *v, struct rect r)
{
	struct dnssec *d = v->state;
	struct surface *s = v->ui->surface;
	int y = r.y, end = r.y + r.h;

	if (d->waits[0] != '\0' && y < end)
		surface_put(s, r.x + 1, y++, r.w - 2, UI_WARN, d->waits);
	for (size_t i = 0; i < d->n_ds && y < end; i++) {
		const char *line = strstr(d->ds[i], " DS ");

		surface_put(s, r.x + 1, y++, r.w - 2, UI_TEXT, line != NULL ? line + 1 : d->ds[i]);
	}
	if (y < end)
		surface_putf(s, r.x + 1, y, r.w - 2, UI_DIM, "%s%s",
		    d->n_ds > 0 ? "CDS and CDNSKEY ask the parent for this.  " : "", d->parent);
}

static void
dnssec_draw(struct view *v, struct rect r)
{
	struct dnssec *d = v->state;
	struct surface *s = v->ui->surface;
	int keys, y, below;
	bool roomy;

	r = zone_title(v, r, d->loaded ? d->state : "", d->ends);
	if (!d->loaded || !d->signs) {
		const char *const why[] = {
			ui_loading(v), "This zone is not signed.  :sign signs it.",
			"This zone arrived signed and is served as it is; its keys are elsewhere."
		};

		surface_put(s, r.x + 3, r.y + 1, r.w - 4, UI_DIM,
		    why[!d->loaded                           ? 0
			: strcmp(d->status, "external") == 0 ? 2
							     : 1]);
		return;
	}
	roomy = r.h >= 16;
	below = roomy ? 12 : 6; /* rows of what stands below the keys */

	keys = (int)d->n + 1 < r.h - below ? (int)d->n + 1 : r.h - below;
	keys = keys < 3 ? 3 : keys;
	ns_table_draw(&d->table, s, (struct rect){ r.x, r.y, r.w, keys }, d->n, cell, d);
	y = draw_steps(v, (struct rect){ r.x, r.y + keys + 1, r.w, r.h - keys - 1 }, roomy);
	y += roomy && d->steps.n > 0;
	draw_ds(v, (struct rect){ r.x, y, r.w, r.y + r.h - y });
}

/* ---- keys ---- */
static const char *
dnssec_refuse(struct view *v, enum ns_action_id id)
{
	const struct dnssec *d = v->state;
	bool mine = id == ACT_ROLL || id == ACT_DS_SUBMITTED || id == ACT_UNSIGN || id == ACT_SIGN;

	if (!mine)
		return zone_refuse(v, id);
	if (!d->loaded)
		return "it is not loaded yet";
	if (id == ACT_SIGN && d->signs && strcmp(d->status, "leaving") != 0)
		return "it is signed";
	if (id != ACT_SIGN && !d->signs)
		return "it is not signed here";
	if (id == ACT_SIGN && strcmp(d->status, "external") == 0)
		return "it arrived signed; its keys are elsewhere";
	return strcmp(v->ui->role, "admin") != 0 ? "it needs the role admin (nameserve user set)"
						 : NULL;
}

static bool
dnssec_act(struct view *v, enum ns_action_id id)
{
	struct dnssec *d = v->state;

	if (ns_table_act(&d->table, id, d->n))
		return true;
	switch (id) {
	case ACT_SIGN:
	case ACT_UNSIGN:
	case ACT_ROLL:
	case ACT_DS_SUBMITTED:
		dnssec_ask(v, id, d->ds_there);
		return true;
	default:
		return zone_act(v, id);
	}
}

static void
dnssec_copies(struct view *v, struct copies *c)
{
	struct dnssec *d = v->state;
	char zone[UI_OBJECT];

	sanitize(zone, sizeof zone, v->object, v->ui->ascii);
	for (size_t i = 0; i < d->n_ds; i++)
		copies_add(c, "DS", xstrdup(d->ds[i]));
	if (d->table.row < d->n)
		copies_add(c, "DNSKEY", xstrdup(d->dnskeys[d->table.row]));
	copies_add(c, "command", xasprintf("nameserve dnssec ds %s", zone));
}

const struct ns_screen_ops screen_dnssec = {
	.name = "DNSSEC",
	.size = sizeof(struct dnssec),
	.contexts = CTX_GLOBAL | CTX_LIST | CTX_TABS | CTX_ZONE | CTX_DNSSEC,
	.open = dnssec_open,
	.close = dnssec_close,
	.reload = dnssec_reload,
	.tick = dnssec_tick,
	.draw = dnssec_draw,
	.act = dnssec_act,
	.copies = dnssec_copies,
	.refuse = dnssec_refuse,
	.twin = "dnssec keys %o",
};
