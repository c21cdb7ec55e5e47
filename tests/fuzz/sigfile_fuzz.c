/* Any octets as a file of signatures: opened, looked into, written to, made smaller. */
// link: appliance/signer/sigfile.c appliance/signer/sigframe.c appliance/signer/rrsig.c appliance/signer/keys.c
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "appliance/signer/sigfile.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t apex[] = "\1a\2ex";
	const struct rrset set = { .owner = apex, .owner_len = sizeof apex, .type = 1, .ttl = 1 };
	const struct zone_key key = { .flags = KEY_ZSK, .algorithm = 13, .tag = 1 };
	const int fd[2] = { memfd_create("a", 0), memfd_create("b", 0) };
	uint8_t print[RRSIG_PRINT] = { 0 }, rdata[RRSIG_MAX] = { 0, 1, 13 };
	struct sigfile *s;
	struct sigzone *z;

	if (pwrite(fd[0], data, size, 0) != (ssize_t)size)
		return 0;
	s = sigfile_open(fd);
	z = sigzone_open(s, apex);
	(void)sigzone_find(z, &set, print, &key, rdata);
	sigzone_note(z, print, rdata, RRSIG_HEAD + sizeof apex + RRSIG_SIG_LEN);
	sigzone_keep(z);
	sigzone_close(&z);
	z = sigzone_open(s, apex);
	(void)sigzone_find(z, &set, print, &key, rdata);
	(void)sigfile_step(s, 0, UINT64_MAX);
	sigfile_wipe(s, apex);
	sigzone_close(&z);
	sigfile_close(&s);
	return 0;
}
