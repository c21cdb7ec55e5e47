/* backend_text.c - see text.h. */
#include "console/terminal/text.h"

#include "console/core/theme.h"

void
text_put(FILE *out, uint32_t cp)
{
	if (cp < 0x80) {
		fputc((int)cp, out);
		return;
	}
	if (cp < 0x800) {
		fputc((int)(0xc0 | cp >> 6), out);
	} else {
		if (cp < 0x10000) {
			fputc((int)(0xe0 | cp >> 12), out);
		} else {
			fputc((int)(0xf0 | cp >> 18), out);
			fputc((int)(0x80 | (cp >> 12 & 0x3f)), out);
		}
		fputc((int)(0x80 | (cp >> 6 & 0x3f)), out);
	}
	fputc((int)(0x80 | (cp & 0x3f)), out);
}

void
text_print(FILE *out, const struct surface *s)
{
	for (int y = 0; y < s->h; y++) {
		int end = s->w;

		while (end > 0 && surface_at(s, end - 1, y)->cp == ' ')
			end--;
		for (int x = 0; x < end; x++) {
			const struct cell *c = surface_at(s, x, y);

			if (c->cp == 0)
				continue;
			text_put(out, c->cp);
			for (int m = 0; m < 2 && c->marks[m] != 0; m++)
				text_put(out, c->marks[m]);
		}
		fputc('\n', out);
	}
}

void
text_print_roles(FILE *out, const struct surface *s, bool colour)
{
	enum ui_theme theme = colour ? UI_THEME_DEFAULT : UI_THEME_MONO;

	for (int y = 0; y < s->h; y++) {
		int end = s->w;

		while (
		    end > 0 &&
		    theme_look(theme, (enum ui_role)surface_at(s, end - 1, y)->role).letter == '.')
			end--;
		for (int x = 0; x < end; x++)
			fputc(
			    theme_look(theme, (enum ui_role)surface_at(s, x, y)->role).letter, out);
		fputc('\n', out);
	}
}
