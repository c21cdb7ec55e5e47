/* json - any protobuf message as JSON, from its descriptor: field names, enums as lower-case names,
 * bytes as base64, empty repeated fields as [], absent submessages left out, 64-bit numbers as
 * numbers.  `schema` goes first as "schema":"ns.zone.list/1" when not NULL. */
#ifndef NS_IPC_JSON_H
#define NS_IPC_JSON_H

#include <jansson.h>
#include <protobuf-c/protobuf-c.h>

json_t *ns_json_from(const ProtobufCMessage *, const char *schema); /* new reference */

#endif
