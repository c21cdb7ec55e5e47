/* filter - see filter.h. */
#include "appliance/sync/filter.h"

#include <ctype.h>
#include <math.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/sync/errors.h"
#include "ipc/base/text.h"
#include "ipc/base/xalloc.h"

/* glibc copies what stands before a `+` when it compiles, so nested ones double each other: 40 of them
 * are more memory than there is.  This many make 16 copies of a letter at most. */
#define REGEX_PLUS 4
/* And what is optional behind an anchor it copies for each: `^m*...*.*...*` of eighty octets takes seconds. */
#define REGEX_REPEATS 12
/* Matching, it remembers each set of states that a name led to, kilobytes a piece and without a limit:
 * after so many names it begins anew. */
#define REGEX_NAMES 64
#define LIMIT_TEXT  12u /* octets behind `qps:` */

enum word_kind {
	WORD_PART,
	WORD_PREFIX,
	WORD_GLOB,
	WORD_REGEX,
	WORD_FACT,
	WORD_QPS,
	WORD_CHANGED,
	WORD_NAME, /* of RRsets, as the next two */
	WORD_TYPE,
	WORD_POLICY,
	WORD_WHO, /* of changes, as the next five */
	WORD_VIA,
	WORD_FROM,
	WORD_AT,
	WORD_KIND,
	WORD_SINCE,
};

struct word {
	enum word_kind kind;
	bool not ;
	unsigned fact; /* of enum filter_fact, with the last three */
	bool wanted; /* WORD_FACT */
	bool above; /* WORD_QPS, WORD_CHANGED: more than this */
	double limit; /* queries a second; seconds */
	char text[FILTER_WORD + 1];
	regex_t regex;
	unsigned names; /* matched since it was compiled */
};
struct filter {
	unsigned count;
	struct word words[FILTER_WORDS];
};

static int
compile(struct word *w)
{
	w->names = 0;
	return regcomp(&w->regex, w->text, REG_EXTENDED | REG_ICASE | REG_NOSUB);
}

/* Counted repetitions and back-references are what makes a short expression slow or large. */
static enum ns_err
regex_read(struct word *w, struct ns_why *why)
{
	unsigned plus = 0, repeats = 0;
	char text[96];
	int rc;

	for (const char *p = w->text; *p != '\0'; p++) {
		if (*p == '{' || (*p == '\\' && isdigit((unsigned char)p[1])))
			return ns_fail(why, NS_USAGE, ES_FILTER,
			    "filter: {n} and back-references are not supported in ~expressions");
		plus += *p == '+';
		repeats += *p == '*' || *p == '+' || *p == '?';
	}
	if (repeats > REGEX_REPEATS)
		return ns_fail(why, NS_USAGE, ES_FILTER,
		    "filter: at most %d times * + ? in a ~expression", REGEX_REPEATS);
	if (plus > REGEX_PLUS)
		return ns_fail(why, NS_USAGE, ES_FILTER,
		    "filter: at most %d times + in a ~expression; use * instead", REGEX_PLUS);
	rc = compile(w);
	if (rc == 0)
		return NS_OK;
	regerror(rc, &w->regex, text, sizeof text);
	return ns_fail(why, NS_USAGE, ES_FILTER, "filter: ~%s: %s", w->text, text);
}

static bool
regex_match(struct word *w, const char *name)
{
	if (w->names++ == REGEX_NAMES) {
		regfree(&w->regex);
		if (compile(w) != 0) { /* no memory: an expression that compiled before */
			memset(&w->regex, 0, sizeof w->regex);
			w->kind = WORD_PART;
			return false;
		}
	}
	return regexec(&w->regex, name, 0, NULL, 0) == 0;
}

/* "100", "2k"; "1d", "90" (seconds). */
static bool
figure_read(struct word *w, const char *text, bool time)
{
	static const struct {
		char unit;
		double seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 } };
	char *end;

	if (!isdigit((unsigned char)*text) || strlen(text) >= LIMIT_TEXT)
		return false;
	w->limit = (double)strtoull(text, &end, 10);
	if (!time && *end == 'k')
		w->limit *= 1000, end++;
	for (size_t i = 0; time && *end != '\0' && i < sizeof units / sizeof units[0]; i++)
		if (*end == units[i].unit) {
			w->limit *= units[i].seconds;
			end++;
			break;
		}
	return *end == '\0';
}

