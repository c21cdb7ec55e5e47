/* secret - see secret.h. */
#include "appliance/sync/secret.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "appliance/sync/batch.h"
#include "appliance/sync/change.h"
#include "appliance/sync/errors.h"
#include "ipc/base/log.h"

#define SETTING "cookie-secret"

/* ---- pure ---- */

bool
secret_due(const struct secret *s, int64_t now_ms, uint64_t since_ms)
{
	if (s->count == 0)
		return true;
	if (since_ms < SECRET_HOLD_MS)
		return false;
	return now_ms >= s->rolled_ms + SECRET_ROLL_MS || now_ms < s->rolled_ms - SECRET_HOLD_MS;
}

void
secret_roll(struct secret *s, const uint8_t fresh[SECRET_SIZE], int64_t now_ms)
{
	memcpy(s->value[1], s->value[0], SECRET_SIZE);
	memcpy(s->value[0], fresh, SECRET_SIZE);
	s->count = s->count > 0 ? 2 : 1;
	s->rolled_ms = now_ms;
}

static char *
put_hex(char *p, const uint8_t value[SECRET_SIZE])
{
	for (unsigned i = 0; i < SECRET_SIZE; i++, p += 2)
		snprintf(p, 3, "%02x", value[i]);
	return p;
}

static const char *
get_hex(const char *p, uint8_t value[SECRET_SIZE])
{
	static const char digits[] = "0123456789abcdef";

	for (unsigned i = 0; i < 2 * SECRET_SIZE; i++, p++) {
		const char *d = *p != '\0' ? strchr(digits, *p) : NULL;

		if (d == NULL)
			return NULL;
		value[i / 2] = (uint8_t)(value[i / 2] << 4 | (d - digits));
	}
	return p;
}

/* "MS HEX" or "MS HEX HEX". */
void
secret_to_text(const struct secret *s, char out[SECRET_TEXT])
{
	char *p = out + snprintf(out, SECRET_TEXT, "%" PRId64, s->rolled_ms);

	for (unsigned i = 0; i < s->count; i++) {
		*p++ = ' ';
		p = put_hex(p, s->value[i]);
	}
}

bool
secret_from_text(const char *text, struct secret *s)
{
	const char *p;
	char *end;

	*s = (struct secret){ 0 };
	errno = 0;
	s->rolled_ms = strtoll(text, &end, 10);
	/* So that no sum with it runs over. */
	if (end == text || errno != 0 || s->rolled_ms < 0 || s->rolled_ms > INT64_MAX / 2)
		return false;
	for (p = end; *p == ' ' && s->count < 2;) {
		p = get_hex(p + 1, s->value[s->count]);
		if (p == NULL)
			return false;
		s->count++;
	}
	return *p == '\0' && s->count > 0;
}

/* ---- the store ---- */

enum ns_err
secret_load(struct store *store, struct secret *s, struct ns_why *why)
{
	enum ns_err err;
	char *text;

	*s = (struct secret){ 0 };
	err = store_setting_get(store, SETTING, &text);
	if (err == NS_NOTFOUND)
		return NS_OK;
	if (err != NS_OK)
		return ns_fail(why, err, ES_STORE, "the cookie secret cannot be read");
	if (!secret_from_text(text, s)) {
		*s = (struct secret){ 0 };
		log_error("secret.broken", "text=\"not a cookie secret; a new one will be made\"");
	}
	explicit_bzero(text, strlen(text));
	free(text);
	return NS_OK;
}

enum ns_err
secret_apply(struct store *store, const uint8_t value[SECRET_SIZE], int64_t at_ms,
    struct secret *now, struct ns_why *why)
{
	char text[SECRET_TEXT];
	enum ns_err err = secret_load(store, now, why);

	if (err != NS_OK)
		return err;
	secret_roll(now, value, at_ms);
	secret_to_text(now, text);
	err = store_setting_put(store, SETTING, text, why);
	explicit_bzero(text, sizeof text);
	return err;
}

enum ns_err
secret_repaired(struct batch *b, const char *setting, struct ns_why *why)
{
	return strcmp(setting, SETTING) == 0 ? secret_load(b->store, &b->secret, why) : NS_OK;
}

enum ns_err
secret_commit(struct batch *b, struct ns_why *why)
{
	static const struct caller self = { .name = "nameserve", .via = "system" };
	uint8_t fresh[SECRET_SIZE];
	struct change c;
	enum ns_err err;

	if (getrandom(fresh, sizeof fresh, 0) != sizeof fresh)
		return ns_fail(why, NS_FAILED, ES_STORE, "no random octets for a cookie secret");
	change_begin(&c, &self, "secret", "new secret for DNS cookies", b->now_ms, b->term);
	c.body.cookie_secret = (ProtobufCBinaryData){ sizeof fresh, fresh };
	err = change_commit(&c, b, why);
	change_free(&c);
	explicit_bzero(fresh, sizeof fresh);
	return err;
}
