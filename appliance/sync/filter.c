/* filter - see filter.h. */
#include "appliance/sync/filter.h"

#include <ctype.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/sync/errors.h"
#include "ipc/base/text.h"
#include "ipc/base/xalloc.h"

/* glibc copies what stands before a `+` when it compiles, so nested ones double each other: 40 of them
 * are more memory than there is.  This many make 16 copies of a letter at most. */
#define REGEX_PLUS 4
/* Matching, it remembers each set of states that a name led to, kilobytes a piece and without a limit:
 * after so many names it begins anew. */
#define REGEX_NAMES 64

enum word_kind { WORD_PART, WORD_PREFIX, WORD_GLOB, WORD_REGEX, WORD_FACT };

struct word {
	enum word_kind kind;
	bool not ;
	unsigned fact; /* WORD_FACT */
	bool wanted;
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
	unsigned plus = 0;
	char text[96];
	int rc;

	for (const char *p = w->text; *p != '\0'; p++) {
		if (*p == '{' || (*p == '\\' && isdigit((unsigned char)p[1])))
			return ns_fail(why, NS_USAGE, ES_FILTER,
			    "filter: {n} and back-references are not supported in ~expressions");
		plus += *p == '+';
	}
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

static enum ns_err
facet(struct word *w, const char *text, struct ns_why *why)
{
	static const struct {
		const char *text;
		enum filter_fact fact;
		bool wanted;
	} facets[] = { { "dnssec:on", FILTER_SIGNED, true }, { "dnssec:off", FILTER_SIGNED, false },
		{ "dnssec:bad", FILTER_DNSSEC_BAD, true },
		{ "health:bad", FILTER_HEALTH_BAD, true } };

	w->kind = WORD_FACT;
	for (size_t i = 0; i < sizeof facets / sizeof facets[0]; i++)
		if (strcmp(text, facets[i].text) == 0) {
			w->fact = facets[i].fact;
			w->wanted = facets[i].wanted;
			return NS_OK;
		}
	return ns_fail(why, NS_USAGE, ES_FILTER,
	    "filter: %.40s is not known here; there are dnssec:on, dnssec:off, dnssec:bad and "
	    "health:bad",
	    text);
}

static enum ns_err
word_read(struct word *w, const char *text, struct ns_why *why)
{
	w->not = *text == '-';
	text += w->not ;
	if (*text == '~' || *text == '^') {
		w->kind = *text == '~' ? WORD_REGEX : WORD_PREFIX;
		text++;
	} else if (strchr(text, ':') != NULL) {
		return facet(w, text, why);
	} else {
		w->kind = strpbrk(text, "*?") != NULL ? WORD_GLOB : WORD_PART;
	}
	if (*text == '\0')
		return ns_fail(why, NS_USAGE, ES_FILTER, "filter: an empty word");
	if (strlen(text) > FILTER_WORD)
		return ns_fail(
		    why, NS_USAGE, ES_FILTER, "filter: a word is at most %d octets", FILTER_WORD);
	for (size_t i = 0; i <= strlen(text); i++)
		w->text[i] =
		    w->kind == WORD_REGEX ? text[i] : (char)tolower((unsigned char)text[i]);
	if (w->kind == WORD_GLOB && text[strlen(text) - 1] == '.')
		w->text[strlen(text) - 1] = '\0';
	return w->kind == WORD_REGEX ? regex_read(w, why) : NS_OK;
}

struct filter *
filter_new(const char *text, struct ns_why *why)
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
		else if ((err = word_read(&f->words[f->count], word, why)) == NS_OK)
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
		if (f->words[i].kind == WORD_FACT)
			wants |= f->words[i].fact;
	return wants;
}

/* `bare` is the name without its final dot: what people have in mind with an end. */
static bool
word_match(struct word *w, const char *name, const char *bare, unsigned facts)
{
	switch (w->kind) {
	case WORD_PART:
		return strstr(name, w->text) != NULL;
	case WORD_PREFIX:
		return strncmp(name, w->text, strlen(w->text)) == 0;
	case WORD_GLOB:
		return text_glob(w->text, bare);
	case WORD_REGEX:
		return regex_match(w, bare);
	case WORD_FACT:
		return w->wanted == ((facts & w->fact) != 0);
	}
	return false;
}

bool
filter_match(struct filter *f, const char *name, unsigned facts)
{
	char bare[FILTER_NAME];
	size_t len = strlen(name);

	if (len >= sizeof bare)
		return false;
	memcpy(bare, name, len + 1);
	if (len > 1 && bare[len - 1] == '.')
		bare[len - 1] = '\0';
	for (unsigned i = 0; i < f->count; i++)
		if (word_match(&f->words[i], name, bare, facts) == f->words[i].not )
			return false;
	return true;
}
