/* target - which addresses a stranger's data may make us talk to.
 *
 * What a zone's owner or a foreign name server names is refused when it lies in our own networks:
 * nobody shall scan what only we can reach, or have us talk to ourselves.  `[probe] allow` opens
 * networks again.  The resolver of the configuration is not a stranger's and is not asked about.
 * Pure. */
#ifndef NS_PROBE_TARGET_H
#define NS_PROBE_TARGET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define TARGET_TEXT (INET6_ADDRSTRLEN + 8)

struct target {
	struct sockaddr_storage	 sa;
	socklen_t		 len;
};

/* An address of 4 or 16 octets; false when it is neither. */
bool	 target_from_octets(struct target *, const uint8_t *, size_t, uint16_t port);
/* ADDRESS@PORT, as the configuration has it. */
bool	 target_from_text(struct target *, const char *);
/* The address alone, or ADDRESS@PORT when the port is not 53. */
char	*target_to_text(const struct target *, char out[TARGET_TEXT]);

struct target_net {
	uint8_t	 address[16];	/* IPv4 as ::ffff:a.b.c.d */
	unsigned bits;		/* of 128 */
};
struct target_rules {
	struct target_net *allow;
	size_t	 n;
};
/* From ADDRESS/LENGTH texts that the configuration has checked. */
void	 target_rules_read(struct target_rules *, char *const *texts, size_t n);
void	 target_rules_free(struct target_rules *);
/* NULL: we may.  Else what kind of address it is, for people. */
const char	*target_refused(const struct target_rules *, const struct target *);

#endif
