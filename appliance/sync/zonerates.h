/* zonerates - how many queries a second each zone gets here: answer counts them, and is asked when somebody looks.
 *
 * A table of one moment, made in the loop, read by reader threads, gone with the last that holds it. */
#ifndef NS_SYNC_ZONERATES_H
#define NS_SYNC_ZONERATES_H

#include "appliance/sync/request.h"
#include "appliance/sync/sync.h"

struct zone_rates;

/* ---- loop ---- */
struct zonerates *zonerates_new(void);
void	 zonerates_destroy(struct zonerates **);
/* zone.list: to a reader, with a table of about now where it asks for one and answer is there. */
void	 zone_list_request(struct sync *, struct request *);
void	 zonerates_came(struct sync *, const Ns__ZoneRates *);
void	 zonerates_tick(struct sync *, uint64_t now_ns);

/* ---- any thread ---- */
#define ZONE_PAST 10u /* minutes */
struct zone_rate {
	double qps, nx_percent; /* NAN: not known */
	const float *past; /* ZONE_PAST of them, as in ZoneInfo; NULL: not kept.  As long as the table */
};
/* Of a wire name in lower case; nothing is known with rates NULL. */
struct zone_rate zone_rate(const struct zone_rates *, const uint8_t *name, size_t len);

#endif
