/* backupkeys - what --passphrase-file brings to a backup and to a restore.
 *
 * The passphrase ends here: an appliance gets the public half of the key that scrypt makes of it, or the fleet
 * keys sealed to its own key (ipc/passkey.h). */
#ifndef NS_CLI_BACKUPKEYS_H
#define NS_CLI_BACKUPKEYS_H

#include <stdbool.h>

#include "console/cli/cli.h"
#include "ipc/base/wbuf.h"
#include "ipc/passkey.h"

struct backup_keys {
	bool		 wanted;	/* the option was given */
	const char	*file;
	char		 text[PASSKEY_MAX + 2];
	size_t		 len;
	struct passkey	 key;
	uint8_t		 salt[PASSKEY_SALT];
	Ns__FleetKeys	 how;		/* backup: costs and salt */
	struct wbuf	 sealed;	/* restore: to the appliance's key */
};

/* Each: an exit code; what failed is said. */
int	 backup_keys_read(struct cli *, struct backup_keys *);
int	 backup_keys_make(struct cli *, struct backup_keys *);
/* NULL: does it open?  Otherwise sealed to that key of KEYBLOB_KEY octets. */
int	 backup_keys_open(struct cli *, struct backup_keys *, const Ns__BackupInfo *, const ProtobufCBinaryData *to);
void	 backup_keys_wipe(struct backup_keys *);

#endif
