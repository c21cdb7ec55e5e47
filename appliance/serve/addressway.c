/* addressway.c - see addressway.h.  Workers come here: no allocation, no lock. */
#include "appliance/serve/addressway.h"

#include <string.h>

#include "appliance/serve/trace.h"
#include "appliance/zonemap/board.h"
#include "ipc/base/wbuf.h"

/* A name on the way, and where it is. */
struct step {
	struct hop hop;
	uint8_t off[NAME_MAX_LABELS + 1];
	uint8_t name[NAME_MAX_WIRE + IMAGE_KEY_SLACK];
	uint8_t key[NAME_MAX_KEY];
};

void
way_lower_ttl(struct way *w, uint32_t ttl)
{
	if (ttl < w->ttl)
		w->ttl = ttl;
}

bool
way_go_to(struct way *w, const uint8_t *name, size_t len)
{
	if (len == 0 || len > sizeof w->next || name_check(name, len) != len)
		return false;
	name_lower(w->next, name, len);
	return true;
}

/* ---- what is found, as a set ---- */
void
way_begin_body(struct way *w)
{
	w->out->set = (struct image_set){ .type = w->type, .body = w->out->body };
}

/* An RRset has no record twice (RFC 2181 5); a pool may say one twice. */
static bool
has_address(const struct image_set *set, const uint8_t *address, unsigned len)
{
	for (unsigned at = 0; at < set->body_len; at += RR_HEAD + len) {
		if (memcmp(set->body + at + RR_HEAD, address, len) == 0)
			return true;
	}
	return false;
}

void
way_put_address(struct way *w, const uint8_t *address)
{
	struct image_set *set = &w->out->set;
	unsigned len = w->type == RR_A ? 4 : 16;
	uint8_t *p = w->out->body + set->body_len;

	if (set->count == POLICY_PICK || has_address(set, address, len))
		return;
	put_u16(p, 0xc00c);
	put_u16(p + 2, w->type);
	put_u16(p + 4, CLASS_IN);
	put_u32(p + 6, 0);
	put_u16(p + 10, (uint16_t)len);
	memcpy(p + RR_HEAD, address, len);
	set->body_len = (uint16_t)(set->body_len + RR_HEAD + len);
	set->count++;
}

static enum go
from_set(struct way *w, const struct image_set *set)
{
	way_lower_ttl(w, set->body_len >= RR_HEAD ? get_u32(set->body + 6) : 0);
	w->out->set = *set;
	/* They are of another name. */
	w->out->set.sig_len = w->out->set.sig_word = 0;
	return GO_FOUND;
}

static enum go
from_alias(struct way *w, const struct image_set *set)
{
	char text[NAME_MAX_TEXT];

	if (set->body_len < 5 || !way_go_to(w, set->body + 4, set->body_len - 4u))
		return GO_BROKEN;
	way_lower_ttl(w, get_u32(set->body));
	memcpy(w->alias, w->next, sizeof w->alias);
	TRACE(w->r, "alias", "its addresses are those of %.200s", name_to_text(w->next, text));
	return GO_NEXT;
}

/* What the probe knows of that name. */
static enum go
from_table(struct way *w, const uint8_t *name)
{
	const struct board *board = w->r->conf->board;
	struct alias_known known;
	const struct alias_addresses *a;
	uint32_t ttl = 0;

	if (board == NULL || !alias_read(board->aliases, name, &known))
		return GO_OUT;
	a = &known.family[w->type == RR_A ? ALIAS_V4 : ALIAS_V6];
	if (known.good != 0)
		TRACE(w->r, "alias", "looked up %u s ago: %u addresses; %s",
		    w->r->conf->now_s - known.good, a->count,
		    alias_fault_text((enum alias_fault)known.fault));
	else
		TRACE(w->r, "alias", "never looked up: %s",
		    alias_fault_text((enum alias_fault)known.fault));
	if (a->state == ALIAS_EMPTY)
		return GO_NONE;
	if (w->each != NULL ? a->state != ALIAS_HERE || a->count == 0
			    : !alias_ttl(a, w->r->conf->now_s, &ttl))
		return GO_OUT;
	w->out->stale = w->r->conf->now_s >= a->until;
	way_lower_ttl(w, ttl);
	way_begin_body(w);
	for (unsigned i = 0; i < a->count; i++)
		way_put_address(w, a->octets[i]);
	return GO_FOUND;
}

