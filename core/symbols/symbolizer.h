/* Naming program counters, inside the core. */
#ifndef ASNAP_SYMBOLS_SYMBOLIZER_H
#define ASNAP_SYMBOLS_SYMBOLIZER_H

#include "allocsnap.h"

/* The frames that one program counter stands for, innermost (inlined) first.
 * At least one; owned by the symbolizer. */
struct asnap_named_pc {
    const struct asnap_frame *frames;
    size_t frame_count;
};

/* Names `count` return addresses, in any order, each at most once in the list.
 * names[i] belongs to return_addresses[i]; frames and strings live until the
 * symbolizer is destroyed. An address that no file explains gets one frame
 * ("<unknown>", line 0). Fails with NO_MEMORY or INTERRUPTED only; a bad file
 * costs its own names. */
struct asnap_error *asnap_symbolizer_name(struct asnap_symbolizer *symbolizer,
                                          const uint64_t *return_addresses, size_t count,
                                          const struct asnap_progress *progress,
                                          struct asnap_named_pc *names);

/* Problems met with files since the regions were last set, a line each, for the
 * notes of a snapshot ("libx.so: damaged debug information: ..."). */
size_t asnap_symbolizer_note_count(const struct asnap_symbolizer *symbolizer);
const char *asnap_symbolizer_note(const struct asnap_symbolizer *symbolizer, size_t index);

#endif
