/* What the tags of entries mean here. */
#ifndef ASNAP_SYMBOLS_ENTRY_KINDS_H
#define ASNAP_SYMBOLS_ENTRY_KINDS_H

#include "dwarf_access.h"

/* The kind of an entry with this tag (DW_TAG_...). */
enum asnap_entry_kind asnap_entry_kind_of(uint16_t tag);

#endif
