/* sources.c - see sources.h. */
#include "appliance/signer/sources.h"

#include "appliance/signer/sigfile.h"

void
sources_open(struct sources *from, struct compiler *c, const struct compile_zone *z)
{
	*from = (struct sources){ .compiler = c, .view = compiler_view(c) };
	from->cold = !signed_open(&from->image, &from->view, z->old) ||
		     (from->image.ref.image->flags & IMAGE_HERE) == 0;
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
had_emissions(void *arg, const uint8_t *owner, struct rrset *out)
{
	struct sources *from = arg;

	if (!from->cold)
		signed_emissions(&from->image, owner, out);
}

struct zonesign
sources_how(struct sources *from, const struct compile_zone *z)
{
	return (struct zonesign){ .apex = z->apex,
		.keys = z->keys,
		.now = z->now,
		.signer = from->compiler->signer,
		.have = have,
		.made = made,
		.had_emissions = had_emissions,
		.board = z->board,
		.arg = from };
}
