/* digest.c - the digest of a zone, from its image and from its zwire; see image.h.
 *
 * SHA-256 over the zwire of every RRset but RRSIG, NSEC, NSEC3 and NSEC3PARAM, rdata in canonical
 * form, in zwire order.  Not on the query path. */
#include <stdlib.h>

#include <openssl/evp.h>

#include "appliance/dns/rrtype.h"
#include "appliance/dns/zwire.h"
#include "appliance/zonemap/image_read.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"

#define CODE_DIGEST 3206

struct zone_digest {
	EVP_MD_CTX *ctx;
};

static void
must(int ok)
{
	if (ok != 1)
		fatal("digest.openssl", "text=%s", "\"SHA-256 is not available\"");
}

struct zone_digest *
zone_digest_new(void)
{
	struct zone_digest *d = xcalloc(1, sizeof *d);

	d->ctx = EVP_MD_CTX_new();
	must(d->ctx != NULL && EVP_DigestInit_ex(d->ctx, EVP_sha256(), NULL) == 1);
	return d;
}

static bool
is_counted(uint16_t type)
{
	return type != RR_RRSIG && type != RR_NSEC && type != RR_NSEC3 && type != RR_NSEC3PARAM;
}

void
zone_digest_add(struct zone_digest *d, const void *zwire, size_t len)
{
	struct zwire_iter it = zwire_iter(zwire, len);
	struct rrset set;
	uint8_t rdata[UINT16_MAX];

	while (zwire_next(&it, &set)) {
		struct rbuf r = rbuf_init(set.rdata, set.rdata_len);
		const uint8_t *p;
		size_t n;

		if (!is_counted(set.type))
			continue;
		must(EVP_DigestUpdate(d->ctx, set.raw, set.raw_len - set.rdata_len));
		while ((p = rrset_next_rdata(&r, &n)) != NULL) {
			must(EVP_DigestUpdate(d->ctx, p - 2, 2));
			memcpy(rdata, p, n);
			rdata_canonical(set.type, rdata, n);
			must(EVP_DigestUpdate(d->ctx, rdata, n));
		}
	}
}

void
zone_digest_end(struct zone_digest **dp, uint8_t sha256[32])
{
	struct zone_digest *d = *dp;
	unsigned len = 0;

	*dp = NULL;
	must(EVP_DigestFinal_ex(d->ctx, sha256, &len));
	EVP_MD_CTX_free(d->ctx);
	free(d);
}

enum ns_err
image_digest(const struct map_view *view, map_off off, uint8_t sha256[32], uint64_t *version)
{
	struct image_ref ref;
	struct image_walk walk;
	struct image_node node;
	struct zone_digest *d;
	struct wbuf owner;
	bool ok = true;

	if (!image_open(view, off, &ref))
		return NS_CORRUPT;
	*version = ref.image->version;
	d = zone_digest_new();
	owner = wbuf_grow(SIZE_MAX / 2);
	image_walk_begin(&walk, &ref);
	while (ok && image_walk_next(&walk, &node)) {
		owner.len = 0;
		ok = image_node_zwire(&ref, &node, true, &owner);
		if (ok && owner.len > 0)
			must(EVP_DigestUpdate(d->ctx, owner.base, owner.len));
	}
	wbuf_free(&owner);
	zone_digest_end(&d, sha256);
	return ok && !walk.broken ? NS_OK : NS_CORRUPT;
}
