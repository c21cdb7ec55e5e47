/* importzone - zones on their way from a text thread to the writer and back, and what is counted of
 * them.  Owned by one thread at a time. */
#include <stdlib.h>

#include "appliance/sync/import.h"
#include "ipc/base/xalloc.h"

struct import_session *
import_session_ref(struct import_session *s)
{
	atomic_fetch_add(&s->refs, 1);
	return s;
}

void
import_session_unref(struct import_session **sp)
{
	struct import_session *s = *sp;

	*sp = NULL;
	if (s == NULL || atomic_fetch_sub(&s->refs, 1) != 1)
		return;
	for (size_t i = 0; i < s->nconfirm; i++)
		free(s->confirm[i]);
	free(s->confirm);
	if (s->draft != NULL)
		protobuf_c_message_free_unpacked(&s->draft->base, NULL);
	free(s->comment);
	free(s);
}

struct import_zone *
import_zone_new(struct import_session *s, const char *file)
{
	struct import_zone *z = xcalloc(1, sizeof *z);

	z->session = import_session_ref(s);
	z->file = xstrdup(file);
	z->job.work = import_zone_work;
	return z;
}

void
import_zone_destroy(struct import_zone **zp)
{
	struct import_zone *z = *zp;

	if (z == NULL)
		return;
	import_session_unref(&z->session);
	wbuf_free(&z->zwire);
	free(z->file);
	free(z);
	*zp = NULL;
}

/* A tiny zone costs what is around it. */
size_t
import_zone_octets(const struct import_zone *z)
{
	return sizeof *z + z->zwire.len;
}

/* ---- counting (writer thread) ---- */
static struct import_tally *
tally_for(struct import_tally_list *list, const struct import_zone *z)
{
	struct import_tally *t;

	TAILQ_FOREACH(t, list, link)
	if (t->session == z->session)
		return t;
	t = xcalloc(1, sizeof *t);
	t->session = import_session_ref(z->session);
	TAILQ_INIT(&t->failed);
	TAILQ_INSERT_TAIL(list, t, link);
	return t;
}

static void
count(struct import_tally *t, const struct import_zone *z)
{
	t->count++;
	t->octets += import_zone_octets(z);
	if (z->outcome == IMPORT_FAILED)
		return;
	if (z->outcome == IMPORT_UNCHANGED) {
		t->unchanged++;
		return;
	}
	t->zones++;
	t->records += z->records;
	if (z->revision > t->revision)
		t->revision = z->revision;
}

void
import_tally(struct import_zone_list *zones, struct import_tally_list *list)
{
	struct import_zone *z;

	while ((z = TAILQ_FIRST(zones)) != NULL) {
		struct import_tally *t = tally_for(list, z);

		TAILQ_REMOVE(zones, z, link);
		if (z->end) {
			t->end = true;
		} else {
			count(t, z);
			if (z->outcome == IMPORT_FAILED) {
				wbuf_free(&z->zwire);
				TAILQ_INSERT_TAIL(&t->failed, z, link);
				continue;
			}
		}
		import_zone_destroy(&z);
	}
}

void
import_tally_destroy(struct import_tally **tp)
{
	struct import_tally *t = *tp;
	struct import_zone *z;

	if (t == NULL)
		return;
	while ((z = TAILQ_FIRST(&t->failed)) != NULL) {
		TAILQ_REMOVE(&t->failed, z, link);
		import_zone_destroy(&z);
	}
	import_session_unref(&t->session);
	free(t);
	*tp = NULL;
}
