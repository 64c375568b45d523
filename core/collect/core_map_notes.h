/* What a core's notes say of its memory, and what the readers of notes and of segments share. */
#ifndef ASNAP_CORE_MAP_NOTES_H
#define ASNAP_CORE_MAP_NOTES_H

#include <elf.h>

#include "core_map.h"
#include "core_notes.h"
#include "data_end.h"

struct asnap_core_map {
    struct asnap_region *regions;
    size_t count;
    size_t capacity;
    size_t file_backed; /* the first so many regions come from NT_FILE, while reading */
    char *names;        /* what NT_FILE's regions point into */
    struct asnap_core_piece *pieces;
    size_t piece_count;
    struct asnap_core_note_piece *notes;
    size_t note_count;
    struct asnap_region *dumped;
    size_t dumped_count;
    size_t dumped_capacity;
    uint64_t vdso;
    uint64_t missing;
    bool filled_up;
    uint64_t bytes;
    int file;
};

struct asnap_core_reading {
    const char *path;
    uint64_t file_bytes;
    uint64_t note_bytes;   /* of the notes that were read */
    uint64_t dumped_bytes; /* of the segments that were read */
    bool is_sparse;
    uint16_t machine;
    struct asnap_core_stacks stacks;
    struct asnap_core_map *map;
};

/* Errors IO and DAMAGED, which say why. */
struct asnap_error *asnap_core_unreadable(const struct asnap_core_reading *core, const char *why);
struct asnap_error *asnap_core_contradiction(const struct asnap_core_reading *core,
                                             const char *what);

struct asnap_error *asnap_core_add_region(struct asnap_core_map *map,
                                          const struct asnap_region *region);

/* Whether all the bytes are there. */
bool asnap_core_read_bytes(const struct asnap_core_reading *core, void *bytes, uint64_t offset,
                           size_t size);

/* Takes the notes of a segment (PT_NOTE): files, stacks and the vdso. */
struct asnap_error *asnap_core_read_notes(struct asnap_core_reading *core,
                                          const Elf64_Phdr *header);

#endif
