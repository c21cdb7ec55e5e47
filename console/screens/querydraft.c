/* querydraft.c - see querydraft.h. */
#include "console/screens/querydraft.h"

#include <stdlib.h>
#include <strings.h>

#include "console/screens/drafts.h"
#include "ipc/base/xalloc.h"
#include "ipc/client/draft.h"
#include "ipc/client/draftop.h"
#include "ipc/envelope.h"

static void
add_copy(struct querydraft *q, const Ns__Draft *d)
{
	Ns__Draft *copy = ns_message_copy(&d->base);

	if (copy == NULL)
		return;
	q->drafts = xreallocarray(q->drafts, q->n + 1, sizeof *q->drafts);
	q->drafts[q->n++] = copy;
}

static bool
take(void *arg, const char *zone, const Ns__Draft *d, const struct ns_why *why)
{
	struct querydraft *q = arg;

	(void)zone, (void)why;
	if (d != NULL && (q->instead == NULL || strcasecmp(d->zone, q->instead->zone) != 0))
		add_copy(q, d);
	return true;
}

/* Only the one that holds the name nearest stays. */
static void
only_of(struct querydraft *q, const char *name)
{
	size_t best = 0, longest = 0, len;

	for (size_t i = 0; i < q->n; i++)
		if ((len = draft_holds(q->drafts[i]->zone, name)) > longest) {
			longest = len;
			best = i;
		}
	for (size_t i = 0; i < q->n; i++)
		if (longest == 0 || i != best)
			ns__draft__free_unpacked(q->drafts[i], NULL);
	if (longest > 0)
		q->drafts[0] = q->drafts[best];
	q->n = longest > 0;
}

void
querydraft_load(struct ui *ui, struct querydraft *q, const char *name, const Ns__Draft *instead)
{
	struct ns_why why = { 0 };

	*q = (struct querydraft){ .instead = instead };
	/* Where they cannot be read, Pending says so. */
	if (ui->drafts != NULL && ui->drafts->dir != NULL)
		(void)!ns_drafts_each(ui->drafts->dir, take, q, &why);
	if (instead != NULL)
		add_copy(q, instead);
	if (name != NULL)
		only_of(q, name);
	if (q->n == 0)
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
