/* source - from where somebody reached an appliance, as a text: an address, "local", or "" where nobody did.
 *
 * What others say of it is hostile: an address that inet_pton(3) reads, in the form that inet_ntop(3) writes. */
#ifndef NS_BASE_SOURCE_H
#define NS_BASE_SOURCE_H

#include <stdbool.h>

#define SOURCE_LEN   48 /* room for any, its 0 included */
#define SOURCE_LOCAL "local"

/* The first word of SSH_CONNECTION ("192.0.2.7 50312 192.0.2.1 22"), or an address alone; a scope (%eth0) is left
 * out.  false, and "": it is none. */
bool	 source_read(const char *text, char out[SOURCE_LEN]) __attribute__((nonnull));
/* What another appliance or a client says: one of the three forms, else "". */
void	 source_take(const char *text, char out[SOURCE_LEN]) __attribute__((nonnull));
/* Of the session that this process belongs to, as sshd says in its environment; "": it is none of sshd's. */
void	 source_session(char out[SOURCE_LEN]) __attribute__((nonnull));
/* The network alone, as who may not see it whole sees it: /24, /48.  Within one buffer too. */
void	 source_cut(const char *source, char out[SOURCE_LEN]) __attribute__((nonnull));

#endif
