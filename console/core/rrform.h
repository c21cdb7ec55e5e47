/* rrform - what the data of a record is made of, for people: one descriptor a type, from which the form, the first
 * check of what is typed, and the way from master-file text to fields and back come.  Pure.
 *
 * The names of fields are the appliance's (appliance/dns/rrtype.c), so that what it refuses is shown at its
 * field; its verdict is final, this one is at once.  A type without a row has one field: the data as in
 * a master file, RFC 3597 \# included. */
#ifndef NS_CONSOLE_CORE_RRFORM_H
#define NS_CONSOLE_CORE_RRFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RR_FIELDS 7u
#define RR_TEXT_MAX 16384u /* octets of a field */

enum rr_kind {
	RR_IPV4,
	RR_IPV6,
	RR_NAME,
	RR_NUMBER,
	RR_WORD, /* no blanks in it */
	RR_HEX,
	RR_STRING, /* one character-string: shown without its quotes */
	RR_STRINGS, /* of TXT: quotes are made where none are typed, and pieces of 255 octets */
	RR_LATITUDE, /* words until N or S; RFC 1876 3 */
	RR_LONGITUDE,
	RR_REST, /* whatever is left, as it is */
};

struct rr_field {
	const char *name; /* as the appliance's errors call it */
	const char *title;
	enum rr_kind kind;
	int width; /* columns; 0: what is left */
	uint32_t max; /* of a number */
	bool optional;
	const char *hint;
};

struct rr_form {
	const char *type;
	const char *about;
	bool single; /* one record an RRset */
	struct rr_field fields[RR_FIELDS + 1]; /* ends with a NULL name */
};

extern const struct rr_form rr_forms[]; /* in the order of a list to choose from; ends with a NULL type */
const struct rr_form *rr_form_of(const char *type); /* never NULL */
unsigned rr_fields(const struct rr_form *);

/* One record's data by fields, malloc'ed each.  What does not fit the type is in the last one. */
void rr_split(const struct rr_form *, const char *rdata, char *out[RR_FIELDS]);
char *rr_join(const struct rr_form *, char *const fields[RR_FIELDS]); /* malloc'ed */
/* NULL: nothing is wrong with it; else a sentence with its stable code in front.  In why, which is returned. */
const char *rr_check(const struct rr_field *, const char *text, char *why, size_t size);
/* Seconds, or 30m 12h 2d 1w; false: no TTL. */
bool rr_ttl(const char *text, uint32_t *ttl);

#endif
