/* draftnames.c - see draftnames.h. */
#include "console/screens/draftnames.h"

#include <stdlib.h>
#include <string.h>

#include "console/screens/drafts.h"
#include "ipc/base/xalloc.h"

#define NAMES_MAX 1000u /* that a list takes along */

bool
draftnames_asked(const char *filter)
{
	return strstr(filter, "draft:") != NULL;
}

void
draftnames_zones(struct draftnames *m, struct ui *ui, const char *filter)
{
	*m = (struct draftnames){ 0 };
	if (draftnames_asked(filter) && ui->drafts != NULL && ui->drafts->dir != NULL)
		m->n = ns_drafts_zones(ui->drafts->dir, &m->list);
}

void
draftnames_rrsets(struct draftnames *m, struct ui *ui, const char *filter)
{
	const Ns__PlanReply *plan = ui->drafts != NULL ? ui->drafts->plan : NULL;

	*m = (struct draftnames){ 0 };
	if (!draftnames_asked(filter))
		return;
	for (size_t z = 0; plan != NULL && z < plan->n_zones; z++)
		for (size_t i = 0; i < plan->zones[z]->n_rrsets && m->n < NAMES_MAX; i++) {
			const Ns__Conflict__RRset *set = plan->zones[z]->rrsets[i];

			m->list = xreallocarray(m->list, m->n + 1, sizeof *m->list);
			m->list[m->n++] = xasprintf("%s %s", set->name, set->type);
		}
}

void
draftnames_free(struct draftnames *m)
{
	for (size_t i = 0; i < m->n; i++)
		free(m->list[i]);
	free(m->list);
	*m = (struct draftnames){ 0 };
}
