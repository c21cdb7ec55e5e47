/* feedblock - see feedblock.h.  Writer and feeder threads build, the loop sends. */
#include "appliance/sync/feedblock.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/dns/zwire.h"
#include "ipc/base/xalloc.h"

/* A piece may pass FEED_BLOCK by one owner; a message has room for both (NS_MSG_MAX). */
#define BLOCK_MAX (768u << 10)

void
feed_block_destroy(struct feed_block **bp)
{
	struct feed_block *b = *bp;

	if (b == NULL)
		return;
	free(b->items);
	free(b->keys);
	wbuf_free(&b->bytes);
	free(b);
	*bp = NULL;
}

size_t
feed_block_size(const struct feed_block *b)
{
	return sizeof *b + b->room * sizeof *b->items + b->keys_room * sizeof *b->keys +
	       b->bytes.len;
}

void
feed_block_forget(struct feed_block *b, const uint8_t *name, uint64_t version)
{
	size_t kept = 0;

	for (size_t i = 0; i < b->count; i++) {
		const struct feed_item *it = &b->items[i];

		if (it->version <= version && name_equal(b->bytes.base + it->name, name))
			continue;
		b->items[kept++] = *it;
	}
	b->count = kept;
}

static ProtobufCBinaryData
view(const struct feed_block *b, size_t at, size_t len)
{
	return (ProtobufCBinaryData){ .len = len, .data = len > 0 ? b->bytes.base + at : NULL };
}

static ProtobufCBinaryData
secret_view(const struct secret *s, unsigned i)
{
	return (ProtobufCBinaryData){ .len = i < s->count ? SECRET_SIZE : 0,
		.data = (uint8_t *)(uintptr_t)s->value[i] };
}

static void
keys_message(const struct feed_block *b, Ns__Feed *m)
{
	Ns__FeedKeys *keys = xcalloc(b->nkeys + 1, sizeof *keys);

	m->keyring = view(b, b->keyring, b->keyring_len);
	m->n_keys = b->nkeys;
	m->keys = xcalloc(b->nkeys + 1, sizeof *m->keys);
	m->keys[0] = keys;
	for (size_t i = 0; i < b->nkeys; i++) {
		ns__feed_keys__init(&keys[i]);
		keys[i].name = view(b, b->keys[i].name, b->keys[i].name_len);
		keys[i].body = view(b, b->keys[i].body, b->keys[i].body_len);
		m->keys[i] = &keys[i];
	}
}

void
feed_block_message(const struct feed_block *b, Ns__Feed *m)
{
	Ns__FeedZone *zones = xcalloc(b->count + 1, sizeof *zones);

	ns__feed__init(m);
	m->revision = b->revision;
	m->publish = b->publish;
	m->start_over = b->start_over;
	m->cookie_secret = secret_view(&b->secret, 0);
	m->cookie_previous = secret_view(&b->secret, 1);
	m->cookie_until = b->secret.count > 1 ? secret_until(&b->secret) : 0;
	keys_message(b, m);
	m->n_zones = b->count;
	m->zones = xcalloc(b->count + 1, sizeof *m->zones);
	/* All in one allocation, which zones[0] stands for: see feed_block_message_free(). */
	m->zones[0] = zones;
	for (size_t i = 0; i < b->count; i++) {
		const struct feed_item *it = &b->items[i];
		Ns__FeedZone *z = &zones[i];

		ns__feed_zone__init(z);
		z->kind = it->kind;
		z->name = view(b, it->name, it->name_len);
		z->version = it->version;
		z->base_version = it->base_version;
		z->account = it->account;
		z->zwire = view(b, it->zwire, it->zwire_len);
		z->gone = view(b, it->gone, it->gone_len);
		z->partial = it->partial;
		z->n_changes = it->nchanges;
		z->changes = (uint64_t *)(void *)(b->bytes.base + it->changes);
		z->alone = it->alone;
		m->zones[i] = z;
	}
}

void
feed_block_message_free(Ns__Feed *m)
{
	free(m->keys[0]);
	free(m->keys);
	free(m->zones[0]);
	free(m->zones);
}

/* ---- building ---- */
static struct feed_block *
block_open(struct feed_out *o)
{
	if (o->open == NULL) {
		o->open = xcalloc(1, sizeof *o->open);
		o->open->bytes = wbuf_grow(2 * BLOCK_MAX);
	}
	return o->open;
}

static void
block_emit(struct feed_out *o)
{
	struct feed_block *b = o->open;

	o->open = NULL;
	b->revision = o->revision;
	b->secret = o->secret;
	o->secret.count = 0;
	o->emit(o->arg, b);
}

/* The open block, or the next one when it would get too large. */
static struct feed_block *
block_with_room(struct feed_out *o, size_t octets)
{
	struct feed_block *b = block_open(o);

	if (b->count + b->nkeys > 0 && b->bytes.len + octets > FEED_BLOCK) {
		block_emit(o);
		b = block_open(o);
	}
	return b;
}

/* Those of the zone, where they can be read as what they are. */
static void
put_changes(const struct feed_out *o, struct feed_item *it)
{
	static const uint8_t pad[sizeof(uint64_t)];
	struct wbuf *bytes = &o->open->bytes;
	uint64_t pairs[RANGES_MAX * 2];

	if (o->changes == NULL)
		return;
	it->alone = o->alone;
	it->nchanges = ranges_put(o->changes, pairs);
	wbuf_put(bytes, pad, -bytes->len % sizeof pad);
	it->changes = bytes->len;
	wbuf_put(bytes, pairs, it->nchanges * sizeof pairs[0]);
}

