/* What of the program's memory a core file holds. */
#ifndef ASNAP_CORE_MAP_H
#define ASNAP_CORE_MAP_H

#include "allocsnap_inferior.h"

/* The offset of a piece that the file has lost, and has zeros in its place. */
#define ASNAP_CORE_LOST UINT64_MAX

/* [start, end) of the memory is in the file from `offset` on. */
struct asnap_core_piece {
    uint64_t start;
    uint64_t end;
    uint64_t offset;
};

/* Lends the pieces, sorted by address, none of them empty, and none beyond the file's end but
 * ASNAP_CORE_LOST ones; none at all where two overlap, so that which is right is for the debugger
 * to say. */
const struct asnap_core_piece *asnap_core_map_pieces(const struct asnap_core_map *map,
                                                     size_t *count);

/* Where notes are in the file. */
struct asnap_core_note_piece {
    uint64_t offset;
    uint64_t size;
};

/* Lends them. */
const struct asnap_core_note_piece *asnap_core_map_notes(const struct asnap_core_map *map,
                                                         size_t *count);

/* The open file, which is the map's. */
int asnap_core_map_file(const struct asnap_core_map *map);

/* How many bytes of memory the file can hold: holes are not counted. */
uint64_t asnap_core_map_bytes(const struct asnap_core_map *map);

#endif
