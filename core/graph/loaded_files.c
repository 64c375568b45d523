#include "loaded_files.h"

#include <string.h>

#include "inferior_map.h"

#define PAGE ((uint64_t)4096)

static bool is_elf(const Elf64_Ehdr *header)
{
    return memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 &&
           header->e_ident[EI_CLASS] == ELFCLASS64 && header->e_phentsize == sizeof(Elf64_Phdr) &&
           (header->e_type == ET_DYN || header->e_type == ET_EXEC) && header->e_phnum > 0;
}

/* A file that is mapped to be read, and not loaded, has no region beside the first. */
static bool is_loaded(const struct asnap_graph_facts *facts, size_t first)
{
    const struct asnap_region *region = &facts->regions[first];
    for (size_t i = first + 1; i < facts->region_count; i++) {
        const struct asnap_region *other = &facts->regions[i];
        if (!asnap_region_is_file(other) || strcmp(other->path, region->path) != 0)
            return false;
        if ((other->flags & ASNAP_REGION_EXECUTABLE) != 0 || asnap_region_is_data(other))
            return true;
    }
    return false;
}

static bool begins_file(const struct asnap_graph_facts *facts, size_t place)
{
    const struct asnap_region *region = &facts->regions[place];
    return asnap_region_is_file(region) && region->file_offset == 0 &&
           (region->flags & ASNAP_REGION_READABLE) != 0 && is_loaded(facts, place);
}

const Elf64_Phdr *asnap_loaded_header(const struct asnap_loaded_file *file, uint32_t type)
{
    for (size_t i = 0; i < file->count; i++) {
        if (file->headers[i].p_type == type)
            return &file->headers[i];
    }
    return NULL;
}

struct asnap_error *asnap_loaded_file_read(const struct asnap_graph_facts *facts, size_t region,
                                           struct asnap_loaded_file *file, bool *found)
{
    Elf64_Ehdr header;
    bool read;
    *found = false;
    if (!begins_file(facts, region))
        return NULL;
    uint64_t start = facts->regions[region].start;
    struct asnap_error *error = asnap_inferior_copy(facts, start, &header, sizeof(header), &read);
    if (error != NULL || !read || !is_elf(&header))
        return error;
    *file = (struct asnap_loaded_file){.start = start, .machine = header.e_machine};
    file->count =
        header.e_phnum < ASNAP_LOADED_HEADERS_MAX ? header.e_phnum : ASNAP_LOADED_HEADERS_MAX;
    error = asnap_inferior_copy(facts, start + header.e_phoff, file->headers,
                                file->count * sizeof(file->headers[0]), &read);
    const Elf64_Phdr *first = asnap_loaded_header(file, PT_LOAD);
    if (error != NULL || !read || first == NULL)
        return error;
    file->bias = start - (first->p_vaddr - first->p_vaddr % PAGE);
    *found = true;
    return NULL;
}

struct asnap_error *asnap_loaded_machine(const struct asnap_graph_facts *facts, uint16_t *machine)
{
    struct asnap_error *error = NULL;
    struct asnap_loaded_file file;
    bool found = false;
    for (size_t i = 0; error == NULL && !found && i < facts->region_count; i++)
        error = asnap_loaded_file_read(facts, i, &file, &found);
#if defined(__aarch64__)
    *machine = found ? file.machine : EM_AARCH64;
#else
    *machine = found ? file.machine : EM_X86_64;
#endif
    return error;
}
