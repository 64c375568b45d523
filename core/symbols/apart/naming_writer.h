/* The process that reads debug information for another, and writes what it finds to it
 * (naming_messages.h). */
#ifndef ASNAP_SYMBOLS_NAMING_WRITER_H
#define ASNAP_SYMBOLS_NAMING_WRITER_H

#include "dwarf_naming.h"

struct asnap_naming_writer;

/* In a process just forked with all signals blocked: what is written goes to `fd`. */
struct asnap_naming_writer *asnap_naming_writer_begin(int fd);

/* Names addresses as asnap_dwarf_name_file does, and writes them. Ends the process where the reader
 * of `fd` is gone, or for want of memory. */
void asnap_naming_writer_write(struct asnap_naming_writer *writer, uint64_t module,
                               const struct asnap_dwarf_source *source,
                               struct asnap_frame_store *store, struct asnap_naming *namings,
                               size_t count);

#endif