/* ---- the way ---- */
enum go
way_at_node(struct way *w, const struct hop *h, const struct image_node *node)
{
	uint8_t name[NAME_MAX_WIRE];
	struct image_set set;

	if (image_set_find(node, w->type, &set))
		return from_set(w, &set);
	if ((node->flags & NODE_POLICY) != 0) {
		if (image_policy_find(node, w->type, &set) ||
		    image_policy_find(node, RR_CNAME, &set))
			return w->policy(w, &set);
		if (image_policy_find(node, RR_ALIAS, &set))
			return from_alias(w, &set);
	}
	if (!image_set_find(node, RR_CNAME, &set))
		return GO_NONE;
	way_lower_ttl(w, get_u32(set.body + 6));
	return way_go_to(w, name, image_set_name(&h->zone, &set, h->name, RR_HEAD, name))
		   ? GO_NEXT
		   : GO_BROKEN;
}

/* RFC 6672 2.2 */
static enum go
at_dname(struct way *w, const struct hop *h, const struct lookup *l)
{
	size_t prefix = h->off[hop_label(h, l->depth)], len;
	uint8_t name[2 * NAME_MAX_WIRE], target[NAME_MAX_WIRE];
	struct image_set set;

	if (!image_set_find(&l->node, RR_DNAME, &set) ||
	    (len = image_set_name(&h->zone, &set, h->name + prefix, RR_HEAD, target)) == 0)
		return GO_BROKEN;
	way_lower_ttl(w, get_u32(set.body + 6));
	memcpy(name, h->name, prefix);
	memcpy(name + prefix, target, len);
	return prefix + len <= NAME_MAX_WIRE && way_go_to(w, name, prefix + len) ? GO_NEXT
										 : GO_NONE;
}

/* w->next is in a zone of ours of this account. */
static bool
enter(const struct way *w, struct step *s)
{
	struct hop *h = &s->hop;
	const struct map_view *view = w->r->view;
	map_off image;

	memcpy(s->name, w->next, name_len(w->next));
	*h = (struct hop){ .name = s->name, .off = s->off, .key = s->key };
	h->labels = image_labels(s->name, s->off);
	image = zone_find(view, s->name, s->off, h->labels, 0);
	if (image == 0 || !zone_open(view, image, h->labels, &h->zone) ||
	    h->zone.image->account != w->account)
		return false;
	h->rel = h->labels - h->zone.image->head.apex_labels;
	h->keylen = image_key_padded(s->name, s->off, h->rel, s->key);
	if (h->zone.flat.p != NULL)
		h->found = image_find(&h->zone, s->key, h->keylen, &h->node);
	return true;
}

static enum go
at_name(struct way *w, const struct step *s)
{
	struct lookup l;

	lookup_name(&s->hop, &l);
	switch (l.kind) {
	case LOOKUP_NODE:
	case LOOKUP_WILD:
		return way_at_node(w, &s->hop, &l.node);
	case LOOKUP_DNAME:
		return at_dname(w, &s->hop, &l);
	case LOOKUP_CUT:
		return GO_OUT;
	case LOOKUP_ENT:
	case LOOKUP_NXDOMAIN:
		return GO_NONE;
	default:
		return GO_BROKEN;
	}
}

enum go
way_follow(struct way *w)
{
	struct step s;
	enum go go = GO_NEXT;

	for (unsigned n = 0; go == GO_NEXT; n++) {
		if (w->each != NULL)
			w->each->name(w->each->arg, w->next);
		if (n > CHAIN_MAX || (w->steps != NULL && (*w->steps)-- == 0)) {
			w->r->w->ede = EDE_CHAIN;
			return GO_BROKEN;
		}
		go = enter(w, &s) ? at_name(w, &s) : GO_OUT;
	}
	if (go != GO_OUT || w->alias[0] == 0)
		return go;
	go = from_table(w, w->next);
	/* A CNAME of ours leads out: the resolver has followed it from the ALIAS's target. */
	return go == GO_OUT && !name_equal(w->next, w->alias) ? from_table(w, w->alias) : go;
}
