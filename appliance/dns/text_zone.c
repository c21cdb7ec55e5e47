/* text_zone.c - master files (RFC 1035 5, RFC 2308 4); see zonetext.h.
 *
 * Runs in sync's import threads, one struct zonetext per file.  Owner, TTL, class and type are read
 * here, rdata by text_rdata.c.  A record without a TTL takes, in this order: $TTL; the TTL written
 * last (RFC 1035 5.1); the minimum of a SOA that came without one.  Nothing of these: refused. */
#include "appliance/dns/zonetext.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "appliance/dns/text.h"
#include "appliance/dns/text_policy.h"
#include "ipc/base/xalloc.h"

#define POLICY_TYPES 16u /* at one name, that are remembered */

struct zonetext {
	struct rrpile *pile;
	uint8_t apex[NAME_MAX_WIRE], origin[NAME_MAX_WIRE], owner[NAME_MAX_WIRE];
	bool has_owner, has_default, has_last;
	uint32_t ttl_default, ttl_last;
	struct text_line line;
	/* The policies, or the ALIAS, of the name that had one last: plain records of their types right below are what
	 * other servers make of them. */
	uint8_t policy_owner[NAME_MAX_WIRE];
	uint16_t policy_type[POLICY_TYPES];
	unsigned npolicy;
	uint64_t policies, aliases;
	struct ns_why failed; /* err NS_OK: not yet */
	uint8_t rdata[UINT16_MAX];
	char buf[ZONETEXT_MAX_LINE];
};

/* One record while it is read. */
struct record {
	struct text_cursor c;
	struct text_token type_text;
	uint16_t type;
	uint32_t ttl;
	bool has_ttl;
};

struct zonetext *
zonetext_new(const uint8_t *apex, struct rrpile *pile)
{
	struct zonetext *zt = xmalloc(sizeof *zt);

	/* The two large buffers stay unwritten until they are used. */
	memset(zt, 0, offsetof(struct zonetext, rdata));
	zt->pile = pile;
	memcpy(zt->apex, apex, name_len(apex));
	memcpy(zt->origin, apex, name_len(apex));
	text_line_init(&zt->line, zt->buf);
	return zt;
}

void
zonetext_destroy(struct zonetext **zt)
{
	free(*zt);
	*zt = NULL;
}

static enum ns_err
refuse(struct ns_why *why, uint16_t code, const struct text_token *tok, const char *rule)
{
	if (why != NULL)
		why->line = tok->line;
	return ns_fail(why, NS_INVALID, code, "\"%.*s\": %s", text_shown(tok), tok->p, rule);
}

static enum ns_err
read_name(struct zonetext *zt, const struct text_token *tok, uint8_t out[NAME_MAX_WIRE],
    struct ns_why *why)
{
	size_t len;
	enum ns_err err = name_from_chars(tok->p, tok->len, zt->origin, out, &len, why);

	if (err != NS_OK && why != NULL)
		why->line = tok->line;
	return err;
}

static enum ns_err
read_origin(struct zonetext *zt, const struct text_token *arg, struct ns_why *why)
{
	uint8_t name[NAME_MAX_WIRE];
	enum ns_err err = read_name(zt, arg, name, why);

	if (err == NS_OK)
		memcpy(zt->origin, name, name_len(name));
	return err;
}

static enum ns_err
read_default_ttl(struct zonetext *zt, const struct text_token *arg, struct ns_why *why)
{
	if (!text_ttl(arg->p, arg->len, &zt->ttl_default))
		return refuse(
		    why, E_TEXT_TTL, arg, "a TTL is 0 to 2147483647 seconds, or like 1h30m");
	zt->has_default = true;
	return NS_OK;
}

static const struct {
	const char *name;
	enum ns_err (*read)(struct zonetext *, const struct text_token *, struct ns_why *);
	const char *refusal;
} directives[] = {
	{ "$ORIGIN", read_origin, NULL },
	{ "$TTL", read_default_ttl, NULL },
	{ "$INCLUDE", NULL, "not supported: put the records of that file in its place" },
	{ "$GENERATE", NULL, "not supported: write out the records that it stands for" },
};

static enum ns_err
read_directive(
    struct zonetext *zt, const struct text_token *word, struct text_cursor *c, struct ns_why *why)
{
	struct text_token arg, extra;

