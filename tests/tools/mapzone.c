/* mapzone - a zone as an appliance's map has it, signatures and all, as a master file for those who judge zones.
 *
 *     mapzone PID ZONE      of the signer
 *
 * A policy of a zone that is signed here stands there as the first answer that is signed for it, an ALIAS as the
 * first addresses of each family. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/dns/name.h"
#include "appliance/dns/policy.h"
#include "appliance/dns/rrtype.h"
#include "appliance/dns/zonetext.h"
#include "appliance/role/role.h"
#include "appliance/zonemap/aliassig.h"
#include "appliance/zonemap/emission.h"
#include "appliance/zonemap/hash.h"
#include "appliance/zonemap/image_read.h"
#include "tests/lib/zonekit.h"

#define RRSIG_FIXED 18u

static void
put_text(struct rrpile *pile)
{
	struct wbuf zwire = wbuf_grow(1 << 20), text = wbuf_grow(SIZE_MAX / 2);
	struct zwire_iter it;
	struct rrset set;

	if (rrpile_to_zwire(pile, &zwire, NULL, NULL) != NS_OK)
		exit(1);
	it = zwire_iter(zwire.base, zwire.len);
	while (zwire_next(&it, &set))
		rrset_to_text(&set, &text);
	(void)!fwrite(text.base, 1, text.len, stdout);
	rrpile_clear(pile);
	wbuf_free(&zwire);
	wbuf_free(&text);
}

static void
put_signature(struct rrpile *pile, const struct rrset *owner, uint16_t type, uint32_t ttl,
    const struct emission *e, const uint8_t *apex)
{
	uint8_t rdata[RRSIG_FIXED + NAME_MAX_WIRE + EMISSION_SIG];
	size_t apex_len = name_len(apex);

	put_u16(rdata, type);
	rdata[2] = e->algorithm;
	rdata[3] =
	    (uint8_t)(name_labels(owner->owner) - (owner->owner[0] == 1 && owner->owner[1] == '*'));
	put_u32(rdata + 4, ttl);
	put_u32(rdata + 8, e->expiration);
	put_u32(rdata + 12, e->inception);
	put_u16(rdata + 16, e->tag);
	memcpy(rdata + RRSIG_FIXED, apex, apex_len);
	memcpy(rdata + RRSIG_FIXED + apex_len, e->sig, EMISSION_SIG);
	rrpile_add(pile, owner->owner, RR_RRSIG, ttl, rdata,
	    (uint16_t)(RRSIG_FIXED + apex_len + EMISSION_SIG), 0);
}

static void
put_policy(struct rrpile *pile, const struct rrset *owner, const struct policy *po,
    const struct emission_table *t, const uint8_t *apex)
{
	struct emission first, e;
	struct policy_answer a;

	emission_at(t, 0, &first);
	for (unsigned i = 0; i < POLICY_PICK; i++) {
		if ((first.mask >> i & 1) != 0 && policy_answer_at(po, first.first + i, &a))
			rrpile_add(pile, owner->owner, po->type, po->ttl, a.rdata, a.rdlen, 0);
	}
	for (unsigned i = 0; i < t->n; i++) {
		emission_at(t, i, &e);
		if (e.first == first.first && e.mask == first.mask)
			put_signature(pile, owner, po->type, po->ttl, &e, apex);
	}
	put_text(pile);
}

/* The table of each policy stands in an RRSIG set that covers NSPOLICY, which comes before the policies. */
static void
put_policies(struct rrpile *pile, const struct rrset *tables, const struct rrset *policies,
    const uint8_t *apex)
{
	struct rbuf r = rbuf_init(policies->rdata, policies->rdata_len);
	const uint8_t *rdata;
	struct emission_table t;
	struct policy po;
	size_t len;

	while ((rdata = rrset_next_rdata(&r, &len)) != NULL) {
		if (!policy_open(&po, rdata, len))
			continue;
		if (emission_open_set(&t, tables, po.type) && t.n > 0)
			put_policy(pile, policies, &po, &t, apex);
	}
}

