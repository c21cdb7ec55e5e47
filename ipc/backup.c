/* backup.c - see backup.h.  sync's reader threads and the CLI; an object belongs to one thread at a
 * time. */
#include "ipc/backup.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "ipc/base/log.h"
#include "ipc/base/rbuf.h"
#include "ipc/base/xalloc.h"
#include "ipc/envelope.h"

#define MAGIC_LEN 16u
#define FIXED     (MAGIC_LEN + 8u) /* before the header */

_Static_assert(sizeof NS_BACKUP_MAGIC == MAGIC_LEN + 1, "the magic has 16 octets");

static EVP_MD_CTX *
sum_new(void)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	if (ctx == NULL || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1)
		fatal("backup.openssl", "text=\"SHA-256 is not available\"");
	return ctx;
}

static void
sum_add(EVP_MD_CTX *ctx, const void *data, size_t len)
{
	if (len > 0 && EVP_DigestUpdate(ctx, data, len) != 1)
		fatal("backup.openssl", "text=\"SHA-256 failed\"");
}

static void
sum_end(EVP_MD_CTX *ctx, uint8_t out[NS_BACKUP_SUM])
{
	if (EVP_DigestFinal_ex(ctx, out, NULL) != 1)
		fatal("backup.openssl", "text=\"SHA-256 failed\"");
}

/* ---- writing ---- */

struct ns_backup_writer {
	EVP_MD_CTX *sum;
};

struct ns_backup_writer *
ns_backup_writer_new(void)
{
	struct ns_backup_writer *w = xcalloc(1, sizeof *w);

	w->sum = sum_new();
	return w;
}

void
ns_backup_writer_destroy(struct ns_backup_writer **wp)
{
	if (*wp == NULL)
		return;
	EVP_MD_CTX_free((*wp)->sum);
	free(*wp);
	*wp = NULL;
}

void
ns_backup_put_image(struct ns_backup_writer *w, const void *data, size_t len, struct wbuf *out)
{
	sum_add(w->sum, data, len);
	wbuf_put(out, data, len);
}

void
ns_backup_put_head(struct ns_backup_writer *w, const Ns__BackupInfo *info, struct wbuf *out)
{
	size_t len = ns__backup_info__get_packed_size(info), before = out->len;
	uint8_t *room;

	wbuf_put(out, NS_BACKUP_MAGIC, MAGIC_LEN);
	wbuf_u32(out, NS_BACKUP_FORM);
	wbuf_u32(out, (uint32_t)len);
	room = wbuf_room(out, len);
	if (room == NULL)
		return;
	ns__backup_info__pack(info, room);
	sum_add(w->sum, out->base + before, out->len - before);
}

void
ns_backup_put_tail(struct ns_backup_writer *w, struct wbuf *out)
{
	uint8_t sum[NS_BACKUP_SUM];

	sum_end(w->sum, sum);
	wbuf_put(out, sum, sizeof sum);
}

/* ---- reading ---- */

enum part { PART_FIXED, PART_HEADER, PART_IMAGE, PART_SUM, PART_END };

struct ns_backup_reader {
	enum part part;
	uint64_t need; /* octets that this part still lacks */
	struct wbuf held; /* of a part that is looked at when it is whole */
	EVP_MD_CTX *sum;
	bool sound; /* the sum was right */
	Ns__BackupInfo *info;
	ns_backup_image_fn *image;
	void *arg;
};

struct ns_backup_reader *
ns_backup_reader_new(ns_backup_image_fn *image, void *arg)
{
	struct ns_backup_reader *r = xcalloc(1, sizeof *r);

	r->need = FIXED;
	r->held = wbuf_grow(NS_BACKUP_HEADER_MAX);
	r->sum = sum_new();
	r->image = image;
	r->arg = arg;
	return r;
}

void
ns_backup_reader_destroy(struct ns_backup_reader **rp)
{
	struct ns_backup_reader *r = *rp;

	if (r == NULL)
		return;
	EVP_MD_CTX_free(r->sum);
	wbuf_free(&r->held);
	if (r->info != NULL)
		ns__backup_info__free_unpacked(r->info, NULL);
	free(r);
	*rp = NULL;
}

