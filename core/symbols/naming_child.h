/* The process that reads debug information for another. */
#ifndef ASNAP_SYMBOLS_NAMING_CHILD_H
#define ASNAP_SYMBOLS_NAMING_CHILD_H

#include "dwarf_naming.h"

/* In a process just forked: names addresses as asnap_dwarf_name_file does, writes what it
 * finds to `fd` (naming_messages.h), and ends the process. */
_Noreturn void asnap_naming_child(int fd, const struct asnap_dwarf_source *source,
                                  struct asnap_frame_store *store, struct asnap_naming *namings,
                                  size_t count);

#endif