	for (size_t i = 0; i < sizeof directives / sizeof directives[0]; i++) {
		if (strlen(directives[i].name) != word->len ||
		    strncasecmp(directives[i].name, word->p, word->len) != 0)
			continue;
		if (directives[i].read == NULL)
			return refuse(why, E_TEXT_DIRECTIVE, word, directives[i].refusal);
		if (!text_next(c, &arg))
			return refuse(why, E_TEXT_DIRECTIVE, word, "its value is missing");
		if (text_next(c, &extra))
			return refuse(why, E_TEXT_DIRECTIVE, &extra, "one value only");
		return directives[i].read(zt, &arg, why);
	}
	return refuse(why, E_TEXT_DIRECTIVE, word, "there are $ORIGIN and $TTL only");
}

static bool
is_word(const struct text_token *tok, const char *word)
{
	return strlen(word) == tok->len && strncasecmp(word, tok->p, tok->len) == 0;
}

/* 1: class IN, -1: another class, 0: no class. */
static int
read_class(const struct text_token *tok)
{
	if (is_word(tok, "IN") || is_word(tok, "CLASS1"))
		return 1;
	if (is_word(tok, "CH") || is_word(tok, "HS") || is_word(tok, "CS") ||
	    (tok->len > 5 && strncasecmp(tok->p, "CLASS", 5) == 0))
		return -1;
	return 0;
}

static uint16_t
read_type(const struct text_token *tok)
{
	uint16_t type = tok->quoted ? 0 : rrtype_from_chars(tok->p, tok->len);

	return type != 0 || tok->quoted ? type : text_ldns_type(tok->p, tok->len);
}

/* [TTL] [class] type, the first two in any order. */
static enum ns_err
read_head(struct record *rec, struct ns_why *why)
{
	struct text_token *tok = &rec->type_text;
	bool has_class = false;

	while (text_next(&rec->c, tok)) {
		int class = read_class(tok);

		if (class < 0)
			return refuse(why, E_TEXT_CLASS, tok, "the class is IN");
		if (class > 0 && !has_class) {
			has_class = true;
			continue;
		}
		if (*tok->p >= '0' && *tok->p <= '9' && !rec->has_ttl) {
			if (!text_ttl(tok->p, tok->len, &rec->ttl))
				return refuse(why, E_TEXT_TTL, tok,
				    "a TTL is 0 to 2147483647 seconds, or like 1h30m");
			rec->has_ttl = true;
			continue;
		}
		rec->type = read_type(tok);
		return rec->type != 0 ? NS_OK : refuse(why, E_TEXT_TYPE, tok, "no record type");
	}
	if (why != NULL)
		why->line = tok->line;
	return ns_fail(why, NS_INVALID, E_TEXT_TYPE, "the record ends before its type");
}

static enum ns_err
read_owner(struct zonetext *zt, const struct text_token *tok, struct ns_why *why)
{
	uint8_t name[NAME_MAX_WIRE];
	enum ns_err err = read_name(zt, tok, name, why);

	if (err != NS_OK)
		return err;
	if (!name_in(name, zt->apex)) {
		if (why != NULL)
			name_show(name, why->owner, sizeof why->owner);
		return refuse(why, E_OUTSIDE, tok, "the owner lies outside the zone");
	}
	memcpy(zt->owner, name, name_len(name));
	zt->has_owner = true;
	return NS_OK;
}

static enum ns_err
settle_ttl(struct zonetext *zt, struct record *rec, size_t rdlen, struct ns_why *why)
{
	if (rec->has_ttl) {
		zt->ttl_last = rec->ttl;
		zt->has_last = true;
		return NS_OK;
	}
	if (!zt->has_default && !zt->has_last && rec->type == RR_SOA) {
		uint32_t minimum = get_u32(zt->rdata + rdlen - 4);

		zt->ttl_default = minimum <= TTL_MAX ? minimum : TTL_MAX;
		zt->has_default = true;
	}
	rec->ttl = zt->has_default ? zt->ttl_default : zt->ttl_last;
	if (zt->has_default || zt->has_last)
		return NS_OK;
	return refuse(why, E_TEXT_TTL, &rec->type_text,
	    "no TTL: write one, or a line like \"$TTL 3600\" at the top");
}

