/* Naming program counters, inside the core. */
#ifndef ASNAP_SYMBOLS_SYMBOLIZER_H
#define ASNAP_SYMBOLS_SYMBOLIZER_H

#include "allocsnap.h"

/* Problems met with the files of the addresses named since the regions were last
 * set, a line each, for the notes of a snapshot ("libx.so: damaged debug
 * information: ..."). They live until the next call with the symbolizer. */
size_t asnap_symbolizer_note_count(const struct asnap_symbolizer *symbolizer);
const char *asnap_symbolizer_note(const struct asnap_symbolizer *symbolizer, size_t index);

/* What is mapped where the call before `return_address` lies; the path lives as long
 * as the symbolizer. `build_id` gets room for the text that mapping->build_id then
 * points to. false: nothing is known to be. */
#define ASNAP_BUILD_ID_TEXT 129
bool asnap_symbolizer_mapping(const struct asnap_symbolizer *symbolizer, uint64_t return_address,
                              char build_id[ASNAP_BUILD_ID_TEXT], struct asnap_mapping *mapping);

#endif
