/* sigfile.c - see sigfile.h.  The signer's only thread. */
#include "appliance/signer/sigfile.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/signer/sigframe.h"
#include "ipc/base/clock.h"
#include "ipc/base/hash.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"

#define HEAD  16u /* of the file */
#define PIECE (1u << 20)

static const uint8_t magic[8] = "NSSIGS01";
static const uint8_t name_key[16] = "names of a file";

struct slot { /* a zone */
	uint64_t hash; /* 0: free */
	uint64_t last; /* place of its newest frame in the file in use; 0: none */
	uint64_t moved; /* and in the one that is being made */
};
struct known { /* an entry of a zone */
	const uint8_t *p; /* in `octets` */
	uint32_t age; /* 0: the newest */
};
struct sigfile {
	int fd[2];
	unsigned in_use;
	uint64_t generation, end, frames;
	struct slot *slot;
	size_t nslots, used;
	struct sigfile_state state;
	/* the other file in the making */
	bool making;
	size_t at;
	uint64_t other_end, small;
};

struct sigzone {
	struct sigfile *file;
	uint8_t apex[NAME_MAX_WIRE];
	bool loaded;
	struct wbuf octets; /* its frames */
	struct known *known; /* by print, once that is asked for */
	size_t n, cap;
	size_t
	    guess; /* of a single frame: behind what is looked for next; 0: nothing is known of it */
	bool sorted;
	struct wbuf notes;
	unsigned nnotes;
};

/* ---- the index ---- */

static void
grow(struct sigfile *s)
{
	struct slot *old = s->slot;
	size_t n = s->nslots;

	s->nslots = n > 0 ? n * 2 : 1024;
	s->slot = xcalloc(s->nslots, sizeof *s->slot);
	for (size_t i = 0; i < n; i++) {
		size_t at = old[i].hash & (s->nslots - 1);

		if (old[i].hash == 0)
			continue;
		while (s->slot[at].hash != 0)
			at = (at + 1) & (s->nslots - 1);
		s->slot[at] = old[i];
	}
	free(old);
}

static struct slot *
slot_of(struct sigfile *s, const uint8_t *apex)
{
	uint64_t hash = hash_sip24(name_key, apex, name_len(apex));
	size_t at;

	hash += hash == 0;
	if (s->used * 2 >= s->nslots)
		grow(s);
	for (at = hash & (s->nslots - 1); s->slot[at].hash != hash;
	     at = (at + 1) & (s->nslots - 1)) {
		if (s->slot[at].hash != 0)
			continue;
		s->slot[at].hash = hash;
		s->used++;
		break;
	}
	return &s->slot[at];
}

/* ---- frames ---- */

/* Entries as a frame of that zone at the end of a file; its place, 0: it cannot be written. */
static uint64_t
write_frame(struct sigfile *s, unsigned which, uint64_t *end, uint64_t before, const uint8_t *apex,
    const uint8_t *entries, unsigned n)
{
	struct wbuf out = wbuf_grow(PAYLOAD_MAX + FRAME_HEAD);
	uint64_t at = *end;

	sigframe_put(&out, before, apex, entries, n);
	if (pwrite(s->fd[which], out.base, out.len, (off_t)at) == (ssize_t)out.len) {
		*end += out.len;
		s->state.broken = false;
	} else {
		if (!s->state.broken)
			log_error("signer.sigfile",
			    "text=\"cannot be written; the next start will sign anew\"");
		s->state.broken = true;
		at = 0;
	}
	wbuf_free(&out);
	return at;
}

/* ---- wiping ---- */

static void
wipe_frames(struct sigfile *s, unsigned which, uint64_t at, const uint8_t *apex)
{
	struct wbuf octets = wbuf_grow(PAYLOAD_MAX);
	struct frame f;

	while (at != 0) {
		octets.len = 0;
		if (!sigframe_read(s->fd[which], at, &octets, &f) || !name_equal(f.apex, apex) ||
		    f.before >= at)
			break;
		at = sigframe_wipe(s->fd[which], at, &f) ? f.before : 0;
	}
	wbuf_free(&octets);
}

void
sigfile_wipe(struct sigfile *s, const uint8_t *apex)
{
	struct slot *slot = slot_of(s, apex);

	wipe_frames(s, s->in_use, slot->last, apex);
	wipe_frames(s, !s->in_use, slot->moved, apex);
	slot->last = slot->moved = 0;
}

/* ---- start ---- */

static uint64_t
generation_of(int fd)
{
	uint8_t head[HEAD];

	if (pread(fd, head, sizeof head, 0) != (ssize_t)sizeof head ||
	    memcmp(head, magic, sizeof magic) != 0)
		return 0;
	return (uint64_t)get_u32(head + 8) << 32 | get_u32(head + 12);
}

