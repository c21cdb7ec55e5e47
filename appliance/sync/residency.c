/* residency - see residency.h: what is set, and what follows from it.  Threads with a store handle. */
#include "appliance/sync/residency.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/users.h"
#include "ipc/base/xalloc.h"

#define KEY          24 /* a letter, 20 digits */
#define DESCRIBE_MAX 32768u /* octets: half of a backup's header */

struct entry {
	char kind; /* z, a */
	uint64_t id;
	Ns__Residency *m;
};
struct residency {
	struct entry *list; /* by kind and number */
	size_t count;
	bool broken;
};

/* ---- the table ---- */
static int
cmp_entry(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

static bool
load_one(void *arg, const struct store_object *o, const void *body, size_t len)
{
	struct residency *r = arg;
	struct entry e = { .kind = o->name[0], .m = ns__residency__unpack(NULL, len, body) };
	char *end;

	e.id = strtoull(o->name + (o->name[0] != '\0'), &end, 10);
	if (e.m == NULL || *end != '\0' || (e.kind != 'z' && e.kind != 'a')) {
		if (e.m != NULL)
			ns__residency__free_unpacked(e.m, NULL);
		r->broken = true;
		return false;
	}
	r->list = xreallocarray(r->list, r->count + 1, sizeof *r->list);
	r->list[r->count++] = e;
	return true;
}

enum ns_err
residency_load(struct store *s, struct residency **out)
{
	struct residency *r = xcalloc(1, sizeof *r);
	enum ns_err err = store_object_each(s, RESIDENCY_KIND, load_one, r);

	if (err == NS_OK && r->broken)
		err = NS_CORRUPT;
	if (err != NS_OK || r->count == 0)
		residency_free(&r);
	else
		qsort(r->list, r->count, sizeof *r->list, cmp_entry);
	*out = r;
	return err;
}

void
residency_free(struct residency **rp)
{
	struct residency *r = *rp;

	if (r == NULL)
		return;
	for (size_t i = 0; i < r->count; i++)
		ns__residency__free_unpacked(r->list[i].m, NULL);
	free(r->list);
	free(r);
	*rp = NULL;
}

bool
residency_has_accounts(const struct residency *r)
{
	return r->list[0].kind == 'a';
}

static const Ns__Residency *
find(const struct residency *r, char kind, uint64_t id)
{
	struct entry key = { .kind = kind, .id = id }, *e;

	e = bsearch(&key, r->list, r->count, sizeof *r->list, cmp_entry);
	return e != NULL ? e->m : NULL;
}

bool
residency_names(char *const *sites, size_t n, const char *site)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(sites[i], site) == 0)
			return true;
	return false;
}

static const Ns__Residency *
word_on(const struct residency *r, uint64_t zone, uint32_t account)
{
	const Ns__Residency *m = find(r, 'z', zone);

	return m != NULL || account == 0 ? m : find(r, 'a', account);
}

bool
residency_kept(const struct residency *r, uint64_t zone, uint32_t account)
{
	return r != NULL && (account == RESIDENCY_LOST || word_on(r, zone, account) != NULL);
}

bool
residency_allows(const struct residency *r, uint64_t zone, uint32_t account, const char *site)
{
	const Ns__Residency *m = r != NULL ? word_on(r, zone, account) : NULL;

	if (r != NULL && m == NULL && account == RESIDENCY_LOST)
		return false;
	return m == NULL || (site[0] != '\0' && residency_names(m->sites, m->n_sites, site));
}

/* ---- one of them ---- */
Ns__Residency *
residency_get(struct store *s, char kind, uint64_t id)
{
	struct wbuf body = wbuf_grow(STORE_OBJECT_MAX);
	Ns__Residency *m = NULL;
	struct store_object o;
	char key[RESIDENCY_KEY];

	snprintf(key, sizeof key, "%c%llu", kind, (unsigned long long)id);
	if (store_object_get(s, RESIDENCY_KIND, key, &o, &body) == NS_OK)
		m = ns__residency__unpack(NULL, body.len, body.base);
	wbuf_free(&body);
	return m;
}

static char **
take_sites(Ns__Residency *m, size_t *n)
{
	char **sites = NULL;

	*n = 0;
	if (m == NULL)
		return NULL;
	sites = m->sites;
	*n = m->n_sites;
	m->sites = NULL;
	m->n_sites = 0;
	ns__residency__free_unpacked(m, NULL);
	return sites;
}

