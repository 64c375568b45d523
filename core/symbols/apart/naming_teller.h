/* The process that reads debug information for another, and tells it what it finds
 * (naming_messages.h). */
#ifndef ASNAP_SYMBOLS_NAMING_TELLER_H
#define ASNAP_SYMBOLS_NAMING_TELLER_H

#include "dwarf_naming.h"

struct asnap_teller;

/* In a process just forked with all signals blocked: what is told goes to `fd`. */
struct asnap_teller *asnap_teller_begin(int fd);

/* Names addresses as asnap_dwarf_name_file does, and tells. Ends the process where the reader
 * of `fd` is gone, or for want of memory. */
void asnap_teller_tell(struct asnap_teller *teller, uint64_t module,
                       const struct asnap_dwarf_source *source, struct asnap_frame_store *store,
                       struct asnap_naming *namings, size_t count);

#endif
