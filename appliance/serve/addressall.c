/* addressall.c - every way from an ALIAS's target to addresses (addressway.h).  Not on the query path. */
#include "appliance/serve/addressway.h"

#include <string.h>

#include "appliance/zonemap/picks.h"

#define STEPS_MAX 4096u /* names of all ways of one ALIAS */

static void
tell(const struct way *w, enum go go)
{
	static const enum address_result results[] = { [GO_FOUND] = ADDRESS_FOUND,
		[GO_NONE] = ADDRESS_NONE,
		[GO_NEXT] = ADDRESS_NONE,
		[GO_OUT] = ADDRESS_UNKNOWN,
		[GO_BROKEN] = ADDRESS_BROKEN };

	if (go != GO_TOLD)
		w->each->end(w->each->arg, results[go], go == GO_FOUND ? &w->out->set : NULL);
}

/* Each name that it may lead to. */
static void
each_name(const struct way *w, const struct policy *po)
{
	struct policy_answer a;

	for (unsigned i = 0; i < po->nanswers && policy_answer_at(po, i, &a); i++) {
		struct way branch = *w;

		if (++branch.branch > CHAIN_MAX || !way_go_to(&branch, a.rdata, a.rdlen))
			tell(w, GO_BROKEN);
		else
			tell(&branch, way_follow(&branch));
	}
}

static void
each_pick(struct way *w, const struct policy *po)
{
	static struct emission_pick pick[EMISSIONS_MAX + 1];
	unsigned n = emissions_of(po, w->r->conf->board, pick);

	if (n > EMISSIONS_MAX)
		w->each->more(w->each->arg);
	for (unsigned i = 0; i < n && i < EMISSIONS_MAX; i++) {
		struct policy_answer a;

		way_begin_body(w);
		for (unsigned k = 0; k < POLICY_PICK; k++) {
			if ((pick[i].mask >> k & 1) != 0 &&
			    policy_answer_at(po, pick[i].first + k, &a) &&
			    a.rdlen == (w->type == RR_A ? 4u : 16u))
				way_put_address(w, a.rdata);
		}
		if (w->out->set.count > 0)
			tell(w, GO_FOUND);
	}
}

static enum go
all_of_policy(struct way *w, const struct image_set *set)
{
	struct policy_answer a;
	struct policy po;

	if (!policy_open(&po, set->body, set->body_len))
		return GO_BROKEN;
	for (unsigned i = 0; i < po.nanswers; i++) {
		if (policy_answer_at(&po, i, &a) && a.check_name != 0)
			w->each->check(w->each->arg, a.check);
	}
	if (po.type == RR_CNAME)
		each_name(w, &po);
	else
		each_pick(w, &po);
	if (emissions_may_be_none(&po))
		tell(w, GO_NONE);
	return GO_TOLD;
}

void
address_each(const struct map_view *view, const struct board *board, uint32_t account,
    const uint8_t *target, uint16_t type, const struct address_each *each)
{
	static struct serve_conf conf;
	static struct work work;
	static struct address_set out;
	struct reply r = { .conf = &conf, .view = view, .w = &work };
	unsigned steps = STEPS_MAX;
	struct way w = { .r = &r,
		.type = type,
		.account = account,
		.out = &out,
		.policy = all_of_policy,
		.each = each,
		.steps = &steps };

	conf = (struct serve_conf){ .board = board };
	memset(&work, 0, sizeof work);
	if (!way_go_to(&w, target, name_len(target)))
		return;
	memcpy(w.alias, w.next, sizeof w.alias);
	tell(&w, way_follow(&w));
}
