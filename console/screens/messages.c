/* messages.c - what the message line has said, the newest first. */
#include "console/screens/ui.h"
#include "console/widgets/lines.h"
#include "ipc/base/clock.h"

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

static bool
messages_search(struct view *v, const char *text, size_t *at, int by)
{
	return search_lines(v->state, text, at, by);
}

const struct ns_screen_ops screen_messages = {
	.name = "Messages",
	.size = sizeof(struct lines),
	.contexts = CTX_GLOBAL | CTX_TEXT | CTX_SEARCH,
	.search = messages_search,
	.open = messages_open,
	.close = messages_close,
	.reload = messages_reload,
	.draw = messages_draw,
	.act = messages_act,
};
