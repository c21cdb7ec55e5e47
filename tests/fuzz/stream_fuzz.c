/* What an ssh or a client writes into a proxy's stream, and the line that sshd gives to a login shell: any octets,
 * cut anywhere, give messages within the limits, or the end; words are ours alone and ended. */
// link: ipc/client/stream.c console/cli/words.c
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "console/cli/words.h"
#include "ipc/client/stream.h"
#include "ipc/envelope.h"
#include "ipc/sock.h"
#include "tests/fuzz/fuzz.h"

static void
messages(const uint8_t *data, size_t size, size_t step)
{
	struct stream s = { .greeted = (step & 1) != 0 };
	enum stream_verdict v = STREAM_NONE;
	const uint8_t *at;
	size_t n;

	for (size_t i = 0; i < size && v != STREAM_BROKEN; i += step) {
		size_t len = size - i < step ? size - i : step;

		memcpy(stream_space(&s, len), data + i, len);
		stream_grew(&s, len);
		while ((v = stream_next(&s, &at, &n)) == STREAM_MESSAGE) {
			assert(n > 0 && n <= NS_MSG_MAX && at + n <= s.base + s.len);
			Ns__Envelope *env = ns_envelope_unpack(at, n, NULL);
			if (env != NULL)
				ns__envelope__free_unpacked(env, NULL);
			stream_eat(&s, n + 4);
		}
	}
	stream_free(&s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *line = malloc(size + 1), **words;
	const char *why = NULL;
	size_t n;

	if (size > 0)
		messages(data + 1, size - 1, 1 + data[0] % 61u);
	memcpy(line, data, size);
	line[size] = '\0';
	words = words_split(line, &n, &why);
	assert((words == NULL) == (why != NULL));
	for (size_t i = 0; words != NULL && i < n; i++)
		assert(strlen(words[i]) <= size);
	free(words);
	free(line);
	return 0;
}
