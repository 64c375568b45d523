/* The memory map of a core file: ELF gABI program headers and notes. */
#include "core_map.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core_map_notes.h"
#include "data_end.h"
#include "elf_tables.h"
#include "error.h"
#include "grow.h"
#include "open_file.h"

/* File systems that pack files, pack memory to this part of its size at the least. */
#define PACKING_MAX ((uint64_t)8)
#define BLOCK_BYTES ((uint64_t)512) /* of st_blocks */

/* ---- segments ---- */

static uint32_t region_flags(const Elf64_Phdr *header)
{
    return ((header->p_flags & PF_R) != 0 ? ASNAP_REGION_READABLE : 0u) |
           ((header->p_flags & PF_W) != 0 ? ASNAP_REGION_WRITABLE : 0u) |
           ((header->p_flags & PF_X) != 0 ? ASNAP_REGION_EXECUTABLE : 0u);
}

static struct asnap_error *add_dumped(struct asnap_core_map *map, const struct asnap_region *region)
{
    struct asnap_region *dumped =
        asnap_grow(map->dumped, &map->dumped_capacity, map->dumped_count + 1, sizeof(*dumped));
    if (dumped == NULL)
        return asnap_error_no_memory();
    map->dumped = dumped;
    map->dumped[map->dumped_count++] = *region;
    return NULL;
}

/* Keeps where in memory a piece is that the file has, but for holes. The pieces together cannot
 * hold more than the file does. */
static struct asnap_error *add_contents(struct asnap_core_reading *core,
                                        const struct asnap_core_piece *piece,
                                        const struct asnap_region *region)
{
    uint64_t at = piece->offset;
    uint64_t end = piece->offset + (piece->end - piece->start);
    while (at < end) {
        uint64_t next = end;
        if (core->is_sparse)
            asnap_file_next_data(core->map->file, &at, &next);
        if (at >= end)
            return NULL;
        next = next < end ? next : end;
        core->dumped_bytes += next - at;
        if (core->dumped_bytes > core->map->bytes)
            return asnap_core_contradiction(core, "segments that share bytes of the file");
        struct asnap_region dumped = *region;
        dumped.start = piece->start + (at - piece->offset);
        dumped.end = dumped.start + (next - at);
        struct asnap_error *error = add_dumped(core->map, &dumped);
        if (error != NULL)
            return error;
        at = next;
    }
    return NULL;
}

/* The ends of `header`, in the file and in memory, do not overflow. */
static struct asnap_error *add_piece(struct asnap_core_reading *core, const Elf64_Phdr *header,
                                     const struct asnap_region *region)
{
    struct asnap_core_map *map = core->map;
    uint64_t bytes = header->p_filesz < header->p_memsz ? header->p_filesz : header->p_memsz;
    uint64_t there = header->p_offset < core->file_bytes ? core->file_bytes - header->p_offset : 0;
    uint64_t lost = bytes > there ? bytes - there : 0;
    struct asnap_core_piece piece = {.start = header->p_vaddr,
                                     .end = header->p_vaddr + (bytes - lost),
                                     .offset = header->p_offset};
    if (lost != 0 && map->filled_up) {
        map->pieces[map->piece_count++] = (struct asnap_core_piece){
            .start = piece.end, .end = piece.end + lost, .offset = ASNAP_CORE_LOST};
    }
    if (bytes == lost)
        return NULL;
    map->pieces[map->piece_count++] = piece;
    return add_contents(core, &piece, region);
}

