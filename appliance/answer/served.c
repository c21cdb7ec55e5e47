/* served - see served.h. */
#include "appliance/answer/served.h"

#include <assert.h>
#include <string.h>

void
served_init(struct served *s, size_t workers)
{
	assert(workers <= ROLE_MAX_WORKERS);
	memset(s, 0, sizeof *s);
	s->workers = workers;
}

bool
served_ask(struct served *s, uint64_t id, uint64_t revision, uint64_t epoch)
{
	if (s->n == SERVED_PENDING)
		return false;
	s->pending[s->n++] = (struct served_ask){ .id = id, .revision = revision, .epoch = epoch };
	return true;
}

void
served_forget(struct served *s)
{
	s->n = 0;
}

static void
proof_begin(struct served *s, uint64_t revision, uint64_t epoch)
{
	s->open = true;
	s->open_revision = revision;
	s->open_epoch = epoch;
	memset(s->past, 0, sizeof s->past);
}

static bool
proof_done(struct served *s, const uint64_t *slots)
{
	bool all = true;
	size_t i;

	for (i = 0; i < s->workers; i++) {
		s->past[i] = s->past[i] || slots[i] == 0 || slots[i] > s->open_epoch;
		all = all && s->past[i];
	}
	return all;
}

void
served_see(struct served *s, uint64_t revision, uint64_t epoch, const uint64_t *slots)
{
	for (;;) {
		if (!s->open) {
			if (epoch <= s->proven)
				return;
			proof_begin(s, revision, epoch);
		}
		if (!proof_done(s, slots))
			return;
		s->proven = s->open_epoch;
		s->revision = s->open_revision;
		s->open = false;
	}
}

bool
served_next(struct served *s, struct served_ask *out)
{
	size_t i;

	for (i = 0; i < s->n; i++) {
		if (s->pending[i].epoch > s->proven)
			continue;
		*out = s->pending[i];
		memmove(&s->pending[i], &s->pending[i + 1], (s->n - i - 1) * sizeof s->pending[0]);
		s->n--;
		return true;
	}
	return false;
}
