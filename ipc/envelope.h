/* envelope - from bytes to Ns__Envelope and back to the refusal it may carry.
 *
 * Pure; any process, any thread.  protobuf-c checks neither UTF-8 nor embedded NULs nor how much
 * memory a small message asks for; this does, before anything is allocated. */
#ifndef NS_IPC_ENVELOPE_H
#define NS_IPC_ENVELOPE_H

#include <stddef.h>
#include <stdint.h>

#include "ipc/base/err.h"
#include "ipc/nameserve.pb-c.h"

#define NS_ENVELOPE_MEMORY (64u << 20) /* what one message may allocate when it is unpacked */
#define NS_ENVELOPE_DEPTH  16u /* nesting; ours is 4 deep */

/* Codes of ns_why that this folder gives; the rest of 10xx belongs to sync. */
enum {
	NS_CODE_HELLO_FIRST = 1001, /* the connection has not said hello */
	NS_CODE_NO_APPLIANCE = 1002, /* nobody listens, or nobody may connect */
	NS_CODE_DEADLINE = 1003,
	NS_CODE_LINK_LOST = 1004,
	NS_CODE_OTHER_MAJOR = 1005,
	NS_CODE_MALFORMED = 1006, /* not sent, or not understood */
	NS_CODE_SOCKET = 1007, /* path, mode, another listener */
	NS_CODE_READ_ONLY = 4002, /* a client that asked for it */
};

/* The rules for the bytes of a message of this type; NS_OK, or NS_CORRUPT with why (may be NULL). */
enum ns_err
ns_envelope_scan(const ProtobufCMessageDescriptor *, const void *data, size_t len, struct ns_why *);
/* Scan and unpack; NULL with why.  The caller frees it with ns__envelope__free_unpacked(env, NULL). */
Ns__Envelope *ns_envelope_unpack(const void *data, size_t len, struct ns_why *);

/* A refusal as a message.  `out` points into why, whose strings are scrubbed first. */
void ns_error_from_why(Ns__Error *out, struct ns_why *);
void ns_why_from_error(struct ns_why *out, const Ns__Error *);

/* A whole copy of any message, for who keeps more of it than its callback; freed with its free_unpacked.
 * NULL: it could not be taken apart again, which only a message that nobody checked can do. */
void	*ns_message_copy(const ProtobufCMessage *);

/* The field of that name and type in the message that the envelope carries; NULL: it has none.  For the
 * few that many requests share: idempotency_key, wait_served. */
void	*ns_body_field(const Ns__Envelope *, const char *name, ProtobufCType);

#endif
