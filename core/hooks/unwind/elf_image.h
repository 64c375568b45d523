/* What a loaded ELF file says of itself in memory: its program headers. */
#ifndef ASNAP_HOOKS_ELF_IMAGE_H
#define ASNAP_HOOKS_ELF_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "eh_frame.h"

struct asnap_elf_image {
    uint64_t start; /* [start, end) holds all its segments; a page begins at `start` */
    uint64_t end;
    bool has_gaps;                      /* between them there is room for something else */
    struct asnap_bytes unwind_table;    /* .eh_frame_hdr, by PT_GNU_EH_FRAME */
    struct asnap_bytes unwind_readable; /* the segment with it */
    struct asnap_bytes build_id;        /* the descriptor of NT_GNU_BUILD_ID */
};

/* Reads the headers of a file whose first page is at `start` and can be read. What the
 * file lacks is empty. False: it is no ELF file of this process's kind, or its first page is not
 * where its segments begin. */
bool asnap_elf_image_read(uint64_t start, struct asnap_elf_image *image);

/* The same where `first_page` is any readable mapping of the file's first page: segments that
 * share a page of the file each have one. Which of them is the file's start follows from the
 * segment that holds `offset`, a place in the file that is mapped at `address`. */
bool asnap_elf_image_read_around(uint64_t first_page, uint64_t address, uint64_t offset,
                                 struct asnap_elf_image *image);

/* Whether `address` is in a segment, and not in a gap, of the file whose first page is at
 * `start` and can be read. */
bool asnap_elf_image_holds(uint64_t start, uint64_t address);

#endif
