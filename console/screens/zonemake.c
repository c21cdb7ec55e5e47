/* zonemake.c - see zonemake.h. */
#include "console/screens/zonemake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/screens/ask.h"
#include "ipc/base/xalloc.h"

#define SERVERS_MAX 16u

enum { MAKE_NAME, MAKE_NS, MAKE_HOSTMASTER, MAKE_COMMENT, MAKE_FIELDS };

static const struct ask_field fields[MAKE_FIELDS] = {
	{ "Zone", NULL, "", "its name: example.com", 256 },
	{ "Servers", NULL, "", "its name servers, by blanks; empty: as the settings have them",
	    1024 },
	{ "Hostmaster", NULL, "", "who is to be written to; empty: as the settings have it", 256 },
	{ "Comment", NULL, "", "goes into the history", 400 },
};

/* Words of `text`, which it cuts. */
static size_t
words(char *text, char *list[SERVERS_MAX])
{
	size_t n = 0;

	for (char *word; n < SERVERS_MAX && (word = strsep(&text, " ,")) != NULL;)
		if (*word != '\0')
			list[n++] = word;
	return n;
}

static void
send_it(void *arg)
{
	struct view *v = arg;
	Ns__ZoneCreateRequest body = NS__ZONE_CREATE_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;
	char *servers = xstrdup(ask_text(v, MAKE_NS)), *list[SERVERS_MAX];

	body.zone = (char *)(uintptr_t)ask_text(v, MAKE_NAME);
	body.n_ns = words(servers, list);
	body.ns = list;
	body.hostmaster = (char *)(uintptr_t)ask_text(v, MAKE_HOSTMASTER);
	body.comment = (char *)(uintptr_t)ask_text(v, MAKE_COMMENT);
	request.body_case = NS__ENVELOPE__BODY_ZONE_CREATE_REQUEST;
	request.zone_create_request = &body;
	ask_send(v, &request);
	free(servers);
}

static void
accept(struct view *v)
{
	const char *name = ask_text(v, MAKE_NAME);
	char text[320];

	if (name[0] == '\0') {
		ask_wrong(v, MAKE_NAME, "a zone has a name");
		return;
	}
	snprintf(text, sizeof text, "Make zone %s?", name);
	ui_ask(v->ui, text, "It is served at once, with SOA and NS alone.", NULL, send_it, v);
}

void
zonemake_open(struct ui *ui)
{
	struct ask_what what = { "Zones > new zone", "", fields, MAKE_FIELDS, accept, 0 };
	struct view *form = ask_open(ui, &what);

	if (form != NULL)
		ask_note(form, UI_DIM,
		    "Records come by its draft afterwards; a zone that there is elsewhere by :zone "
		    "import.");
}
