/* sign_zone - a master file signed with keys made on the spot, for ldns-verify-zone and its like.
 *
 *     sign_zone ORIGIN FILE ALGORITHM nsec|nsec3|optout [UNIX-TIME|checked]
 *     sign_zone - FOLDER ALGORITHM nsec|nsec3|optout [UNIX-TIME|checked]
 *
 * The signed zone on stdout, of a folder (each file is the zone of its name) none; "made N kept N ms N" on stderr: of
 * the processor, keys and reading not counted.  `checked`: with what is verified before such a zone is served. */
// link: appliance/signer/keys.c appliance/signer/rrsig.c appliance/signer/apexset.c appliance/signer/sheet.c appliance/signer/typemap.c appliance/signer/signowner.c appliance/signer/emissions.c appliance/signer/aliassign.c appliance/signer/aliassets.c appliance/signer/aliasbook.c appliance/signer/names.c appliance/signer/zonesign.c appliance/signer/hashsort.c appliance/signer/signcheck.c appliance/signer/sidecheck.c appliance/signer/signtables.c
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "appliance/dns/zonetext.h"
#include "appliance/signer/signcheck.h"
#include "tests/lib/keykit.h"
#include "tests/lib/zonekit.h"

static void
print(const struct wbuf *signed_zone)
{
	struct zwire_iter it = zwire_iter(signed_zone->base, signed_zone->len);
	struct wbuf text = wbuf_grow(SIZE_MAX / 2);
	struct rrset set;

	while (zwire_next(&it, &set))
		rrset_to_text(&set, &text);
	if (!rbuf_ok(&it.r))
		fprintf(stderr, "what was signed breaks its form\n");
	(void)!fwrite(text.base, 1, text.len, stdout);
	wbuf_free(&text);
}

/* What is asked for, and what was done in all. */
struct work {
	enum key_algorithm algorithm;
	enum zone_denial denial;
	uint32_t now;
	struct rrsigner *signer;
	struct zonesign_done done;
	bool checked;
	uint64_t fresh, seen; /* signcheck.h */
	clock_t used;
};

/* As the signer judges it, which has the public half of a KSK alone. */
static enum ns_err
check(struct work *w, const uint8_t *apex, struct zone_keys *keys, const struct wbuf *out,
    struct ns_why *why)
{
	struct signcheck c = { .apex = apex,
		.keys = keys,
		.now = w->now,
		.signer = w->signer,
		.fresh = w->fresh,
		.seen = w->seen };
	enum ns_err err;

	EVP_PKEY_free(keys->key[0].pkey);
	keys->key[0].pkey = NULL;
	err = signcheck_zone(&c, out->base, out->len, why);
	w->fresh = c.fresh;
	w->seen = c.seen;
	return err;
}

static bool
sign(struct work *w, const char *origin, const char *path, struct wbuf *out)
{
	struct wbuf text = zonekit_read(path);
	struct wbuf content = zonekit_zwire(origin, (const char *)text.base, text.len);
	uint8_t apex[NAME_MAX_WIRE];
	struct zonesign_done done;
	struct ns_why why = { 0 };
	struct zone_keys *keys;
	struct zonesign z;
	clock_t t0;
	bool good;

	zonekit_name(origin, apex);
	keys = keykit_new(apex, w->algorithm, w->denial, w->now);
	z = (struct zonesign){ .apex = apex, .now = w->now, .signer = w->signer, .keys = keys };
	t0 = clock();
	good = zonesign_all(&z, content.base, content.len, out, &done, &why) == NS_OK;
	if (good && w->checked)
		good = check(w, apex, keys, out, &why) == NS_OK;
	w->used += clock() - t0;
	if (!good)
		fprintf(stderr, "%s: %s\n", origin, why.text);
	w->done.made += good ? done.made : 0;
	w->done.kept += good ? done.kept : 0;
	wbuf_free(&content);
	wbuf_free(&text);
	zone_keys_unref(&keys);
	return good;
}

static bool
sign_folder(struct work *w, const char *path, struct wbuf *out)
{
	DIR *dir = opendir(path);
	struct dirent *e;
	bool good = dir != NULL;

	while (good && (e = readdir(dir)) != NULL) {
		char origin[NAME_MAX_TEXT + 2], file[PATH_MAX];

		if (e->d_name[0] == '.')
			continue;
		snprintf(origin, sizeof origin, "%s.", e->d_name);
		snprintf(file, sizeof file, "%s/%s", path, e->d_name);
		out->len = 0;
		good = sign(w, origin, file, out);
	}
	if (dir != NULL)
		closedir(dir);
	return good;
}

int
main(int argc, char **argv)
{
	static const char *const denials[] = { "nsec", "nsec3", "optout" };
	struct wbuf out = wbuf_grow(SIZE_MAX / 2);
	unsigned denial = 0;
	struct work w;
	bool folder, good;

	if (argc < 5)
		return 2;
	while (denial < 2 && strcmp(argv[4], denials[denial]) != 0)
		denial++;
	w = (struct work){ .algorithm = strcmp(argv[3], "15") == 0 ? KEY_ED25519 : KEY_P256,
		.denial = (enum zone_denial)denial,
		.now = (uint32_t)time(NULL),
		.checked = argc > 5 && strcmp(argv[5], "checked") == 0,
		.signer = rrsigner_new() };
	if (argc > 5 && !w.checked)
		w.now = (uint32_t)strtoul(argv[5], NULL, 10);
	folder = strcmp(argv[1], "-") == 0;
	good = folder ? sign_folder(&w, argv[2], &out) : sign(&w, argv[1], argv[2], &out);
	fprintf(stderr, "made %llu kept %llu ms %.1f\n", (unsigned long long)w.done.made,
	    (unsigned long long)w.done.kept, (double)w.used * 1e3 / CLOCKS_PER_SEC);
	if (good && !folder)
		print(&out);
	wbuf_free(&out);
	rrsigner_destroy(&w.signer);
	return !good;
}
