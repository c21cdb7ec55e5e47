/* importfiles - the files of an import's data messages on their way through the text threads.
 *
 * All files that a message holds whole are one job.  A file that spans messages has a parser that lives
 * in the loop's list and visits a text thread for one piece at a time, in order.  A message has been
 * read when all its parts are back.  Loop, but for the two *_work functions. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/sync/errors.h"
#include "appliance/sync/import_session.h"
#include "appliance/sync/place.h"
#include "ipc/base/xalloc.h"

/* What r->state of a data message is: the parts that are still out. */
struct message {
	unsigned parts;
	bool *whole; /* by file: complete in this message */
};

struct whole_job {
	struct job job;
	struct session *session;
	struct request *msg;
	struct import_zone_list zones;
};

struct piece {
	TAILQ_ENTRY(piece) link;
	struct request *msg;
	const Ns__ImportData__File *file;
};

TAILQ_HEAD(piece_list, piece);

struct open_file {
	struct job job;
	TAILQ_ENTRY(open_file) link;
	struct piece_list pieces;
	struct session *session;
	char *name;
	struct import_parser *parser;
	struct import_zone *zone; /* the result, with the last piece */
	bool busy;
	bool failed; /* what still comes is thrown away */
	uint64_t octets;
};

static void
message_free(void *arg)
{
	struct message *m = arg;

	free(m->whole);
	free(m);
}

static void
part_done(struct sync *s, struct session *se, struct request *msg)
{
	struct message *m = msg->state;

	if (--m->parts == 0)
		import_message_read(s, se, msg);
}

/* ---- whole files ---- */
static void
whole_work(struct job *job, void *thread)
{
	struct whole_job *w = (struct whole_job *)job;
	const Ns__ImportData *data = w->msg->env->import_data;
	const struct message *m = w->msg->state;

	(void)thread;
	for (size_t i = 0; i < data->n_files; i++) {
		const Ns__ImportData__File *f = data->files[i];
		struct import_parser *p;
		struct import_zone *z;

		if (!m->whole[i])
			continue;
		p = import_parser_new(f->zone);
		z = import_zone_new(w->session->shared, f->file);
		import_parser_feed(p, f->text.data, f->text.len);
		import_parser_end(p, z);
		import_parser_destroy(&p);
		TAILQ_INSERT_TAIL(&w->zones, z, link);
	}
}

static void
whole_done(struct job *job, struct sync *s)
{
	struct whole_job *w = (struct whole_job *)job;
	struct import_zone *z;

	while ((z = TAILQ_FIRST(&w->zones)) != NULL) {
		TAILQ_REMOVE(&w->zones, z, link);
		import_zone_read(s, w->session, z);
	}
	part_done(s, w->session, w->msg);
	free(w);
}

static void
refuse_whole(struct whole_job *w)
{
	const Ns__ImportData *data = w->msg->env->import_data;
	const struct message *m = w->msg->state;
	struct ns_why why = { 0 };

	ns_fail(&why, NS_UNAVAILABLE, ES_BUSY, "busy: too much is waiting to be read");
	for (size_t i = 0; i < data->n_files; i++)
		if (m->whole[i])
			session_error(w->session, data->files[i]->file, &why);
}

static void
start_whole(struct sync *s, struct session *se, struct request *msg)
{
	struct whole_job *w = xcalloc(1, sizeof *w);

	TAILQ_INIT(&w->zones);
	w->job.work = whole_work;
	w->job.done = whole_done;
	w->session = se;
	w->msg = msg;
	if (queue_push(s->texts, LANE_BULK, &w->job))
		return;
	refuse_whole(w);
	whole_done(&w->job, s);
}

/* ---- files in pieces ---- */
static void
piece_work(struct job *job, void *thread)
{
	struct open_file *f = (struct open_file *)job;
	const Ns__ImportData__File *in = TAILQ_FIRST(&f->pieces)->file;

	(void)thread;
	import_parser_feed(f->parser, in->text.data, in->text.len);
	if (!in->last)
		return;
	f->zone = import_zone_new(f->session->shared, f->name);
	import_parser_end(f->parser, f->zone);
}

static void
file_close(struct open_file *f)
{
	struct piece *p;

	TAILQ_REMOVE(&f->session->files, f, link);
	f->session->nfiles--;
	while ((p = TAILQ_FIRST(&f->pieces)) != NULL) {
		TAILQ_REMOVE(&f->pieces, p, link);
		free(p);
	}
	import_parser_destroy(&f->parser);
	free(f->name);
	free(f);
}

static void file_next(struct sync *, struct open_file *);

static void
piece_done(struct job *job, struct sync *s)
{
	struct open_file *f = (struct open_file *)job;
	struct piece *p = TAILQ_FIRST(&f->pieces);
	struct session *se = f->session;
	struct request *msg = p->msg;
	bool last = p->file->last;

	TAILQ_REMOVE(&f->pieces, p, link);
	free(p);
	f->busy = false;
	if (!f->failed && import_parser_failed(f->parser)) {
		f->failed = true;
		import_text_freed(s, f->octets);
		f->octets = 0;
	}
	if (f->zone != NULL)
		import_zone_read(s, se, f->zone);
	f->zone = NULL;
	if (last) {
		/* Pieces behind the last one are not of this file: their messages still count. */
		while ((p = TAILQ_FIRST(&f->pieces)) != NULL) {
			struct request *late = p->msg;

			TAILQ_REMOVE(&f->pieces, p, link);
			free(p);
			part_done(s, se, late);
		}
		import_text_freed(s, f->octets);
		file_close(f);
	} else {
		file_next(s, f);
	}
	part_done(s, se, msg);
}