static bool
write_head(int fd, uint64_t generation)
{
	uint8_t head[HEAD];

	memcpy(head, magic, sizeof magic);
	put_u32(head + 8, (uint32_t)(generation >> 32));
	put_u32(head + 12, (uint32_t)generation);
	return pwrite(fd, head, sizeof head, 0) == (ssize_t)sizeof head;
}

/* The file in large pieces, each from a frame's beginning. */
struct piece {
	int fd;
	uint64_t at; /* in the file */
	uint8_t *octets;
	size_t len, cap;
};

/* That many octets of a place; NULL: the file has fewer. */
static const uint8_t *
piece_get(struct piece *p, uint64_t at, size_t len)
{
	ssize_t n;

	if (at >= p->at && at + len <= p->at + p->len)
		return p->octets + (at - p->at);
	if (len > p->cap) {
		p->cap = len > PIECE ? len : PIECE;
		p->octets = xrealloc(p->octets, p->cap);
	}
	n = pread(p->fd, p->octets, p->cap, (off_t)at);
	p->at = at;
	p->len = n > 0 ? (size_t)n : 0;
	return len <= p->len ? p->octets : NULL;
}

/* Octets of the frame at a place, into the index; of one that was wiped, too.  0: it does not add up. */
static uint64_t
scan_frame(struct sigfile *s, struct piece *p, uint64_t at)
{
	const uint8_t *head = piece_get(p, at, FRAME_HEAD);
	size_t len = head != NULL ? get_u32(head + 4) : 0;
	struct frame f;

	if (len == 0 || len > PAYLOAD_MAX || (head = piece_get(p, at, FRAME_HEAD + len)) == NULL)
		return 0;
	if (get_u32(head) == FRAME_WIPED)
		return FRAME_HEAD + len;
	if (sigframe_len(head) == 0 || !sigframe_check(head, head + FRAME_HEAD, &f) ||
	    f.before >= at)
		return 0;
	slot_of(s, f.apex)->last = at;
	s->state.frames++;
	return f.size;
}

/* Every frame into the index; what follows the first that does not add up is cut off. */
static void
scan(struct sigfile *s)
{
	struct piece p = { .fd = s->fd[s->in_use] };
	off_t size = lseek(p.fd, 0, SEEK_END);

	s->end = HEAD;
	for (uint64_t n; (n = scan_frame(s, &p, s->end)) > 0;)
		s->end += n;
	if (size > 0 && s->end < (uint64_t)size) {
		s->state.dropped = (uint64_t)size - s->end;
		(void)!ftruncate(p.fd, (off_t)s->end);
	}
	free(p.octets);
}

struct sigfile *
sigfile_open(const int fd[2])
{
	struct sigfile *s = xcalloc(1, sizeof *s);
	uint64_t generation[2] = { generation_of(fd[0]), generation_of(fd[1]) };

	s->fd[0] = fd[0];
	s->fd[1] = fd[1];
	grow(s);
	s->in_use = generation[1] > generation[0];
	s->generation = generation[s->in_use];
	if (s->generation > 0) {
		scan(s);
	} else {
		s->generation = 1;
		s->end = HEAD;
		s->state.broken = ftruncate(fd[0], 0) != 0 || !write_head(fd[0], 1);
	}
	(void)!ftruncate(fd[!s->in_use], 0);
	s->small = s->end;
	return s;
}

void
sigfile_close(struct sigfile **sp)
{
	struct sigfile *s = *sp;

	*sp = NULL;
	if (s == NULL)
		return;
	(void)close(s->fd[0]);
	(void)close(s->fd[1]);
	free(s->slot);
	free(s);
}

/* ---- a zone ---- */

struct sigzone *
sigzone_open(struct sigfile *file, const uint8_t *apex)
{
	struct sigzone *z = xcalloc(1, sizeof *z);

	z->file = file;
	memcpy(z->apex, apex, name_len(apex));
	z->octets = wbuf_grow(SIZE_MAX / 2);
	z->notes = wbuf_grow(SIZE_MAX / 2);
	return z;
}

void
sigzone_close(struct sigzone **zp)
{
	struct sigzone *z = *zp;

	*zp = NULL;
	if (z == NULL)
		return;
	wbuf_free(&z->octets);
	wbuf_free(&z->notes);
	free(z->known);
	free(z);
}

unsigned
sigzone_notes(const struct sigzone *z)
{
	return z->nnotes;
}