char **
residency_account_sites(struct store *s, uint64_t account, size_t *n)
{
	return take_sites(residency_get(s, 'a', account), n);
}

char **
residency_sites(struct store *s, uint64_t zone, uint32_t account, size_t *n)
{
	Ns__Residency *m = residency_get(s, 'z', zone);

	if (m == NULL && account != 0)
		m = residency_get(s, 'a', account);
	return take_sites(m, n);
}

/* ---- in words ---- */
/* "" when neither zone nor account is there any more. */
static void
entry_name(struct store *s, const struct entry *e, char *out, size_t size)
{
	struct account_names *names = NULL;
	char text[NAME_MAX_TEXT];
	struct store_zone z;
	char *account;

	out[0] = '\0';
	if (e->kind == 'z') {
		if (store_zone_by_id(s, e->id, &z) == NS_OK)
			snprintf(out, size, "zone %s", name_to_text(z.name, text));
		return;
	}
	account = account_name(s, (uint32_t)e->id, &names);
	if (strcmp(account, "?") != 0)
		snprintf(out, size, "account %s", account);
	free(account);
	account_names_destroy(&names);
}

enum ns_err
residency_describe(struct store *s, char ***out, size_t *n)
{
	char name[NAME_MAX_TEXT + 16];
	struct residency *r;
	size_t octets = 0;
	enum ns_err err = residency_load(s, &r);

	*out = NULL;
	*n = 0;
	for (size_t i = 0; r != NULL && i < r->count; i++) {
		if (octets > DESCRIBE_MAX) {
			*out = xreallocarray(*out, *n + 1, sizeof **out);
			(*out)[(*n)++] = xasprintf("and %zu more", r->count - i);
			break;
		}
		const Ns__Residency *m = r->list[i].m;
		struct wbuf w = wbuf_grow(65536);

		entry_name(s, &r->list[i], name, sizeof name);
		if (name[0] == '\0') /* of a deleted zone: the log has it still */
			snprintf(name, sizeof name, "deleted zone %llu",
			    (unsigned long long)r->list[i].id);
		wbuf_put(&w, name, strlen(name));
		wbuf_u8(&w, ':');
		for (size_t k = 0; k < m->n_sites; k++) {
			wbuf_u8(&w, ' ');
			wbuf_put(&w, m->sites[k], strlen(m->sites[k]));
		}
		wbuf_u8(&w, '\0');
		octets += w.len;
		*out = xreallocarray(*out, *n + 1, sizeof **out);
		(*out)[(*n)++] = (char *)w.base;
	}
	residency_free(&r);
	return err;
}

enum ns_err
residency_may_lead(struct store *s, const char *name, const char *site, struct ns_why *why)
{
	char what[NAME_MAX_TEXT + 16];
	struct residency *r;
	enum ns_err err = residency_load(s, &r);

	if (err != NS_OK)
		return ns_fail(why, err, ES_STORE, "where zones may be held cannot be read");
	for (size_t i = 0; r != NULL && i < r->count; i++) {
		const Ns__Residency *m = r->list[i].m;

		if (site[0] != '\0' && residency_names(m->sites, m->n_sites, site))
			continue;
		entry_name(s, &r->list[i], what, sizeof what);
		err = ns_fail(why, NS_CONFLICT, ES_RESIDENCY,
		    "%s is at %s%s, and %.300s may not be held there: the primary and the standby "
		    "hold everything; change its --sites first",
		    name, site[0] != '\0' ? "site " : "no known site", site,
		    what[0] != '\0' ? what : "a deleted zone");
		break;
	}
	residency_free(&r);
	return err;
}

enum ns_err
residency_may_tell(
    struct store *s, const struct store_zone *z, const struct caller *c, struct ns_why *why)
{
	struct residency *r = NULL;
	enum ns_err err;
	bool may;

	if (c->relay[0] == '\0')
		return NS_OK;
	if ((err = residency_load(s, &r)) != NS_OK)
		return ns_fail(why, err, ES_STORE, "the residencies cannot be read");
	may = residency_allows(r, z->id, z->account, c->relay_site);
	residency_free(&r);
	return may ? NS_OK
		   : ns_fail(why, NS_DENIED, ES_RESIDENCY,
			 "the zone may not be held where %s is, and a draft would hold it there: "
			 "--commit -m TEXT, or at another appliance",
			 c->relay);
}
