/* aliases.c - see aliases.h: the table, what is due, look-ups. */
#include "appliance/probe/aliases.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "appliance/dns/name.h"
#include "appliance/dns/rrtype.h"
#include "appliance/probe/lookup.h"
#include "appliance/probe/schedule.h"
#include "ipc/base/clock.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"

#define SOON_MS  1000u
#define NO_PLACE UINT32_MAX

struct alias {
	struct due due;
	struct aliases *of;
	uint8_t *name;
	size_t len;
	bool ours, keep; /* keep: the feed that is coming names it */
	bool shown; /* there is room for it where workers read */
	uint32_t place; /* in the file */
	unsigned failures;
	struct alias_known known;
	unsigned open; /* look-ups under way */
	struct ask {
		struct alias *alias;
		enum alias_family family;
		struct lookup *lookup;
		struct alias_answer answer;
	} ask[ALIAS_FAMILIES];
};

struct alias_list {
	struct alias **list; /* by the octets of their names */
	size_t count, room;
};

struct aliases {
	struct aliases_conf conf;
	struct alias_list all, coming;
	struct schedule schedule;
	struct event *timer;
	unsigned at_once;
	uint32_t places, *free; /* of the file: how many, and those that nobody has */
	size_t nfree, free_room;
	uint64_t lookups, refused;
};

static void run(struct aliases *);

/* ---- the list ---- */
static int
compare(const uint8_t *a, size_t alen, const uint8_t *b, size_t blen)
{
	int c = memcmp(a, b, alen < blen ? alen : blen);

	return c != 0 ? c : alen < blen ? -1 : alen > blen;
}

static void
append(struct alias_list *l, struct alias *a)
{
	if (l->count == l->room) {
		l->room = l->room * 2 + 16;
		l->list = xreallocarray(l->list, l->room, sizeof(struct alias *));
	}
	l->list[l->count++] = a;
}

static struct alias *
find(const struct alias_list *l, const uint8_t *name, size_t len)
{
	size_t low = 0, high = l->count;

	while (low < high) {
		size_t at = low + (high - low) / 2;
		int c = compare(name, len, l->list[at]->name, l->list[at]->len);

		if (c == 0)
			return l->list[at];
		if (c < 0)
			high = at;
		else
			low = at + 1;
	}
	return NULL;
}

static struct alias *
alias_new(struct aliases *all, const uint8_t *name, size_t len)
{
	struct alias *a = xcalloc(1, sizeof *a);

	a->of = all;
	a->len = len;
	a->name = xmemdup(name, len);
	a->place = NO_PLACE;
	for (unsigned f = 0; f < ALIAS_FAMILIES; f++)
		a->ask[f] = (struct ask){ .alias = a, .family = f };
	return a;
}

static void
alias_end(struct alias *a)
{
	for (unsigned f = 0; f < ALIAS_FAMILIES; f++)
		lookup_cancel(&a->ask[f].lookup);
	if (a->open > 0)
		a->of->at_once--;
	schedule_drop(&a->of->schedule, &a->due);
	free(a->name);
	free(a);
}

/* ---- where it is kept ---- */
static uint32_t
new_place(struct aliases *all)
{
	return all->nfree > 0 ? all->free[--all->nfree] : all->places++;
}

static void
free_place(struct aliases *all, uint32_t place)
{
	if (all->nfree == all->free_room) {
		all->free_room = all->free_room * 2 + 16;
		all->free = xreallocarray(all->free, all->free_room, sizeof *all->free);
	}
	all->free[all->nfree++] = place;
}

static void
show(struct alias *a)
{
	bool before = a->shown;

	a->shown = a->of->conf.table != NULL && alias_write(a->of->conf.table, a->name, &a->known);
	if (a->of->conf.table != NULL && !a->shown && before)
		log_error("alias.room", "text=\"a target lost its room\""); /* cannot be */
	if (a->place == NO_PLACE)
		a->place = new_place(a->of);
	alias_file_write(a->of->conf.file, a->place, a->name, &a->known);
}

static void
forget(struct alias *a)
{
	if (a->of->conf.table != NULL)
		alias_remove(a->of->conf.table, a->name);
	if (a->place != NO_PLACE) {
		alias_file_erase(a->of->conf.file, a->place);
		free_place(a->of, a->place);
	}
	alias_end(a);
}

/* ---- look-ups ---- */
static void
wake_at(struct aliases *all, uint64_t at_ms)
{
	uint64_t now = clock_mono_ns() / 1000000, wait = at_ms > now ? at_ms - now : 0;
	struct timeval tv = { (time_t)(wait / 1000), (suseconds_t)(wait % 1000) * 1000 };

	(void)event_add(all->timer, &tv);
}

