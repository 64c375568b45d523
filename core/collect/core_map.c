/* The memory map of a core file: ELF gABI program headers and notes; NT_FILE as the
 * kernel and gdb write it (fs/binfmt_elf.c: count, page size, then start, end and file
 * offset in pages of each mapping, then their names). */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <inttypes.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core_map.h"
#include "data_end.h"
#include "error.h"

struct asnap_core_map {
    struct asnap_region *regions;
    size_t count;
    size_t capacity;
    size_t file_backed; /* the first so many regions come from NT_FILE, while reading */
    char *names;        /* what NT_FILE's regions point into */
    struct asnap_core_piece *pieces;
    size_t piece_count;
    uint64_t vdso;
    uint64_t missing;
    bool filled_up;
    int file;
};

struct core {
    const char *path;
    Elf *elf;
    uint64_t file_bytes;
    struct asnap_core_map *map;
};

static struct asnap_error *not_a_core(const struct core *core, const char *why)
{
    return asnap_error_create(ASNAP_ERROR_IO, "%s: not a core file that can be read (%s)",
                              core->path, why);
}

static struct asnap_error *add_region(struct asnap_core_map *map, const struct asnap_region *region)
{
    if (map->count == map->capacity) {
        size_t capacity = map->capacity == 0 ? 64 : map->capacity * 2;
        struct asnap_region *regions = reallocarray(map->regions, capacity, sizeof(*regions));
        if (regions == NULL)
            return asnap_error_no_memory();
        map->regions = regions;
        map->capacity = capacity;
    }
    map->regions[map->count++] = *region;
    return NULL;
}

static struct asnap_error *read_file_note(struct core *core, const char *desc, size_t size)
{
    struct asnap_core_map *map = core->map;
    uint64_t head[2];
    if (map->names != NULL)
        return NULL;
    if (size < sizeof(head))
        return not_a_core(core, "short NT_FILE note");
    memcpy(head, desc, sizeof(head));
    if (head[0] > (size - sizeof(head)) / (3 * sizeof(uint64_t)))
        return not_a_core(core, "NT_FILE note with too many files");
    size_t names_at = sizeof(head) + (size_t)head[0] * 3 * sizeof(uint64_t);
    map->names = calloc(1, size - names_at + 1);
    if (map->names == NULL)
        return asnap_error_no_memory();
    memcpy(map->names, desc + names_at, size - names_at);
    const char *name = map->names;
    const char *end = map->names + (size - names_at);
    for (uint64_t i = 0; i < head[0] && name < end; i++) {
        uint64_t entry[3];
        memcpy(entry, desc + sizeof(head) + i * sizeof(entry), sizeof(entry));
        struct asnap_region region = {
            .start = entry[0],
            .end = entry[1],
            .file_offset = entry[2] * head[1],
            .path = name,
            .flags = ASNAP_REGION_READABLE | ASNAP_REGION_EXECUTABLE,
        };
        struct asnap_error *error = add_region(map, &region);
        if (error != NULL)
            return error;
        name += strlen(name) + 1;
    }
    return NULL;
}

static void read_auxv_note(struct core *core, const char *desc, size_t size)
{
    for (size_t at = 0; at + sizeof(Elf64_auxv_t) <= size; at += sizeof(Elf64_auxv_t)) {
        Elf64_auxv_t entry;
        memcpy(&entry, desc + at, sizeof(entry));
        if (entry.a_type == AT_SYSINFO_EHDR)
            core->map->vdso = entry.a_un.a_val;
    }
}

