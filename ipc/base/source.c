/* source - see source.h. */
#include "ipc/base/source.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CUT_V4 3 /* octets that are left */
#define CUT_V6 6

struct address {
	int family; /* 0: it is none */
	uint8_t octets[16];
};

static struct address
address_of(const char *text, size_t len)
{
	struct address a = { .family = 0 };
	char word[SOURCE_LEN];

	if (len == 0 || len >= sizeof word)
		return a;
	memcpy(word, text, len);
	word[len] = '\0';
	if (inet_pton(AF_INET, word, a.octets) == 1)
		a.family = AF_INET;
	else if (inet_pton(AF_INET6, word, a.octets) == 1)
		a.family = AF_INET6;
	return a;
}

bool
source_read(const char *text, char out[SOURCE_LEN])
{
	struct address a = address_of(text, strcspn(text, " %"));

	out[0] = '\0';
	return a.family != 0 && inet_ntop(a.family, a.octets, out, SOURCE_LEN) != NULL;
}

void
source_take(const char *text, char out[SOURCE_LEN])
{
	if (strcmp(text, SOURCE_LOCAL) == 0)
		memcpy(out, SOURCE_LOCAL, sizeof SOURCE_LOCAL);
	else if (strpbrk(text, " %") != NULL)
		out[0] = '\0';
	else
		(void)source_read(text, out);
}

void
source_session(char out[SOURCE_LEN])
{
	const char *said = getenv("SSH_CONNECTION");

	(void)source_read(said != NULL ? said : "", out);
}

void
source_cut(const char *source, char out[SOURCE_LEN])
{
	struct address a = address_of(source, strlen(source));
	size_t left = a.family == AF_INET ? CUT_V4 : CUT_V6;
	char text[INET6_ADDRSTRLEN];

	if (a.family == 0) {
		memmove(out, source, strnlen(source, SOURCE_LEN - 1) + 1);
		out[SOURCE_LEN - 1] = '\0';
		return;
	}
	memset(a.octets + left, 0, sizeof a.octets - left);
	(void)inet_ntop(a.family, a.octets, text, sizeof text);
	snprintf(out, SOURCE_LEN, "%.40s/%s", text, a.family == AF_INET ? "24" : "48");
}
