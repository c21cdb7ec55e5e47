/* serve.c - a batch through its passes; see serve.h.
 *
 * Each pass touches only memory that the pass before has asked for. */
#include "appliance/serve/serve.h"

#include "appliance/serve/work.h"
#include "appliance/zonemap/hash.h"

#define ADDS_AHEAD 4u
/* Lines of a node, and of an apex, that usually hold the set that is asked for.  A signature takes two. */
#define NODE_LINES        2u
#define NODE_LINES_SIGNED 5u
#define APEX_LINES        5u
#define APEX_LINES_SIGNED 15u
#define NSECS_AHEAD \
	16u /* nodes of a small zone, between which the NSEC of a missing name is searched */

static inline void
prefetch_lines(const uint8_t *p, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		__builtin_prefetch(p + (size_t)64 * i);
}

static inline bool
wants_sigs(const struct work *w)
{
	return w->dnssec_ok && (w->zone.image->flags & IMAGE_SIGNED) != 0;
}

/* What is not there is denied by an NSEC. */
static inline bool
wants_nsecs(const struct work *w)
{
	return w->dnssec_ok && (w->zone.image->flags & IMAGE_NSEC) != 0;
}

/* Enough of an image for its head, its hash table and the nodes of a small one. */
static void
prefetch_image(const struct map_view *view, map_off image)
{
	prefetch_lines(view->base + image - sizeof(struct map_block), 3);
}

/* The keys among which the one before a missing name is searched. */
static void
prefetch_nsecs(const struct node_block *b)
{
	const struct nodes *h = nodes_head(b);
	const uint8_t *list = nodes_nsec_list(b);

	for (unsigned i = 0; i < h->nsecs && i < NSECS_AHEAD; i++)
		__builtin_prefetch(b->p + ((size_t)load_u16(list + 2u * i) << h->shift));
}

/* Pass 2: the slots of the zones that it may be in are sent for. */
static void
hash_name(const struct serve_conf *conf, const struct map_view *view, struct query *q)
{
	(void)conf;
	hash_suffixes(view, q, work_of(q));
}

/* Pass 3: the image that it will probably be is sent for. */
static void
peek_zone(const struct serve_conf *conf, const struct map_view *view, struct query *q)
{
	struct work *w = work_of(q);

	(void)conf;
	for (uint8_t i = 0; i < w->nhash && w->image == 0; i++) {
		w->image = map_zone_peek(view, w->hash[i]);
		w->peeked = i;
	}
	if (w->image != 0)
		prefetch_image(view, w->image);
}

/* Pass 4: which zone, and what the name is called in it. */
static void
find_zone(const struct serve_conf *conf, const struct map_view *view, struct query *q)
{
	struct work *w = work_of(q);

	w->image = zone_of_question(view, q, w);
	if (w->image == 0) {
		w->ede = EDE_NOT_OURS;
		reply_error(conf, q, RCODE_REFUSED);
		return;
	}
	if (!zone_open(view, w->image, w->labels, &w->zone)) {
		w->ede = EDE_IMAGE;
		reply_error(conf, q, RCODE_SERVFAIL);
		return;
	}
	q->zone = w->image;
	q->zone_hash = zone_hash_of_question(view, w);
	w->rel = (uint8_t)(w->labels - w->zone.image->head.apex_labels);
	w->keylen = (uint16_t)image_key_padded(w->lname, w->off, w->rel, w->key);
}

/* Pass 5: which name, as far as the image's hash table tells. */
static void
find_name(const struct serve_conf *conf, const struct map_view *view, struct query *q)
{
	struct work *w = work_of(q);

	(void)conf;
	if (w->zone.flat.p == NULL) {
		q->name_hash = zone_hash(view->map->header->hash_key, w->lname, w->qlen);
		return;
	}
	w->owner_hash = image_hash(&w->zone, w->key, w->keylen);
	q->name_hash = q->zone_hash + w->owner_hash;
	w->hint = image_node_hint(&w->zone, w->owner_hash);
	if (w->hint == NULL && wants_nsecs(w))
		prefetch_nsecs(&w->zone.flat);
	/* What is not there is told with the SOA of the apex, the first node. */
	if (w->hint == NULL || w->keylen == 0)
		prefetch_lines(w->zone.flat.p + nodes_head(&w->zone.flat)->first,
		    wants_sigs(w) ? APEX_LINES_SIGNED : APEX_LINES);
	else
		prefetch_lines(w->hint, wants_sigs(w) ? NODE_LINES_SIGNED : NODE_LINES);
}

