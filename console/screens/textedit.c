/* textedit.c - see textedit.h. */
#include "console/screens/textedit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "console/core/edittext.h"
#include "console/screens/drafts.h"
#include "console/screens/textfile.h"
#include "ipc/base/xalloc.h"
#include "ipc/envelope.h"

#define STEP_MS 30000u

struct textedit {
	struct ui *ui;
	char zone[UI_OBJECT];
	uint64_t version; /* of the zone when it was fetched */
	Ns__Draft *draft; /* that is in the text, as it was then; NULL: none */
	struct wbuf text; /* as the editor got it, then as it left it */
	char *path; /* NULL: no file yet */
	uint64_t request, session;
	size_t chunk, sent;
	bool drafted; /* the appliance says that the draft is in it */
	uint32_t line; /* where the editor opens; 0: at the top */
	char again[512]; /* what is wrong there */
	bool kept; /* for later: E goes on with it */
	bool moot; /* nothing of it is left to do but to say what becomes of the draft */
};

static void begin_import(struct textedit *);

void
textedit_free(struct ui *ui)
{
	struct textedit *t = ui->textedit;

	if (t == NULL)
		return;
	if (t->request != 0)
		ns_client_cancel(ui->client, t->request);
	wbuf_free(&t->text);
	if (t->draft != NULL)
		ns__draft__free_unpacked(t->draft, NULL);
	free(t->path);
	free(t);
	ui->textedit = NULL;
}

/* The end; the file stays where there is something in it that is nowhere else. */
static void
finish(struct textedit *t, bool keep, const char *text)
{
	struct ui *ui = t->ui;

	if (t->path != NULL && !keep)
		(void)unlink(t->path);
	if (t->path != NULL && keep)
		ui_say(ui, "%s. Your text is in %s", text, t->path);
	else
		ui_say(ui, "%s", text);
	textedit_free(ui);
	ui_dirty(ui, true);
}

static void
finish_why(struct textedit *t, const struct ns_why *why)
{
	char text[600];

	snprintf(text, sizeof text, "E%04u %s", why->code, why->text);
	finish(t, t->path != NULL, text);
}

static bool
write_marked(struct textedit *t)
{
	struct wbuf out;
	bool ok = edittext_mark(&t->text, t->line, t->again, &out) &&
		  textfile_write(t->path, out.base, out.len);

	wbuf_free(&out);
	return ok;
}

/* ---- the editor ---- */
static void
ended(void *arg, enum textfile_end end)
{
	struct textedit *t = arg;
	struct wbuf now;
	bool read = textfile_read(t->path, &now), same;

	if (read)
		edittext_strip(&now);
	same = read && edittext_same(&now, &t->text);
	if (!read || end == TEXTFILE_FAILED)
		finish(t, !same,
		    read ? "The editor failed: nothing was changed" : "The text cannot be read");
	else if (same || end == TEXTFILE_LEFT)
		finish(t, false, "The text is as it was: nothing was changed");
	else if (now.len == 0)
		finish(t, false, "The text is empty: nothing was changed");
	else {
		wbuf_free(&t->text);
		t->text = now;
		/* Without marks: lines count as in the import. */
		if (textfile_write(t->path, t->text.base, t->text.len))
			begin_import(t);
		else
			finish(t, true, "The text cannot be written");
		return;
	}
	wbuf_free(&now);
}

static void
run_editor(struct textedit *t)
{
	char *title = xasprintf("%.*s as text", ui_name_len(t->zone), t->zone);
	/* The mark is above the line that is wrong. */
	const struct textfile_what what = { t->path, title, t->again,
		t->line > 0 ? t->line + 1 : 0 };

	if (!textfile_edit(t->ui, &what, ended, t))
		finish(t, t->line > 0, "The editor cannot be started");
	free(title);
}

/* ---- what the appliance could not read ---- */
static void
edit_again(void *arg)
{
	struct ui *ui = arg;

	if (ui->textedit == NULL)
		return;
	ui->message[0] = '\0';
	ui->textedit->kept = false;
	if (write_marked(ui->textedit))
		run_editor(ui->textedit);
	else
		finish(ui->textedit, true, "The text cannot be written");
}

static void
discard(void *arg)
{
	struct ui *ui = arg;

	if (ui->textedit != NULL)
		finish(ui->textedit, false, "The text is discarded: nothing was changed");
}

static const struct dialog_choice choices[] = { { 'e', "edit again", edit_again },
	{ 'k', "keep the text, decide later", NULL }, { 'd', "discard it", discard },
	{ 0, NULL, NULL } };

