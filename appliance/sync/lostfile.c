/* lostfile - the file of dropped changes: written by rewind.c, read for `draft lost` and `draft take`. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/sync/change.h"
#include "appliance/sync/difftext.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/lost.h"
#include "appliance/sync/reader.h"
#include "appliance/sync/residency.h"
#include "appliance/sync/rewind.h"
#include "ipc/base/numbers.h"
#include "ipc/base/xalloc.h"

#define SHOWN_CHANGES 500u
#define DRAFT_OCTETS  (300u << 10) /* beside DIFF_TEXT_OCTETS in a reply that must fit NS_MSG_MAX */

/* ---- kept ---- */
static Ns__Lost__Change *
change_of(struct store *s, uint64_t revision, size_t *octets)
{
	Ns__Lost__Change *m = xmalloc(sizeof *m);
	struct store_change row = { 0 };
	size_t len;

	ns__lost__change__init(m);
	m->body = change_body_load(s, revision, &row);
	m->revision = revision;
	m->term = row.term;
	m->at_ms = row.at_ms;
	m->author = xstrdup(row.author);
	m->via = xstrdup(row.via);
	m->comment = xstrdup(row.comment);
	m->kind = xstrdup(row.kind);
	if (m->body == NULL)
		return m;
	/* What nobody is shown is not written down either. */
	free(m->body->cookie_secret.data);
	m->body->cookie_secret = (ProtobufCBinaryData){ 0 };
	len = ns__change_body__get_packed_size(m->body);
	if (len < *octets) {
		*octets -= len;
		return m;
	}
	ns__change_body__free_unpacked(m->body, NULL);
	m->body = NULL;
	return m;
}

static bool
write_all(const char *path, const uint8_t *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	size_t done = 0;
	bool ok = fd >= 0;

	while (ok && done < len) {
		ssize_t n = write(fd, data + done, len - done);

		ok = n > 0 || (n < 0 && errno == EINTR);
		done += n > 0 ? (size_t)n : 0;
	}
	ok = ok && fsync(fd) == 0;
	if (fd >= 0)
		ok = close(fd) == 0 && ok;
	return ok;
}

/* The file that is there; malloc'ed; NULL: none. */
static char *
kept_file(struct store *s)
{
	char *fact = NULL, *end;

	if (store_fact_get(s, LOST_FACT, &fact) == NS_OK && (end = strchr(fact, '\n')) != NULL) {
		*end = '\0';
		if (access(fact, F_OK) == 0)
			return fact;
	}
	free(fact);
	return NULL;
}

static Ns__Lost *
file_read(const char *path, struct ns_why *why)
{
	FILE *f = fopen(path, "re");
	struct stat st;
	uint8_t *data = NULL;
	Ns__Lost *m = NULL;
	size_t len = 0;

	if (f != NULL && fstat(fileno(f), &st) == 0 && st.st_size <= (off_t)LOST_OCTETS) {
		data = xmalloc((size_t)st.st_size + 1);
		len = fread(data, 1, (size_t)st.st_size, f);
		m = lost_decode(data, len, why);
	} else {
		ns_fail(why, NS_FAILED, ES_BODY, "%s cannot be read, or is larger than %u MiB",
		    path, LOST_OCTETS >> 20);
	}
	if (f != NULL)
		fclose(f);
	free(data);
	return m;
}

Ns__Lost *
lost_load(struct store *s)
{
	char *path = kept_file(s);
	Ns__Lost *m = path != NULL ? file_read(path, &(struct ns_why){ 0 }) : NULL;

	free(path);
	return m;
}

/* What was dropped before and nobody has taken yet comes first; *octets: what is left for the rest. */
static Ns__Lost *
begin(struct store *s, size_t *octets)
{
	Ns__Lost *m = lost_load(s);

	if (m == NULL) {
		m = xmalloc(sizeof *m);
		ns__lost__init(m);
	}
	*octets = ns__lost__get_packed_size(m);
	*octets = *octets < LOST_OCTETS / 2 ? LOST_OCTETS / 2 - *octets : 0;
	return m;
}

enum ns_err
lost_keep(struct store *s, uint64_t from, uint64_t head, const char *primary, const char *path,
    struct ns_why *why)
{
	size_t octets, len;
	Ns__Lost *m = begin(s, &octets);
	uint8_t *data;
	bool ok;

	if (m->primary != protobuf_c_empty_string)
		free(m->primary);
	m->primary = xstrdup(primary);
	for (uint64_t r = from + 1; r <= head && m->n_changes < LOST_CHANGES; r++) {
		m->changes = xreallocarray(m->changes, m->n_changes + 1, sizeof *m->changes);
		m->changes[m->n_changes++] = change_of(s, r, &octets);
	}
	data = lost_encode(m, &len);
	ns__lost__free_unpacked(m, NULL);
	ok = write_all(path, data, len);
	free(data);
	return ok ? NS_OK
		  : ns_fail(why, NS_UNAVAILABLE, ES_DISK,
			"the changes that must be dropped cannot be kept in %s: %s", path,
			strerror(errno));
}

/* ---- zones that may not be here any more ---- */
/* A zone that was made anew has its name, and another number than in the history that lost. */
static void
ids_named(struct numbers *x, const Ns__Lost *m, const char *name)
{
	char hex[WITHHELD_NAME];

	for (size_t i = 0; i < m->n_changes; i++) {
		const Ns__ChangeBody *b = m->changes[i]->body;

		for (size_t k = 0; b != NULL && k < b->n_zones; k++)
			if (strcmp(withheld_name(b->zones[k]->name.data, hex), name) == 0)
				numbers_add(x, b->zones[k]->zone_id);
	}
}

