/* What a loaded ELF file says of itself in memory: its program headers. */
#ifndef ASNAP_HOOKS_ELF_IMAGE_H
#define ASNAP_HOOKS_ELF_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "eh_frame.h"

struct asnap_elf_image {
    uint64_t start; /* [start, end) holds all its segments */
    uint64_t end;
    struct asnap_bytes unwind_table;    /* .eh_frame_hdr, by PT_GNU_EH_FRAME */
    struct asnap_bytes unwind_readable; /* the segment with it */
    struct asnap_bytes build_id;        /* the descriptor of NT_GNU_BUILD_ID */
};

/* Reads the headers of the file whose first page is at `start` and can be read. What the
 * file lacks is empty. False: it is no ELF file of this process's kind. */
bool asnap_elf_image_read(uint64_t start, struct asnap_elf_image *image);

#endif
