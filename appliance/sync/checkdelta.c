/* checkdelta - the checks that a batch changes, on their way to the probe.  Writer thread, then the loop. */
#include <stdlib.h>
#include <string.h>

#include "appliance/sync/batch.h"
#include "appliance/sync/checks.h"
#include "ipc/base/xalloc.h"

Ns__CheckFeed__Entry *
check_entry_new(uint64_t id, uint64_t version, const char *name)
{
	Ns__CheckFeed__Entry *e = xmalloc(sizeof *e);

	ns__check_feed__entry__init(e);
	e->id = id;
	e->version = version;
	e->name = xstrdup(name);
	return e;
}

void
check_deltas_add(struct check_deltas *d, Ns__CheckFeed__Entry *e)
{
	if (d->count == d->room) {
		d->room = d->room * 2 + 16;
		d->list = xreallocarray(d->list, d->room, sizeof *d->list);
	}
	d->list[d->count++] = e;
}

void
check_delta(struct batch *b, const Ns__ChangeBody__Object *m, uint64_t revision)
{
	Ns__CheckFeed__Entry *e;

	if (strcmp(m->kind, CHECK_KIND) != 0)
		return;
	if (b->checks == NULL)
		b->checks = xcalloc(1, sizeof *b->checks);
	e = check_entry_new(m->id, revision, m->name);
	if (!m->removed)
		e->check = ns__check__unpack(NULL, m->body.len, m->body.data);
	check_deltas_add(b->checks, e);
}

size_t
check_deltas_count(const struct check_deltas *d)
{
	return d != NULL ? d->count : 0;
}

void
check_deltas_cut(struct check_deltas *d, size_t count)
{
	while (d != NULL && d->count > count)
		protobuf_c_message_free_unpacked(&d->list[--d->count]->base, NULL);
}

void
check_deltas_destroy(struct check_deltas **dp)
{
	if (*dp == NULL)
		return;
	check_deltas_cut(*dp, 0);
	free((*dp)->list);
	free(*dp);
	*dp = NULL;
}