/* The region of NT_FILE, which are sorted, that an address is in; NULL: none. */
static struct asnap_region *find_file(struct asnap_core_map *map, uint64_t address)
{
    size_t low = 0;
    size_t high = map->file_backed;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (map->regions[middle].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && address < map->regions[low - 1].end ? &map->regions[low - 1] : NULL;
}

/* Adds a segment (PT_LOAD), a piece of the process's memory. Where the NT_FILE note has a file
 * there, only the segment says whether it was readable, writable and executable. */
static struct asnap_error *read_load(struct asnap_core_reading *core, const Elf64_Phdr *header)
{
    struct asnap_core_map *map = core->map;
    uint64_t end_in_file = header->p_offset + header->p_filesz;
    if (end_in_file < header->p_offset || header->p_vaddr + header->p_memsz < header->p_vaddr)
        return asnap_core_unreadable(core, "impossible program header");
    if (end_in_file > core->file_bytes) {
        uint64_t beyond = end_in_file - core->file_bytes;
        beyond = beyond < header->p_filesz ? beyond : header->p_filesz;
        if (__builtin_add_overflow(map->missing, beyond, &map->missing))
            map->missing = UINT64_MAX;
    }
    struct asnap_region *file = find_file(map, header->p_vaddr);
    struct asnap_region region = {
        .start = header->p_vaddr,
        .end = header->p_vaddr + header->p_memsz,
        .path = header->p_vaddr == map->vdso && map->vdso != 0 ? "[vdso]" : NULL,
        .flags = region_flags(header),
    };
    if (file != NULL) {
        file->flags = region.flags;
        region.path = file->path;
    }
    struct asnap_error *error = add_piece(core, header, &region);
    if (error != NULL || file != NULL || header->p_memsz == 0)
        return error;
    return asnap_core_add_region(map, &region);
}

/* ---- the whole ---- */

static int by_start(const void *left, const void *right)
{
    const struct asnap_region *a = left;
    const struct asnap_region *b = right;
    return (a->start > b->start) - (a->start < b->start);
}

static int piece_by_start(const void *left, const void *right)
{
    const struct asnap_core_piece *a = left;
    const struct asnap_core_piece *b = right;
    return (a->start > b->start) - (a->start < b->start);
}

static void sort_regions(struct asnap_core_map *map)
{
    if (map->count > 1)
        qsort(map->regions, map->count, sizeof(*map->regions), by_start);
}

static void sort_pieces(struct asnap_core_map *map)
{
    if (map->piece_count > 1)
        qsort(map->pieces, map->piece_count, sizeof(*map->pieces), piece_by_start);
    for (size_t i = 1; i < map->piece_count; i++) {
        if (map->pieces[i].start < map->pieces[i - 1].end)
            map->piece_count = 0;
    }
}

/* Notes first: they tell the names of the segments. */
static struct asnap_error *read_segments(struct asnap_core_reading *core, const Elf64_Phdr *headers,
                                         size_t count)
{
    struct asnap_error *error = NULL;
    core->map->pieces = calloc(2 * count + 1, sizeof(*core->map->pieces));
    core->map->notes = calloc(count + 1, sizeof(*core->map->notes));
    if (core->map->pieces == NULL || core->map->notes == NULL)
        return asnap_error_no_memory();
    for (size_t i = 0; i < count && error == NULL; i++) {
        if (headers[i].p_type == PT_NOTE)
            error = asnap_core_read_notes(core, &headers[i]);
    }
    uint64_t data_end =
        asnap_data_end(core->map->file, core->file_bytes, headers, count, &core->stacks);
    core->map->filled_up = data_end != core->file_bytes;
    core->file_bytes = data_end;
    core->map->file_backed = core->map->count;
    sort_regions(core->map);
    for (size_t i = 0; i < count && error == NULL; i++) {
        if (headers[i].p_type == PT_LOAD)
            error = read_load(core, &headers[i]);
    }
    sort_regions(core->map);
    sort_pieces(core->map);
    return error;
}

/* The number of program headers; where it does not fit into the file header, it is in the first
 * section header. */
static bool count_segments(const struct asnap_core_reading *core, const Elf64_Ehdr *header,
                           size_t *count)
{
    Elf64_Shdr section;
    *count = header->e_phnum;
    if (header->e_phnum != PN_XNUM)
        return true;
    if (header->e_shoff > INT64_MAX ||
        !asnap_core_read_bytes(core, &section, header->e_shoff, sizeof(section)))
        return false;
    *count = section.sh_info;
    return true;
}

static struct asnap_error *check_kind(const struct asnap_core_reading *core,
                                      const Elf64_Ehdr *header)
{
    const unsigned char own_order =
        __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;
    if (header->e_ident[EI_CLASS] != ELFCLASS64) {
        return asnap_error_create(ASNAP_ERROR_UNSUPPORTED,
                                  "%s: the core of a 32-bit program: only 64-bit programs are "
                                  "supported",
                                  core->path);
    }
    if (header->e_ident[EI_DATA] != own_order) {
        return asnap_error_create(ASNAP_ERROR_UNSUPPORTED,
                                  "%s: the core of a machine of another byte order: look at it on "
                                  "such a machine",
                                  core->path);
    }
    return header->e_type == ET_CORE ? NULL
                                     : asnap_core_unreadable(core, "an ELF file of another kind");
}

static struct asnap_error *read_core(struct asnap_core_reading *core)
{
    Elf64_Ehdr header;
    size_t count;
    if (!asnap_elf_tables_are_there(core->map->file, core->file_bytes) ||
        !asnap_core_read_bytes(core, &header, 0, sizeof(header)))
        return asnap_core_unreadable(core, "no ELF header, or headers that are not there");
    struct asnap_error *error = check_kind(core, &header);
    if (error != NULL)
        return error;
    core->machine = header.e_machine;
    if (header.e_phentsize != sizeof(Elf64_Phdr) || !count_segments(core, &header, &count))
        return asnap_core_unreadable(core, "no program headers");
    Elf64_Phdr *headers = calloc(count + 1, sizeof(*headers));
    if (headers == NULL)
        return asnap_error_no_memory();
    if (!asnap_core_read_bytes(core, headers, header.e_phoff, count * sizeof(*headers)))
        error = asnap_core_unreadable(core, "program headers that cannot be read");
    if (error == NULL)
        error = read_segments(core, headers, count);
    free(headers);
    return error;
}

/* How many bytes there are really in the file. Where it is not much smaller on the disk, it is
 * as large as it looks. */
static void measure(struct asnap_core_reading *core, const struct stat *status)
{
    core->file_bytes = (uint64_t)status->st_size;
    core->is_sparse = (uint64_t)status->st_blocks * BLOCK_BYTES < core->file_bytes / PACKING_MAX;
    core->map->bytes = core->is_sparse ? asnap_file_data_bytes(core->map->file, 0, core->file_bytes)
                                       : core->file_bytes;
}

struct asnap_error *asnap_core_map_create(const char *core_path, struct asnap_core_map **map)
{
    if (core_path == NULL || map == NULL)
        return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT,
                                  "asnap_core_map_create: NULL argument");
    struct asnap_core_map *result = calloc(1, sizeof(*result));
    if (result == NULL)
        return asnap_error_no_memory();
    struct asnap_core_reading core = {.path = core_path, .map = result};
    struct asnap_error *error;
    struct stat status;
    int reason = asnap_open_regular(core_path, &result->file, &status);
    if (reason != 0) {
        result->file = -1;
        error = asnap_error_create(ASNAP_ERROR_IO, "%s: cannot open the core file: %s", core_path,
                                   asnap_open_reason(reason));
    } else {
        measure(&core, &status);
        error = read_core(&core);
    }
    if (error != NULL) {
        asnap_core_map_destroy(result);
        return asnap_error_of_file(error, core_path, asnap_open_errno(reason));
    }
    *map = result;
    return NULL;
}

