/* Reading debug information in a process of its own: libdwarf was not made for files that
 * mean harm, and the debugger must outlive them. */
#ifndef ASNAP_SYMBOLS_NAMING_APART_H
#define ASNAP_SYMBOLS_NAMING_APART_H

#include "dwarf_naming.h"

/* As asnap_dwarf_name_file, in a child of this process, which is gone afterwards. Where the
 * file ends that, what it had named until then stays named, and `problem` tells. Without a
 * child (no memory, no processes) the file is read in this process. */
struct asnap_error *asnap_dwarf_name_apart(const struct asnap_dwarf_source *source,
                                           struct asnap_frame_store *store,
                                           struct asnap_naming *namings, size_t count,
                                           struct asnap_naming_progress *progress,
                                           struct asnap_error **problem);

/* What a child tells (naming_messages.h), until it ends: `fd` is read to the end, or to the
 * first message that makes no sense; then all addresses count as done. `*is_whole` becomes
 * whether it said that it was at its end. */
struct asnap_error *asnap_naming_hear(int fd, struct asnap_frame_store *store,
                                      struct asnap_naming *namings, size_t count,
                                      struct asnap_naming_progress *progress,
                                      struct asnap_error **problem, bool *is_whole);

#endif
