/* The words of a loaded file that the dynamic linker has filled in with addresses of functions. */
#ifndef ASNAP_HOOKS_RELOCATIONS_H
#define ASNAP_HOOKS_RELOCATIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "file_symbols.h"

/* Whether to go on. `place`: the address of the word, which holds `value`; `name` is that of its
 * symbol. */
typedef bool asnap_relocation_seen(void *context, uint64_t place, uint64_t value, const char *name);

/* Which values are of interest. */
typedef bool asnap_relocation_wanted(void *context, uint64_t value);

/* Calls `seen` for each word of a file that is there for a symbol (the global offset table, that of
 * the procedure linkage table, and words of data), as long as that returns true, where the word
 * holds a value that is wanted. */
bool asnap_relocations_each(struct asnap_known_pages *known, const struct asnap_library *library,
                            asnap_relocation_wanted *wanted, asnap_relocation_seen *seen,
                            void *context);

#endif