static void
put_off(struct alias *a, uint64_t ms)
{
	schedule_put(&a->of->schedule, &a->due, clock_mono_ns() / 1000000 + ms);
}

static void
tell(const struct alias *a, uint8_t before)
{
	char text[NAME_MAX_TEXT];

	if (a->known.fault == before || a->ours)
		return;
	if (a->known.fault == ALIAS_OK)
		log_info("alias.good", "target=%s", log_quote(name_to_text(a->name, text)));
	else
		log_warn("alias.fault", "target=%s reason=%s",
		    log_quote(name_to_text(a->name, text)),
		    log_quote(alias_fault_text((enum alias_fault)a->known.fault)));
}

static void
learn(struct alias *a)
{
	const struct alias_answer in[ALIAS_FAMILIES] = { a->ask[0].answer, a->ask[1].answer };
	uint32_t now = clock_wall_s();
	uint8_t before = a->known.fault;

	alias_learn(&a->known, in, now, a->of->conf.keep_s);
	a->failures = a->known.fault != ALIAS_OK ? a->failures + 1 : 0;
	a->of->lookups++;
	show(a);
	tell(a, before);
	put_off(a, 1000ull * alias_next(&a->known, now, a->failures));
}

static void
on_answer(void *arg, const struct packet *p, const char *fault)
{
	struct ask *q = arg;
	struct alias *a = q->alias;

	q->lookup = NULL;
	if (p != NULL)
		alias_take(p, a->name, q->family, a->of->conf.rules, &q->answer);
	else
		q->answer = (struct alias_answer){ .end = ALIAS_FAILED,
			.fault = lookup_was_answered(fault) ? ALIAS_SERVFAIL : ALIAS_SILENT };
	if (--a->open > 0)
		return;
	a->of->at_once--;
	learn(a);
	run(a->of);
}

/* False: too many look-ups at once, of whomever. */
static bool
ask(struct alias *a)
{
	static const uint16_t types[ALIAS_FAMILIES] = { RR_A, RR_AAAA };
	const struct aliases_conf *conf = &a->of->conf;

	for (unsigned f = 0; f < ALIAS_FAMILIES; f++) {
		struct lookup_ask what = { .question = { .type = types[f], .recurse = true } };

		memcpy(what.question.name, a->name, a->len);
		for (size_t i = 0; i < conf->nresolvers && i < LOOKUP_SERVERS; i++)
			what.servers[what.nservers++] = conf->resolvers[i];
		a->ask[f].lookup = lookup_start(conf->base, &what, on_answer, &a->ask[f]);
		if (a->ask[f].lookup == NULL) {
			lookup_cancel(&a->ask[0].lookup);
			return false;
		}
	}
	a->open = ALIAS_FAMILIES;
	a->of->at_once++;
	return true;
}

static void
run(struct aliases *all)
{
	uint64_t now = clock_mono_ns() / 1000000;
	struct due *d;

	while (all->at_once < ALIAS_AT_ONCE && (d = schedule_take(&all->schedule, now)) != NULL) {
		struct alias *a = (struct alias *)(void *)d;

		if (a->open == 0 && !ask(a)) {
			schedule_put(&all->schedule, d, now + SOON_MS);
			break;
		}
	}
	/* Who is waited for wakes us, too. */
	if (all->at_once < ALIAS_AT_ONCE && schedule_next(&all->schedule) != UINT64_MAX)
		wake_at(all, schedule_next(&all->schedule));
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	run(arg);
}

/* ---- what comes from sync ---- */
static void
begin_asking(struct alias *a)
{
	uint32_t now = clock_wall_s();
	uint64_t wait = 0;

	if (a->of->conf.nresolvers == 0) {
		a->known.fault = ALIAS_NO_RESOLVER;
		show(a);
		return;
	}
	/* What is still fresh, of before our restart, is not asked for again. */
	if (a->known.tried != 0 && a->known.tried <= now && a->known.fault == ALIAS_OK) {
		uint32_t age = now - a->known.tried, next = alias_next(&a->known, now, 1);

		wait = age < ALIAS_TTL_MAX ? next : 0;
		for (unsigned f = 0; f < ALIAS_FAMILIES; f++)
			if (a->known.family[f].state == ALIAS_HERE &&
			    a->known.family[f].until <= now)
				wait = 0;
	}
	show(a);
	put_off(a, 1000 * wait);
}

static void
take(struct aliases *all, const Ns__AliasFeed__Target *t)
{
	const struct alias_list *l = &all->coming;
	struct alias *a;

	if (name_check(t->name.data, t->name.len) != t->name.len || t->name.len == 0)
		return;
	/* In order, or they would not be found again. */
	if (l->count > 0 && compare(l->list[l->count - 1]->name, l->list[l->count - 1]->len,
				t->name.data, t->name.len) >= 0)
		return;
	if (l->count == ALIAS_TARGETS) {
		all->refused++;
		return;
	}
	a = find(&all->all, t->name.data, t->name.len);
	if (a == NULL)
		a = alias_new(all, t->name.data, t->name.len);
	a->ours = t->ours;
	a->keep = true;
	append(&all->coming, a);
}

