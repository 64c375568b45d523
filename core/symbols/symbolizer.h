/* Naming program counters, inside the core. */
#ifndef ASNAP_SYMBOLS_SYMBOLIZER_H
#define ASNAP_SYMBOLS_SYMBOLIZER_H

#include "allocsnap.h"

/* Problems met with the files of the addresses named since the regions were last
 * set, a line each, for the notes of a snapshot ("libx.so: damaged debug
 * information: ..."). They live until the next call with the symbolizer. */
size_t asnap_symbolizer_note_count(const struct asnap_symbolizer *symbolizer);
const char *asnap_symbolizer_note(const struct asnap_symbolizer *symbolizer, size_t index);

#endif
