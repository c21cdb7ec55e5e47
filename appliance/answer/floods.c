/* floods - see floods.h. */
#include "appliance/answer/floods.h"

#include "appliance/answer/totals.h"
#include "appliance/zonemap/word.h"

static void
add(struct floods *f, const struct map *map, uint64_t hash, uint64_t limited, double quiet_s)
{
	Ns__StatsReply__Flood *r;
	size_t i = 0;

	while (i < f->n && f->hash[i] != hash)
		i++;
	if (i == FLOODS_MAX || (i == f->n && !zonenames_of_hash(map, hash, f->names[i])))
		return;
	r = f->list[i] = &f->rows[i];
	if (i == f->n) {
		f->n++;
		f->hash[i] = hash;
		ns__stats_reply__flood__init(r);
		r->zone = f->names[i];
		r->quiet_s = quiet_s;
	}
	r->limited += limited;
	if (quiet_s < r->quiet_s)
		r->quiet_s = quiet_s;
}

void
floods_read(struct floods *f, const struct worker_page *const *pages, size_t workers,
    const struct map *map, uint64_t now_ns)
{
	f->n = 0;
	for (size_t i = 0; i < workers * PAGE_FLOODS; i++) {
		const struct page_flood *p = &pages[i / PAGE_FLOODS]->floods[i % PAGE_FLOODS];
		uint64_t last = word_load(&p->last_ns);
		uint64_t hash = word_load(&p->zone_hash);
		uint64_t limited = word_load(&p->limited);
		uint64_t quiet = now_ns > last ? now_ns - last : 0;

		if (last != 0 && hash != 0 && quiet < FLOODS_QUIET_NS)
			add(f, map, hash, limited < TOTALS_MAX ? limited : TOTALS_MAX,
			    (double)quiet / 1e9);
	}
}
