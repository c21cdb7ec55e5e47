/* say.c - what the frame says: messages, names and times as people write them. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "console/core/sanitize.h"
#include "console/screens/ui.h"

static void
say(struct ui *ui, const char *text, uint64_t request)
{
	char kept[RING_TEXT + 48];

	sanitize(ui->message, sizeof ui->message, text, ui->ascii);
	if (request == 0)
		snprintf(kept, sizeof kept, "%s", text);
	else
		snprintf(kept, sizeof kept, "%.*s  (request %llu)", (int)(sizeof kept - 40), text,
		    (unsigned long long)request);
	message_add(&ui->ring, ui->wall_ms, kept);
	ui_dirty(ui, false);
}

void
ui_say(struct ui *ui, const char *fmt, ...)
{
	char text[RING_TEXT];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	say(ui, text, 0);
}

const char *
ui_loading(const struct view *v)
{
	return v->ui->lost ? "not here: the link is lost" : "loading";
}

void
ui_say_why(struct ui *ui, const struct ns_why *why)
{
	const char *text = why->text[0] != '\0' ? why->text : ns_err_text(why->err);
	const Ns__Error *last = ns_client_error(ui->client);
	char line[RING_TEXT];

	if (why->err == NS_UNAVAILABLE) /* the banner says it */
		return;
	if (why->code != 0)
		snprintf(line, sizeof line, "E%04u %.480s", why->code, text);
	else
		snprintf(line, sizeof line, "%s", text);
	say(ui, line, last != NULL && last->code == why->code ? ns_client_refused(ui->client) : 0);
}

/* As nameserve(1) has them. */
const char *
ui_exit_text(int status, char out[64])
{
	static const struct {
		int code;
		const char *text;
	} texts[] = { { 0, "done" }, { 2, "not such a command" }, { 3, "not found" },
		{ 4, "not permitted" }, { 5, "conflict" }, { 6, "rejected" },
		{ 7, "no connection" }, { 8, "outcome unknown" }, { 9, "confirmation needed" },
		{ 10, "it differs" }, { 11, "not in time" }, { 130, "interrupted" } };
	const char *text = "failed";

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (texts[i].code == WEXITSTATUS(status))
			text = texts[i].text;
	if (WIFEXITED(status))
		snprintf(out, 64, "exit %d: %s", WEXITSTATUS(status), text);
	else
		snprintf(out, 64, "stopped");
	return out;
}

int
ui_name_len(const char *name)
{
	size_t n = strlen(name);

	return (int)(n > 1 && name[n - 1] == '.' && name[n - 2] != '\\' ? n - 1 : n);
}

void
ui_when(const char *at, char out[16])
{
	if (strlen(at) >= 19)
		snprintf(out, 16, "%.2s %.8s", at + 8, at + 11);
	else
		snprintf(out, 16, "-");
}

/* Days since 1970 of a date (Howard Hinnant's count). */
static int64_t
days_of(int y, int m, int d)
{
	y -= m <= 2;
	int64_t era = y / 400, yoe = y - era * 400,
		doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;

	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

void
ui_ago(const struct ui *ui, const char *at, char out[16])
{
	static const struct {
		int64_t s;
		const char *unit;
	} units[] = { { 86400, "d" }, { 3600, "h" }, { 60, "m" }, { 1, "s" } };
	int y, mo, d, h, mi, s;

	snprintf(out, 16, "-");
	if (strlen(at) < 19)
		return;
	y = atoi(at), mo = atoi(at + 5), d = atoi(at + 8);
	h = atoi(at + 11), mi = atoi(at + 14), s = atoi(at + 17);
	if (y < 1970 || y > 9999 || mo < 1 || mo > 12)
		return;
	int64_t ago = ui->wall_ms / 1000 - (days_of(y, mo, d) * 86400 + h * 3600 + mi * 60 + s);
	snprintf(out, 16, "now");
	for (size_t i = 0; i < 4; i++)
		if (ago >= units[i].s) {
			int64_t n = ago / units[i].s;

			/* Of a clock that is off: long ago is said, not how long. */
			snprintf(out, 16, "%u%s", (unsigned)(n < 9999 ? n : 9999), units[i].unit);
			return;
		}
}
