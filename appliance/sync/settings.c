/* settings - see settings.h.  Text of values is read in a text thread or the writer, rows by both
 * kinds of store handle. */
#include "appliance/sync/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/writer.h"
#include "ipc/base/xalloc.h"

#define VALUES_MAX 13 /* name servers that fit a small referral */

typedef enum ns_err value_fn(const char *text, uint8_t out[NAME_MAX_WIRE], struct ns_why *);

static const uint8_t root_name[1] = { 0 };

/* A final dot may be left out: nothing here is relative. */
static enum ns_err
absolute_name(const char *text, uint8_t out[NAME_MAX_WIRE], struct ns_why *why)
{
	size_t len;
	enum ns_err err = name_from_text(text, root_name, out, &len, why);

	if (err == NS_OK && len < 2)
		return ns_fail(why, NS_INVALID, ES_SETTING_VALUE, "the root is no host");
	if (err == NS_OK)
		name_lower(out, out, len);
	return err;
}

/* As a name, or as the mailbox that it stands for (RFC 1035 8: dots before the @ are escaped). */
static enum ns_err
mailbox_name(const char *text, uint8_t out[NAME_MAX_WIRE], struct ns_why *why)
{
	const char *at = strchr(text, '@');
	char buf[NAME_MAX_TEXT];
	size_t n = 0;

	if (at == NULL)
		return absolute_name(text, out, why);
	for (const char *p = text; p < at && n + 3 < sizeof buf; p++) {
		if (*p == '.' || *p == '\\')
			buf[n++] = '\\';
		buf[n++] = *p;
	}
	if (at == text ||
	    (size_t)snprintf(buf + n, sizeof buf - n, ".%s", at + 1) >= sizeof buf - n)
		return ns_fail(why, NS_INVALID, ES_HOSTMASTER, "not a mailbox");
	return absolute_name(buf, out, why);
}

static const struct setting {
	const char *name;
	size_t max;
	value_fn *value;
} settings[] = {
	{ "nameservers", VALUES_MAX, absolute_name },
	{ "hostmaster", 1, mailbox_name },
};
#define NSETTINGS (sizeof settings / sizeof settings[0])

static const struct setting *
setting_find(const char *name)
{
	for (size_t i = 0; i < NSETTINGS; i++)
		if (strcmp(settings[i].name, name) == 0)
			return &settings[i];
	return NULL;
}

enum ns_err
setting_value(const char *setting, const char *text, char *out, size_t size, struct ns_why *why)
{
	const struct setting *s = setting_find(setting);
	uint8_t name[NAME_MAX_WIRE];
	char buf[NAME_MAX_TEXT];
	enum ns_err err = s->value(text, name, why);

	if (err != NS_OK) {
		snprintf(why->field, sizeof why->field, "%s", setting);
		return err;
	}
	snprintf(out, size, "%s", name_to_text(name, buf));
	return NS_OK;
}

/* The request's own values take the stored form: that is what log and reply show. */
static enum ns_err
normalize(Ns__Setting *in, struct ns_why *why)
{
	const struct setting *s = setting_find(in->name);
	char text[NAME_MAX_TEXT];
	enum ns_err err;

	if (s == NULL)
		return ns_fail(why, NS_INVALID, ES_SETTING,
		    "there is no setting of that name; there are nameservers and hostmaster");
	if (in->n_values > s->max)
		return ns_fail(why, NS_INVALID, ES_SETTING_VALUE, "%s takes at most %zu values",
		    s->name, s->max);
	for (size_t i = 0; i < in->n_values; i++) {
		if ((err = setting_value(s->name, in->values[i], text, sizeof text, why)) != NS_OK)
			return err;
		free(in->values[i]);
		in->values[i] = xstrdup(text);
	}
	return NS_OK;
}

enum ns_err
settings_text(struct request *r)
{
	Ns__SettingsSetRequest *in = r->env->settings_set_request;
	enum ns_err err = NS_OK;

	if (in->n_settings == 0)
		return ns_fail(&r->why, NS_USAGE, ES_EMPTY, "no setting is given");
	for (size_t i = 0; i < in->n_settings && err == NS_OK; i++) {
		snprintf(r->why.field, sizeof r->why.field, "%s", in->settings[i]->name);
		err = normalize(in->settings[i], &r->why);
	}
	return err;
}

