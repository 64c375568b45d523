/* Separate debug files. */
#ifndef ASNAP_SYMBOLS_DEBUG_FILE_H
#define ASNAP_SYMBOLS_DEBUG_FILE_H

#include "elf_file.h"

/* Goes on to the next directory of a colon-separated list: `list` becomes its start, with
 * `length` bytes, behind which to go on. false: there is none. */
bool asnap_next_directory(const char **list, int *length);

/* Looks for the debug file of `elf`, in the order and at the places of gdb
 * ("Debugging Information in Separate Files"): by build ID in each of
 * `debug_directories` (colon-separated), then by the name in .gnu_debuglink
 * beside the file, in .debug/ beside it, and under each debug directory. A file
 * counts only where its build ID or checksum is right. `debug` becomes NULL where
 * there is none. A file of the right name and wrong contents gives DAMAGED where
 * no right one is found. `progress`, which may be NULL, can stop it. */
struct asnap_error *asnap_debug_file_find(const struct asnap_elf *elf,
                                          const char *debug_directories,
                                          const struct asnap_progress *progress,
                                          struct asnap_elf **debug);

/* Looks for the file that holds what several debug files share (.gnu_debugaltlink of
 * `elf`, or .debug_sup, DWARF 5 section 7.3.6): at the path given there, from the directory of
 * `elf`, then by its build ID in each of `debug_directories`. `supplement` becomes
 * NULL where `elf` asks for none; a missing one is an error. */
struct asnap_error *asnap_debug_file_find_supplement(const struct asnap_elf *elf,
                                                     const char *debug_directories,
                                                     struct asnap_elf **supplement);

#endif
