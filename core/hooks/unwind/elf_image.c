#include "elf_image.h"

#include <elf.h>
#include <link.h>
#include <stddef.h>
#include <string.h>

/* The program headers are in the first page, as every linker has them. */
enum { FIRST_PAGE = 4096 };

struct headers {
    const ElfW(Phdr) * first;
    unsigned count;
    uint64_t bias; /* from addresses in the file to those in memory */
};

static struct asnap_bytes bytes_at(uint64_t address, uint64_t size)
{
    const uint8_t *at = (const uint8_t *)(uintptr_t)address;
    return (struct asnap_bytes){at, at + size};
}

static bool find_headers(uint64_t start, struct headers *headers)
{
    const ElfW(Ehdr) *file = (const ElfW(Ehdr) *)(uintptr_t)start;
    if (memcmp(file->e_ident, ELFMAG, SELFMAG) != 0 || file->e_ident[EI_CLASS] != ELFCLASS64 ||
        file->e_phentsize != sizeof(ElfW(Phdr)) ||
        file->e_phoff > FIRST_PAGE - sizeof(ElfW(Phdr)) ||
        file->e_phnum > (FIRST_PAGE - file->e_phoff) / sizeof(ElfW(Phdr)))
        return false;
    headers->first = (const ElfW(Phdr) *)(uintptr_t)(start + file->e_phoff);
    headers->count = file->e_phnum;
    for (unsigned i = 0; i < headers->count; i++) {
        const ElfW(Phdr) *header = &headers->first[i];
        if (header->p_type == PT_LOAD && header->p_offset == 0) {
            headers->bias = start - header->p_vaddr;
            return true;
        }
    }
    return false;
}

/* A readable segment that holds all of [address, address + size), or nothing. */
static struct asnap_bytes segment_of(const struct headers *headers, uint64_t address, uint64_t size)
{
    for (unsigned i = 0; i < headers->count; i++) {
        const ElfW(Phdr) *header = &headers->first[i];
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
    while ((size_t)(notes.end - notes.at) >= sizeof(ElfW(Nhdr))) {
        ElfW(Nhdr) note;
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

bool asnap_elf_image_read(uint64_t start, struct asnap_elf_image *image)
{
    struct headers headers;
    memset(image, 0, sizeof(*image));
    if (!find_headers(start, &headers))
        return false;
    image->start = start;
    image->end = start;
    for (unsigned i = 0; i < headers.count; i++) {
        const ElfW(Phdr) *header = &headers.first[i];
        uint64_t address = headers.bias + header->p_vaddr;
        struct asnap_bytes segment = segment_of(&headers, header->p_vaddr, header->p_filesz);
        if (header->p_type == PT_LOAD && address + header->p_memsz > image->end)
            image->end = address + header->p_memsz;
        if (segment.at == NULL)
            continue;
        if (header->p_type == PT_GNU_EH_FRAME) {
            image->unwind_table = bytes_at(address, header->p_filesz);
            image->unwind_readable = segment;
        } else if (header->p_type == PT_NOTE && image->build_id.at == NULL) {
            find_build_id(bytes_at(address, header->p_filesz), &image->build_id);
        }
    }
    return true;
}
