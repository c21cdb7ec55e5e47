/* vault - what opens keys, and what keeps them closed at rest and on the way.
 *
 *   KEK file ([keys] kek, a descriptor of the supervisor's) opens
 *     the appliance's X25519 key pair (<data>/signer/appliance.key), to which are sealed
 *       the fleet keys: K-zone (every appliance) and K-apex (primary and standby), which wrap
 *         ZSKs and KSKs.
 *
 * Each is a blob of ipc/keyblob.h, which opens nowhere but where it was made for.  What is open lies in OpenSSL's secure heap: locked,
 * not dumped, wiped when freed. */
#ifndef NS_SIGNER_VAULT_H
#define NS_SIGNER_VAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/base/err.h"
#include "ipc/base/wbuf.h"
#include "ipc/keyblob.h"

#define VAULT_KEY	 KEYBLOB_KEY	/* octets of the KEK, a fleet key, an X25519 key, a zone key's secret */
#define VAULT_RING_MAX	 8u		/* fleet keys in one appliance's hands */
#define VAULT_BLOB_MAX	 KEYBLOB_MAX
#define VAULT_SECURE	 (4u << 20)	/* of secure heap: some 10,000 keys open at once */

/* Of blobs, and of the fleet keys that wrap them. */
enum vault_kind { VAULT_OWN = 1, VAULT_SEALED = KEYBLOB_SEALED, VAULT_ZSK = 3, VAULT_KSK = 4 };

struct vault;

/* Once, before the sandbox; false: the memory cannot be locked (it works all the same). */
bool	 vault_secure_heap(void);
/* Reads the KEK from the descriptor and the key pair below `dir`; makes that pair at the first start.  A KEK
 * that does not open it is NS_DENIED: nothing is overwritten. */
enum ns_err	 vault_open(int kek_fd, const char *dir, struct vault **, struct ns_why *)
		    __attribute__((warn_unused_result));
void	 vault_close(struct vault **);
/* The same keys apart: what is done to one is not done to the other.  NULL: no secure memory. */
struct vault	*vault_copy(const struct vault *);
const uint8_t	*vault_public(const struct vault *);	/* VAULT_KEY octets: what others seal to */

/* ---- fleet keys ---- */
/* K-zone, and with the first of all K-apex, made here; their numbers are above `after`, that of lost ones (0: none). */
enum ns_err	 vault_make(struct vault *, uint32_t after, struct ns_why *)
		    __attribute__((warn_unused_result));
/* K-apex alone, in place of a lost one. */
enum ns_err	 vault_make_apex(struct vault *, uint32_t after, struct ns_why *)
		    __attribute__((warn_unused_result));
/* Take over what was sealed to us, instead of what we had. */
enum ns_err	 vault_take(struct vault *, const uint8_t *blob, size_t len, struct ns_why *)
		    __attribute__((warn_unused_result));
enum ns_err	 vault_seal(const struct vault *, const uint8_t public_key[VAULT_KEY], bool apex,
		    struct wbuf *blob, struct ns_why *) __attribute__((warn_unused_result));
bool	 vault_has(const struct vault *, enum vault_kind);	/* VAULT_ZSK: K-zone, VAULT_KSK: K-apex */
/* Of the newest key that wraps that kind; 0: there is none. */
uint32_t	 vault_epoch(const struct vault *, enum vault_kind);
/* Forget K-zones before that one: nothing is wrapped with them any more. */
void	 vault_forget_before(struct vault *, uint32_t epoch);

/* ---- zone keys ---- */
/* context: what the secret belongs to (zone name and DNSKEY rdata). */
enum ns_err	 vault_wrap(const struct vault *, enum vault_kind, const uint8_t secret[VAULT_KEY],
		    const void *context, size_t context_len, struct wbuf *blob, struct ns_why *)
		    __attribute__((warn_unused_result));
/* NS_DENIED: not with the keys we have.  NS_CORRUPT: not a blob, or not of this context. */
enum ns_err	 vault_unwrap(const struct vault *, enum vault_kind, const uint8_t *blob, size_t len,
		    const void *context, size_t context_len, uint8_t secret[VAULT_KEY], struct ns_why *)
		    __attribute__((warn_unused_result));
/* Which fleet key opens it; 0: not a blob. */
uint32_t	 vault_blob_epoch(const uint8_t *blob, size_t len);

#endif