static struct asnap_error *read_notes(struct core *core, const GElf_Phdr *header)
{
    struct asnap_error *error = NULL;
    if (header->p_offset > core->file_bytes ||
        header->p_filesz > core->file_bytes - header->p_offset)
        return NULL; /* truncated here: counted as missing */
    Elf_Data *data = elf_getdata_rawchunk(core->elf, (int64_t)header->p_offset,
                                          (size_t)header->p_filesz, ELF_T_NHDR);
    if (data == NULL)
        return NULL;
    size_t at = 0;
    GElf_Nhdr note;
    size_t name_at;
    size_t desc_at;
    while (error == NULL && at < data->d_size &&
           (at = gelf_getnote(data, at, &note, &name_at, &desc_at)) > 0) {
        const char *bytes = data->d_buf;
        if (note.n_namesz != sizeof("CORE") || memcmp(bytes + name_at, "CORE", sizeof("CORE")) != 0)
            continue;
        if (note.n_type == NT_FILE)
            error = read_file_note(core, bytes + desc_at, note.n_descsz);
        else if (note.n_type == NT_AUXV)
            read_auxv_note(core, bytes + desc_at, note.n_descsz);
    }
    return error;
}

static uint32_t region_flags(const GElf_Phdr *header)
{
    return ((header->p_flags & PF_R) != 0 ? ASNAP_REGION_READABLE : 0u) |
           ((header->p_flags & PF_W) != 0 ? ASNAP_REGION_WRITABLE : 0u) |
           ((header->p_flags & PF_X) != 0 ? ASNAP_REGION_EXECUTABLE : 0u);
}

/* `header` is one whose ends do not overflow. */
static void add_piece(struct core *core, const GElf_Phdr *header)
{
    struct asnap_core_map *map = core->map;
    uint64_t bytes = header->p_filesz < header->p_memsz ? header->p_filesz : header->p_memsz;
    uint64_t there = header->p_offset < core->file_bytes ? core->file_bytes - header->p_offset : 0;
    uint64_t lost = bytes > there ? bytes - there : 0;
    uint64_t middle = header->p_vaddr + (bytes - lost);
    if (bytes != lost) {
        map->pieces[map->piece_count++] = (struct asnap_core_piece){
            .start = header->p_vaddr, .end = middle, .offset = header->p_offset};
    }
    if (lost != 0 && map->filled_up) {
        map->pieces[map->piece_count++] = (struct asnap_core_piece){
            .start = middle, .end = middle + lost, .offset = ASNAP_CORE_LOST};
    }
}

/* A segment is one mapping: where NT_FILE has it too, it tells how it was mapped. */
static struct asnap_error *read_load(struct core *core, const GElf_Phdr *header)
{
    struct asnap_core_map *map = core->map;
    uint64_t end_in_file = header->p_offset + header->p_filesz;
    if (end_in_file < header->p_offset || header->p_vaddr + header->p_memsz < header->p_vaddr)
        return not_a_core(core, "impossible program header");
    if (end_in_file > core->file_bytes) {
        uint64_t beyond = end_in_file - core->file_bytes;
        map->missing += beyond < header->p_filesz ? beyond : header->p_filesz;
    }
    add_piece(core, header);
    for (size_t i = 0; i < map->file_backed; i++) {
        if (header->p_vaddr >= map->regions[i].start && header->p_vaddr < map->regions[i].end) {
            map->regions[i].flags = region_flags(header);
            return NULL;
        }
    }
    struct asnap_region region = {
        .start = header->p_vaddr,
        .end = header->p_vaddr + header->p_memsz,
        .path = header->p_vaddr == map->vdso && map->vdso != 0 ? "[vdso]" : NULL,
        .flags = region_flags(header),
    };
    return header->p_memsz == 0 ? NULL : add_region(map, &region);
}

/* A file that is as long as it should be, and whose last segment, a stack, is zero throughout, was
 * cut off and filled up: for the rest it ends where the zeros begin. */
static void look_for_zeros(struct core *core, size_t count)
{
    uint64_t last = 0;
    uint64_t end = 0;
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr header;
        if (gelf_getphdr(core->elf, (int)i, &header) != NULL && header.p_type == PT_LOAD &&
            header.p_filesz != 0 && header.p_offset >= last) {
            last = header.p_offset;
            end = header.p_offset + header.p_filesz;
        }
    }
    if (last == 0 || end < last || end > core->file_bytes)
        return;
    uint64_t data_end = asnap_data_end(core->map->file, core->file_bytes);
    core->map->filled_up = data_end <= last;
    if (core->map->filled_up)
        core->file_bytes = data_end;
}