/* ">100", "<1d": what is behind the facet's name. */
static bool
limit_read(struct word *w, const char *text, bool time)
{
	w->above = *text == '>';
	return (*text == '<' || *text == '>') && figure_read(w, text + 1, time);
}

static bool
facet_limit(enum filter_of of, struct word *w, const char *text)
{
	if (of == FILTER_CHANGES && strncmp(text, "since:", 6) == 0) {
		w->kind = WORD_SINCE;
		return figure_read(w, text + 6, true);
	}
	if (of != FILTER_ZONES)
		return false;
	if (strncmp(text, "qps:", 4) == 0) {
		w->kind = WORD_QPS;
		w->fact = FILTER_QPS;
		return limit_read(w, text + 4, false);
	}
	if (strncmp(text, "changed:", 8) == 0) {
		w->kind = WORD_CHANGED;
		w->fact = FILTER_CHANGED;
		return limit_read(w, text + 8, true);
	}
	return false;
}

/* A facet with a text of its own; the kind of word it is for zones, for RRsets, and for changes. */
static const struct {
	const char *facet;
	enum word_kind kind[3];
	bool known[3];
} texts[] = { { "name:", { WORD_PART, WORD_NAME, WORD_NAME }, { true, true, true } },
	{ "type:", { [FILTER_RRSETS] = WORD_TYPE }, { [FILTER_RRSETS] = true } },
	{ "policy:", { [FILTER_RRSETS] = WORD_POLICY }, { [FILTER_RRSETS] = true } },
	{ "who:", { [FILTER_CHANGES] = WORD_WHO }, { [FILTER_CHANGES] = true } },
	{ "via:", { [FILTER_CHANGES] = WORD_VIA }, { [FILTER_CHANGES] = true } },
	{ "from:", { [FILTER_CHANGES] = WORD_FROM }, { [FILTER_CHANGES] = true } },
	{ "at:", { [FILTER_CHANGES] = WORD_AT }, { [FILTER_CHANGES] = true } },
	{ "kind:", { [FILTER_CHANGES] = WORD_KIND }, { [FILTER_CHANGES] = true } } };

static const struct {
	const char *text;
	enum filter_fact fact;
	bool wanted, rrsets;
} facts[] = { { "dnssec:on", FILTER_SIGNED, true, false },
	{ "dnssec:off", FILTER_SIGNED, false, false },
	{ "dnssec:bad", FILTER_DNSSEC_BAD, true, false },
	{ "health:bad", FILTER_HEALTH_BAD, true, false },
	{ "draft:mine", FILTER_DRAFT, true, true } };

/* Why a facet that people may expect is none. */
static const char *
facet_elsewhere(enum filter_of of, const char *text)
{
	if (strncmp(text, "tag:", 4) == 0)
		return "nothing has tags";
	if (of == FILTER_CHANGES)
		return "there are name:, who:ci, via:api, from:192.0.2., at:fra1, kind:edit and "
		       "since:1d "
		       "(or 12h, 30m, 2w)";
	if (strncmp(text, "draft:", 6) == 0)
		return "what others have in their drafts is known to them alone; there is "
		       "draft:mine";
	for (size_t i = 0; of == FILTER_ZONES && i < sizeof texts / sizeof texts[0]; i++)
		if (strncmp(text, texts[i].facet, strlen(texts[i].facet)) == 0)
			return texts[i].known[FILTER_CHANGES]
				   ? "that is of changes: filter the history"
				   : "that is of records: filter those of a zone";
	if (of == FILTER_ZONES)
		return "there are name:, dnssec:on, dnssec:off, dnssec:bad, health:bad, qps:>100, "
		       "qps:<1, changed:<1d, changed:>30m and draft:mine";
	return "there are name:, type:, policy: and draft:mine";
}

static enum ns_err
text_take_word(struct word *w, const char *text, struct ns_why *why)
{
	if (*text == '\0')
		return ns_fail(why, NS_USAGE, ES_FILTER, "filter: an empty word");
	if (strlen(text) > FILTER_WORD)
		return ns_fail(
		    why, NS_USAGE, ES_FILTER, "filter: a word is at most %d octets", FILTER_WORD);
	for (size_t i = 0; i <= strlen(text); i++)
		w->text[i] =
		    w->kind == WORD_REGEX ? text[i] : (char)tolower((unsigned char)text[i]);
	return NS_OK;
}