/* Add what the words themselves could not say: whose record it is. */
static enum ns_err
say_whose(const struct zonetext *zt, const struct record *rec, enum ns_err err, struct ns_why *why)
{
	if (err == NS_OK || why == NULL)
		return err;
	if (zt->has_owner && why->owner[0] == '\0')
		name_show(zt->owner, why->owner, sizeof why->owner);
	if (rec->type != 0 && why->type[0] == '\0')
		rrtype_to_text(rec->type, why->type);
	return err;
}

static bool
is_projection(const struct zonetext *zt, uint16_t type)
{
	for (unsigned i = 0; i < zt->npolicy; i++) {
		if (zt->policy_type[i] == type && name_equal(zt->policy_owner, zt->owner))
			return true;
	}
	return false;
}

/* Plain records of that type, at this owner, are no more than what other servers make of it. */
static void
project(struct zonetext *zt, uint16_t type)
{
	if (!name_equal(zt->policy_owner, zt->owner))
		zt->npolicy = 0;
	memcpy(zt->policy_owner, zt->owner, name_len(zt->owner));
	if (zt->npolicy < POLICY_TYPES)
		zt->policy_type[zt->npolicy++] = type;
}

static enum ns_err
read_alias_words(struct zonetext *zt, struct record *rec, struct ns_why *why)
{
	struct text_job job = {
		.type = RR_ALIAS,
		.t = rrtype_find(RR_ALIAS),
		.origin = zt->origin,
		.line = zt->line.start,
		.out = wbuf_init(zt->rdata, sizeof zt->rdata),
		.why = why,
	};
	struct text_token tok;
	enum ns_err err;

	if (!text_next(&rec->c, &tok))
		return ns_fail(why, NS_INVALID, E_ALIAS, "the ALIAS has no name");
	if ((err = read_owner(zt, &tok, why)) != NS_OK)
		return err;
	if (!text_next(&rec->c, &tok) || !text_ttl(tok.p, tok.len, &rec->ttl))
		return ns_fail(why, NS_INVALID, E_ALIAS, "the ALIAS has no TTL");
	job.c = rec->c;
	if ((err = text_rdata(&job)) != NS_OK)
		return err;
	rrpile_add(zt->pile, zt->owner, RR_ALIAS, rec->ttl, zt->rdata, job.out.len, zt->line.start);
	return NS_OK;
}

/* ";ns-alias OWNER TTL TARGET" */
static enum ns_err
read_alias(struct zonetext *zt, struct ns_why *why)
{
	struct record rec = { .c = text_line_cursor(&zt->line), .type = RR_ALIAS };
	enum ns_err err;

	rec.c.p += strlen(TEXT_ALIAS);
	err = read_alias_words(zt, &rec, why);
	if (err != NS_OK) {
		if (why != NULL && why->line == 0)
			why->line = zt->line.start;
		return say_whose(zt, &rec, err, why);
	}
	project(zt, RR_A);
	project(zt, RR_AAAA);
	zt->aliases++;
	return NS_OK;
}

/* ";ns-policy OWNER TYPE {JSON}" */
static enum ns_err
read_policy(struct zonetext *zt, struct ns_why *why)
{
	struct record rec = { .c = text_line_cursor(&zt->line), .type = RR_NSPOLICY };
	struct text_token tok;
	size_t len;
	enum ns_err err = NS_OK;

	rec.c.p += strlen(TEXT_POLICY);
	if (!text_next(&rec.c, &tok))
		return ns_fail(why, NS_INVALID, E_POLICY, "the policy has no name");
	if ((err = read_owner(zt, &tok, why)) == NS_OK && text_next(&rec.c, &tok)) {
		err = policy_from_text(
		    tok.p, (size_t)(rec.c.end - tok.p), zt->rdata, sizeof zt->rdata, &len, why);
		if (err == NS_OK)
			rrpile_add(
			    zt->pile, zt->owner, RR_NSPOLICY, 0, zt->rdata, len, zt->line.start);
	} else if (err == NS_OK) {
		err = ns_fail(why, NS_INVALID, E_POLICY, "the policy has no type");
	}
	if (err != NS_OK) {
		if (why != NULL && why->line == 0)
			why->line = zt->line.start;
		return say_whose(zt, &rec, err, why);
	}
	project(zt, get_u16(zt->rdata));
	zt->policies++;
	return NS_OK;
}

static bool
line_is(const struct zonetext *zt, const char *mark)
{
	return zt->line.len >= strlen(mark) && memcmp(zt->buf, mark, strlen(mark)) == 0;
}

