/* twin.c - see twin.h. */
#include "console/screens/twin.h"

#include <stdlib.h>
#include <string.h>

#include "console/core/loop.h"
#include "console/core/sanitize.h"
#include "ipc/base/xalloc.h"

static const char plain[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.,:/@%+=-";

void
twin_quote(struct wbuf *w, const char *word)
{
	wbuf_put(w, "'", 1);
	for (; *word != '\0'; word++)
		if (*word == '\'')
			wbuf_put(w, "'\\''", 4);
		else
			wbuf_put(w, word, 1);
	wbuf_put(w, "'", 1);
}

void
twin_word(struct wbuf *w, const char *word)
{
	wbuf_put(w, " ", 1);
	if (word[0] != '\0' && word[strspn(word, plain)] == '\0') {
		wbuf_put(w, word, strlen(word));
		return;
	}
	twin_quote(w, word);
}

void
twin_option(struct wbuf *w, const char *option, const char *word)
{
	if (word[0] == '\0')
		return;
	twin_word(w, option);
	twin_word(w, word);
}

/* "record list %o": %o is the object, %f the filter. */
static void
put_words(struct view *v, struct wbuf *w)
{
	const char *from = v->ops->twin;

	while (*from != '\0') {
		size_t n = strcspn(from, " ");

		if (strncmp(from, "%o", n) == 0)
			twin_word(w, v->object);
		else if (strncmp(from, "%f", n) == 0)
			twin_option(w, "--filter", v->ops->filter_now(v));
		else {
			wbuf_put(w, " ", 1);
			wbuf_put(w, from, n);
		}
		from += n + strspn(from + n, " ");
	}
}

char *
twin_command(struct view *v)
{
	struct wbuf w = wbuf_grow(TWIN_MAX), words = wbuf_grow(TWIN_MAX);
	const char *at = v->ops->twin_at != NULL ? v->ops->twin_at(v) : ns_client_at(v->ui->client);
	char *safe = NULL;

	wbuf_put(&w, "nameserve", 9);
	twin_option(&w, "--appliance", at);
	if (v->ops->twin_words != NULL)
		v->ops->twin_words(v, &words);
	else if (v->ops->twin != NULL)
		put_words(v, &words);
	wbuf_put(&w, words.base, words.len);
	wbuf_put(&w, "", 1);
	if (wbuf_ok(&w) && wbuf_ok(&words) && words.len > 0)
		safe = sanitize_dup((char *)w.base, v->ui->ascii);
	wbuf_free(&words);
	wbuf_free(&w);
	return safe;
}

/* Of what a menu or a copy page was opened over. */
static struct view *
meant(struct ui *ui)
{
	size_t i = ui->n_views - 1;

	while (i > 0 && (ui->views[i]->ops == &screen_menu || ui->views[i]->ops == &screen_copy))
		i--;
	return ui->views[i];
}

void
twin_yank(struct ui *ui)
{
	char *command = twin_command(meant(ui));

	if (command == NULL) {
		ui_say(ui, "No command tells what is here");
		return;
	}
	ui_say(ui, "%s%s", ui->osc52 ? "Sent to the terminal's clipboard: " : "", command);
	if (ui->paper == NULL && ui->loop != NULL)
		(ui->osc52 ? loop_copy : loop_page)(ui->loop, command);
	free(command);
}
