/* zonepieces - see zonepieces.h. */
#include "appliance/sync/zonepieces.h"

#include <string.h>

#include <openssl/evp.h>

#include "appliance/dns/name.h"
#include "appliance/keys/keybody.h"
#include "appliance/zonemap/image.h"

/* The row is compared with the content. */
static void
bind_row(const struct store_zone *z, uint8_t sum[32])
{
	uint8_t mem[8 + 4 + 1 + 32];
	struct wbuf w = wbuf_init(mem, sizeof mem);
	unsigned len = 32;

	wbuf_u64(&w, z->id);
	wbuf_u32(&w, z->serial);
	wbuf_u8(&w, z->external);
	wbuf_put(&w, sum, 32);
	EVP_Digest(mem, w.len, sum, &len, EVP_sha256(), NULL);
}

void
zone_sum(struct store *s, const struct store_zone *z, uint8_t out[32])
{
	struct zone_digest *d = zone_digest_new();
	struct wbuf piece = wbuf_grow(1u << 30);
	uint8_t last[NAME_MAX_WIRE];
	const uint8_t *after = NULL;
	enum ns_err err;

	while ((err = store_content_get(s, z->id, after, 256u << 10, &piece, last)) == NS_OK) {
		zone_digest_add(d, piece.base, piece.len);
		piece.len = 0;
		after = last;
	}
	wbuf_free(&piece);
	zone_digest_end(&d, out);
	if (err != NS_NOTFOUND) /* it cannot be read: it differs from any other */
		memset(out, 0, 32);
	bind_row(z, out);
}

/* ---- pieces ---- */
static bool
emit(const struct zone_view *v, Ns__FleetZone *m)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;

	env.term = v->term;
	env.body_case = NS__ENVELOPE__BODY_FLEET_ZONE;
	env.fleet_zone = m;
	return v->emit(v->arg, packet_new(&env));
}

/* They come with it: a zone is never served unsigned until they follow. */
static enum ns_err
zone_keys(struct store *s, uint64_t id, struct wbuf *body, Ns__FleetZone *m)
{
	struct store_object o = { 0 };
	char name[KEYS_NAME];
	enum ns_err err;

	keys_object_name(id, name);
	err = store_object_get(s, KEYS_KIND, name, &o, body);
	m->keys = (ProtobufCBinaryData){ err == NS_OK ? body->len : 0, body->base };
	m->keys_id = o.id;
	m->keys_version = o.version;
	return err == NS_NOTFOUND ? NS_OK : err;
}

static void
fill_zone(Ns__FleetZone *m, const struct store_zone *z)
{
	m->zone_id = z->id;
	m->version = z->version;
	m->serial = z->serial;
	m->account = z->account;
	m->external = z->external;
	m->changed_ms = z->changed_ms;
}

/* The last piece has the digest of all of them. */
static enum ns_err
content(struct zone_view *v, const struct store_zone *z, Ns__FleetZone *m)
{
	struct wbuf piece = wbuf_grow(1u << 20);
	struct zone_digest *d = zone_digest_new();
	uint8_t last[NAME_MAX_WIRE], sum[32];
	const uint8_t *after = NULL;
	enum ns_err err = NS_OK;

	while (err == NS_OK && !m->last) {
		piece.len = 0;
		err = store_content_get(v->store, z->id, after, FLEET_PIECE / 2, &piece, last);
		if (err != NS_OK && err != NS_NOTFOUND)
			break;
		zone_digest_add(d, piece.base, piece.len);
		m->zwire = (ProtobufCBinaryData){ piece.len, piece.base };
		m->last = err == NS_NOTFOUND || m->offset + piece.len == z->bytes;
		if (m->last) {
			zone_digest_end(&d, sum);
			bind_row(z, sum);
			m->sum = (ProtobufCBinaryData){ sizeof sum, sum };
		}
		if (!emit(v, m))
			err = NS_UNAVAILABLE;
		m->offset += piece.len;
		m->keys.len = 0;
		v->octets += piece.len;
		after = last;
	}
	if (d != NULL)
		zone_digest_end(&d, sum);
	wbuf_free(&piece);
	return err == NS_NOTFOUND ? NS_OK : err;
}

enum ns_err
zone_pieces(struct zone_view *v, const uint8_t *name)
{
	struct wbuf keys = wbuf_grow(STORE_OBJECT_MAX);
	Ns__FleetZone m = NS__FLEET_ZONE__INIT;
	struct store_zone z;
	enum ns_err err = store_zone_find(v->store, name, &z);

	m.name = (ProtobufCBinaryData){ name_len(name), (uint8_t *)(uintptr_t)name };
	m.revision = v->revision;
	m.withheld = err == NS_OK && !residency_allows(v->residency, z.id, z.account, v->site);
	m.last = m.absent = m.withheld || err == NS_NOTFOUND;
	if (m.absent) {
		err = emit(v, &m) ? NS_OK : NS_UNAVAILABLE;
	} else if (err == NS_OK) {
		fill_zone(&m, &z);
		err = zone_keys(v->store, z.id, &keys, &m);
		if (err == NS_OK)
			err = content(v, &z, &m);
	}
	wbuf_free(&keys);
	return err;
}