/* Pass 6: the name's node is there; what its set refers to is sent for. */
static void
find_more(const struct serve_conf *conf, const struct map_view *view, struct query *q)
{
	struct work *w = work_of(q);
	struct image_set *set = &w->set;

	(void)conf;
	(void)view;
	w->has_set = w->has_cover = false;
	if (w->zone.flat.p == NULL)
		return;
	w->found = (uint8_t)image_find_hinted(
	    &w->zone, w->hint, w->owner_hash, w->key, w->keylen, &w->node);
	if (w->found == IMAGE_NONE && wants_nsecs(w)) {
		w->has_cover = image_find_nsec(&w->zone, w->key, w->keylen, &w->node) == IMAGE_NODE;
		if (w->has_cover)
			prefetch_lines(w->node.key, NODE_LINES_SIGNED);
	}
	if (w->found != IMAGE_NODE)
		return;
	w->has_set = image_set_find(&w->node, q->qtype, set);
	if (!w->has_set && !image_set_find(&w->node, RR_CNAME, set))
		return;
	if (wants_sigs(w))
		prefetch_lines(set->sig, 2);
	for (unsigned i = 0; i < set->nadd && i < ADDS_AHEAD; i++) {
		unsigned unit = load_u16(set->add + 4u * i);

		prefetch_lines(w->zone.flat.p + ((size_t)unit << nodes_head(&w->zone.flat)->shift),
		    wants_sigs(w) ? NODE_LINES_SIGNED : NODE_LINES);
	}
}

/* Whoever validates will say so too, but not whose fault it is. */
static enum ede
signatures_fault(const struct work *w, uint32_t now)
{
	const struct image *img = w->zone.image;

	if (!w->dnssec_ok || now == 0)
		return EDE_NONE;
	if (img->expires != 0 && (int32_t)(img->expires - now) < 0)
		return EDE_EXPIRED;
	if (img->begins != 0 && (int32_t)(img->begins - now) > 0)
		return EDE_NOT_YET;
	return (img->flags & IMAGE_KEYLESS) != 0 ? EDE_KEYLESS : EDE_NONE;
}

/* Pass 7: the reply. */
static void
write_reply(const struct serve_conf *conf, const struct map_view *view, struct query *q)
{
	struct work *w = work_of(q);
	enum ede fault;
	struct reply r;

	reply_begin(&r, conf, view, q);
	r.hop.zone = w->zone;
	r.hop.name = w->lname;
	r.hop.off = w->off;
	r.hop.at = NULL;
	r.hop.key = w->key;
	r.hop.keylen = w->keylen;
	r.hop.found = w->found;
	r.hop.node = w->node;
	r.hop.labels = w->labels;
	r.hop.rel = w->rel;
	fault = signatures_fault(w, conf->now_s);
	if (fault != EDE_NONE)
		w->ede = (uint8_t)fault;
	answer_question(&r);
	reply_end(&r);
}

typedef void pass_fn(const struct serve_conf *, const struct map_view *, struct query *);

static inline void
pass(pass_fn *fn, const struct serve_conf *conf, const struct map_view *view, struct query *q,
    size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!work_of(&q[i])->done)
			fn(conf, view, &q[i]);
	}
}

void
serve_batch(const struct serve_conf *conf, const struct map_view *view, struct query *q, size_t n)
{
	for (size_t i = 0; i < n; i++)
		parse_query(conf, view, &q[i], work_of(&q[i]));
	pass(hash_name, conf, view, q, n);
	pass(peek_zone, conf, view, q, n);
	pass(find_zone, conf, view, q, n);
	pass(find_name, conf, view, q, n);
	pass(find_more, conf, view, q, n);
	pass(write_reply, conf, view, q, n);
}
