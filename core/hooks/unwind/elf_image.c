#include "elf_image.h"

#include <elf.h>
#include <stddef.h>
#include <string.h>

/* The program headers are in the first page, as every linker has them. */
enum { FIRST_PAGE = 4096 };

/* Segments are mapped in whole pages of at least that size. */
#define PAGE ((uint64_t)4096)

struct headers {
    const Elf64_Phdr *first;
    unsigned count;
    uint64_t bias; /* from addresses in the file to those in memory */
};

static struct asnap_bytes bytes_at(uint64_t address, uint64_t size)
{
    const uint8_t *at = (const uint8_t *)(uintptr_t)address;
    return (struct asnap_bytes){at, at + size};
}

static bool find_headers(uint64_t first_page, struct headers *headers)
{
    const Elf64_Ehdr *file = (const Elf64_Ehdr *)(uintptr_t)first_page;
    if (memcmp(file->e_ident, ELFMAG, SELFMAG) != 0 || file->e_ident[EI_CLASS] != ELFCLASS64 ||
        file->e_phentsize != sizeof(Elf64_Phdr) ||
        file->e_phoff > FIRST_PAGE - sizeof(Elf64_Phdr) ||
        file->e_phnum > (FIRST_PAGE - file->e_phoff) / sizeof(Elf64_Phdr))
        return false;
    headers->first = (const Elf64_Phdr *)(uintptr_t)(first_page + file->e_phoff);
    headers->count = file->e_phnum;
    return true;
}

/* The segment that begins at the lowest address, or NULL. */
static const Elf64_Phdr *lowest_segment(const struct headers *headers)
{
    const Elf64_Phdr *lowest = NULL;
    for (unsigned i = 0; i < headers->count; i++) {
        const Elf64_Phdr *header = &headers->first[i];
        if (header->p_type == PT_LOAD && (lowest == NULL || header->p_vaddr < lowest->p_vaddr))
            lowest = header;
    }
    return lowest;
}

/* The segment with this place of the file, rather one with code, or NULL. */
static const Elf64_Phdr *segment_with(const struct headers *headers, uint64_t offset)
{
    const Elf64_Phdr *found = NULL;
    for (unsigned i = 0; i < headers->count; i++) {
        const Elf64_Phdr *header = &headers->first[i];
        if (header->p_type == PT_LOAD && offset - header->p_offset < header->p_filesz &&
            (found == NULL || (header->p_flags & ~found->p_flags & PF_X) != 0))
            found = header;
    }
    return found;
}

/* A readable segment that holds all of [address, address + size), or nothing. */
static struct asnap_bytes segment_of(const struct headers *headers, uint64_t address, uint64_t size)
{
    for (unsigned i = 0; i < headers->count; i++) {
        const Elf64_Phdr *header = &headers->first[i];
        if (header->p_type == PT_LOAD && (header->p_flags & PF_R) != 0 &&
            address >= header->p_vaddr && size <= header->p_filesz &&
            address - header->p_vaddr <= header->p_filesz - size)
            return bytes_at(headers->bias + header->p_vaddr, header->p_filesz);
    }
    return (struct asnap_bytes){NULL, NULL};
}

/* Notes: sizes of name and descriptor, a type, then both, padded to 4 bytes (gABI). */
static void find_build_id(struct asnap_bytes notes, struct asnap_bytes *build_id)
{
    while ((size_t)(notes.end - notes.at) >= sizeof(Elf64_Nhdr)) {
        Elf64_Nhdr note;
        memcpy(&note, notes.at, sizeof(note));
        notes.at += sizeof(note);
        uint64_t name_bytes = ((uint64_t)note.n_namesz + 3) & ~UINT64_C(3);
        uint64_t padded = ((uint64_t)note.n_descsz + 3) & ~UINT64_C(3);
        if (name_bytes + padded > (uint64_t)(notes.end - notes.at))
            return;
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
            memcmp(notes.at, "GNU", 4) == 0) {
            build_id->at = notes.at + name_bytes;
            build_id->end = build_id->at + note.n_descsz;
            return;
        }
        notes.at += name_bytes + padded;
    }
}

/* From the lowest segment to the end of the last one. */
static void find_extent(const struct headers *headers, struct asnap_elf_image *image)
{
    uint64_t reached = headers->bias + lowest_segment(headers)->p_vaddr;
    image->start = reached & ~(PAGE - 1);
    for (unsigned i = 0; i < headers->count; i++) {
        const Elf64_Phdr *header = &headers->first[i];
        uint64_t address = headers->bias + header->p_vaddr;
        if (header->p_type != PT_LOAD)
            continue;
        /* Segments come in the order of their addresses (gABI, PT_LOAD). */
        if ((address & ~(PAGE - 1)) > ((reached + PAGE - 1) & ~(PAGE - 1)))
            image->has_gaps = true;
        if (address + header->p_memsz > reached)
            reached = address + header->p_memsz;
    }
    image->end = reached;
}

static void read_image(const struct headers *headers, struct asnap_elf_image *image)
{
    memset(image, 0, sizeof(*image));
    find_extent(headers, image);
    for (unsigned i = 0; i < headers->count; i++) {
        const Elf64_Phdr *header = &headers->first[i];
        uint64_t address = headers->bias + header->p_vaddr;
        struct asnap_bytes segment = segment_of(headers, header->p_vaddr, header->p_filesz);
        if (segment.at == NULL)
            continue;
        if (header->p_type == PT_GNU_EH_FRAME) {
            image->unwind_table = bytes_at(address, header->p_filesz);
            image->unwind_readable = segment;
        } else if (header->p_type == PT_NOTE && image->build_id.at == NULL) {
            find_build_id(bytes_at(address, header->p_filesz), &image->build_id);
        }
    }
}

static bool find_headers_at_start(uint64_t start, struct headers *headers)
{
    if (!find_headers(start, headers))
        return false;
    const Elf64_Phdr *lowest = lowest_segment(headers);
    if (lowest == NULL || lowest->p_offset >= PAGE)
        return false;
    headers->bias = start - (lowest->p_vaddr & ~(PAGE - 1));
    return true;
}

bool asnap_elf_image_read(uint64_t start, struct asnap_elf_image *image)
{
    struct headers headers;
    if (!find_headers_at_start(start, &headers))
        return false;
    read_image(&headers, image);
    return true;
}

bool asnap_elf_image_read_around(uint64_t first_page, uint64_t address, uint64_t offset,
                                 struct asnap_elf_image *image)
{
    struct headers headers;
    if (!find_headers(first_page, &headers))
        return false;
    const Elf64_Phdr *segment = segment_with(&headers, offset);
    if (segment == NULL)
        return false;
    headers.bias = address - (segment->p_vaddr + (offset - segment->p_offset));
    read_image(&headers, image);
    return true;
}

bool asnap_elf_image_holds(uint64_t start, uint64_t address)
{
    struct headers headers;
    if (!find_headers_at_start(start, &headers))
        return false;
    for (unsigned i = 0; i < headers.count; i++) {
        const Elf64_Phdr *header = &headers.first[i];
        uint64_t first = (headers.bias + header->p_vaddr) & ~(PAGE - 1);
        uint64_t end = headers.bias + header->p_vaddr + header->p_memsz;
        if (header->p_type == PT_LOAD && address - first < end - first)
            return true;
    }
    return false;
}
