/* NT_FILE as the kernel and gdb write it (fs/binfmt_elf.c): count, page size, then start, end and
 * file offset in pages of each mapping, then their names. */
#include "core_map_notes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "grow.h"
#include "open_file.h"

struct asnap_error *asnap_core_unreadable(const struct asnap_core_reading *core, const char *why)
{
    return asnap_error_create(ASNAP_ERROR_IO, "%s: not a core file that can be read (%s)",
                              core->path, why);
}

struct asnap_error *asnap_core_contradiction(const struct asnap_core_reading *core,
                                             const char *what)
{
    return asnap_error_create(ASNAP_ERROR_DAMAGED,
                              "%s: the core contradicts itself (%s): have another one written",
                              core->path, what);
}

struct asnap_error *asnap_core_add_region(struct asnap_core_map *map,
                                          const struct asnap_region *region)
{
    struct asnap_region *regions =
        asnap_grow(map->regions, &map->capacity, map->count + 1, sizeof(*regions));
    if (regions == NULL)
        return asnap_error_no_memory();
    map->regions = regions;
    map->regions[map->count++] = *region;
    return NULL;
}

bool asnap_core_read_bytes(const struct asnap_core_reading *core, void *bytes, uint64_t offset,
                           size_t size)
{
    char *at = bytes;
    while (size > 0) {
        ssize_t got = pread(core->map->file, at, size, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        at += got;
        offset += (uint64_t)got;
        size -= (size_t)got;
    }
    return true;
}

/* Adds the regions of an NT_FILE note, whose `size` bytes at `text` end with a NUL behind them;
 * the names of their files are the map's. */
static struct asnap_error *add_files(struct asnap_core_reading *core, char *text, size_t size)
{
    uint64_t head[2];
    if (size < sizeof(head))
        return asnap_core_unreadable(core, "short NT_FILE note");
    memcpy(head, text, sizeof(head));
    if (head[0] > (size - sizeof(head)) / (3 * sizeof(uint64_t)))
        return asnap_core_unreadable(core, "NT_FILE note with too many files");
    const char *name = text + sizeof(head) + (size_t)head[0] * 3 * sizeof(uint64_t);
    const char *end = text + size;
    for (uint64_t i = 0; i < head[0] && name < end; i++) {
        uint64_t entry[3];
        memcpy(entry, text + sizeof(head) + i * sizeof(entry), sizeof(entry));
        struct asnap_region region = {
            .start = entry[0],
            .end = entry[1],
            .file_offset = entry[2] * head[1],
            .path = name,
            .flags = ASNAP_REGION_READABLE | ASNAP_REGION_EXECUTABLE,
        };
        struct asnap_error *error = asnap_core_add_region(core->map, &region);
        if (error != NULL)
            return error;
        name += strlen(name) + 1;
    }
    return NULL;
}

static struct asnap_error *read_file_note(struct asnap_core_reading *core, uint64_t offset,
                                          size_t size)
{
    if (core->map->names != NULL)
        return NULL;
    char *text = malloc(size + 1);
    if (text == NULL)
        return asnap_error_no_memory();
    core->map->names = text;
    text[size] = '\0';
    if (!asnap_core_read_bytes(core, text, offset, size))
        return asnap_core_unreadable(core, "NT_FILE note that cannot be read");
    return add_files(core, text, size);
}

static void read_auxv_note(struct asnap_core_reading *core, uint64_t offset, size_t size)
{
    Elf64_auxv_t entries[64];
    if (size > sizeof(entries))
        size = sizeof(entries);
    if (!asnap_core_read_bytes(core, entries, offset, size))
        return;
    for (size_t i = 0; i < size / sizeof(entries[0]); i++) {
        if (entries[i].a_type == AT_SYSINFO_EHDR)
            core->map->vdso = entries[i].a_un.a_val;
    }
}

static void read_thread_note(struct asnap_core_reading *core, uint64_t offset, size_t size)
{
    char bytes[512];
    if (size > sizeof(bytes))
        size = sizeof(bytes);
    if (asnap_core_read_bytes(core, bytes, offset, size))
        asnap_core_stacks_add(&core->stacks, core->machine, bytes, size);
}

static struct asnap_error *take_note(void *context, uint32_t type, uint64_t offset, uint32_t size)
{
    struct asnap_core_reading *core = context;
    if (type == NT_FILE)
        return read_file_note(core, offset, size);
    if (type == NT_AUXV)
        read_auxv_note(core, offset, size);
    else if (type == NT_PRSTATUS)
        read_thread_note(core, offset, size);
    return NULL;
}

struct asnap_error *asnap_core_read_notes(struct asnap_core_reading *core, const Elf64_Phdr *header)
{
    if (header->p_offset > core->file_bytes ||
        header->p_filesz > core->file_bytes - header->p_offset)
        return NULL; /* truncated here: counted as missing */
    if (header->p_filesz > core->file_bytes - core->note_bytes)
        return asnap_core_contradiction(core, "notes that overlap");
    core->note_bytes += header->p_filesz;
    if (asnap_file_is_hollow(core->map->file, header->p_offset, header->p_filesz))
        return asnap_core_contradiction(core, "notes without contents");
    core->map->notes[core->map->note_count++] =
        (struct asnap_core_note_piece){header->p_offset, header->p_filesz};
    return asnap_core_notes_read(core->map->file, header->p_offset, header->p_filesz, take_note,
                                 core);
}
