/* troubles.c - see troubles.h.  The signer's only thread. */
#include "appliance/signer/troubles.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/signer/names.h"
#include "ipc/base/xalloc.h"

struct told {
	uint8_t apex[NAME_MAX_WIRE];
	char *text;
};
struct kind {
	struct names *zones; /* all of them */
	struct told told[TROUBLES_TOLD]; /* the first of them */
	unsigned n;
};
struct troubles {
	struct kind kind[TROUBLE_KINDS];
};

struct troubles *
troubles_new(void)
{
	struct troubles *t = xcalloc(1, sizeof *t);

	for (unsigned i = 0; i < TROUBLE_KINDS; i++)
		t->kind[i].zones = names_new();
	return t;
}

void
troubles_destroy(struct troubles **tp)
{
	struct troubles *t = *tp;

	*tp = NULL;
	if (t == NULL)
		return;
	for (unsigned i = 0; i < TROUBLE_KINDS; i++) {
		names_destroy(&t->kind[i].zones);
		for (unsigned k = 0; k < t->kind[i].n; k++)
			free(t->kind[i].told[k].text);
	}
	free(t);
}

bool
troubles_end(struct troubles *t, enum trouble_kind kind, const uint8_t *apex)
{
	struct kind *k = &t->kind[kind];

	if (!names_remove(k->zones, apex))
		return false;
	for (unsigned i = 0; i < k->n; i++) {
		if (!name_equal(k->told[i].apex, apex))
			continue;
		free(k->told[i].text);
		k->n--;
		memmove(&k->told[i], &k->told[i + 1], (k->n - i) * sizeof k->told[0]);
	}
	return true;
}

void
troubles_set(struct troubles *t, enum trouble_kind kind, const uint8_t *apex, const char *text)
{
	struct kind *k = &t->kind[kind];

	(void)troubles_end(t, kind, apex);
	(void)names_add(k->zones, apex);
	if (k->n == TROUBLES_TOLD)
		return;
	memcpy(k->told[k->n].apex, apex, name_len(apex));
	k->told[k->n++].text = xstrdup(text);
}

void
troubles_text(const struct troubles *t, char out[TROUBLES_TEXT])
{
	size_t used = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < TROUBLE_KINDS && used < TROUBLES_TEXT; i++) {
		const struct kind *k = &t->kind[i];
		size_t all = names_count(k->zones);
		char name[NAME_MAX_TEXT], more[64] = "";

		if (all == 0)
			continue;
		if (all > 1)
			(void)snprintf(
			    more, sizeof more, " (and the same of %zu more zones)", all - 1);
		used += (size_t)snprintf(out + used, TROUBLES_TEXT - used, "%s%.300s%s",
		    used > 0 ? "; " : "",
		    k->n > 0 ? k->told[0].text : name_to_text(names_after(k->zones, NULL), name),
		    more);
	}
}