/* A line that other software takes for a comment. */
static enum ns_err
read_mark(struct zonetext *zt, struct ns_why *why)
{
	if (line_is(zt, TEXT_POLICY))
		return read_policy(zt, why);
	return line_is(zt, TEXT_ALIAS) ? read_alias(zt, why) : NS_OK;
}

static enum ns_err
read_rdata(struct zonetext *zt, struct record *rec, struct ns_why *why)
{
	struct text_job job = {
		.type = rec->type,
		.t = rrtype_find(rec->type),
		.c = rec->c,
		.origin = zt->origin,
		.line = rec->type_text.line,
		.out = wbuf_init(zt->rdata, sizeof zt->rdata),
		.why = why,
	};
	enum ns_err err;

	if (rec->type == RR_NSPOLICY)
		return refuse(why, E_POLICY, &rec->type_text,
		    "a policy is written as a line \";ns-policy NAME TYPE {...}\"");
	err = text_rdata(&job);
	if (err == NS_OK)
		err = settle_ttl(zt, rec, job.out.len, why);
	zt->aliases += err == NS_OK && rec->type == RR_ALIAS;
	if (err == NS_OK && !is_projection(zt, rec->type))
		rrpile_add(zt->pile, zt->owner, rec->type, rec->ttl, zt->rdata, job.out.len,
		    zt->line.start);
	return err;
}

static enum ns_err
read_record(struct zonetext *zt, struct ns_why *why)
{
	struct record rec = { .c = text_line_cursor(&zt->line) };
	struct text_token tok;
	enum ns_err err;

	if (zt->line.start == 1 && zt->line.len >= 3 && memcmp(zt->buf, "\xef\xbb\xbf", 3) == 0)
		rec.c.p += 3; /* the byte order mark of some editors */
	if (zt->line.blank) {
		struct text_cursor ahead = rec.c;

		if (!text_next(&ahead, &tok))
			return NS_OK;
		if (!zt->has_owner)
			return refuse(why, E_TEXT_OWNER, &tok,
			    "the line begins with white space, but there is no owner to repeat");
	} else {
		if (!text_next(&rec.c, &tok))
			return NS_OK;
		if (*tok.p == '$' && !tok.quoted)
			return read_directive(zt, &tok, &rec.c, why);
		err = read_owner(zt, &tok, why);
		if (err != NS_OK)
			return err;
	}
	err = read_head(&rec, why);
	if (err == NS_OK)
		err = read_rdata(zt, &rec, why);
	return say_whose(zt, &rec, err, why);
}

/* The first error ends the file, and is what every later call answers. */
static enum ns_err
fail(struct zonetext *zt, struct ns_why *local, struct ns_why *why)
{
	name_show(zt->apex, local->zone, sizeof local->zone);
	zt->failed = *local;
	if (why != NULL)
		*why = *local;
	return zt->failed.err;
}

static enum ns_err
take(struct zonetext *zt, enum text_line_state state, struct ns_why *why)
{
	enum ns_err err = NS_OK;

	if (state == TEXT_LINE_BAD)
		return NS_INVALID;
	if (state == TEXT_LINE_READY) {
		if (zt->line.len > 0)
			err = zt->line.mark ? read_mark(zt, why) : read_record(zt, why);
		text_line_reset(&zt->line);
	}
	return err;
}

enum ns_err
zonetext_feed(struct zonetext *zt, const char *text, size_t len, struct ns_why *why)
{
	struct ns_why local = { 0 };

	if (zt->failed.err != NS_OK)
		return fail(zt, &zt->failed, why);
	while (len > 0) {
		size_t used;
		enum text_line_state state = text_line_feed(&zt->line, text, len, &used, &local);

		if (take(zt, state, &local) != NS_OK)
			return fail(zt, &local, why);
		text += used;
		len -= used;
	}
	return NS_OK;
}

enum ns_err
zonetext_end(struct zonetext *zt, struct ns_why *why)
{
	struct ns_why local = { 0 };

	if (zt->failed.err != NS_OK)
		return fail(zt, &zt->failed, why);
	if (take(zt, text_line_end(&zt->line, &local), &local) != NS_OK)
		return fail(zt, &local, why);
	return NS_OK;
}

uint64_t
zonetext_policies(const struct zonetext *zt)
{
	return zt->policies;
}

uint64_t
zonetext_aliases(const struct zonetext *zt)
{
	return zt->aliases;
}
