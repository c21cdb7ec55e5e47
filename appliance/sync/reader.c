/* reader - see reader.h: the pool, and what its handlers share. */
#include "appliance/sync/residency.h"
#include "appliance/sync/reader.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/sync/errors.h"
#include "appliance/sync/keyfeed.h"
#include "appliance/sync/sync.h"
#include "appliance/sync/users.h"
#include "appliance/sync/zonestate.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"

static void *
setup(void *dir)
{
	struct ns_why why = { 0 };
	struct store *store;

	if (store_open(dir, STORE_READ, sync_vfs(), &store, &why) != NS_OK)
		fatal("store.open", "text=%s", log_quote(why.text));
	return store;
}

static void
teardown(void *thread)
{
	struct store *store = thread;

	store_close(&store);
}

struct pool *
readers_start(struct sync *s, struct queue *q, unsigned threads)
{
	struct pool_conf conf = { .queue = q,
		.wake = s->wake,
		.lanes = LANES_ALL,
		.setup = setup,
		.teardown = teardown,
		.arg = s->store_dir };

	return pool_start(&conf, threads);
}

static void
close_store(void *thing)
{
	struct store *store = thing;

	store_close(&store);
}

void
reader_close(struct queue *reads, struct store **store)
{
	if (*store != NULL)
		queue_dispose(reads, LANE_FAST, close_store, *store, NULL);
	*store = NULL;
}

enum ns_err
read_failed(struct ns_why *why, enum ns_err err)
{
	return ns_fail(why, err, ES_STORE, "the store cannot be read: %s", ns_err_text(err));
}

enum ns_err
read_zone(struct store *s, const char *text, struct store_zone *z, struct ns_why *why)
{
	uint8_t name[255];
	enum ns_err err = zone_name_read(text, name, why);

	if (err != NS_OK)
		return err;
	err = store_zone_find(s, name, z);
	if (err == NS_NOTFOUND) {
		ns_fail(why, err, ES_NO_ZONE, "there is no such zone");
		strncpy(why->zone, text, sizeof why->zone - 1);
		return err;
	}
	return err == NS_OK ? err : read_failed(why, err);
}

Ns__ZoneInfo *
zone_info(const struct store_zone *z, struct store *s, struct account_names **names)
{
	Ns__ZoneInfo *m = xmalloc(sizeof *m);

	ns__zone_info__init(m);
	m->name = reply_name(z->name);
	m->serial = z->serial;
	m->records = z->records;
	m->rrsets = z->rrsets;
	m->dnssec = xstrdup(z->external                                ? "external"
			    : keys_load(s, z->id, NULL, NULL) == NS_OK ? "on"
								       : "off");
	m->version = z->version;
	m->changed = reply_time(z->changed_ms);
	m->account = account_name(s, z->account, names);
	m->dnssec_trouble = xstrdup(zone_dnssec_trouble(s, z));
	m->health = xstrdup(zone_health(s, z->id));
	m->sites = residency_sites(s, z->id, z->account, &m->n_sites);
	return m;
}

char *
cursor_make(const uint8_t *data, size_t len)
{
	char *out = xmalloc(4 * ((len + 2) / 3) + 1);

	EVP_EncodeBlock((unsigned char *)out, data, (int)len);
	return out;
}

bool
cursor_read(const char *text, uint8_t *out, size_t size, size_t *len)
{
	size_t n = strlen(text), pad = 0;
	uint8_t buf[512];
	int got;

	if (n % 4 != 0 || n > 4 * sizeof buf / 3)
		return false;
	while (pad < 2 && pad < n && text[n - 1 - pad] == '=')
		pad++;
	got = EVP_DecodeBlock(buf, (const unsigned char *)text, (int)n);
	if (got < 0 || (size_t)got < pad || (size_t)got - pad > size)
		return false;
	*len = (size_t)got - pad;
	memcpy(out, buf, *len);
	return true;
}
