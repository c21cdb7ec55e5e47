/* lostsites - zones of a history that lost which may not be held here any more.
 *
 * What is set on a zone itself names it in the change that comes here (withhold.c).  A zone that was made in the lost
 * history alone is known to nobody else: whether it may stay follows from its account, by what the lost history and
 * the store say of it.  Writer thread. */
#include <stdlib.h>
#include <string.h>

#include "appliance/sync/errors.h"
#include "appliance/sync/lost.h"
#include "appliance/sync/members.h"
#include "appliance/sync/residency.h"
#include "ipc/base/xalloc.h"

struct sites {
	struct store *store;
	const Ns__Lost *lost;
	struct residency *residency;
	const char *site; /* where we are */
};

/* An account of the lost history is the one that has its name now; 0: none has. */
static enum ns_err
account_now(const struct sites *x, uint64_t id, uint32_t *account)
{
	struct store_object o = { .id = id };
	enum ns_err err = NS_OK;

	for (size_t i = 0; i < x->lost->n_changes; i++) {
		const Ns__ChangeBody *b = x->lost->changes[i]->body;

		for (size_t k = 0; b != NULL && k < b->n_objects && err == NS_OK; k++) {
			const Ns__ChangeBody__Object *m = b->objects[k];

			if (m->id == id && strcmp(m->kind, "account") == 0)
				err = store_object_get(x->store, m->kind, m->name, &o, NULL);
		}
	}
	*account = err == NS_OK && o.id <= UINT32_MAX ? (uint32_t)o.id : 0;
	return err == NS_NOTFOUND ? NS_OK : err;
}

static uint64_t
account_then(const struct sites *x, uint64_t zone)
{
	uint64_t account = 0;

	for (size_t i = 0; i < x->lost->n_changes; i++) {
		const Ns__ChangeBody *b = x->lost->changes[i]->body;

		for (size_t k = 0; b != NULL && k < b->n_zones; k++) {
			const Ns__ChangeBody__Zone *m = b->zones[k];

			if (m->zone_id == zone &&
			    (m->account_given || m->kind == NS__CHANGE_BODY__ZONE__KIND__CREATE))
				account = m->account_id;
		}
	}
	return account;
}

static enum ns_err
find(const struct sites *x, uint64_t **ids, size_t *n)
{
	enum ns_err err = NS_OK;
	uint32_t account;

	for (size_t i = 0; i < x->lost->n_changes; i++) {
		const Ns__ChangeBody *b = x->lost->changes[i]->body;

		for (size_t k = 0; b != NULL && k < b->n_zones && err == NS_OK; k++) {
			const Ns__ChangeBody__Zone *m = b->zones[k];

			if (m->kind != NS__CHANGE_BODY__ZONE__KIND__CREATE || m->undelete)
				continue;
			err = account_now(x, account_then(x, m->zone_id), &account);
			if (err != NS_OK || residency_allows(x->residency, 0, account, x->site))
				continue;
			*ids = xreallocarray(*ids, *n + 1, sizeof **ids);
			(*ids)[(*n)++] = m->zone_id;
		}
	}
	return err;
}

enum ns_err
lost_look(struct store *s, const char *appliance, bool *found, struct ns_why *why)
{
	struct sites x = { .store = s };
	struct roster *roster = NULL;
	uint64_t *ids = NULL;
	size_t n = 0;
	enum ns_err err = residency_load(s, &x.residency);
	Ns__Lost *lost = err == NS_OK && x.residency != NULL ? lost_load(s) : NULL;

	x.lost = lost;
	if (lost != NULL) {
		roster = members_load(s);
		x.site = roster_site(roster, appliance);
		err = find(&x, &ids, &n);
		ns__lost__free_unpacked(lost, NULL);
		roster_free(roster);
		free(roster);
	}
	*found = n > 0;
	if (err != NS_OK)
		ns_fail(why, err, ES_STORE, "where zones of a lost history may be cannot be read");
	else if (n > 0)
		err = withhold_note(s, ids, n, why);
	residency_free(&x.residency);
	free(ids);
	return err;
}