static void
file_next(struct sync *s, struct open_file *f)
{
	if (f->busy || TAILQ_EMPTY(&f->pieces))
		return;
	f->busy = true;
	/* The lane is far larger than all windows together. */
	if (!queue_push(s->texts, LANE_BULK, &f->job)) {
		piece_work(&f->job, NULL);
		piece_done(&f->job, s);
	}
}

static struct open_file *
file_find(const struct session *se, const char *name)
{
	struct open_file *f;

	TAILQ_FOREACH(f, &se->files, link)
	{
		const struct piece *tail = TAILQ_LAST(&f->pieces, piece_list);

		if (strcmp(f->name, name) == 0 && (tail == NULL || !tail->file->last))
			return f;
	}
	return NULL;
}

static struct open_file *
file_open(struct session *se, const Ns__ImportData__File *in)
{
	struct open_file *f = xcalloc(1, sizeof *f);

	f->job.work = piece_work;
	f->job.done = piece_done;
	TAILQ_INIT(&f->pieces);
	f->session = se;
	f->name = xstrdup(in->file);
	f->parser = import_parser_new(in->zone);
	TAILQ_INSERT_TAIL(&se->files, f, link);
	se->nfiles++;
	return f;
}

static uint64_t
add_piece(struct session *se, struct request *msg, const Ns__ImportData__File *in)
{
	struct open_file *f = file_find(se, in->file);
	struct piece *p = xcalloc(1, sizeof *p);

	if (f == NULL)
		f = file_open(se, in);
	p->msg = msg;
	p->file = in;
	TAILQ_INSERT_TAIL(&f->pieces, p, link);
	if (f->failed)
		return 0;
	f->octets += in->text.len;
	return in->text.len;
}

/* ---- what import.c calls ---- */
void
session_parts_init(struct session *se)
{
	TAILQ_INIT(&se->read);
	TAILQ_INIT(&se->files);
}

uint64_t
session_parts_free(struct session *se)
{
	uint64_t octets = 0;

	while (!TAILQ_EMPTY(&se->files)) {
		octets += TAILQ_FIRST(&se->files)->octets;
		file_close(TAILQ_FIRST(&se->files));
	}
	return octets;
}

enum ns_err
session_admit(struct session *se, struct request *r, uint64_t open_bytes)
{
	const Ns__ImportData *data = r->env->import_data;
	unsigned opened = 0;

	for (size_t i = 0; i < data->n_files; i++) {
		const struct open_file *f = file_find(se, data->files[i]->file);

		if (f == NULL || !f->failed)
			open_bytes += data->files[i]->text.len;
		if (!data->files[i]->last && f == NULL)
			opened++;
	}
	if (open_bytes > IMPORT_OPEN_BYTES)
		return ns_fail(&r->why, NS_UNAVAILABLE, ES_BUSY,
		    "busy: %llu MiB of zone text are being read already", IMPORT_OPEN_BYTES >> 20);
	if (se->nfiles + opened > IMPORT_OPEN_FILES)
		return ns_fail(&r->why, NS_USAGE, ES_FILES_OPEN,
		    "more than %u files of this import are unfinished", IMPORT_OPEN_FILES);
	return NS_OK;
}

uint64_t
session_split(struct sync *s, struct session *se, struct request *r)
{
	const Ns__ImportData *data = r->env->import_data;
	struct message *m = xcalloc(1, sizeof *m);
	struct open_file *f, *next;
	uint64_t octets = 0;
	bool any = false;

	m->whole = xcalloc(data->n_files + 1, sizeof *m->whole);
	m->parts = 1; /* this function's own, so that nothing ends too early */
	r->state = m;
	r->free_state = message_free;
	for (size_t i = 0; i < data->n_files; i++) {
		const Ns__ImportData__File *in = data->files[i];

		m->whole[i] = in->last && file_find(se, in->file) == NULL;
		any = any || m->whole[i];
		if (m->whole[i])
			continue;
		m->parts++;
		octets += add_piece(se, r, in);
	}
	if (any) {
		m->parts++;
		start_whole(s, se, r);
	}
	for (f = TAILQ_FIRST(&se->files); f != NULL; f = next) {
		next = TAILQ_NEXT(f, link);
		file_next(s, f);
	}
	part_done(s, se, r);
	return octets;
}

uint64_t
session_unfinished(struct session *se)
{
	struct open_file *f;
	struct ns_why why = { 0 };

	ns_fail(&why, NS_INVALID, ES_FILE_OPEN, "the import ended before the end of the file");
	TAILQ_FOREACH(f, &se->files, link)
	session_error(se, f->name, &why);
	return session_parts_free(se);
}

/* One sentence with the place that is not in the message's own fields. */
char *
session_reason(const struct ns_why *why)
{
	struct ns_why placed = *why;

	if (placed.text[0] == '\0')
		ns_fail(&placed, why->err, why->code, "%s", ns_err_text(why->err));
	place_sentence(&placed, NULL);
	return xstrdup(placed.text);
}
