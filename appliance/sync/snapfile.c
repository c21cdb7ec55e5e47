/* snapfile - see snapfile.h. */
#include "appliance/sync/snapfile.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/sync/errors.h"
#include "ipc/base/xalloc.h"
#include "ipc/envelope.h"

/* ---- order ---- */
enum stage { STAGE_HEAD = 1, STAGE_THINGS, STAGE_ZONES, STAGE_ROWS, STAGE_CHANGES, STAGE_END };

static unsigned
stage_of(Ns__Envelope__BodyCase kind)
{
	switch ((int)kind) {
	case NS__ENVELOPE__BODY_SNAPSHOT_HEAD:
		return STAGE_HEAD;
	case NS__ENVELOPE__BODY_FLEET_THING:
		return STAGE_THINGS;
	case NS__ENVELOPE__BODY_FLEET_ZONE:
		return STAGE_ZONES;
	case NS__ENVELOPE__BODY_SNAPSHOT_ROWS:
		return STAGE_ROWS;
	case NS__ENVELOPE__BODY_FLEET_CHANGE:
		return STAGE_CHANGES;
	case NS__ENVELOPE__BODY_SNAPSHOT_END:
		return STAGE_END;
	default:
		return 0;
	}
}

static void
count(struct snap_counts *n, Ns__Envelope__BodyCase kind)
{
	unsigned stage = stage_of(kind);

	n->things += stage == STAGE_THINGS;
	n->zones += stage == STAGE_ZONES;
	n->rows += stage == STAGE_ROWS;
	n->changes += stage == STAGE_CHANGES;
}

/* ---- writing ---- */
bool
snap_packed(struct wbuf *w, const void *envelope, size_t len, Ns__Envelope__BodyCase kind,
    struct snap_counts *n)
{
	if (len > SNAP_RECORD_MAX)
		return false;
	wbuf_u32(w, (uint32_t)len);
	wbuf_put(w, envelope, len);
	count(n, kind);
	return wbuf_ok(w);
}

bool
snap_envelope(struct wbuf *w, const Ns__Envelope *env, struct snap_counts *n)
{
	size_t len = ns__envelope__get_packed_size(env);
	uint8_t *room;

	if (len > SNAP_RECORD_MAX)
		return false;
	wbuf_u32(w, (uint32_t)len);
	room = wbuf_room(w, len);
	if (room == NULL)
		return false;
	ns__envelope__pack(env, room);
	count(n, env->body_case);
	return true;
}

/* ---- reading ---- */
struct snap_reader {
	snap_record_fn *fn;
	void *arg;
	unsigned stage;
	struct snap_counts counts;
	uint8_t head[4];
	size_t have_head; /* octets of the length */
	uint32_t len; /* of the record that is open */
	struct wbuf body;
};

struct snap_reader *
snap_reader_new(snap_record_fn *fn, void *arg)
{
	struct snap_reader *r = xcalloc(1, sizeof *r);

	r->fn = fn;
	r->arg = arg;
	r->body = wbuf_grow(SNAP_RECORD_MAX);
	return r;
}

void
snap_reader_destroy(struct snap_reader **rp)
{
	if (*rp == NULL)
		return;
	wbuf_free(&(*rp)->body);
	free(*rp);
	*rp = NULL;
}

static enum ns_err
bad(struct ns_why *why, const char *text)
{
	return ns_fail(why, NS_CORRUPT, ES_SNAPSHOT, "not a snapshot: %s", text);
}

static enum ns_err
check_end(const struct snap_reader *r, const Ns__SnapshotEnd *m, struct ns_why *why)
{
	const struct snap_counts *n = &r->counts;

	return m->zones == n->zones && m->things == n->things && m->rows == n->rows &&
		       m->changes == n->changes
		   ? NS_OK
		   : bad(why, "its end counts other records than came");
}

static enum ns_err
take(struct snap_reader *r, const Ns__Envelope *env, struct ns_why *why)
{
	unsigned stage = stage_of(env->body_case);
	bool first = r->stage == 0;

	if (stage == 0)
		return bad(why, "a record that none has");
	if (first != (stage == STAGE_HEAD) || stage < r->stage || r->stage == STAGE_END)
		return bad(why, "its records are not in order");
	r->stage = stage;
	count(&r->counts, env->body_case);
	if (stage == STAGE_END) {
		enum ns_err err = check_end(r, env->snapshot_end, why);

		if (err != NS_OK)
			return err;
	}
	return r->fn(r->arg, env, why);
}

static enum ns_err
record(struct snap_reader *r, struct ns_why *why)
{
	Ns__Envelope *env = ns_envelope_unpack(r->body.base, r->body.len, why);
	enum ns_err err;

	if (env == NULL)
		return NS_CORRUPT;
	err = take(r, env, why);
	ns__envelope__free_unpacked(env, NULL);
	r->body.len = 0;
	r->have_head = 0;
	return err;
}

enum ns_err
snap_read(struct snap_reader *r, const void *data, size_t len, struct ns_why *why)
{
	const uint8_t *p = data, *end = p + len;
	enum ns_err err = NS_OK;

	while (p < end && err == NS_OK) {
		size_t want;

		if (r->have_head < sizeof r->head) {
			r->head[r->have_head++] = *p++;
			if (r->have_head < sizeof r->head)
				continue;
			r->len = (uint32_t)r->head[0] << 24 | (uint32_t)r->head[1] << 16 |
				 (uint32_t)r->head[2] << 8 | r->head[3];
			if (r->len == 0 || r->len > SNAP_RECORD_MAX)
				return bad(why, "a record of a length that none has");
		}
		want = r->len - r->body.len;
		if (want > (size_t)(end - p))
			want = (size_t)(end - p);
		wbuf_put(&r->body, p, want);
		p += want;
		if (r->body.len == r->len)
			err = record(r, why);
	}
	return err;
}

enum ns_err
snap_read_end(const struct snap_reader *r, struct ns_why *why)
{
	return r->stage == STAGE_END && r->have_head == 0 ? NS_OK : bad(why, "it has no end");
}
