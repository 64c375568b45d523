/* Names that only the debugger knows: of code compiled at run time, and of debug information
 * that this library cannot read. */
#ifndef ASNAP_SYMBOLS_DEBUGGER_NAMES_H
#define ASNAP_SYMBOLS_DEBUGGER_NAMES_H

#include "frame_store.h"

/* Asks for the frames of `pc`, an address of the call or within it. `named` is what is known,
 * and stays unless the debugger knows the line, or a function where none is known. NO_MEMORY
 * or INTERRUPTED. */
struct asnap_error *asnap_debugger_name(const struct asnap_debugger *debugger,
                                        struct asnap_frame_store *store, uint64_t pc,
                                        const char *build_id, struct asnap_named_pc *named);

#endif