struct alias_out {
	struct rrpile *pile;
	const struct rrset *alias;
	const uint8_t *apex;
	bool put[ALIAS_FAMILIES];
};

static void
put_alias_set(void *arg, const struct aliassig *item)
{
	struct alias_out *o = arg;
	uint16_t type = item->family == ALIAS_V4 ? RR_A : RR_AAAA;
	uint16_t len = (uint16_t)aliassig_len(item->family);
	struct emission e;

	if (item->kind != ALIASSIG_SET || o->put[item->family])
		return;
	o->put[item->family] = true;
	for (unsigned i = 0; i < item->count; i++)
		rrpile_add(o->pile, o->alias->owner, type, o->alias->ttl,
		    item->addresses + (size_t)i * len, len, 0);
	for (unsigned i = 0; i < item->nsigs; i++) {
		aliassig_at(item, i, &e);
		put_signature(o->pile, o->alias, type, o->alias->ttl, &e, o->apex);
	}
	put_text(o->pile);
}

static void
put_node(struct rrpile *pile, const struct image_ref *ref, const struct image_node *node)
{
	struct wbuf zwire = wbuf_grow(SIZE_MAX / 2), text = wbuf_grow(SIZE_MAX / 2);
	struct rrset set, tables = { 0 }, alias_table = { 0 };
	struct zwire_iter it;

	if (!image_node_zwire(ref, node, false, &zwire))
		exit(1);
	it = zwire_iter(zwire.base, zwire.len);
	while (zwire_next(&it, &set)) {
		if (set.type == RR_RRSIG && set.covers == RR_NSPOLICY)
			tables = set;
		else if (set.type == RR_RRSIG && set.covers == RR_ALIAS)
			alias_table = set;
		else if (set.type == RR_ALIAS)
			aliassig_each_of_set(&alias_table, put_alias_set,
			    &(struct alias_out){ .pile = pile, .alias = &set, .apex = ref->apex });
		else if (set.type == RR_NSPOLICY)
			put_policies(pile, &tables, &set, ref->apex);
		else
			rrset_to_text(&set, &text);
	}
	(void)!fwrite(text.base, 1, text.len, stdout);
	wbuf_free(&zwire);
	wbuf_free(&text);
}

static int
print_zone(const struct map_view *view, const uint8_t *apex)
{
	struct rrpile *pile = rrpile_new();
	struct image_node node;
	struct image_walk walk;
	struct image_ref ref;
	map_off off = map_zone_lookup(view,
	    zone_hash(view->map->header->hash_key, apex, name_len(apex)), apex, name_len(apex));

	if (off == 0 || !image_open(view, off, &ref)) {
		fprintf(stderr, "no such zone in the map\n");
		return 1;
	}
	image_walk_begin(&walk, &ref);
	while (image_walk_next(&walk, &node))
		put_node(pile, &ref, &node);
	rrpile_destroy(&pile);
	return walk.broken;
}

int
main(int argc, char **argv)
{
	uint8_t apex[NAME_MAX_WIRE];
	struct ns_why why = { 0 };
	struct map_root *root;
	struct map_view view;
	struct map map;
	char path[64];
	int fd, code;

	if (argc != 3) {
		fprintf(stderr, "usage: mapzone PID ZONE\n");
		return 2;
	}
	zonekit_name(argv[2], apex);
	snprintf(path, sizeof path, "/proc/%ld/fd/%d", atol(argv[1]), ROLE_FD_MAP);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || map_open(fd, false, &map, &why) != NS_OK) {
		fprintf(stderr, "%s: no map: %s\n", path, why.text);
		return 1;
	}
	if ((root = map_glance(&map, &view)) == NULL)
		return 1;
	code = print_zone(&view, apex);
	free(root);
	map_close(&map);
	close(fd);
	return code;
}