/* NULL: no values, which removes the setting. */
static char *
join(const Ns__Setting *in)
{
	struct wbuf w = wbuf_grow(65536);

	if (in->n_values == 0)
		return NULL;
	for (size_t i = 0; i < in->n_values; i++) {
		if (i > 0)
			wbuf_u8(&w, ' ');
		wbuf_put(&w, in->values[i], strlen(in->values[i]));
	}
	wbuf_u8(&w, '\0');
	return (char *)w.base;
}

Ns__Setting *
setting_message(const char *name, const char *value)
{
	Ns__Setting *m = xmalloc(sizeof *m);
	char *copy = xstrdup(value), *rest = copy, *word;

	ns__setting__init(m);
	m->name = xstrdup(name);
	while ((word = strsep(&rest, " ")) != NULL) {
		if (*word == '\0')
			continue;
		m->values = xreallocarray(m->values, m->n_values + 1, sizeof *m->values);
		m->values[m->n_values++] = xstrdup(word);
	}
	free(copy);
	return m;
}

static bool
add_setting(void *arg, const char *name, const char *value)
{
	Ns__SettingsReply *m = arg;

	if (setting_find(name) == NULL)
		return true;
	m->settings = xreallocarray(m->settings, m->n_settings + 1, sizeof *m->settings);
	m->settings[m->n_settings++] = setting_message(name, value);
	return true;
}

static enum ns_err
reply_settings(struct request *r, struct store *s, uint64_t revision)
{
	Ns__SettingsReply *m = xmalloc(sizeof *m);

	ns__settings_reply__init(m);
	request_reply(r, NS__ENVELOPE__BODY_SETTINGS_REPLY, m);
	m->revision = revision;
	if (store_setting_each(s, add_setting, m) != NS_OK)
		return ns_fail(&r->why, NS_CORRUPT, ES_STORE, "the settings cannot be read");
	return NS_OK;
}

enum ns_err
settings_read(struct request *r, struct store *s)
{
	uint8_t hash[STORE_HASH];
	uint64_t revision, term;

	if (store_head(s, &revision, &term, hash) != NS_OK)
		return ns_fail(&r->why, NS_CORRUPT, ES_STORE, "the settings cannot be read");
	return reply_settings(r, s, revision);
}

enum ns_err
settings_apply(struct store *s, Ns__Setting *const *list, size_t n, struct ns_why *why)
{
	enum ns_err err = NS_OK;

	for (size_t i = 0; i < n && err == NS_OK; i++) {
		char *value = join(list[i]);

		err = store_setting_put(s, list[i]->name, value, why);
		free(value);
	}
	return err;
}

/* What those settings are before a change; malloc'ed, and each of them. */
static Ns__Setting **
settings_now(struct store *s, Ns__Setting *const *of, size_t n)
{
	Ns__Setting **now = xcalloc(n + 1, sizeof(Ns__Setting *));

	for (size_t i = 0; i < n; i++) {
		char *stored = NULL;

		(void)store_setting_get(s, of[i]->name, &stored);
		now[i] = setting_message(of[i]->name, stored != NULL ? stored : "");
		free(stored);
	}
	return now;
}

enum ns_err
settings_write(struct request *r, struct batch *b)
{
	const Ns__SettingsSetRequest *in = r->env->settings_set_request;
	Ns__Setting **before = settings_now(b->store, in->settings, in->n_settings);
	enum ns_err err;
	struct change c;

	change_begin(&c, &r->caller, "settings", in->comment, b->now_ms, b->term);
	c.body.settings = in->settings;
	c.body.n_settings = in->n_settings;
	c.body.settings_before = before;
	c.body.n_settings_before = in->n_settings;
	err = change_commit(&c, b, &r->why);
	if (err == NS_OK)
		err = reply_settings(r, b->store, b->revision);
	change_free(&c);
	for (size_t i = 0; i < in->n_settings; i++)
		ns__setting__free_unpacked(before[i], NULL);
	free(before);
	return err;
}
