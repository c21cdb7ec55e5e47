/* plan - see plan.h. */
#include "appliance/sync/plan.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/sync/conflict.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/window.h"
#include "ipc/base/xalloc.h"
#include "ipc/envelope.h"

void
plan_init(struct plan *p, size_t room)
{
	*p = (struct plan){ .room = room, .zones = xcalloc(room + 1, sizeof *p->zones) };
}

void
plan_free(struct plan *p)
{
	for (size_t i = 0; i < p->count; i++)
		zoneplan_free(&p->zones[i]);
	for (size_t i = 0; i < p->nwarnings; i++)
		ns__error__free_unpacked(p->warnings[i], NULL);
	free(p->warnings);
	free(p->zones);
	*p = (struct plan){ 0 };
}

static void
name_zone(struct ns_why *why, const uint8_t *apex)
{
	char text[NAME_MAX_TEXT];

	if (why->zone[0] == '\0')
		snprintf(why->zone, sizeof why->zone, "%s", name_to_text(apex, text));
}

struct zoneplan *
plan_zone(struct plan *p, struct store *s, const uint8_t *apex, struct ns_why *why)
{
	struct zoneplan *z = &p->zones[p->count];

	assert(p->count < p->room);
	p->count++;
	if (zoneplan_begin(z, s, apex, why) == NS_OK)
		return z;
	name_zone(why, apex);
	return NULL;
}

static void
add_warning(void *arg, const struct ns_why *in)
{
	struct plan *p = arg;
	struct ns_why why = *in;
	Ns__Error borrowed, *e;

	if (p->nwarnings == PLAN_WARNINGS)
		return;
	ns_error_from_why(&borrowed, &why);
	e = xmalloc(sizeof *e);
	*e = borrowed;
	e->zone = xstrdup(why.zone);
	e->owner = xstrdup(why.owner);
	e->type = xstrdup(why.type);
	e->field = xstrdup(why.field);
	e->text = xstrdup(why.text);
	p->warnings = xreallocarray(p->warnings, p->nwarnings + 1, sizeof(Ns__Error *));
	p->warnings[p->nwarnings++] = e;
}

enum ns_err
plan_end(struct plan *p, const struct plan_for *f, struct ns_why *why)
{
	struct zoneplan *z = &p->zones[p->count - 1];
	enum ns_err err = zoneplan_end(z, f->now_ms, add_warning, p, why);

	if (err == NS_OK && !diff_empty(&z->diff))
		err = window_check(f->store, &z->z, &z->diff, f->except, f->request, why);
	if (err != NS_OK)
		name_zone(why, z->z.name);
	return err;
}

enum ns_err
plan_edits(
    struct plan *p, const struct edit_request *er, const struct plan_for *f, struct ns_why *why)
{
	enum ns_err err = NS_OK;
	bool stale = false;

	plan_init(p, er->count);
	for (size_t i = 0; i < er->count && err == NS_OK; i++) {
		const struct edit_zone *ez = &er->zones[i];
		struct zoneplan *z = plan_zone(p, f->store, ez->apex, why);

		if (z == NULL)
			return why->err;
		if (zoneplan_stale(z, ez)) {
			(void)conflict_stale(conflict_of(f->request), z, ez, why);
			stale = true;
			continue;
		}
		if ((err = zoneplan_ops(z, ez, why)) != NS_OK)
			name_zone(why, ez->apex);
		else
			err = plan_end(p, f, why);
	}
	return err == NS_OK && stale ? NS_CONFLICT : err;
}

/* ---- what it is ---- */
static void
hash_side(EVP_MD_CTX *md, const struct zoneplan *z, const struct wbuf *side)
{
	uint8_t len[4], *copy = xmalloc(side->len + 1);
	uint32_t serial;
	size_t at;

	if (side->len > 0)
		memcpy(copy, side->base, side->len);
	if (soa_serial_find(z->z.name, copy, side->len, &at, &serial))
		put_u32(copy + at, 0);
	put_u32(len, (uint32_t)side->len);
	EVP_DigestUpdate(md, len, sizeof len);
	EVP_DigestUpdate(md, copy, side->len);
	free(copy);
}

static int
cmp_zones(const void *a, const void *b)
{
	const struct zoneplan *const *x = a, *const *y = b;

	return name_cmp((*x)->z.name, (*y)->z.name);
}

/* In the order of names: what is typed first makes no difference. */
void
plan_hash(const struct plan *p, char out[PLAN_HASH])
{
	const struct zoneplan **by_name = xcalloc(p->count + 1, sizeof *by_name);
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	for (size_t i = 0; i < p->count; i++)
		by_name[i] = &p->zones[i];
	qsort(by_name, p->count, sizeof *by_name, cmp_zones);
	if (md == NULL || EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1)
		abort();
	for (size_t i = 0; i < p->count; i++) {
		const struct zoneplan *z = by_name[i];

		EVP_DigestUpdate(md, z->z.name, name_len(z->z.name));
		hash_side(md, z, &z->diff.removed);
		hash_side(md, z, &z->diff.added);
	}
	EVP_DigestFinal_ex(md, digest, &len);
	EVP_MD_CTX_free(md);
	free(by_name);
	for (unsigned i = 0; i < len && i < 32; i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

/* ---- the safety rail ---- */
bool
rail_hit(const struct store_zone *z, uint64_t touched)
{
	return z->records >= RAIL_RECORDS && touched * 100 > z->records * RAIL_PERCENT;
}

bool
zone_confirmed(const uint8_t *apex, char *const *confirm, size_t n)
{
	uint8_t name[NAME_MAX_WIRE];

	for (size_t i = 0; i < n; i++)
		if (strcmp(confirm[i], "*") == 0 ||
		    (zone_name_read(confirm[i], name, &(struct ns_why){ 0 }) == NS_OK &&
			name_equal(name, apex)))
			return true;
	return false;
}

enum ns_err
rail_check(const struct store_zone *z, uint64_t touched, char *const *confirm, size_t n,
    struct ns_why *why)
{
	char text[NAME_MAX_TEXT];

	if (!rail_hit(z, touched) || zone_confirmed(z->name, confirm, n))
		return NS_OK;
	name_zone(why, z->name);
	name_to_text(z->name, text);
	return ns_fail(why, NS_CONFIRM, ES_RAIL,
	    "%llu of %llu records would go or change (%llu %%, more than %u %%): when that is "
	    "meant, "
	    "--confirm=%.255s",
	    (unsigned long long)touched, (unsigned long long)z->records,
	    (unsigned long long)(touched * 100 / z->records), RAIL_PERCENT, text);
}

enum ns_err
plan_rail(const struct plan *p, char *const *confirm, size_t n, struct ns_why *why)
{
	enum ns_err err = NS_OK;

	for (size_t i = 0; i < p->count && err == NS_OK; i++)
		err = rail_check(&p->zones[i].z, p->zones[i].touched, confirm, n, why);
	return err;
}