static enum ns_err
facet(enum filter_of of, struct word *w, const char *text, struct ns_why *why)
{
	if (facet_limit(of, w, text))
		return NS_OK;
	w->fact = 0;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if (texts[i].known[of] &&
		    strncmp(text, texts[i].facet, strlen(texts[i].facet)) == 0) {
			w->kind = texts[i].kind[of];
			if (of == FILTER_CHANGES && w->kind == WORD_NAME)
				w->fact = FILTER_NAMES;
			return text_take_word(w, text + strlen(texts[i].facet), why);
		}
	w->kind = WORD_FACT;
	for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++)
		if ((of == FILTER_ZONES || (of == FILTER_RRSETS && facts[i].rrsets)) &&
		    strcmp(text, facts[i].text) == 0) {
			w->fact = facts[i].fact;
			w->wanted = facts[i].wanted;
			return NS_OK;
		}
	return ns_fail(why, NS_USAGE, ES_FILTER, "filter: %.40s is not known here: %s", text,
	    facet_elsewhere(of, text));
}

static enum ns_err
word_read(enum filter_of of, struct word *w, const char *text, struct ns_why *why)
{
	enum ns_err err;

	w->not = *text == '-';
	text += w->not ;
	if (*text == '~' || *text == '^') {
		w->kind = *text == '~' ? WORD_REGEX : WORD_PREFIX;
		text++;
	} else if (strchr(text, ':') != NULL) {
		return facet(of, w, text, why);
	} else {
		w->kind = strpbrk(text, "*?") != NULL ? WORD_GLOB : WORD_PART;
	}
	if (of == FILTER_CHANGES)
		w->fact = FILTER_NAMES;
	if ((err = text_take_word(w, text, why)) != NS_OK)
		return err;
	if (w->kind == WORD_GLOB && text[strlen(text) - 1] == '.')
		w->text[strlen(text) - 1] = '\0';
	return w->kind == WORD_REGEX ? regex_read(w, why) : NS_OK;
}

struct filter *
filter_new(enum filter_of of, const char *text, struct ns_why *why)
{
	struct filter *f = xcalloc(1, sizeof *f);
	char *copy = xstrdup(text), *rest = copy, *word;
	enum ns_err err = NS_OK;

	while (err == NS_OK && (word = strsep(&rest, " \t")) != NULL) {
		if (*word == '\0')
			continue;
		if (f->count == FILTER_WORDS)
			err = ns_fail(
			    why, NS_USAGE, ES_FILTER, "filter: at most %d words", FILTER_WORDS);
		else if ((err = word_read(of, &f->words[f->count], word, why)) == NS_OK)
			f->count++;
	}
	free(copy);
	if (err != NS_OK)
		filter_destroy(&f);
	return f;
}

void
filter_destroy(struct filter **fp)
{
	struct filter *f = *fp;

	if (f == NULL)
		return;
	for (unsigned i = 0; i < f->count; i++)
		if (f->words[i].kind == WORD_REGEX)
			regfree(&f->words[i].regex);
	free(f);
	*fp = NULL;
}

bool
filter_all(const struct filter *f)
{
	return f->count == 0;
}

unsigned
filter_wants(const struct filter *f)
{
	unsigned wants = 0;

	for (unsigned i = 0; i < f->count; i++)
		wants |= f->words[i].fact;
	return wants;
}

/* A rate that is not known is neither above nor below. */
static bool
beyond(const struct word *w, double value)
{
	return w->above ? value > w->limit : value < w->limit;
}

/* `bare` is the name without its final dot: what people have in mind with an end. */
static bool
word_match(struct word *w, const struct filter_zone *z, const char *bare)
{
	switch (w->kind) {
	case WORD_PART:
		return strstr(z->name, w->text) != NULL;
	case WORD_PREFIX:
		return strncmp(z->name, w->text, strlen(w->text)) == 0;
	case WORD_GLOB:
		return text_glob(w->text, bare);
	case WORD_REGEX:
		return regex_match(w, bare);
	case WORD_FACT:
		return w->wanted == ((z->flags & w->fact) != 0);
	case WORD_QPS:
		return beyond(w, z->qps);
	case WORD_CHANGED:
		return beyond(w, (double)z->age_s);
	default:
		return false;
	}
}

static bool
bare_name(const char *name, char bare[FILTER_NAME])
{
	size_t len = strlen(name);

	if (len >= FILTER_NAME)
		return false;
	memcpy(bare, name, len + 1);
	if (len > 1 && bare[len - 1] == '.')
		bare[len - 1] = '\0';
	return true;
}

