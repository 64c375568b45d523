#include "unwind_section.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stddef.h>
#include <string.h>

#include "kernel.h"
#include "pages.h"
#include "readable.h"

enum {
    HEADERS_MAX = 64,    /* program headers: those of any linker lie in the first page */
    SECTIONS_MAX = 4096, /* section headers */
    SECTION_BYTES_MAX = 4 << 20,
};

static const char SECTION_NAME[] = ".eh_frame";

#define PAGE ((uint64_t)ASNAP_PAGE)

struct file {
    int descriptor;
    struct asnap_known_pages known;
    ElfW(Ehdr) head;
    ElfW(Phdr) segments[HEADERS_MAX];
    uint64_t bias; /* from addresses in the file to those in memory */
};

static bool read_at(const struct file *file, void *bytes, size_t count, uint64_t offset)
{
    return asnap_kernel_read_at(file->descriptor, bytes, count, offset) == (long)count;
}

/* Whether memory holds the same bytes of the file: another file may be at the path by now. */
static bool is_mapped(struct file *file, const struct asnap_elf_image *image, const void *bytes,
                      size_t count, uint64_t offset)
{
    return asnap_readable(&file->known, image->start + offset, count) &&
           memcmp((const void *)(uintptr_t)(image->start + offset), bytes, count) == 0;
}

/* The lowest segment begins where the image does. */
static bool find_bias(struct file *file, const struct asnap_elf_image *image)
{
    const ElfW(Phdr) *lowest = NULL;
    for (unsigned i = 0; i < file->head.e_phnum; i++) {
        const ElfW(Phdr) *segment = &file->segments[i];
        if (segment->p_type == PT_LOAD && (lowest == NULL || segment->p_vaddr < lowest->p_vaddr))
            lowest = segment;
    }
    if (lowest == NULL || lowest->p_offset >= PAGE)
        return false;
    file->bias = image->start - (lowest->p_vaddr & ~(PAGE - 1));
    return true;
}

static bool read_headers(struct file *file, const struct asnap_elf_image *image)
{
    const ElfW(Ehdr) *head = &file->head;
    if (!read_at(file, &file->head, sizeof(file->head), 0) ||
        !is_mapped(file, image, head, sizeof(*head), 0) || head->e_phnum > HEADERS_MAX ||
        head->e_phentsize != sizeof(ElfW(Phdr)) || head->e_shentsize != sizeof(ElfW(Shdr)) ||
        head->e_shnum > SECTIONS_MAX || head->e_shstrndx >= head->e_shnum)
        return false;
    size_t bytes = head->e_phnum * sizeof(ElfW(Phdr));
    return read_at(file, file->segments, bytes, head->e_phoff) &&
           is_mapped(file, image, file->segments, bytes, head->e_phoff) && find_bias(file, image);
}

/* Whether all of a section is in a readable segment. */
static bool is_loaded(const struct file *file, const ElfW(Shdr) * section)
{
    for (unsigned i = 0; i < file->head.e_phnum; i++) {
        const ElfW(Phdr) *segment = &file->segments[i];
        if (segment->p_type == PT_LOAD && (segment->p_flags & PF_R) != 0 &&
            section->sh_addr >= segment->p_vaddr && section->sh_size <= segment->p_filesz &&
            section->sh_addr - segment->p_vaddr <= segment->p_filesz - section->sh_size)
            return true;
    }
    return false;
}

static bool find_section(const struct file *file, ElfW(Shdr) * section)
{
    const ElfW(Ehdr) *head = &file->head;
    char name[sizeof(SECTION_NAME)];
    ElfW(Shdr) names;
    if (!read_at(file, &names, sizeof(names), head->e_shoff + head->e_shstrndx * sizeof(names)))
        return false;
    for (unsigned i = 0; i < head->e_shnum; i++) {
        if (!read_at(file, section, sizeof(*section), head->e_shoff + i * sizeof(*section)))
            return false;
        if ((section->sh_flags & SHF_ALLOC) != 0 && section->sh_type != SHT_NOBITS &&
            section->sh_size <= SECTION_BYTES_MAX &&
            read_at(file, name, sizeof(name), names.sh_offset + section->sh_name) &&
            memcmp(name, SECTION_NAME, sizeof(name)) == 0)
            return is_loaded(file, section);
    }
    return false;
}

static bool find_in(struct file *file, const struct asnap_elf_image *image,
                    struct asnap_bytes *found)
{
    ElfW(Shdr) section;
    if (!read_headers(file, image) || !find_section(file, &section) ||
        !asnap_readable(&file->known, file->bias + section.sh_addr, section.sh_size))
        return false;
    found->at = (const uint8_t *)(uintptr_t)(file->bias + section.sh_addr);
    found->end = found->at + section.sh_size;
    return true;
}

bool asnap_unwind_section_find(const char *path, const struct asnap_elf_image *image,
                               struct asnap_bytes *section)
{
    /* Signal handlers have small stacks. */
    struct file *file = asnap_pages_map(sizeof(*file));
    if (file == NULL)
        return false;
    file->descriptor = asnap_kernel_open(path, O_RDONLY, 0);
    bool found = file->descriptor >= 0 && find_in(file, image, section);
    if (file->descriptor >= 0)
        asnap_kernel_close(file->descriptor);
    asnap_pages_unmap(file, sizeof(*file));
    return found;
}