/* Numbers, and names (withheld_name()) behind '='; sorted. */
static struct numbers
ids_read(const char *text, const Ns__Lost *m)
{
	char *copy = xstrdup(text), *save = NULL;
	struct numbers x = { 0 };

	for (char *word = strtok_r(copy, " ", &save); word != NULL;
	     word = strtok_r(NULL, " ", &save)) {
		if (*word != '=')
			numbers_add(&x, strtoull(word, NULL, 10));
		else
			ids_named(&x, m, word + 1);
	}
	numbers_sort(&x);
	free(copy);
	return x;
}

/* In its place, at once: whoever reads it has the one or the other. */
static enum ns_err
file_replace(const char *path, const Ns__Lost *m, struct ns_why *why)
{
	char *fresh = xasprintf("%s.new", path);
	size_t len;
	uint8_t *data = lost_encode(m, &len);
	bool ok = write_all(fresh, data, len) && rename(fresh, path) == 0;

	free(data);
	free(fresh);
	return ok ? NS_OK
		  : ns_fail(why, NS_UNAVAILABLE, ES_DISK, "%s cannot be written anew: %s", path,
			strerror(errno));
}

enum ns_err
lost_withhold(struct store *s, const char *text, struct ns_why *why)
{
	char *path = *text != '\0' ? kept_file(s) : NULL;
	struct ns_why unread = { 0 };
	Ns__Lost *m = path != NULL ? file_read(path, &unread) : NULL;
	struct numbers ids = { 0 };
	enum ns_err err = NS_OK;
	bool any = false;

	if (m != NULL)
		ids = ids_read(text, m);
	for (size_t i = 0; m != NULL && i < m->n_changes; i++)
		if (m->changes[i]->body != NULL &&
		    withhold_body(m->changes[i]->body, ids.list, ids.count))
			any = true;
	if (any)
		err = file_replace(path, m, why);
	else if (path != NULL && m == NULL && unlink(path) != 0)
		/* Nobody can read it, but somebody might. */
		err = ns_fail(why, NS_UNAVAILABLE, ES_DISK, "%s cannot be removed: %s", path,
		    strerror(errno));
	if (m != NULL)
		ns__lost__free_unpacked(m, NULL);
	free(path);
	numbers_free(&ids);
	return err;
}

/* ---- read ---- */
static Ns__HistoryShowReply *
shown(const Ns__Lost__Change *c, size_t *octets)
{
	Ns__HistoryShowReply *m = xmalloc(sizeof *m);
	size_t n = c->body != NULL ? c->body->n_zones : 0;

	ns__history_show_reply__init(m);
	m->change = xmalloc(sizeof *m->change);
	ns__change__init(m->change);
	m->change->revision = c->revision;
	m->change->term = c->term;
	m->change->at = reply_time(c->at_ms);
	m->change->author = xstrdup(c->author);
	m->change->via = xstrdup(c->via);
	m->change->comment = xstrdup(c->comment);
	m->change->kind = xstrdup(c->kind);
	m->change->zone_count = n;
	m->diffs = xcalloc(n + 1, sizeof *m->diffs);
	for (size_t i = 0; i < n && *octets < DIFF_TEXT_OCTETS; i++) {
		m->change->added += c->body->zones[i]->records_added;
		m->change->removed += c->body->zones[i]->records_removed;
		m->diffs[m->n_diffs++] = history_diff(c->body->zones[i], octets);
	}
	*octets += strlen(c->comment) + 256;
	return m;
}

static enum ns_err
forget(const char *path, struct ns_why *why)
{
	if (unlink(path) == 0)
		return NS_OK;
	return ns_fail(why, NS_FAILED, ES_DISK, "%s cannot be removed: %s", path, strerror(errno));
}

static enum ns_err
fill(const char *path, Ns__LostReply *m, struct ns_why *why)
{
	Ns__Lost *lost = file_read(path, why);
	size_t octets = 0;

	if (lost == NULL)
		return why->err;
	m->primary = xstrdup(lost->primary);
	m->changes = xcalloc(lost->n_changes + 1, sizeof *m->changes);
	for (size_t i = 0; i < lost->n_changes && i < SHOWN_CHANGES && octets < DIFF_TEXT_OCTETS;
	     i++)
		m->changes[m->n_changes++] = shown(lost->changes[i], &octets);
	m->truncated = m->n_changes < lost->n_changes;
	lost_drafts(lost, DRAFT_OCTETS, m);
	ns__lost__free_unpacked(lost, NULL);
	return NS_OK;
}

enum ns_err
lost_read(struct request *r, struct store *s)
{
	const char *given = r->env->lost_request->forget;
	char *path = kept_file(s), *name = path != NULL ? strrchr(path, '/') : NULL;
	Ns__LostReply *m;
	enum ns_err err;

	if (name == NULL || (given[0] != '\0' && strcmp(given, name + 1) != 0)) {
		free(path);
		return ns_fail(&r->why, NS_NOTFOUND, ES_NO_REVISION,
		    "no change was dropped here that is still kept");
	}
	m = xmalloc(sizeof *m);
	ns__lost_reply__init(m);
	m->file = xstrdup(name + 1);
	request_reply(r, NS__ENVELOPE__BODY_LOST_REPLY, m);
	err = given[0] != '\0' ? forget(path, &r->why) : fill(path, m, &r->why);
	free(path);
	return err;
}
