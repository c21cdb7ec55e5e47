/* zoneorder - see zoneorder.h. */
#include "appliance/sync/zoneorder.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/sync/errors.h"
#include "ipc/base/xalloc.h"

#define ORDERS    8u
#define KEPT_MAX  (1u << 21) /* ids of all that are kept, but for the newest: 16 MiB */
#define UNUSED_MS 60000u
#define MOVES_MS  1000u /* how old one by a moving value may be for who wants it as it is now */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct zone_order *kept[ORDERS];
static uint64_t last;

enum ns_err
zone_sort_read(const char *text, enum zone_sort *sort, bool *reverse, struct ns_why *why)
{
	static const char *const words[ZSORT_MAX] = { "name", "serial", "records", "rrsets", "qps",
		"dnssec", "health", "changed" };
	const char *word = text + (*text == '-');

	*reverse = *text == '-';
	*sort = ZSORT_NAME;
	if (*text == '\0')
		return NS_OK;
	for (unsigned i = 0; i < ZSORT_MAX; i++)
		if (strcmp(word, words[i]) == 0) {
			*sort = (enum zone_sort)i;
			return NS_OK;
		}
	return ns_fail(why, NS_USAGE, ES_FILTER,
	    "zones are sorted by name, serial, records, rrsets, qps, dnssec, health or changed; "
	    "-qps is the "
	    "other way round");
}

/* ---- those that are kept ---- */
static void
let_go(struct zone_order *o)
{
	if (--o->held > 0)
		return;
	free(o->what);
	free(o->ids);
	free(o);
}

static void
drop(unsigned at)
{
	let_go(kept[at]);
	kept[at] = NULL;
}

/* Those that nobody looks at, and then the one that was not looked at for longest, until there is room. */
static unsigned
make_room(size_t ids, uint64_t now_ms)
{
	for (;;) {
		unsigned oldest = ORDERS, place = ORDERS;
		size_t all = ids;

		for (unsigned i = 0; i < ORDERS; i++) {
			if (kept[i] != NULL && now_ms - kept[i]->used_ms > UNUSED_MS)
				drop(i);
			if (kept[i] == NULL) {
				place = i;
				continue;
			}
			all += kept[i]->n;
			if (oldest == ORDERS || kept[i]->used_ms < kept[oldest]->used_ms)
				oldest = i;
		}
		if (oldest == ORDERS || (place < ORDERS && all <= KEPT_MAX))
			return place;
		drop(oldest);
	}
}

struct zone_order *
zone_order_find(uint64_t snapshot, const char *what, uint64_t revision, uint64_t now_ms)
{
	struct zone_order *found = NULL;

	pthread_mutex_lock(&lock);
	for (unsigned i = 0; found == NULL && i < ORDERS; i++) {
		struct zone_order *o = kept[i];

		if (o == NULL || strcmp(o->what, what) != 0)
			continue;
		if (snapshot != 0
			? o->snapshot == snapshot
			: o->revision == revision && (!o->moves || now_ms - o->made_ms < MOVES_MS))
			found = o;
	}
	if (found != NULL) {
		found->held++;
		found->used_ms = now_ms;
	}
	pthread_mutex_unlock(&lock);
	return found;
}

struct zone_order *
zone_order_keep(struct zone_order *o, uint64_t now_ms)
{
	pthread_mutex_lock(&lock);
	o->snapshot = ++last;
	o->made_ms = o->used_ms = now_ms;
	o->held = 2;
	kept[make_room(o->n, now_ms)] = o;
	pthread_mutex_unlock(&lock);
	return o;
}

void
zone_order_release(struct zone_order **op)
{
	if (*op == NULL)
		return;
	pthread_mutex_lock(&lock);
	let_go(*op);
	pthread_mutex_unlock(&lock);
	*op = NULL;
}

void
zone_orders_free(void)
{
	pthread_mutex_lock(&lock);
	for (unsigned i = 0; i < ORDERS; i++)
		if (kept[i] != NULL)
			drop(i);
	pthread_mutex_unlock(&lock);
}

/* ---- making one ---- */
static int
upwards(const void *a, const void *b)
{
	const struct zone_key *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->turn < y->turn ? -1 : 1;
}

static int
downwards(const void *a, const void *b)
{
	const struct zone_key *x = a, *y = b;

	if (x->key != y->key)
		return x->key > y->key ? -1 : 1;
	return x->turn < y->turn ? -1 : 1;
}

void
zone_keys_sort(struct zone_key *keys, size_t n, enum zone_sort sort, bool reverse)
{
	if (sort != ZSORT_NAME) {
		qsort(keys, n, sizeof *keys, reverse ? downwards : upwards);
		return;
	}
	for (size_t i = 0; reverse && i < n / 2; i++) {
		struct zone_key k = keys[i];

		keys[i] = keys[n - 1 - i];
		keys[n - 1 - i] = k;
	}
}
