/* The unwind information of a file that has no table of it (PT_GNU_EH_FRAME), as musl-gcc links
 * programs: only the section headers say where it is, which are in the file but not in memory. */
#ifndef ASNAP_HOOKS_UNWIND_SECTION_H
#define ASNAP_HOOKS_UNWIND_SECTION_H

#include <stdbool.h>

#include "elf_image.h"

/* Finds .eh_frame of the file at `path` in the memory of `image`, if that is what was read from
 * the file. False: there is none, or it is too large to be searched from its beginning for each
 * address. */
bool asnap_unwind_section_find(const char *path, const struct asnap_elf_image *image,
                               struct asnap_bytes *section);

#endif
