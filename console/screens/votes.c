/* votes.c - see votes.h. */
#include "console/screens/votes.h"

#include <stdio.h>
#include <string.h>

#define OLD_S   25.0 /* as the quorum has it: two reports may be lost */
#define REASONS 8u

char
votes_letter(const Ns__CheckInfo__Vote *v)
{
	if (v->heard_s > OLD_S)
		return '?';
	return strcmp(v->state, "up") == 0        ? 'U'
	       : strcmp(v->state, "down") == 0    ? 'd'
	       : strcmp(v->state, "abstain") == 0 ? '-'
						  : '?';
}

static unsigned
count(const Ns__CheckInfo *c, char letter)
{
	unsigned n = 0;

	for (size_t i = 0; i < c->n_votes; i++)
		n += votes_letter(c->votes[i]) == letter;
	return n;
}

unsigned
votes_up(const Ns__CheckInfo *c)
{
	return count(c, 'U');
}

static void
append(char *out, size_t size, const char *text)
{
	size_t n = strlen(out);

	if (n < size)
		snprintf(out + n, size - n, "%s", text);
}

static bool
site_was_before(const Ns__CheckInfo *c, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (strcmp(c->votes[k]->site, c->votes[i]->site) == 0)
			return true;
	return false;
}

void
votes_by_site(const Ns__CheckInfo *c, char *out, size_t size)
{
	out[0] = '\0';
	for (size_t i = 0; i < c->n_votes; i++) {
		const char *site = c->votes[i]->site;

		if (site_was_before(c, i))
			continue;
		append(out, size, out[0] != '\0' ? "  " : "");
		append(out, size, site[0] != '\0' ? site : "-");
		append(out, size, " ");
		for (size_t k = i; k < c->n_votes; k++)
			if (strcmp(c->votes[k]->site, site) == 0)
				append(out, size, (char[2]){ votes_letter(c->votes[k]), '\0' });
	}
}

void
votes_errors(const Ns__CheckInfo *c, char *out, size_t size)
{
	struct {
		const char *text;
		unsigned n;
	} list[REASONS] = { { NULL, 0 } };
	size_t n = 0, k;

	for (size_t i = 0; i < c->n_votes; i++) {
		const char *reason = c->votes[i]->reason;

		if (votes_letter(c->votes[i]) == 'U' || reason[0] == '\0')
			continue;
		for (k = 0; k < n && strcmp(list[k].text, reason) != 0; k++)
			continue;
		if (k == REASONS)
			continue;
		list[k].text = reason;
		list[k].n++;
		n += k == n;
	}
	out[0] = '\0';
	for (unsigned most; n > 0; list[k] = list[--n]) {
		char times[16];

		for (k = 0, most = 0; most < n; most++)
			k = list[most].n > list[k].n ? most : k;
		snprintf(times, sizeof times, "%s%ux ", out[0] != '\0' ? "   " : "", list[k].n);
		append(out, size, times);
		append(out, size, list[k].text);
	}
}

void
votes_spark(
    enum glyph_set glyphs, const uint32_t *looks, size_t n, size_t width, char *out, size_t size)
{
	size_t from = n > width ? n - width : 0;
	uint32_t top = 1;

	out[0] = '\0';
	for (size_t i = from; i < n; i++)
		top = looks[i] > top ? looks[i] : top;
	for (size_t i = from; i < n; i++) {
		unsigned level = (unsigned)((uint64_t)looks[i] * GLYPH_LEVELS / top);

		append(out, size, looks[i] == 0 ? "x" : glyph_level(glyphs, level > 0 ? level : 1));
	}
}

const char *
level_word(const char *level, enum ui_role *role)
{
	static const struct {
		const char *name, *word;
		enum ui_role role;
	} words[] = { { "crit", "CRIT", UI_CRIT }, { "warn", "WARN", UI_WARN },
		{ "ok", "OK", UI_OK } };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(words[i].name, level) == 0) {
			*role = words[i].role;
			return words[i].word;
		}
	*role = UI_DIM;
	return "-";
}

const char *
votes_level(const Ns__CheckInfo *c)
{
	bool up = strcmp(c->state, "up") == 0;

	if (c->override != NULL)
		return "warn";
	if (c->initial || strcmp(c->state, "unknown") == 0)
		return "none";
	if (!up)
		return "crit";
	return c->stale || c->frozen || count(c, 'd') > 0 ? "warn" : "ok";
}
