/* uisession.c - see uisession.h. */
#include "tests/lib/fake/uisession.h"

#include <ftw.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ipc/client/draft.h"
#include "tests/lib/fake/uiclient.h"

#define KEY_MS 200u /* longer than a dialog is deaf */

static char state_dir[64];
static unsigned turns; /* keys of this session */

static int
drop_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st, (void)kind, (void)at;
	return remove(path);
}

static void
drop_state(void)
{
	(void)nftw(state_dir, drop_one, 8, FTW_DEPTH | FTW_PHYS);
}

void
uisession_begin(void)
{
	setlocale(LC_ALL, "C.UTF-8");
	snprintf(state_dir, sizeof state_dir, "%s/ns-ui-XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (mkdtemp(state_dir) == NULL || setenv("XDG_STATE_HOME", state_dir, 1) != 0)
		exit(1);
	atexit(drop_state);
}

/* Drafts of a program that has begun lie in memory, and none is left for the next session. */
static void
forget_drafts(void)
{
	struct ns_why why = { 0 };
	struct ns_drafts *d = ns_drafts_open(NULL, "fra1-a", &why);

	if (d == NULL || ns_drafts_lock(d, 1000, &why) != NS_OK)
		exit(1);
	(void)!ns_draft_drop(d, "shop-000.example.", &why);
	ns_drafts_close(&d);
}

/* What the session before left for the next one. */
static void
forget_memory(void)
{
	char path[128];

	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof path, "%s/nameserve/%s", state_dir,
		    i == 0 ? "console" : "profiles");
		(void)nftw(path, drop_one, 8, FTW_DEPTH | FTW_PHYS);
	}
}

/* A clock that goes on by something else with each look: what is measured by it is not all the same. */
static uint64_t
ticking(void)
{
	static uint64_t ns, looks;

	return ns += UINT64_C(310000) << ++looks * 5 % 8;
}

static struct ui *
begin(int w, int h, enum glyph_set glyphs)
{
	struct ui *ui = ui_new(NULL, w, h, glyphs);

	if (ui == NULL)
		exit(1);
	turns = 0;
	ui->clock_ns = ticking;
	ui_now(ui, UISESSION_MONO_MS, UISESSION_WALL_MS);
	ui_main(ui, &screen_overview);
	return ui;
}

void
uisession_ticks(struct ui *ui, unsigned ticks)
{
	for (unsigned i = 0; i < ticks; i++) {
		ui_now(ui, UISESSION_MONO_MS + 1000 * i, UISESSION_WALL_MS);
		ui_tick(ui);
		uiclient_answer();
	}
}

struct ui *
uisession_open(int w, int h, enum glyph_set glyphs, const char *role, unsigned ticks)
{
	struct ui *ui;

	forget_drafts();
	forget_memory();
	uiclient_reset();
	uiclient.role = role;
	ui = begin(w, h, glyphs);
	uisession_ticks(ui, ticks);
	return ui;
}

struct ui *
uisession_next(struct ui **before, int w, int h, enum glyph_set glyphs)
{
	const char *role = uiclient.role;

	ui_memory_save(*before);
	ui_destroy(before);
	uiclient_reset();
	uiclient.role = role;
	return begin(w, h, glyphs);
}

void
uisession_pass(struct ui *ui, unsigned ms)
{
	ui_now(ui, ui->mono_ms + ms, ui->wall_ms);
}

void
uisession_key(struct ui *ui, uint32_t key)
{
	uisession_pass(ui, KEY_MS * ++turns);
	if (key != '\v')
		ui_key(ui, key);
	else
		ui_tick(ui);
	uiclient_answer();
}

void
uisession_keys(struct ui *ui, const char *keys)
{
	for (; *keys != '\0'; keys++)
		uisession_key(ui, (unsigned char)*keys);
}

void
uisession_draw(struct ui *ui)
{
	surface_clear(ui->surface);
	ui_follow(ui);
	ui_draw(ui, ui->surface);
}
