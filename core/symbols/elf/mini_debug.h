/* Mini debug information: a symbol table in .gnu_debugdata, packed by xz (gdb's manual,
 * "MiniDebugInfo"). */
#ifndef ASNAP_SYMBOLS_MINI_DEBUG_H
#define ASNAP_SYMBOLS_MINI_DEBUG_H

#include "elf_file.h"

struct asnap_mini_debug {
    char *image;
    struct asnap_elf *elf; /* NULL: there is none */
};

/* Unpacks what `elf` has. Nothing is there where it is damaged. */
struct asnap_error *asnap_mini_debug_open(const struct asnap_elf *elf,
                                          struct asnap_mini_debug *mini);
void asnap_mini_debug_close(struct asnap_mini_debug *mini);

#endif
