/* fuzz - what every target has: the function that libFuzzer calls with any octets, and a check that is never
 * compiled out.  A failure ends the process where it stands, which libFuzzer reports with its input. */
#ifndef NS_TESTS_FUZZ_FUZZ_H
#define NS_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define CHECK(x)                 \
	do {                     \
		if (!(x))        \
			abort(); \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
