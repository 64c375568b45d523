/* The bounds of functions by their unwind information (.eh_frame, LSB Core, section "Exception
 * Frames"), which stripped files keep. */
#ifndef ASNAP_SYMBOLS_EH_FUNCTIONS_H
#define ASNAP_SYMBOLS_EH_FUNCTIONS_H

#include "elf_file.h"

struct asnap_eh_functions;

/* Reads the bounds; what is damaged is left out. */
struct asnap_error *asnap_eh_functions_create(const struct asnap_elf *elf,
                                              struct asnap_eh_functions **functions);
void asnap_eh_functions_destroy(struct asnap_eh_functions *functions);

/* The start of the function at a link-time address; the address itself where none is known. */
uint64_t asnap_eh_functions_start(const struct asnap_eh_functions *functions, uint64_t address);

#endif
