/* text_policy_reading.c - where a reading stands, what it refuses, and the members of objects; see
 * text_policy_reading.h. */
#include "appliance/dns/text_policy_reading.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "appliance/dns/codes.h"

enum ns_err
reading_refuse(struct reading *r, uint16_t code, const char *fmt, ...)
{
	char text[320];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (r->why != NULL)
		snprintf(r->why->field, sizeof r->why->field, "%.31s", r->path);
	return ns_fail(r->why, NS_INVALID, code, "%s: %s", r->path, text);
}

size_t
reading_enter(struct reading *r, const char *fmt, ...)
{
	size_t len = strlen(r->path);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->path + len, sizeof r->path - len, fmt, ap);
	va_end(ap);
	return len;
}

enum ns_err
reading_only(struct reading *r, json_t *object, const char *names)
{
	const char *key;
	json_t *value;

	if (!json_is_object(object))
		return reading_refuse(r, E_POLICY, "an object is expected");
	json_object_foreach(object, key, value)
	{
		size_t n = strcspn(key, " ");
		const char *p = n > 0 && key[n] == '\0' ? names : NULL;

		while (p != NULL && (p = strstr(p, key)) != NULL &&
		       !((p == names || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0')))
			p++;
		if (p == NULL)
			return reading_refuse(
			    r, E_POLICY, "there is no member \"%.40s\" here, only: %s", key, names);
	}
	return NS_OK;
}

enum ns_err
reading_number(struct reading *r, json_t *object, const char *name, uint32_t max, uint32_t *out)
{
	json_t *v = json_object_get(object, name);

	if (v == NULL)
		return NS_OK;
	if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) > max)
		return reading_refuse(r, E_POLICY, "%s: a whole number from 0 to %u", name, max);
	*out = (uint32_t)json_integer_value(v);
	return NS_OK;
}

bool
reading_name_ok(const char *name)
{
	size_t n = name != NULL ? strlen(name) : 0;

	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)name[i] <= ' ' || name[i] == 127)
			return false;
	}
	return n > 0 && n <= POLICY_NAME;
}

uint16_t
reading_put_name(struct reading *r, const char *name)
{
	uint16_t at = (uint16_t)(r->data_at + r->data.len);

	wbuf_u8(&r->data, (uint8_t)strlen(name));
	wbuf_put(&r->data, name, strlen(name));
	return at;
}

uint32_t
reading_identity(const void *p, size_t len)
{
	uint64_t h = 14695981039346656037u;
	const uint8_t *s = p;

	for (size_t i = 0; i < len; i++)
		h = (h ^ s[i]) * 1099511628211u;
	return (uint32_t)(h ^ h >> 32);
}
