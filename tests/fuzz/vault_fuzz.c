/* vault_fuzz - octets that claim to be a sealed keyring, a wrapped key, or a zone's stored keys.  What cannot be is
 * refused; what is taken is small and consistent. */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "appliance/keys/keybody.h"
#include "appliance/signer/keystore.h"
#include "appliance/signer/keywork.h"
#include "appliance/signer/vault.h"

// link: appliance/signer/vault.c
// link: appliance/signer/keysecret.c
// link: appliance/signer/keystore.c appliance/signer/keypack.c
// link: appliance/signer/keywork.c
// link: appliance/signer/ringwork.c
// link: appliance/signer/keys.c
// link: appliance/signer/apexset.c
// link: appliance/signer/rrsig.c

static const uint8_t zone[] = "\7example\3com";
static struct vault *vault;

static void
set_up(void)
{
	static const uint8_t kek[VAULT_KEY] = { 1 };
	char dir[] = "/tmp/ns-fuzz-XXXXXX", path[64];
	struct ns_why why = { 0 };
	int fd = memfd_create("kek", 0);

	if (fd < 0 || write(fd, kek, sizeof kek) != sizeof kek || mkdtemp(dir) == NULL ||
	    vault_open(fd, dir, &vault, &why) != NS_OK || vault_make(vault, 0, &why) != NS_OK)
		abort();
	strcpy(path, dir);
	strcat(path, "/appliance.key");
	unlink(path);
	rmdir(dir);
	close(fd);
}

static void
as_blob(const uint8_t *data, size_t size)
{
	uint8_t secret[VAULT_KEY];
	struct ns_why why = { 0 };

	if (vault_unwrap(vault, VAULT_ZSK, data, size, zone, sizeof zone, secret, &why) == NS_OK ||
	    vault_take(vault, data, size, &why) == NS_OK)
		abort(); /* nobody guesses a tag */
	(void)vault_blob_epoch(data, size);
}

static void
as_keys(const uint8_t *data, size_t size)
{
	struct keystore *s = keystore_new(vault, "");
	Ns__KeyWork m = NS__KEY_WORK__INIT;
	struct zone_keys *found = NULL;
	struct ns_why why = { 0 };
	Ns__KeyWorkDone done;

	if (keystore_put(s, zone, data, size) && size > 0 &&
	    keystore_find(s, zone, &found, &why) == KEYS_FOUND) {
		(void)zone_keys_open(found, &why);
		zone_keys_unref(&found);
	}
	keystore_destroy(&s);
	m.zone = (ProtobufCBinaryData){ sizeof zone, (uint8_t *)(uintptr_t)zone };
	m.verb = size % 7;
	m.keys = (ProtobufCBinaryData){ size, (uint8_t *)(uintptr_t)data };
	m.now = 1800000000;
	if (keywork_do(vault, &m, &done, &why) == NS_OK && done.keys.len > 0) {
		Ns__ZoneKeys *z = keybody_unpack(done.keys.data, done.keys.len);

		if (z == NULL)
			abort(); /* what we write we can read */
		ns__zone_keys__free_unpacked(z, NULL);
	}
	keywork_free(&done);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (vault == NULL)
		set_up();
	as_blob(data, size);
	if (size > 0)
		as_keys(data, size);
	return 0;
}
