/* sql - column lists that several statements share, in the order zone_row() and change_row() read. */
#ifndef NS_STORE_SQL_H
#define NS_STORE_SQL_H

#define ZONE_COLUMNS                                                                               \
	"id, key, version, serial, records, rrsets, bytes, account, external, changed_ms"
#define CHANGE_REST                                                                                \
	"term, at_ms, author, via, kind, comment, added, removed, zone_count, prev, hash"
#define CHANGE_COLUMNS	"revision, " CHANGE_REST
#define CHANGE_NCOLUMNS 12

#endif
