/* zonekit - zones from master files or text in a map of one's own, and questions to them: for tests of
 * images and of serve/. */
#ifndef NS_TESTS_LIB_ZONEKIT_H
#define NS_TESTS_LIB_ZONEKIT_H

#include "appliance/serve/serve.h"
#include "appliance/zonemap/image.h"
#include "appliance/zonemap/map.h"
#include "appliance/zonemap/writer.h"
#include "ipc/base/wbuf.h"

struct zonekit {
	int			 fd;
	struct worker_page	*page;
	struct writer		*w;
	uint64_t		 revision;
	struct map_view		 view;		/* entered while `inside` */
	bool			 inside;
	struct serve_conf	 conf;
};

void	 zonekit_init(struct zonekit *, uint64_t limit);
void	 zonekit_fini(struct zonekit *);

/* Wire form of an absolute name in text; aborts when it is none. */
const uint8_t	*zonekit_name(const char *text, uint8_t out[255]);
/* A master file's text as zwire; aborts when it is wrong. */
struct wbuf	 zonekit_zwire(const char *origin, const char *text, size_t len);
struct wbuf	 zonekit_read(const char *path);		/* a whole file */
/* Compile and put; not yet published. */
map_off	 zonekit_put(struct zonekit *, const char *origin, const void *zwire, size_t len,
	    uint32_t account);
void	 zonekit_add(struct zonekit *, const char *origin, const char *text, size_t len,
	    uint32_t account);
void	 zonekit_publish(struct zonekit *);		/* and read from it from now on */

/* A question as a packet; flags: letters of "erdcts": EDNS, RD, DO, CD, over TCP, small (512). */
size_t	 zonekit_question(const char *name, uint16_t type, const char *flags, uint8_t out[512]);
/* Its answer in out (65,535 octets); the length, 0: dropped. */
size_t	 zonekit_ask(struct zonekit *, const uint8_t *pkt, size_t len, bool tcp, uint8_t *out);
/* The reply as text by ldns, one record a line, sections in order, sets sorted; NULL: not a message.
 * Caller frees. */
char	*zonekit_text(const uint8_t *reply, size_t len);

#endif