/* Notes first: they tell the names of the segments. */
static struct asnap_error *read_headers(struct core *core)
{
    size_t count = 0;
    if (elf_getphdrnum(core->elf, &count) != 0)
        return not_a_core(core, elf_errmsg(-1));
    look_for_zeros(core, count);
    core->map->pieces = calloc(2 * count + 1, sizeof(*core->map->pieces));
    if (core->map->pieces == NULL)
        return asnap_error_no_memory();
    struct asnap_error *error = NULL;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < count && error == NULL; i++) {
            GElf_Phdr header;
            if (gelf_getphdr(core->elf, (int)i, &header) == NULL)
                return not_a_core(core, elf_errmsg(-1));
            if (pass == 0 && header.p_type == PT_NOTE)
                error = read_notes(core, &header);
            else if (pass == 1 && header.p_type == PT_LOAD)
                error = read_load(core, &header);
        }
        core->map->file_backed = core->map->count;
    }
    return error;
}

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

static void sort_pieces(struct asnap_core_map *map)
{
    if (map->piece_count > 1)
        qsort(map->pieces, map->piece_count, sizeof(*map->pieces), piece_by_start);
    for (size_t i = 1; i < map->piece_count; i++) {
        if (map->pieces[i].start < map->pieces[i - 1].end)
            map->piece_count = 0;
    }
}

static struct asnap_error *read_core(struct core *core)
{
    GElf_Ehdr header;
    if (core->elf == NULL || elf_kind(core->elf) != ELF_K_ELF ||
        gelf_getehdr(core->elf, &header) == NULL)
        return not_a_core(core, "no ELF header");
    if (header.e_type != ET_CORE)
        return not_a_core(core, "an ELF file of another kind");
    if (header.e_ident[EI_CLASS] != ELFCLASS64) {
        return asnap_error_create(ASNAP_ERROR_UNSUPPORTED,
                                  "%s: the core of a 32-bit program: only 64-bit programs are "
                                  "supported",
                                  core->path);
    }
    struct asnap_error *error = read_headers(core);
    if (error == NULL && core->map->count > 1)
        qsort(core->map->regions, core->map->count, sizeof(*core->map->regions), by_start);
    sort_pieces(core->map);
    return error;
}

struct asnap_error *asnap_core_map_create(const char *core_path, struct asnap_core_map **map)
{
    if (core_path == NULL || map == NULL)
        return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT,
                                  "asnap_core_map_create: NULL argument");
    struct asnap_core_map *result = calloc(1, sizeof(*result));
    if (result == NULL)
        return asnap_error_no_memory();
    struct core core = {.path = core_path, .map = result};
    struct asnap_error *error = NULL;
    struct stat stat;
    elf_version(EV_CURRENT);
    result->file = open(core_path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (result->file < 0 || fstat(result->file, &stat) != 0 || !S_ISREG(stat.st_mode)) {
        error = asnap_error_create(ASNAP_ERROR_IO, "%s: cannot open the core file: %s", core_path,
                                   result->file < 0 ? strerror(errno) : "not a regular file");
    } else {
        core.file_bytes = (uint64_t)stat.st_size;
        core.elf = elf_begin(result->file, ELF_C_READ, NULL);
        error = read_core(&core);
        elf_end(core.elf);
    }
    if (error != NULL) {
        asnap_core_map_destroy(result);
        return error;
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

uint64_t asnap_core_map_missing(const struct asnap_core_map *map)
{
    return map->missing;
}

bool asnap_core_map_filled_up(const struct asnap_core_map *map)
{
    return map->filled_up;
}

const struct asnap_core_piece *asnap_core_map_pieces(const struct asnap_core_map *map,
                                                     size_t *count)
{
    *count = map->piece_count;
    return map->pieces;
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
    free(map->regions);
    free(map->names);
    free(map);
}
