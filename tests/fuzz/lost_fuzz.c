/* A file of dropped changes: any octets are refused with a reason, or become drafts within their limits, each zone
 * and each of its RRsets once. */
// link: appliance/sync/lost.c
// link: appliance/sync/zonedraft.c
// link: appliance/sync/bodycheck.c
// link: appliance/sync/difftext.c
// link: appliance/sync/diff.c
// link: appliance/sync/place.c
// link: appliance/sync/request.c
// link: tests/lib/fake/sync.c
#include <stdlib.h>
#include <string.h>

#include "appliance/sync/edit.h"
#include "appliance/sync/lost.h"
#include "tests/fuzz/fuzz.h"

#define OCTETS 20000u

static void
check_draft(const Ns__ZoneEdit *d)
{
	CHECK(d->n_ops <= EDIT_OPS_MAX);
	for (size_t i = 0; i < d->n_ops; i++)
		for (size_t k = 0; k < i; k++)
			CHECK(strcmp(d->ops[i]->name, d->ops[k]->name) != 0 ||
			      strcmp(d->ops[i]->type, d->ops[k]->type) != 0);
}

static void
check(Ns__Lost *lost)
{
	Ns__LostReply m = NS__LOST_REPLY__INIT;
	struct ns_why why = { 0 };
	size_t len;
	uint8_t *bytes = lost_encode(lost, &len);
	Ns__Lost *again = lost_decode(bytes, len, &why);

	CHECK(again != NULL && again->n_changes == lost->n_changes);
	lost_drafts(lost, OCTETS, &m);
	for (size_t i = 0; i < m.n_drafts; i++) {
		check_draft(m.drafts[i]);
		for (size_t k = 0; k < i; k++)
			CHECK(strcmp(m.drafts[i]->zone, m.drafts[k]->zone) != 0);
		ns__zone_edit__free_unpacked(m.drafts[i], NULL);
	}
	for (size_t i = 0; i < m.n_others; i++)
		free(m.others[i]);
	free(m.drafts);
	free(m.others);
	free(bytes);
	ns__lost__free_unpacked(again, NULL);
	ns__lost__free_unpacked(lost, NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ns_why why = { 0 };
	Ns__Lost *lost;

	if (size > 1u << 16)
		return 0;
	lost = lost_decode(data, size, &why);
	CHECK(lost != NULL || (why.err != NS_OK && why.text[0] != '\0'));
	if (lost != NULL)
		check(lost);
	why = (struct ns_why){ 0 };
	lost = lost_decode_body(data, size, &why);
	CHECK(lost != NULL || (why.err != NS_OK && why.text[0] != '\0'));
	if (lost != NULL)
		check(lost);
	return 0;
}
