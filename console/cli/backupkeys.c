/* backupkeys - see backupkeys.h. */
#include "console/cli/backupkeys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>

#define CODE_FILE 9011

/* Its first line, as much of it as there is room for; -1: errno. */
static ssize_t
first_line(int fd, char *out, size_t room)
{
	size_t have = 0;
	char *end = NULL;

	while (have < room && end == NULL) {
		ssize_t n = read(fd, out + have, room - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		end = memchr(out + have, '\n', (size_t)n);
		have += (size_t)n;
	}
	have = end != NULL ? (size_t)(end - out) : have;
	return (ssize_t)(have > 0 && out[have - 1] == '\r' ? have - 1 : have);
}

int
backup_keys_read(struct cli *cli, struct backup_keys *k)
{
	struct ns_why why = { 0 };
	struct stat st;
	ssize_t n;
	int fd;

	*k = (struct backup_keys){ .file = cli->opt[OPT_PASSPHRASE] };
	k->wanted = k->file != NULL;
	if (!k->wanted)
		return CLI_OK;
	fd = open(k->file, O_RDONLY | O_CLOEXEC);
	n = fd >= 0 ? first_line(fd, k->text, sizeof k->text) : -1;
	if (n < 0)
		(void)ns_fail(&why, NS_FAILED, CODE_FILE, "%.200s: cannot be read: %s", k->file,
		    strerror(errno));
	else if (n == 0 || n > (ssize_t)PASSKEY_MAX)
		(void)ns_fail(&why, NS_INVALID, CODE_FILE,
		    "%.200s: its first line is the passphrase: 1 to %u octets", k->file,
		    PASSKEY_MAX);
	else if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 077) != 0)
		fprintf(stderr, "nameserve: %s: others can read the passphrase (mode %04o)\n",
		    k->file, (unsigned)st.st_mode & 07777);
	if (fd >= 0)
		close(fd);
	k->len = n > 0 ? (size_t)n : 0;
	return why.err == NS_OK ? CLI_OK : cli_error(cli, &why);
}

int
backup_keys_make(struct cli *cli, struct backup_keys *k)
{
	struct ns_why why = { 0 };
	enum ns_err err = passkey_begin(&k->how, k->salt, &why);

	if (err == NS_OK)
		err = passkey_derive(&k->how, k->text, k->len, &k->key, &why);
	return err == NS_OK ? CLI_OK : cli_error(cli, &why);
}

int
backup_keys_open(struct cli *cli, struct backup_keys *k, const Ns__BackupInfo *info,
    const ProtobufCBinaryData *to)
{
	struct ns_why why = { 0 };
	enum ns_err err;

	if (!info->keys || info->fleet_keys == NULL)
		err = ns_fail(&why, NS_INVALID, PASSKEY_CODE,
		    "the backup holds no private DNSSEC keys: it was made without "
		    "--passphrase-file, so it is restored without");
	else if (to != NULL && to->len != KEYBLOB_KEY)
		err = ns_fail(
		    &why, NS_FAILED, PASSKEY_CODE, "the appliance has no key to seal keys to");
	else
		err = passkey_derive(info->fleet_keys, k->text, k->len, &k->key, &why);
	if (err == NS_OK) {
		wbuf_free(&k->sealed);
		k->sealed = wbuf_grow(KEYBLOB_MAX);
		err = passkey_reseal(&k->key, info->fleet_keys,
		    to != NULL ? to->data : k->key.public_key, &k->sealed, &why);
	}
	return err == NS_OK ? CLI_OK : cli_error(cli, &why);
}

void
backup_keys_wipe(struct backup_keys *k)
{
	wbuf_free(&k->sealed);
	OPENSSL_cleanse(k, sizeof *k);
}