static void
ask_again(struct textedit *t)
{
	char ask[900], more[600];

	t->kept = true;
	snprintf(ask, sizeof ask, "Line %u: %s", t->line, t->again);
	snprintf(more, sizeof more, "Kept, E opens it again; it is in %s", t->path);
	ui_say(t->ui, "Your text is in %s; E opens it again", t->path);
	ui_ask_choices(t->ui, ask, more, choices, t->ui);
}

/* ---- from text to operations ---- */
static void
take_error(struct textedit *t, const Ns__ImportFileError *e)
{
	t->line = e->line;
	snprintf(t->again, sizeof t->again, "E%04u %s", e->code, e->reason);
	ask_again(t);
}

/* Somebody, or this operator elsewhere, worked on the draft while the editor was open. */
static bool
draft_moved(const struct textedit *t)
{
	const struct drafts *d = drafts_look(t->ui, t->zone);
	const Ns__Draft *now = d != NULL ? d->draft : NULL;

	return (now == NULL) != (t->draft == NULL) ||
	       (now != NULL && (now->serial_no != t->draft->serial_no ||
				   now->created_ms != t->draft->created_ms));
}

static void
drop_draft(void *arg)
{
	struct ui *ui = arg;

	if (ui->textedit == NULL)
		return;
	if (draft_moved(ui->textedit))
		finish(ui->textedit, true, "The draft was changed while you edited");
	else if (drafts_drop(ui, ui->textedit->zone))
		finish(ui->textedit, false, "The draft is discarded: the text is what is served");
}

static void
leave_draft(void *arg)
{
	struct ui *ui = arg;

	if (ui->textedit != NULL)
		finish(ui->textedit, false, "The draft stays as it was");
}

/* What was in the draft was taken out of the text again. */
static const struct dialog_choice no_draft[] = { { 'd', "discard the draft", drop_draft },
	{ 'k', "keep it as it was", leave_draft }, { 0, NULL, NULL } };

static void
take_draft(struct textedit *t, Ns__ZoneEdit *edit)
{
	/* Operations made of an older text would take back what others did meanwhile. */
	if (edit->base_version != t->version)
		finish(t, true, "Others changed the zone while you edited");
	else if (draft_moved(t))
		finish(t, true, "The draft was changed while you edited");
	else if (drafts_replace(t->ui, edit))
		finish(t, false, "In the draft, not served yet: look, then C commits");
	else
		finish(t, true, "It is in no draft");
}

static void
imported(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct textedit *t = arg;
	const Ns__ImportReply *r;

	t->request = 0;
	ui_dirty(t->ui, true);
	if (env == NULL) {
		finish_why(t, why);
		return;
	}
	r = env->import_reply;
	if (r->n_errors > 0)
		take_error(t, r->errors[0]);
	else if (r->n_drafts == 1)
		take_draft(t, r->drafts[0]);
	else if (t->draft == NULL)
		finish(t, false, "It is so already: nothing would change");
	else {
		t->moot = true;
		ui_ask_choices(t->ui,
		    "The text is what is served now: nothing is left of the draft", "", no_draft,
		    t->ui);
	}
}

static void
end_import(struct textedit *t)
{
	Ns__ImportEnd body = NS__IMPORT_END__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	body.session = t->session;
	request.body_case = NS__ENVELOPE__BODY_IMPORT_END;
	request.import_end = &body;
	t->request = ns_client_request(t->ui->client, &request, STEP_MS, imported, t);
}

static void sent(void *arg, const Ns__Envelope *, const struct ns_why *);

static void
send_piece(struct textedit *t)
{
	Ns__ImportData body = NS__IMPORT_DATA__INIT;
	Ns__ImportData__File file = NS__IMPORT_DATA__FILE__INIT, *files[] = { &file };
	Ns__Envelope request = NS__ENVELOPE__INIT;
	size_t left = t->text.len - t->sent, n = left < t->chunk ? left : t->chunk;

	file.file = t->path;
	file.zone = t->zone;
	file.text.data = t->text.base + t->sent;
	file.text.len = n;
	file.last = n == left;
	body.session = t->session;
	body.files = files;
	body.n_files = 1;
	request.body_case = NS__ENVELOPE__BODY_IMPORT_DATA;
	request.import_data = &body;
	t->sent += n;
	t->request = ns_client_request(t->ui->client, &request, STEP_MS, sent, t);
}

