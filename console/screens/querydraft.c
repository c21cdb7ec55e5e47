/* querydraft.c - see querydraft.h. */
#include "console/screens/querydraft.h"

#include <stdlib.h>

#include "console/screens/drafts.h"
#include "ipc/base/xalloc.h"
#include "ipc/client/draft.h"
#include "ipc/client/draftop.h"
#include "ipc/envelope.h"

static bool
take(void *arg, const char *zone, const Ns__Draft *d, const struct ns_why *why)
{
	struct querydraft *q = arg;
	Ns__Draft *copy = d != NULL ? ns_message_copy(&d->base) : NULL;

	(void)zone, (void)why;
	if (copy == NULL)
		return true;
	q->drafts = xreallocarray(q->drafts, q->n + 1, sizeof *q->drafts);
	q->drafts[q->n++] = copy;
	return true;
}

void
querydraft_load(struct ui *ui, struct querydraft *q)
{
	struct ns_why why = { 0 };

	*q = (struct querydraft){ 0 };
	if (ui->drafts == NULL || ui->drafts->dir == NULL ||
	    ns_drafts_each(ui->drafts->dir, take, q, &why) != NS_OK || q->n == 0)
		return;
	q->edits = xcalloc(q->n, sizeof *q->edits);
	q->list = xcalloc(q->n, sizeof *q->list);
	for (size_t i = 0; i < q->n; i++) {
		draft_edit(&q->edits[i], q->drafts[i]);
		q->list[i] = &q->edits[i];
	}
}

void
querydraft_free(struct querydraft *q)
{
	for (size_t i = 0; i < q->n; i++)
		ns__draft__free_unpacked(q->drafts[i], NULL);
	free(q->drafts);
	free(q->edits);
	free(q->list);
	*q = (struct querydraft){ 0 };
}
