/* textedit.c - see textedit.h. */
#include "console/screens/textedit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "console/screens/drafts.h"
#include "console/screens/textfile.h"
#include "ipc/base/wbuf.h"
#include "ipc/base/xalloc.h"

#define STEP_MS  30000u
#define TEXT_MAX (4u << 20) /* octets: what is longer is nobody's to edit by hand */
#define MARK     "; ERROR: "

struct textedit {
	struct ui *ui;
	char zone[UI_OBJECT];
	uint64_t version; /* of the zone when it was fetched */
	struct wbuf text; /* as the editor got it, then as it left it */
	char *path; /* NULL: no file yet */
	uint64_t request, session;
	size_t chunk, sent;
	uint32_t line; /* where the editor opens; 0: at the top */
	char again[512]; /* what is wrong there */
	bool kept; /* for later: E goes on with it */
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

/* ---- marks ---- */
/* Without the marks of the round before. */
static void
strip_marks(struct wbuf *text)
{
	struct wbuf out = wbuf_grow(2 * TEXT_MAX);
	const uint8_t *p = text->base, *end = text->base + text->len;

	while (p < end) {
		const uint8_t *nl = memchr(p, '\n', (size_t)(end - p));
		size_t n = nl != NULL ? (size_t)(nl - p) + 1 : (size_t)(end - p);

		if (n < sizeof MARK || memcmp(p, MARK, sizeof MARK - 1) != 0)
			wbuf_put(&out, p, n);
		p += n;
	}
	wbuf_free(text);
	*text = out;
}

/* The mark stands above the line that is wrong. */
static bool
write_marked(struct textedit *t)
{
	struct wbuf out = wbuf_grow(4 * TEXT_MAX);
	const uint8_t *p = t->text.base, *end = p + t->text.len;
	bool ok;

	for (uint32_t line = 1; p < end || line <= t->line; line++) {
		const uint8_t *nl = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;
		size_t n = nl != NULL ? (size_t)(nl - p) + 1 : (size_t)(end - p);

		if (line == t->line) {
			wbuf_put(&out, MARK, sizeof MARK - 1);
			wbuf_put(&out, t->again, strlen(t->again));
			wbuf_put(&out, "\n", 1);
		}
		wbuf_put(&out, p, n);
		p += n;
	}
	ok = wbuf_ok(&out) && textfile_write(t->path, out.base, out.len);
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
		strip_marks(&now);
	same = read && now.len == t->text.len &&
	       (now.len == 0 || memcmp(now.base, t->text.base, now.len) == 0);
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
	for (char *p = t->again; *p != '\0'; p++)
		*p = *p == '\n' ? ' ' : *p;
	ask_again(t);
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
	if (r->n_errors > 0) {
		take_error(t, r->errors[0]);
		return;
	}
	if (r->n_drafts != 1) {
		finish(t, false, "It is so already: nothing would change");
		return;
	}
	/* Operations made of an older text would take back what others did meanwhile. */
	if (r->drafts[0]->base_version != t->version) {
		finish(t, true, "Others changed the zone while you edited");
		return;
	}
	if (drafts_take(t->ui, r->drafts, 1))
		finish(t, false, "In the draft, not served yet: look, then C commits");
	else
		finish(t, true, "It is in no draft");
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
	t->path = textfile_new(t->ui, ".zone", t->text.base, t->text.len);
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
	if (env->body_case == NS__ENVELOPE__BODY_TEXT_CHUNK)
		wbuf_put(&t->text, env->text_chunk->text.data, env->text_chunk->text.len);
	if (env->more)
		return;
	t->request = 0;
	if (wbuf_ok(&t->text) && t->text.len <= TEXT_MAX)
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
	char *head;

	t->request = 0;
	if (env == NULL) {
		finish_why(t, why);
		return;
	}
	t->version = env->zone_info->version;
	head = xasprintf("; %s at serial %u. Save and leave: what differs becomes a draft.\n"
			 "; Leave it as it is, or empty: nothing happens.\n"
			 "; A policy is a line ;ns-policy NAME TYPE {JSON}; its checks stand in "
			 "Health.\n",
	    t->zone, env->zone_info->serial);
	wbuf_put(&t->text, head, strlen(head));
	free(head);
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
	if (ui->textedit != NULL && ui->textedit->kept)
		textedit_free(ui); /* its file stays, and was said */
	if (ui->textedit != NULL || d == NULL || d->dir == NULL) {
		ui_say(ui, ui->textedit != NULL ? "A zone is being edited as text already"
						: "Drafts have no place yet");
		return;
	}
	if (d->draft != NULL) {
		ui_say(ui, "The text is what is served: commit or discard the draft first (p)");
		return;
	}
	t = ui->textedit = xcalloc(1, sizeof *t);
	t->ui = ui;
	t->text = wbuf_grow(2 * TEXT_MAX);
	snprintf(t->zone, sizeof t->zone, "%s", zone);
	body.zone = t->zone;
	request.body_case = NS__ENVELOPE__BODY_ZONE_SHOW_REQUEST;
	request.zone_show_request = &body;
	t->request = ns_client_request(ui->client, &request, STEP_MS, shown, t);
}