static enum ns_err
take_fixed(struct ns_backup_reader *r, struct ns_why *why)
{
	struct rbuf in = rbuf_init(r->held.base, r->held.len);
	const uint8_t *magic = rbuf_bytes(&in, MAGIC_LEN);
	uint32_t form = rbuf_u32(&in), len = rbuf_u32(&in);

	if (magic == NULL || memcmp(magic, NS_BACKUP_MAGIC, MAGIC_LEN) != 0)
		return ns_fail(
		    why, NS_INVALID, NS_CODE_BACKUP_FOREIGN, "this is not a backup of NameServe");
	if (form != NS_BACKUP_FORM)
		return ns_fail(why, NS_VERSION, NS_CODE_BACKUP_FORM,
		    "the backup has form %u, this software (%s) reads form %u: use the release "
		    "that made it, or a newer one",
		    form, NS_RELEASE, NS_BACKUP_FORM);
	if (len == 0 || len > NS_BACKUP_HEADER_MAX)
		return ns_fail(why, NS_INVALID, NS_CODE_BACKUP_SUM,
		    "the backup is damaged: its header says that it has %u octets", len);
	r->part = PART_HEADER;
	r->need = len;
	return NS_OK;
}

static enum ns_err
take_header(struct ns_backup_reader *r, struct ns_why *why)
{
	if (ns_envelope_scan(&ns__backup_info__descriptor, r->held.base, r->held.len, NULL) ==
	    NS_OK)
		r->info = ns__backup_info__unpack(NULL, r->held.len, r->held.base);
	if (r->info == NULL)
		return ns_fail(why, NS_INVALID, NS_CODE_BACKUP_SUM,
		    "the backup is damaged: its header cannot be read");
	r->part = r->info->octets > 0 ? PART_IMAGE : PART_SUM;
	r->need = r->info->octets > 0 ? r->info->octets : NS_BACKUP_SUM;
	return NS_OK;
}

static enum ns_err
take_sum(struct ns_backup_reader *r, struct ns_why *why)
{
	uint8_t sum[NS_BACKUP_SUM];

	sum_end(r->sum, sum);
	r->part = PART_END;
	r->need = 0;
	r->sound = memcmp(sum, r->held.base, sizeof sum) == 0;
	return r->sound ? NS_OK
			: ns_fail(why, NS_INVALID, NS_CODE_BACKUP_SUM,
			      "the backup is damaged: its checksum does not fit its content");
}

static enum ns_err
take_part(struct ns_backup_reader *r, struct ns_why *why)
{
	enum ns_err err;

	if (r->part == PART_SUM)
		return take_sum(r, why);
	sum_add(r->sum, r->held.base, r->held.len);
	err = r->part == PART_FIXED ? take_fixed(r, why) : take_header(r, why);
	r->held.len = 0;
	return err;
}

static enum ns_err
take_image(struct ns_backup_reader *r, const void *data, size_t len, struct ns_why *why)
{
	sum_add(r->sum, data, len);
	if (r->need == 0) {
		r->part = PART_SUM;
		r->need = NS_BACKUP_SUM;
	}
	return r->image != NULL ? r->image(r->arg, data, len, why) : NS_OK;
}

enum ns_err
ns_backup_read(struct ns_backup_reader *r, const void *data, size_t len, struct ns_why *why)
{
	const uint8_t *at = data;
	enum ns_err err = NS_OK;

	while (err == NS_OK && len > 0) {
		size_t n = len < r->need ? len : (size_t)r->need;

		if (r->part == PART_END)
			return ns_fail(why, NS_INVALID, NS_CODE_BACKUP_LONG,
			    "the file goes on behind the end of the backup");
		r->need -= n;
		if (r->part == PART_IMAGE) {
			err = take_image(r, at, n, why);
		} else {
			wbuf_put(&r->held, at, n);
			if (r->need == 0)
				err = take_part(r, why);
		}
		at += n;
		len -= n;
	}
	return err;
}

const Ns__BackupInfo *
ns_backup_info(const struct ns_backup_reader *r)
{
	return r->info;
}

enum ns_err
ns_backup_end(const struct ns_backup_reader *r, struct ns_why *why)
{
	if (r->part == PART_END && r->sound)
		return NS_OK;
	if (r->part == PART_FIXED)
		return ns_fail(why, NS_INVALID, NS_CODE_BACKUP_FOREIGN,
		    "this is not a backup of NameServe: it is too short");
	return ns_fail(why, NS_INVALID, NS_CODE_BACKUP_CUT,
	    "the backup is cut off: at least %llu octets are missing",
	    (unsigned long long)(r->need + (r->part == PART_SUM ? 0 : NS_BACKUP_SUM)));
}
