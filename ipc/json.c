/* json.c - see json.h.  Console, CLI and api; any thread; memory is jansson's.
 *
 * Strings that came through ipc/envelope.c are clean; one that a program filled in itself and is not
 * is scrubbed rather than lost. */
#include "ipc/json.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "ipc/base/text.h"
#include "ipc/base/xalloc.h"

static json_t *
from_u64(uint64_t v)
{
	/* jansson's integers are signed; beyond them the nearest double, as JavaScript would read it. */
	return v <= INT64_MAX ? json_integer((json_int_t)v) : json_real((double)v);
}

static json_t *
from_double(double v)
{
	return isfinite(v) ? json_real(v) : json_null();
}

static json_t *
from_string(const char *s)
{
	json_t *value = json_string(s != NULL ? s : "");
	char *copy;

	if (value != NULL)
		return value;
	copy = xstrdup(s);
	text_scrub(copy);
	value = json_string(copy);
	free(copy);
	return value;
}

/* RFC 4648 section 4. */
static json_t *
from_bytes(const ProtobufCBinaryData *bytes)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t len = (bytes->len + 2) / 3 * 4;
	char *out = xmalloc(len + 1), *p = out;
	json_t *value;

	for (size_t i = 0; i < bytes->len; i += 3) {
		size_t left = bytes->len - i;
		uint32_t v = (uint32_t)bytes->data[i] << 16;

		if (left > 1)
			v |= (uint32_t)bytes->data[i + 1] << 8;
		if (left > 2)
			v |= bytes->data[i + 2];
		*p++ = digits[v >> 18];
		*p++ = digits[v >> 12 & 63];
		*p++ = left > 1 ? digits[v >> 6 & 63] : '=';
		*p++ = left > 2 ? digits[v & 63] : '=';
	}
	value = json_stringn(out, len);
	free(out);
	return value;
}

static json_t *
from_enum(const ProtobufCEnumDescriptor *desc, int v)
{
	const ProtobufCEnumValue *known = protobuf_c_enum_descriptor_get_value(desc, v);
	char name[64];
	size_t i = 0;

	if (known == NULL)
		return json_integer(v); /* of a newer minor version */
	for (; known->name[i] != '\0' && i < sizeof name - 1; i++)
		name[i] = (char)tolower((unsigned char)known->name[i]);
	name[i] = '\0';
	return json_string(name);
}

static size_t
element_size(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return 8;
	case PROTOBUF_C_TYPE_BOOL:
		return sizeof(protobuf_c_boolean);
	case PROTOBUF_C_TYPE_STRING:
		return sizeof(char *);
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	case PROTOBUF_C_TYPE_MESSAGE:
		return sizeof(ProtobufCMessage *);
	default:
		return 4;
	}
}

/* One value at p, of the field's type; NULL: an absent submessage. */
static json_t *
from_value(const ProtobufCFieldDescriptor *field, const void *p)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		return json_integer(*(const int32_t *)p);
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		return json_integer(*(const int64_t *)p);
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		return json_integer(*(const uint32_t *)p);
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		return from_u64(*(const uint64_t *)p);
	case PROTOBUF_C_TYPE_FLOAT:
		return from_double((double)*(const float *)p);
	case PROTOBUF_C_TYPE_DOUBLE:
		return from_double(*(const double *)p);
	case PROTOBUF_C_TYPE_BOOL:
		return json_boolean(*(const protobuf_c_boolean *)p);
	case PROTOBUF_C_TYPE_ENUM:
		return from_enum(field->descriptor, *(const int *)p);
	case PROTOBUF_C_TYPE_STRING:
		return from_string(*(const char *const *)p);
	case PROTOBUF_C_TYPE_BYTES:
		return from_bytes(p);
	case PROTOBUF_C_TYPE_MESSAGE:
		p = *(const ProtobufCMessage *const *)p;
		return p != NULL ? ns_json_from(p, NULL) : NULL;
	}
	return NULL;
}

static json_t *
from_repeated(const ProtobufCFieldDescriptor *field, const uint8_t *base)
{
	size_t n = *(const size_t *)(const void *)(base + field->quantifier_offset);
	const uint8_t *at = *(const uint8_t *const *)(const void *)(base + field->offset);
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(array, from_value(field, at + i * element_size(field->type)));
	return array;
}

/* Is the field there: the chosen member of its oneof, or marked with has_? */
static bool
is_present(const ProtobufCFieldDescriptor *field, const uint8_t *base)
{
	const void *quantifier = base + field->quantifier_offset;

	if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
		return *(const uint32_t *)quantifier == field->id;
	if (field->label != PROTOBUF_C_LABEL_OPTIONAL || field->type == PROTOBUF_C_TYPE_STRING ||
	    field->type == PROTOBUF_C_TYPE_MESSAGE)
		return true;
	return *(const protobuf_c_boolean *)quantifier != 0;
}

json_t *
ns_json_from(const ProtobufCMessage *msg, const char *schema)
{
	const uint8_t *base = (const uint8_t *)msg;
	json_t *object = json_object();

	if (schema != NULL)
		json_object_set_new(object, "schema", json_string(schema));
	for (unsigned i = 0; i < msg->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &msg->descriptor->fields[i];
		json_t *value;

		if (field->label == PROTOBUF_C_LABEL_REPEATED)
			value = from_repeated(field, base);
		else
			value = is_present(field, base) ? from_value(field, base + field->offset)
							: NULL;
		if (value != NULL)
			json_object_set_new(object, field->name, value);
	}
	return object;
}
