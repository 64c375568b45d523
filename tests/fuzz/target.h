/* What a fuzz target gives, to the driver here or to clang's libFuzzer. */
#ifndef ASNAP_FUZZ_TARGET_H
#define ASNAP_FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>

/* Does with an input what is fuzzed, and aborts where a promise is broken. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* How many inputs were good ones so far: a fuzzer that accepts nothing tests little. */
extern size_t fuzz_accepted;

#endif
