/* Type units in a file of split debug information. */
#ifndef ASNAP_SYMBOLS_SPLIT_TYPES_H
#define ASNAP_SYMBOLS_SPLIT_TYPES_H

#include "elf_file.h"

/* gcc puts each type unit (DWARF 5, section 3.1.4) of a .dwo in a section of its own, all of
 * the same name, which libdwarf does not read. Names do not depend on types: where the file
 * has several such sections, `elf` becomes a copy in memory without them. */
struct asnap_error *asnap_split_types_drop(struct asnap_elf **elf);

#endif
