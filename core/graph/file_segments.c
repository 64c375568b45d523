#include "file_segments.h"

#include <elf.h>
#include <string.h>

#include "error.h"
#include "inferior_map.h"

enum { HEADERS_MAX = 64 };

#define PAGE ((uint64_t)4096)

static bool is_elf(const Elf64_Ehdr *header)
{
    return memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 &&
           header->e_ident[EI_CLASS] == ELFCLASS64 && header->e_phentsize == sizeof(Elf64_Phdr) &&
           (header->e_type == ET_DYN || header->e_type == ET_EXEC) && header->e_phnum > 0;
}

/* Claims the writable segments of a file that was loaded so that its first segment is at `start`.
 */
static struct asnap_error *claim_segments(const Elf64_Phdr *headers, size_t count, uint64_t start,
                                          struct asnap_claims *claims)
{
    uint64_t bias = 0;
    bool is_first = true;
    struct asnap_error *error = NULL;
    for (size_t i = 0; error == NULL && i < count; i++) {
        const Elf64_Phdr *header = &headers[i];
        if (header->p_type != PT_LOAD)
            continue;
        if (is_first)
            bias = start - (header->p_vaddr - header->p_vaddr % PAGE);
        is_first = false;
        uint64_t begin = bias + header->p_vaddr;
        if ((header->p_flags & PF_W) == 0 || header->p_memsz >= (uint64_t)1 << 47)
            continue;
        begin -= begin % PAGE;
        uint64_t end = bias + header->p_vaddr + header->p_memsz;
        end += (PAGE - end % PAGE) % PAGE;
        error = asnap_claims_add(claims, begin, end, ASNAP_CLAIM_FILE, 0);
    }
    return error;
}

static struct asnap_error *claim_file(const struct asnap_graph_facts *facts, uint64_t start,
                                      struct asnap_claims *claims)
{
    Elf64_Ehdr header;
    Elf64_Phdr headers[HEADERS_MAX];
    bool read;
    struct asnap_error *error = asnap_inferior_copy(facts, start, &header, sizeof(header), &read);
    if (error != NULL || !read || !is_elf(&header))
        return error;
    size_t count = header.e_phnum < HEADERS_MAX ? header.e_phnum : HEADERS_MAX;
    error = asnap_inferior_copy(facts, start + header.e_phoff, headers, count * sizeof(headers[0]),
                                &read);
    if (error != NULL || !read)
        return error;
    return claim_segments(headers, count, start, claims);
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

struct asnap_error *asnap_file_segments_claim(const struct asnap_graph_facts *facts,
                                              struct asnap_claims *claims)
{
    struct asnap_error *error = NULL;
    for (size_t i = 0; error == NULL && i < facts->region_count; i++) {
        const struct asnap_region *region = &facts->regions[i];
        if (asnap_region_is_file(region) && region->file_offset == 0 &&
            (region->flags & ASNAP_REGION_READABLE) != 0 && is_loaded(facts, i))
            error = claim_file(facts, region->start, claims);
    }
    return error;
}
