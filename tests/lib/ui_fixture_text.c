/* ui_fixture_text.c - see ui_fixture.h: a zone as text, and what the appliance says of the text that comes back. */
#include <string.h>

#include "ipc/nameserve.pb-c.h"
#include "tests/lib/ui_fixture_int.h"

static const char text[] =
    "$ORIGIN shop-000.example.\n"
    "$TTL 300\n"
    "@\tSOA\tns1.example.net. hostmaster.example.net. 2026112201 7200 3600 1209600 300\n"
    "@\tNS\tns1.example.net.\n"
    "@\tMX\t10 mail\n"
    "mail\tA\t192.0.2.25\n"
    "www\tA\t192.0.2.80\n";

static void
fill_text(Ns__Envelope *e)
{
	static Ns__TextChunk r;
	const char *shown = fixture_is("hostile") ? HOSTILE "\n" HOSTILE : text;

	r = (Ns__TextChunk)NS__TEXT_CHUNK__INIT;
	r.text.data = (uint8_t *)STR(shown);
	r.text.len = fixture_is("empty") ? 0 : strlen(shown);
	r.drafted = true;
	e->text_chunk = &r;
	e->body_case = NS__ENVELOPE__BODY_TEXT_CHUNK;
}

static void
fill_ready(Ns__Envelope *e)
{
	static Ns__ImportReady r;

	r = (Ns__ImportReady)NS__IMPORT_READY__INIT;
	r.session = 7;
	e->import_ready = &r;
	e->body_case = NS__ENVELOPE__BODY_IMPORT_READY;
}

static void
fill_progress(Ns__Envelope *e)
{
	static Ns__ImportProgress r;

	r = (Ns__ImportProgress)NS__IMPORT_PROGRESS__INIT;
	e->import_progress = &r;
	e->body_case = NS__ENVELOPE__BODY_IMPORT_PROGRESS;
}

/* Three operations. */
static void
put_draft(Ns__ImportReply *r)
{
	static Ns__ZoneEdit edit, *edits[] = { &edit };
	static char *rdata[] = { STR("192.0.2.10") };
	static const char *const names[] = { "old", "www", "beta" };
	LIST(Ns__RecordOp, NS__RECORD_OP__INIT, op, 3)

	edit = (Ns__ZoneEdit)NS__ZONE_EDIT__INIT;
	edit.zone = STR("shop-000.example.");
	for (unsigned i = 0; i < 3; i++) {
		op[i]->name = STR(names[i]);
		op[i]->type = STR("A");
		op[i]->rdata = rdata;
		op[i]->n_rdata = 1;
	}
	edit.ops = op;
	edit.n_ops = 3;
	r->drafts = edits;
	r->n_drafts = 1;
}

static void
fill_verdict(Ns__Envelope *e)
{
	static Ns__ImportReply r;
	static Ns__ImportFileError error, *errors[] = { &error };

	r = (Ns__ImportReply)NS__IMPORT_REPLY__INIT;
	error = (Ns__ImportFileError)NS__IMPORT_FILE_ERROR__INIT;
	error.line = 10;
	error.code = 1102;
	error.reason =
	    STR(fixture_is("hostile") ? HOSTILE
				      : "field \"address\": not an IPv4 address: \"192.0.2.300\"");
	r.errors = errors;
	r.n_errors = fixture_is("empty") || fixture_is("heavy") ? 0 : 1;
	if (fixture_is("heavy"))
		put_draft(&r);
	e->import_reply = &r;
	e->body_case = NS__ENVELOPE__BODY_IMPORT_REPLY;
}

bool
fixture_text(Ns__Envelope__BodyCase kind, Ns__Envelope *e)
{
	static const struct {
		Ns__Envelope__BodyCase kind;
		void (*fill)(Ns__Envelope *);
	} answers[] = { { NS__ENVELOPE__BODY_ZONE_EXPORT_REQUEST, fill_text },
		{ NS__ENVELOPE__BODY_IMPORT_BEGIN, fill_ready },
		{ NS__ENVELOPE__BODY_IMPORT_DATA, fill_progress },
		{ NS__ENVELOPE__BODY_IMPORT_END, fill_verdict } };

	for (size_t k = 0; k < sizeof answers / sizeof *answers; k++)
		if (answers[k].kind == kind) {
			answers[k].fill(e);
			return true;
		}
	return false;
}