/* Those that were not named go; those that are new begin. */
static void
settle(struct aliases *all)
{
	struct alias_list old = all->all;

	all->all = all->coming;
	all->coming = (struct alias_list){ 0 };
	for (size_t i = 0; i < old.count; i++)
		if (!old.list[i]->keep)
			forget(old.list[i]);
	free(old.list);
	for (size_t i = 0; i < all->all.count; i++) {
		struct alias *a = all->all.list[i];

		if (a->keep && a->open == 0 && a->due.place == 0)
			begin_asking(a);
		a->keep = false;
	}
}

/* A list that was left half-way: its new ones are nobody's. */
static void
drop_coming(struct aliases *all)
{
	for (size_t i = 0; i < all->coming.count; i++) {
		struct alias *a = all->coming.list[i];

		a->keep = false;
		if (find(&all->all, a->name, a->len) != a)
			alias_end(a);
	}
	free(all->coming.list);
	all->coming = (struct alias_list){ 0 };
}

void
aliases_feed(struct aliases *all, const Ns__AliasFeed *m)
{
	if (m->begin) {
		drop_coming(all);
		all->refused = 0;
	}
	for (size_t i = 0; i < m->n_targets; i++)
		take(all, m->targets[i]);
	if (m->end)
		settle(all);
	run(all);
}

void
aliases_notice(const struct aliases *all, Ns__ProbeNotice *m)
{
	m->aliases = all->all.count;
	m->alias_lookups = all->lookups;
	m->alias_refused = all->refused;
	for (size_t i = 0; i < all->all.count; i++) {
		const struct alias *a = all->all.list[i];

		m->alias_faults += a->known.fault != ALIAS_OK && !a->ours;
		m->alias_refused += all->conf.table != NULL && !a->shown;
	}
}

/* ---- life ---- */
static int
by_name(const void *a, const void *b)
{
	const struct alias *x = *(struct alias *const *)a, *y = *(struct alias *const *)b;

	return compare(x->name, x->len, y->name, y->len);
}

/* Before sync says which there are, these are given as they were. */
static void
remember(void *arg, uint32_t place, const uint8_t *name, const struct alias_known *known)
{
	struct aliases *all = arg;
	struct alias *a = alias_new(all, name, name_len(name));

	a->known = *known;
	a->place = place;
	append(&all->all, a);
}

static void
restore(struct aliases *all)
{
	size_t n = 0;
	bool *taken;

	alias_file_read(all->conf.file, remember, all, &all->places);
	if (all->all.count > 0)
		qsort(all->all.list, all->all.count, sizeof(struct alias *), by_name);
	taken = xcalloc(all->places + 1, sizeof *taken);
	for (size_t i = 0; i < all->all.count; i++) {
		struct alias *a = all->all.list[i];
		struct alias_known here;

		if (n > 0 && by_name(&all->all.list[n - 1], &a) == 0) { /* twice: one is enough */
			alias_end(a);
			continue;
		}
		taken[a->place] = true;
		/* A predecessor's word, where there was one, is as good as the file's. */
		if (alias_read(all->conf.table, a->name, &here) && here.tried >= a->known.tried)
			a->known = here;
		if (all->conf.table != NULL)
			a->shown = alias_write(all->conf.table, a->name, &a->known);
		all->all.list[n++] = a;
	}
	all->all.count = n;
	for (uint32_t i = 0; i < all->places; i++)
		if (!taken[i])
			free_place(all, i);
	free(taken);
}

struct aliases *
aliases_new(const struct aliases_conf *conf)
{
	struct aliases *all = xcalloc(1, sizeof *all);
	uint64_t key[2];

	all->conf = *conf;
	all->timer = evtimer_new(conf->base, on_timer, all);
	if (all->timer == NULL || getrandom(key, sizeof key, 0) != sizeof key)
		abort(); /* out of memory: we stop */
	if (conf->table != NULL)
		alias_begin(conf->table, key);
	restore(all);
	for (size_t i = 0; i < all->all.count; i++)
		begin_asking(all->all.list[i]);
	run(all);
	return all;
}

void
aliases_destroy(struct aliases **allp)
{
	struct aliases *all = *allp;

	if (all == NULL)
		return;
	*allp = NULL;
	drop_coming(all);
	for (size_t i = 0; i < all->all.count; i++)
		alias_end(all->all.list[i]);
	free(all->all.list);
	free(all->free);
	schedule_free(&all->schedule);
	event_free(all->timer);
	free(all);
}