bool
filter_match(struct filter *f, const struct filter_zone *z)
{
	char bare[FILTER_NAME];

	if (!bare_name(z->name, bare))
		return false;
	for (unsigned i = 0; i < f->count; i++)
		if (word_match(&f->words[i], z, bare) == f->words[i].not )
			return false;
	return true;
}

/* ---- RRsets ---- */
static bool
in_data(const struct filter_rrset *s, const char *text)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcasestr(s->rdata[i], text) != NULL)
			return true;
	return false;
}

static bool
rrset_type_is(const struct filter_rrset *s, const char *type)
{
	return strcasecmp(s->type, type) == 0 ||
	       (strcmp(type, "policy") == 0 && strcmp(s->type, "NSPOLICY") == 0);
}

/* People have either form of a name in mind. */
static bool
rrset_word(struct word *w, const struct filter_rrset *s, const char *bare)
{
	size_t len = strlen(w->text);

	switch (w->kind) {
	case WORD_PART:
		return strstr(s->name, w->text) != NULL || in_data(s, w->text);
	case WORD_PREFIX:
		return strncmp(s->relative, w->text, len) == 0 ||
		       strncmp(s->name, w->text, len) == 0;
	case WORD_GLOB:
		return text_glob(w->text, s->relative) || text_glob(w->text, bare);
	case WORD_REGEX:
		return regex_match(w, s->relative) ||
		       (w->kind == WORD_REGEX && regex_match(w, bare));
	case WORD_FACT:
		return s->draft;
	case WORD_NAME:
		return strstr(s->relative, w->text) != NULL;
	case WORD_TYPE:
		return rrset_type_is(s, w->text);
	case WORD_POLICY:
		return rrset_type_is(s, "policy") && strstr(s->relative, w->text) != NULL;
	default:
		return false;
	}
}

bool
filter_match_rrset(struct filter *f, const struct filter_rrset *s)
{
	char bare[FILTER_NAME];

	if (!bare_name(s->name, bare))
		return false;
	for (unsigned i = 0; i < f->count; i++)
		if (rrset_word(&f->words[i], s, bare) == f->words[i].not )
			return false;
	return true;
}

/* ---- changes ---- */
static bool
name_word(struct word *w, const char *name)
{
	char bare[FILTER_NAME];
	const size_t len = strlen(w->text);

	if (!bare_name(name, bare))
		return false;
	for (char *p = bare; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	switch (w->kind) {
	case WORD_PART:
	case WORD_NAME:
		return strcasestr(name, w->text) != NULL;
	case WORD_PREFIX:
		return strncasecmp(name, w->text, len) == 0;
	case WORD_GLOB:
		return text_glob(w->text, bare);
	case WORD_REGEX:
		return regex_match(w, bare);
	default:
		return false;
	}
}

static bool
change_word(struct word *w, const struct filter_change *c)
{
	switch (w->kind) {
	case WORD_WHO:
		return strcasestr(c->who, w->text) != NULL;
	case WORD_VIA:
		return strcasecmp(c->via, w->text) == 0;
	case WORD_FROM:
		return strcasestr(c->source, w->text) != NULL;
	case WORD_AT:
		return strcasestr(c->appliance, w->text) != NULL;
	case WORD_KIND:
		return strcasecmp(c->kind, w->text) == 0;
	case WORD_SINCE:
		return (double)c->age_s <= w->limit;
	default:
		if (w->kind == WORD_PART && strcasestr(c->comment, w->text) != NULL)
			return true;
		for (size_t i = 0; i < c->n; i++)
			if (name_word(w, c->names[i]))
				return true;
		return false;
	}
}

bool
filter_match_change(struct filter *f, const struct filter_change *c)
{
	for (unsigned i = 0; i < f->count; i++) {
		struct word *w = &f->words[i];

		if (c->names == NULL && w->fact == FILTER_NAMES)
			continue;
		if (change_word(w, c) == w->not )
			return false;
	}
	return true;
}

double
filter_since(const struct filter *f)
{
	double since = (double)INFINITY;

	for (unsigned i = 0; i < f->count; i++)
		if (f->words[i].kind == WORD_SINCE && !f->words[i].not &&f->words[i].limit < since)
			since = f->words[i].limit;
	return since;
}