static int
by_print(const void *pa, const void *pb)
{
	const struct known *a = pa, *b = pb;
	int d = memcmp(a->p + 2, b->p + 2, RRSIG_PRINT);

	return d != 0 ? d : (a->age > b->age) - (a->age < b->age);
}

/* The zone's frames, the newest first. */
static void
load(struct sigzone *z, uint64_t at)
{
	int fd = z->file->fd[z->file->in_use];
	unsigned frames = 0;
	struct frame f;

	z->loaded = true;
	while (at != 0) {
		size_t start = z->octets.len;

		if (!sigframe_read(fd, at, &z->octets, &f) || !name_equal(f.apex, z->apex) ||
		    f.before >= at) {
			z->octets.len = start;
			break;
		}
		at = f.before;
		frames++;
	}
	/* The octets have moved while they grew: once more, now that they stand. */
	for (size_t p = 0; p < z->octets.len;) {
		const uint8_t *base = z->octets.base + p;
		size_t apex = base[8];
		unsigned n = get_u16(base + 9 + apex);

		if (z->n + n > z->cap) {
			z->cap = (z->n + n) * 2;
			z->known = xreallocarray(z->known, z->cap, sizeof *z->known);
		}
		/* The last of a frame is its newest. */
		for (unsigned i = n; i-- > 0; z->n++)
			z->known[z->n] =
			    (struct known){ base + 11 + apex + (size_t)i * SIGFILE_ENTRY,
				    (uint32_t)z->n };
		p += 11 + apex + (size_t)n * SIGFILE_ENTRY;
	}
	z->guess = frames == 1 ? z->n : 0;
}

static bool
is_of(const uint8_t *entry, const struct rrset *set, const struct zone_key *key)
{
	return get_u16(entry) == set->type && entry[18] == key->algorithm &&
	       get_u16(entry + 19) == key->tag;
}

static bool
has_print(const struct sigzone *z, size_t i, const uint8_t print[RRSIG_PRINT])
{
	return memcmp(z->known[i].p + 2, print, RRSIG_PRINT) == 0;
}

/* Signatures are looked for in the order in which they were made as long as nothing of the zone has changed since:
 * then nothing is sorted. */
static const uint8_t *
find_entry(struct sigzone *z, const struct rrset *set, const uint8_t print[RRSIG_PRINT],
    const struct zone_key *key)
{
	size_t lo = 0, hi = z->n;

	if (z->guess > 0 && has_print(z, z->guess - 1, print) &&
	    is_of(z->known[z->guess - 1].p, set, key))
		return z->known[--z->guess].p;
	z->guess = 0;
	if (!z->sorted && z->n > 1)
		qsort(z->known, z->n, sizeof *z->known, by_print);
	z->sorted = true;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (memcmp(z->known[mid].p + 2, print, RRSIG_PRINT) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < z->n && has_print(z, lo, print); lo++) {
		if (is_of(z->known[lo].p, set, key))
			return z->known[lo].p;
	}
	return NULL;
}

size_t
sigzone_find(struct sigzone *z, const struct rrset *set, const uint8_t print[RRSIG_PRINT],
    const struct zone_key *key, uint8_t out[RRSIG_MAX])
{
	size_t apex = name_len(z->apex);
	const uint8_t *p;

	if (!z->loaded)
		load(z, slot_of(z->file, z->apex)->last);
	p = find_entry(z, set, print, key);
	if (p == NULL)
		return 0;
	put_u16(out, set->type);
	out[2] = key->algorithm;
	out[3] = rrsig_labels(set->owner);
	put_u32(out + 4, set->ttl);
	memcpy(out + 8, p + 21, 8); /* expiration, inception */
	put_u16(out + 16, key->tag);
	memcpy(out + RRSIG_HEAD, z->apex, apex);
	memcpy(out + RRSIG_HEAD + apex, p + 29, RRSIG_SIG_LEN);
	return RRSIG_HEAD + apex + RRSIG_SIG_LEN;
}

void
sigzone_note(struct sigzone *z, const uint8_t print[RRSIG_PRINT], const uint8_t *rdata, size_t len)
{
	wbuf_put(&z->notes, rdata, 2);
	wbuf_put(&z->notes, print, RRSIG_PRINT);
	wbuf_u8(&z->notes, rdata[2]);
	wbuf_put(&z->notes, rdata + 16, 2);
	wbuf_put(&z->notes, rdata + 8, 8);
	wbuf_put(&z->notes, rdata + len - RRSIG_SIG_LEN, RRSIG_SIG_LEN);
	z->nnotes++;
}