size_t asnap_core_map_count(const struct asnap_core_map *map)
{
    return map->count;
}

const struct asnap_region *asnap_core_map_regions(const struct asnap_core_map *map)
{
    return map->regions;
}

const struct asnap_region *asnap_core_map_dumped(const struct asnap_core_map *map, size_t *count)
{
    *count = map->dumped_count;
    return map->dumped;
}

uint64_t asnap_core_map_missing(const struct asnap_core_map *map)
{
    return map->missing;
}

bool asnap_core_map_filled_up(const struct asnap_core_map *map)
{
    return map->filled_up;
}

uint64_t asnap_core_map_bytes(const struct asnap_core_map *map)
{
    return map->bytes;
}

const struct asnap_core_piece *asnap_core_map_pieces(const struct asnap_core_map *map,
                                                     size_t *count)
{
    *count = map->piece_count;
    return map->pieces;
}

const struct asnap_core_note_piece *asnap_core_map_notes(const struct asnap_core_map *map,
                                                         size_t *count)
{
    *count = map->note_count;
    return map->notes;
}

int asnap_core_map_file(const struct asnap_core_map *map)
{
    return map->file;
}

void asnap_core_map_destroy(struct asnap_core_map *map)
{
    if (map == NULL)
        return;
    if (map->file >= 0)
        close(map->file);
    free(map->pieces);
    free(map->notes);
    free(map->dumped);
    free(map->regions);
    free(map->names);
    free(map);
}
