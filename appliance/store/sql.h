/* sql - column lists that several statements share, in the order zone_row() and change_row() read. */
#ifndef NS_STORE_SQL_H
#define NS_STORE_SQL_H

#define ZONE_COLUMNS                                                                               \
	"id, key, version, serial, records, rrsets, bytes, account, external, changed_ms"
#define CHANGE_STORED                                                                              \
	"term, at_ms, author, via, kind, comment, added, removed, zone_count, prev, hash"
#define CHANGE_REST	CHANGE_STORED ", ifnull(source, ''), ifnull(appliance, '')"
#define CHANGE_COLUMNS	"revision, " CHANGE_REST
#define CHANGE_FROM	"change LEFT JOIN whence USING (revision)"
#define CHANGE_NCOLUMNS 14

#endif