void
sigzone_keep(struct sigzone *z)
{
	struct sigfile *s = z->file;

	for (unsigned at = 0, n; at < z->nnotes; at += n) {
		struct slot *slot = slot_of(s, z->apex);
		uint64_t place;

		n = z->nnotes - at < SIGFILE_FRAME ? z->nnotes - at : SIGFILE_FRAME;
		place = write_frame(s, s->in_use, &s->end, slot->last, z->apex,
		    z->notes.base + (size_t)at * SIGFILE_ENTRY, n);
		if (place == 0)
			break;
		slot->last = place;
		slot->moved = 0;
		s->state.frames++;
	}
	z->notes.len = 0;
	z->nnotes = 0;
}

/* ---- smaller ---- */

/* What is of use of a zone: not ended, the newest of its print, and of SOAs the newest of all. */
static bool
is_useful(const struct sigzone *s, size_t i, uint32_t now, uint32_t newest_soa)
{
	const uint8_t *p = s->known[i].p;

	if ((int32_t)(get_u32(p + 21) - now) <= 0)
		return false;
	if (get_u16(p) == 6 && s->known[i].age > newest_soa)
		return false;
	return i == 0 || memcmp(s->known[i - 1].p + 2, p + 2, RRSIG_PRINT) != 0 ||
	       memcmp(s->known[i - 1].p + 18, p + 18, 3) != 0;
}

/* The zone whose newest frame that is, all of it read; NULL: the frame does not add up. */
static struct sigzone *
zone_of_frame(struct sigfile *s, uint64_t at)
{
	struct wbuf octets = wbuf_grow(PAYLOAD_MAX);
	struct sigzone *z = NULL;
	struct frame f;

	if (sigframe_read(s->fd[s->in_use], at, &octets, &f)) {
		z = sigzone_open(s, f.apex);
		load(z, at);
	}
	wbuf_free(&octets);
	return z;
}

static void
move_zone(struct sigfile *s, struct slot *slot, uint32_t now)
{
	struct sigzone *z = zone_of_frame(s, slot->last);
	struct wbuf out = wbuf_grow(SIZE_MAX / 2);
	uint32_t newest_soa = UINT32_MAX;
	unsigned n = 0;
	uint64_t before = 0;

	for (size_t i = 0; z != NULL && i < z->n; i++) {
		if (get_u16(z->known[i].p) == 6 && z->known[i].age < newest_soa)
			newest_soa = z->known[i].age;
	}
	for (size_t i = 0; z != NULL && i < z->n; i++) {
		if (!is_useful(z, i, now, newest_soa))
			continue;
		wbuf_put(&out, z->known[i].p, SIGFILE_ENTRY);
		if (++n == SIGFILE_FRAME) {
			before =
			    write_frame(s, !s->in_use, &s->other_end, before, z->apex, out.base, n);
			out.len = 0;
			n = 0;
		}
	}
	if (n > 0)
		before = write_frame(s, !s->in_use, &s->other_end, before, z->apex, out.base, n);
	slot->moved = before;
	if (before == 0)
		slot->last = 0; /* nothing of use */
	wbuf_free(&out);
	sigzone_close(&z);
}

static void
switch_files(struct sigfile *s)
{
	unsigned other = !s->in_use;

	if (!write_head(s->fd[other], s->generation + 1))
		return;
	(void)!ftruncate(s->fd[s->in_use], 0);
	s->in_use = other;
	s->generation++;
	s->end = s->small = s->other_end;
	s->state.frames = 0;
	for (size_t i = 0; i < s->nslots; i++) {
		s->slot[i].last = s->slot[i].moved;
		s->state.frames += s->slot[i].last != 0;
		s->slot[i].moved = 0;
	}
}

bool
sigfile_step(struct sigfile *s, uint32_t now, uint64_t deadline_ns)
{
	if (!s->making) {
		if (s->end < SIGFILE_SMALL || s->end < 2 * s->small)
			return false;
		s->making = true;
		s->at = 0;
		s->other_end = HEAD;
		(void)!ftruncate(s->fd[!s->in_use], 0);
	}
	for (; s->at < s->nslots; s->at++) {
		struct slot *slot = &s->slot[s->at];

		if (clock_is_past(deadline_ns))
			return true;
		if (slot->hash != 0 && slot->last != 0 && slot->moved == 0)
			move_zone(s, slot, now);
	}
	/* Those that were written to meanwhile, once more and at once. */
	for (size_t i = 0; i < s->nslots; i++) {
		if (s->slot[i].last != 0 && s->slot[i].moved == 0)
			move_zone(s, &s->slot[i], now);
	}
	s->making = false;
	if (!s->state.broken)
		switch_files(s);
	return false;
}

void
sigfile_state(const struct sigfile *s, struct sigfile_state *out)
{
	*out = s->state;
	out->octets = s->end;
	out->zones = s->used;
}