static void
sent(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct textedit *t = arg;

	t->request = 0;
	if (env == NULL)
		finish_why(t, why);
	else if (t->sent < t->text.len)
		send_piece(t);
	else
		end_import(t);
}

static void
ready(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct textedit *t = arg;

	t->request = 0;
	if (env == NULL) {
		finish_why(t, why);
		return;
	}
	t->session = env->import_ready->session;
	t->chunk = env->import_ready->chunk > 4096 ? env->import_ready->chunk / 2 : 4096;
	t->sent = 0;
	send_piece(t);
}

static void
begin_import(struct textedit *t)
{
	Ns__ImportBegin body = NS__IMPORT_BEGIN__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	body.draft = true;
	body.files = 1;
	request.body_case = NS__ENVELOPE__BODY_IMPORT_BEGIN;
	request.import_begin = &body;
	ui_say(t->ui, "Being read by the appliance");
	t->request = ns_client_request(t->ui->client, &request, STEP_MS, ready, t);
}

/* ---- the zone as text ---- */
static void
edit_it(struct textedit *t)
{
	t->path =
	    textfile_new(ns_drafts_path(t->ui->drafts->dir), ".zone", t->text.base, t->text.len);
	if (t->path == NULL) {
		finish(t, false, "The text cannot be written beside the drafts");
		return;
	}
	run_editor(t);
}

static void
came(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct textedit *t = arg;

	if (env == NULL) {
		t->request = 0;
		finish_why(t, why);
		return;
	}
	if (env->body_case == NS__ENVELOPE__BODY_TEXT_CHUNK) {
		wbuf_put(&t->text, env->text_chunk->text.data, env->text_chunk->text.len);
		t->drafted = t->drafted || env->text_chunk->drafted;
	}
	if (env->more)
		return;
	t->request = 0;
	/* An appliance that does not know of drafts here gives what is served. */
	if (t->draft != NULL && !t->drafted)
		finish(
		    t, false, "This appliance is too old: commit or discard the draft first (p)");
	else if (wbuf_ok(&t->text) && t->text.len <= EDITTEXT_MAX)
		edit_it(t);
	else
		finish(t, false,
		    "The zone is too large for an editor: nameserve zone export, zone import");
}

static void
shown(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct textedit *t = arg;
	Ns__ZoneExportRequest body = NS__ZONE_EXPORT_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;
	Ns__ZoneEdit edit;
	char *head;

	t->request = 0;
	if (env == NULL) {
		finish_why(t, why);
		return;
	}
	t->version = env->zone_info->version;
	head =
	    edittext_head(t->zone, env->zone_info->serial, t->draft != NULL ? t->draft->n_ops : 0);
	wbuf_put(&t->text, head, strlen(head));
	free(head);
	if (t->draft != NULL) {
		draft_edit(&edit, t->draft);
		body.draft = &edit;
	}
	body.zone = t->zone;
	request.body_case = NS__ENVELOPE__BODY_ZONE_EXPORT_REQUEST;
	request.zone_export_request = &body;
	t->request = ns_client_request(t->ui->client, &request, STEP_MS, came, t);
}

void
textedit_start(struct ui *ui, const char *zone)
{
	const struct drafts *d = drafts_look(ui, zone);
	Ns__ZoneShowRequest body = NS__ZONE_SHOW_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;
	struct textedit *t;

	if (ui->textedit != NULL && ui->textedit->kept && strcmp(ui->textedit->zone, zone) == 0) {
		ask_again(ui->textedit);
		return;
	}
	if (ui->textedit != NULL && ui->textedit->moot)
		finish(ui->textedit, false, "The draft stays as it was");
	if (ui->textedit != NULL && ui->textedit->kept)
		textedit_free(ui); /* its file stays, and was said */
	if (ui->textedit != NULL || d == NULL || d->dir == NULL) {
		ui_say(ui, ui->textedit != NULL ? "A zone is being edited as text already"
						: "Drafts have no place yet");
		return;
	}
	t = ui->textedit = xcalloc(1, sizeof *t);
	t->ui = ui;
	t->draft = d->draft != NULL ? ns_message_copy(&d->draft->base) : NULL;
	t->text = wbuf_grow(2 * EDITTEXT_MAX);
	snprintf(t->zone, sizeof t->zone, "%s", zone);
	body.zone = t->zone;
	request.body_case = NS__ENVELOPE__BODY_ZONE_SHOW_REQUEST;
	request.zone_show_request = &body;
	t->request = ns_client_request(ui->client, &request, STEP_MS, shown, t);
}
