/* text - the pieces that zonetext.h is made of: for the text_*.c files of this folder alone.
 *
 * A struct text_line turns pieces of a file into logical records: one buffer without comments and
 * parentheses, in which a line break inside parentheses stays as '\n' so that every token knows its
 * line.  A struct text_cursor walks the tokens of such a buffer.  A struct text_job is the reading
 * of one rdata. */
#ifndef NS_DNS_TEXT_H
#define NS_DNS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/dns/codes.h"
#include "appliance/dns/rrtype.h"
#include "appliance/dns/zonetext.h"
#include "ipc/base/wbuf.h"

struct text_token {
	const char	*p;		/* without its quotes; escapes as they stand */
	size_t		 len;
	uint32_t	 line;
	bool		 quoted;
};

struct text_cursor {
	const char	*p, *end;
	uint32_t	 line;
};

/* The next token, false at the end.  Escapes are whole and quotes closed, or the text ends there. */
bool	 text_next(struct text_cursor *, struct text_token *);

enum text_line_state { TEXT_LINE_MORE, TEXT_LINE_READY, TEXT_LINE_BAD };
struct text_line {
	char		*buf;		/* ZONETEXT_MAX_LINE octets, the caller's */
	size_t		 len;
	uint32_t	 line, start, opened;	/* now; of the record; of its first parenthesis */
	unsigned	 depth;
	bool		 quote, comment, escape, fresh, blank;	/* blank: it began with white space */
	bool		 mark;		/* the line is TEXT_MARK and what follows it */
};

/* Comments that are none: what a policy and an ALIAS are in a master file. */
#define TEXT_MARK   ";ns-"
#define TEXT_POLICY TEXT_MARK "policy "
#define TEXT_ALIAS  TEXT_MARK "alias "
void	 text_line_init(struct text_line *, char buf[ZONETEXT_MAX_LINE]);
/* Make room for the next record; to be called after READY. */
void	 text_line_reset(struct text_line *);
/* Take octets until a record is whole; *used tells how many.  BAD fills why. */
enum text_line_state	 text_line_feed(struct text_line *, const char *text, size_t len,
			    size_t *used, struct ns_why *);
/* There is no more: READY with the last record, which may be empty. */
enum text_line_state	 text_line_end(struct text_line *, struct ns_why *);
struct text_cursor	 text_line_cursor(const struct text_line *);

/* "3600", "1h30m"; false when it is none, or over TTL_MAX. */
bool	 text_ttl(const char *text, size_t len, uint32_t *ttl);

struct text_job {
	uint16_t		 type;
	const struct rrtype	*t;		/* NULL: not in our table */
	struct text_cursor	 c;
	const uint8_t		*origin;
	bool			 strict;
	unsigned		 field;		/* that is read now */
	uint32_t		 line;		/* of the last token */
	struct wbuf		 out;
	struct ns_why		*why;
};

/* Read the whole rdata of job->type at job->c into job->out, and check it. */
enum ns_err	 text_rdata(struct text_job *);
/* The same for the types whose text is not simply their fields: ldns reads them. */
enum ns_err	 text_ldns_read(struct text_job *);
/* Their text, not ended by a NUL; false when ldns has none. */
bool		 text_ldns_print(uint16_t type, const uint8_t *rdata, size_t len, struct wbuf *);
/* Is the text of that type its fields one after the other? */
bool		 text_is_plain(uint16_t type);
/* The number of a type that ldns knows by name and we do not; 0: neither does. */
uint16_t	 text_ldns_type(const char *text, size_t len);

/* The same for IPSECKEY, whose gateway ldns neither completes nor frees. */
enum ns_err	 text_ipseckey(struct text_job *);

/* A token as one field, appended to job->out. */
enum ns_err	 text_number(struct text_job *, const struct text_token *, unsigned octets);
enum ns_err	 text_ipv4(struct text_job *, const struct text_token *);
enum ns_err	 text_ipv6(struct text_job *, const struct text_token *);
/* A token as a name; says both readings when job->strict is broken. */
enum ns_err	 text_name(struct text_job *, const struct text_token *, uint8_t out[NAME_MAX_WIRE],
		    size_t *len);
/* `field "exchange": ` and the rest, with type, field and line in why; returns NS_INVALID. */
enum ns_err	 text_refuse(struct text_job *, uint16_t code, const char *fmt, ...)
		    __attribute__((format(printf, 3, 4)));
/* For "%.*s": what of a token is shown to people. */
int		 text_shown(const struct text_token *);

#endif
