/* facts - role, term and name of this appliance: the configuration counts at the first start only,
 * later the store knows (nameserved.conf(5)).  Writer thread, before anything else. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/store/state.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/restore.h"
#include "appliance/sync/writer.h"
#include "ipc/base/log.h"

static enum ns_err
first_start(struct store *s, const struct writer_conf *conf, struct ns_why *why)
{
	enum ns_err err = store_begin(s, why);

	if (err == NS_OK)
		err = store_fact_put(s, "role", "primary", why);
	if (err == NS_OK)
		err = store_fact_put(s, "term", "1", why);
	if (err == NS_OK)
		err = store_fact_put(s, "name", conf->appliance, why);
	if (err == NS_OK)
		return store_commit(s, why);
	store_rollback(s);
	return err;
}

static enum ns_err
read_facts(struct store *s, char *role, size_t size, uint64_t *term)
{
	char *r = NULL, *t = NULL;
	enum ns_err err = store_fact_get(s, "role", &r);

	if (err == NS_OK)
		err = store_fact_get(s, "term", &t);
	if (err == NS_OK) {
		snprintf(role, size, "%s", r);
		*term = strtoull(t, NULL, 10);
	}
	free(r);
	free(t);
	return err;
}

/* See restore.h. */
static bool
restored_under(struct store *s, uint64_t started_ms)
{
	char *text = NULL;
	bool yes = store_fact_get(s, RESTORED_FACT, &text) == NS_OK &&
		   strtoull(text, NULL, 10) == started_ms;

	free(text);
	return yes;
}

/* Newest first, so the first that is not our own ends it. */
static bool
is_ours(void *used, const struct store_change *c)
{
	if (strcmp(c->kind, "secret") == 0)
		return true;
	*(bool *)used = true;
	return false;
}

enum ns_err
facts_load(
    struct store *s, const struct writer_conf *conf, struct sync_head *head, struct ns_why *why)
{
	enum ns_err err = read_facts(s, head->role, sizeof head->role, &head->term);

	if (err == NS_NOTFOUND && strcmp(conf->config_role, "replica") == 0) {
		if (!conf->joins)
			return ns_fail(why, NS_USAGE, ES_REPLICA,
			    "[appliance] role = replica: the first start of a replica needs its "
			    "invitation: nameserve fleet invite NAME at the primary, then "
			    "nameserved "
			    "--join TOKEN here");
		/* Role and term are stored when the primary has let it in. */
		snprintf(head->role, sizeof head->role, "replica");
		return NS_OK;
	}
	if (err == NS_NOTFOUND) {
		if ((err = first_start(s, conf, why)) != NS_OK)
			return err;
		err = read_facts(s, head->role, sizeof head->role, &head->term);
		log_info(
		    "store.new", "role=%s term=%llu", head->role, (unsigned long long)head->term);
	}
	if (err != NS_OK)
		return ns_fail(why, err, ES_STORE, "role and term cannot be read from the store");
	if (strcmp(head->role, conf->config_role) != 0)
		log_warn("config.role", "config=%s store=%s text=\"the store's role counts\"",
		    log_quote(conf->config_role), log_quote(head->role));
	if ((err = store_head(s, &head->revision, &head->log_term, head->hash)) != NS_OK)
		return ns_fail(why, err, ES_STORE, "the head of the change log cannot be read");
	if ((err = store_history(s, &head->begins)) != NS_OK)
		return ns_fail(why, err, ES_STORE, "where the change log begins cannot be read");
	head->used = false;
	if ((err = store_change_each(s, 0, 0, is_ours, &head->used)) != NS_OK)
		return ns_fail(why, err, ES_STORE, "the change log cannot be read");
	head->zones = store_zone_count(s);
	head->map_foreign = restored_under(s, conf->started_ms);
	return NS_OK;
}