/* Room for an item of that many octets: the next block, when this one would get too large. */
static struct feed_item *
item_add(struct feed_out *o, const uint8_t *name, size_t octets)
{
	struct feed_block *b = block_with_room(o, octets);
	struct feed_item *it;

	if (b->count == b->room) {
		b->room = b->room != 0 ? 2 * b->room : 16;
		b->items = xreallocarray(b->items, b->room, sizeof *b->items);
	}
	it = &b->items[b->count++];
	memset(it, 0, sizeof *it);
	it->name = b->bytes.len;
	it->name_len = name_len(name);
	wbuf_put(&b->bytes, name, it->name_len);
	put_changes(o, it);
	return it;
}

static void
put_bytes(struct feed_out *o, const void *data, size_t len, size_t *at, size_t *out_len)
{
	*at = o->open->bytes.len;
	*out_len = len;
	wbuf_put(&o->open->bytes, data, len);
}

void
feed_out_keyring(struct feed_out *o, const void *sealed, size_t len)
{
	struct feed_block *b = block_with_room(o, len);

	put_bytes(o, sealed, len, &b->keyring, &b->keyring_len);
}

void
feed_out_keys(struct feed_out *o, const uint8_t *zone, const void *body, size_t len)
{
	struct feed_block *b = block_with_room(o, len + NAME_MAX_WIRE);
	struct feed_keys *k;

	if (b->nkeys == b->keys_room) {
		b->keys_room = b->keys_room != 0 ? 2 * b->keys_room : 16;
		b->keys = xreallocarray(b->keys, b->keys_room, sizeof *b->keys);
	}
	k = &b->keys[b->nkeys++];
	put_bytes(o, zone, name_len(zone), &k->name, &k->name_len);
	put_bytes(o, body, len, &k->body, &k->body_len);
}

void
feed_out_delete(struct feed_out *o, const uint8_t *name, uint64_t version)
{
	struct feed_item *it = item_add(o, name, 0);

	it->kind = NS__FEED_ZONE__KIND__DELETE;
	it->version = version;
}

static void
replace_piece(
    struct feed_out *o, const struct store_zone *z, const void *zwire, size_t len, bool partial)
{
	struct feed_item *it = item_add(o, z->name, len);

	it->kind = NS__FEED_ZONE__KIND__REPLACE;
	it->version = z->version;
	it->account = z->account;
	it->partial = partial;
	put_bytes(o, zwire, len, &it->zwire, &it->zwire_len);
}

size_t
zwire_cut(const void *zwire, size_t len, size_t want, bool whole_owners)
{
	struct zwire_iter it = zwire_iter(zwire, len);
	const uint8_t *owner = NULL;
	size_t at = 0, cut = 0;
	struct rrset s;

	if (len <= want)
		return len;
	while (zwire_next(&it, &s)) {
		if (!whole_owners || owner == NULL || !name_equal(owner, s.owner))
			cut = at;
		owner = s.owner;
		at += s.raw_len;
		if (cut > 0 && at > want)
			return cut;
	}
	return len; /* one fat owner; or broken, which the receiver says */
}

void
feed_out_replace(struct feed_out *o, const struct store_zone *z, const void *zwire, size_t len)
{
	const uint8_t *p = zwire;

	do {
		size_t n = zwire_cut(p, len, FEED_BLOCK, false);

		replace_piece(o, z, p, n, n < len);
		p += n;
		len -= n;
	} while (len > 0);
}

enum ns_err
feed_out_stored(struct feed_out *o, struct store *s, const struct store_zone *z)
{
	struct wbuf piece = wbuf_grow(2 * BLOCK_MAX);
	uint8_t last[NAME_MAX_WIRE];
	uint64_t sent = 0;
	bool more = true;
	enum ns_err err = NS_OK;

	while (more) {
		piece.len = 0;
		err = store_content_get(s, z->id, sent > 0 ? last : NULL, FEED_BLOCK, &piece, last);
		if (err != NS_OK && err != NS_NOTFOUND)
			break;
		sent += piece.len;
		/* The row counts the octets; without it one more look would be needed per zone. */
		more = err == NS_OK && sent < z->bytes;
		err = NS_OK;
		replace_piece(o, z, piece.base, piece.len, more);
	}
	wbuf_free(&piece);
	return err;
}

void
feed_out_delta(struct feed_out *o, const struct store_zone *z, uint64_t base_version,
    const struct wbuf *zwire, const struct wbuf *gone)
{
	const uint8_t *p = zwire->base;
	size_t left = zwire->len, gone_len = gone->len;

	/* Pieces of one delta are deltas of their own: the second applies to what the first made. */
	do {
		/* An owner stays whole, or its later half would be taken for all of it. */
		size_t n = zwire_cut(p, left, FEED_BLOCK, true);
		struct feed_item *it;

		it = item_add(o, z->name, n + gone_len);
		it->kind = NS__FEED_ZONE__KIND__DELTA;
		it->version = z->version;
		it->base_version = base_version;
		it->account = z->account;
		put_bytes(o, p, n, &it->zwire, &it->zwire_len);
		put_bytes(o, gone->base, gone_len, &it->gone, &it->gone_len);
		gone_len = 0;
		base_version = z->version;
		p += n;
		left -= n;
	} while (left > 0);
}

void
feed_out_end(struct feed_out *o, bool publish)
{
	struct feed_block *b = block_open(o);

	b->publish = publish;
	b->end = true;
	block_emit(o);
}

void
feed_out_abandon(struct feed_out *o)
{
	feed_block_destroy(&o->open);
}
