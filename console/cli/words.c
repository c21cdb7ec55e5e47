/* words.c - see words.h. */
#include "console/cli/words.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "console/cli/cli.h"
#include "ipc/base/xalloc.h"

struct cutter {
	const char *in;
	char *out; /* behind what is cut */
	const char *why; /* NULL: so far so good */
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The character behind a backslash. */
static void
escaped(struct cutter *c)
{
	if (c->in[1] == '\0') {
		c->why = "a backslash at the end";
		return;
	}
	*c->out++ = c->in[1];
	c->in += 2;
}

static void
quoted(struct cutter *c)
{
	char quote = *c->in++;

	while (c->why == NULL && *c->in != quote) {
		if (*c->in == '\0')
			c->why = "a quote is not closed";
		else if (quote == '"' && *c->in == '\\')
			escaped(c);
		else
			*c->out++ = *c->in++;
	}
	if (c->why == NULL)
		c->in++;
}

static void
word(struct cutter *c)
{
	while (c->why == NULL && *c->in != '\0' && !is_blank(*c->in)) {
		if (*c->in == '\'' || *c->in == '"')
			quoted(c);
		else if (*c->in == '\\')
			escaped(c);
		else if (strchr(";|&<>$`\n\r", *c->in) != NULL)
			c->why =
			    "no shell reads this line: quote ; | & < > $ ` where they are text";
		else
			*c->out++ = *c->in++;
	}
	*c->out++ = '\0';
}

char **
words_split(const char *line, size_t *n, const char **why)
{
	size_t len = strlen(line), room = len / 2 + 2;
	char **words;
	struct cutter c = { .in = line };

	*n = 0;
	if (len > WORDS_TEXT) {
		*why = "the line is too long";
		return NULL;
	}
	/* Every word but the last has a blank behind it: what is written is not longer than what was read. */
	words = xcalloc(1, room * sizeof *words + len + 1);
	c.out = (char *)(words + room);
	while (c.why == NULL) {
		while (is_blank(*c.in))
			c.in++;
		if (*c.in == '\0')
			break;
		if (*n == CLI_MAX_WORDS)
			c.why = "too many words";
		else {
			words[(*n)++] = c.out;
			word(&c);
		}
	}
	if (c.why == NULL)
		return words;
	*why = c.why;
	free(words);
	return NULL;
}
