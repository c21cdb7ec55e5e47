/* messages.c - what the message line has said, the newest first. */
#include <stdio.h>
#include <string.h>

#include "console/screens/copy.h"
#include "console/screens/ui.h"
#include "console/widgets/lines.h"
#include "ipc/base/clock.h"
#include "ipc/base/wbuf.h"
#include "ipc/base/xalloc.h"

static void
messages_reload(struct view *v)
{
	struct lines *l = v->state;
	const struct message *m;

	lines_clear(l);
	for (size_t i = 0; (m = message_at(&v->ui->ring, i)) != NULL; i++) {
		char at[CLOCK_RFC3339_LEN];

		clock_rfc3339(m->wall_ms, at);
		lines_add(l, UI_TEXT, "   %.8sZ  %s", at + 11, m->text);
	}
	if (l->n == 0)
		lines_add(l, UI_DIM, "   nothing was said yet");
}

static void
messages_open(struct view *v)
{
	(void)v;
}

static void
messages_close(struct view *v)
{
	lines_clear(v->state);
}

static void
messages_draw(struct view *v, struct rect r)
{
	surface_put(v->ui->surface, r.x + 1, r.y, r.w - 2, UI_TITLE, "Messages");
	lines_draw(v->state, v->ui->surface, (struct rect){ r.x, r.y + 2, r.w, r.h - 2 });
}

static bool
messages_act(struct view *v, enum ns_action_id id)
{
	return lines_act(v->state, id);
}

static void
messages_copies(struct view *v, struct copies *c)
{
	const struct message *m = message_at(&v->ui->ring, 0);
	struct wbuf all = wbuf_grow(1u << 20);

	if (m != NULL)
		copies_add(c, "the last", xstrdup(m->text));
	for (size_t i = 0; (m = message_at(&v->ui->ring, i)) != NULL; i++) {
		char at[CLOCK_RFC3339_LEN], line[RING_TEXT + CLOCK_RFC3339_LEN + 4];

		snprintf(line, sizeof line, "%s  %s\n", clock_rfc3339(m->wall_ms, at), m->text);
		wbuf_put(&all, line, strlen(line));
	}
	wbuf_put(&all, "", 1);
	if (wbuf_ok(&all) && all.len > 1)
		copies_add(c, "all", xstrdup((char *)all.base));
	wbuf_free(&all);
}

static bool
messages_search(struct view *v, const char *text, size_t *at, int by)
{
	return search_lines(v->state, text, at, by);
}

const struct ns_screen_ops screen_messages = {
	.name = "Messages",
	.size = sizeof(struct lines),
	.contexts = CTX_GLOBAL | CTX_TEXT | CTX_SEARCH,
	.copies = messages_copies,
	.search = messages_search,
	.open = messages_open,
	.close = messages_close,
	.reload = messages_reload,
	.draw = messages_draw,
	.act = messages_act,
};
