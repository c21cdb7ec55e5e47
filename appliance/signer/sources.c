/* sources.c - see sources.h. */
#include "appliance/signer/sources.h"

#include "appliance/signer/aliassets.h"
#include "appliance/signer/sigfile.h"

static void
open_image(struct sources *from)
{
	from->view = compiler_view(from->compiler);
	from->cold = !signed_open(&from->image, &from->view, from->how->old) || from->how->anew ||
		     (from->image.ref.image->flags & IMAGE_HERE) == 0;
}

void
sources_open(struct sources *from, struct compiler *c, const struct compile_zone *z)
{
	*from = (struct sources){ .compiler = c, .how = z };
	open_image(from);
	if (c->file != NULL && z->anew)
		sigfile_wipe(c->file, z->apex);
	if (c->file != NULL)
		from->zone = sigzone_open(c->file, z->apex);
}

void
sources_close(struct sources *from)
{
	signed_close(&from->image);
	sigzone_close(&from->zone);
}

void
sources_moved(struct sources *from)
{
	signed_close(&from->image);
	open_image(from);
}

void
sources_keep(struct sources *from)
{
	if (from->zone != NULL)
		sigzone_keep(from->zone);
}

static size_t
have(void *arg, const struct rrset *set, const struct zone_key *key, uint8_t out[RRSIG_MAX])
{
	struct sources *from = arg;
	uint8_t print[RRSIG_PRINT];

	compiler_worked(from->compiler);
	if (!from->cold)
		return signed_find(&from->image, set, key, out);
	if (from->zone == NULL)
		return 0;
	rrsigner_print(from->compiler->signer, set, print);
	return sigzone_find(from->zone, set, print, key, out);
}

static void
made(void *arg, const struct rrset *set, const uint8_t *rdata, size_t len)
{
	struct sources *from = arg;
	uint8_t print[RRSIG_PRINT];

	if (from->zone == NULL)
		return;
	rrsigner_print(from->compiler->signer, set, print);
	sigzone_note(from->zone, print, rdata, len);
}

static void
had_emissions(void *arg, const uint8_t *owner, uint16_t covers, struct rrset *out)
{
	struct sources *from = arg;

	if (!from->cold)
		signed_emissions(&from->image, owner, covers, out);
}

static struct alias_sets *
aliases(void *arg, const uint8_t *owner, const uint8_t *target)
{
	struct sources *from = arg;
	const struct compile_zone *z = from->how;
	struct alias_sets *sets;
	struct map_view staged;
	const struct alias_view view = { .map = &staged,
		.board = z->board,
		.account = z->account,
		.apex = z->apex,
		.book = z->book,
		.check = z->check,
		.arg = z->arg };

	writer_staged(from->compiler->w, &staged);
	sets = alias_sets_of(&view, target);
	if (sets->cut && z->cut != NULL)
		z->cut(z->arg, z->apex, owner);
	return sets;
}

struct zonesign
sources_how(struct sources *from, const struct compile_zone *z)
{
	if (z->book != NULL && z->cut != NULL)
		z->cut(z->arg, z->apex, NULL);
	return (struct zonesign){ .apex = z->apex,
		.keys = z->keys,
		.now = z->now,
		.signer = from->compiler->signer,
		.have = have,
		.made = made,
		.had_emissions = had_emissions,
		.aliases = z->book != NULL ? aliases : NULL,
		.board = z->board,
		.arg = from };
}
