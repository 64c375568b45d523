#include "debug_sections.h"

#include <string.h>
#include <sys/stat.h>

/* The elf.h of older C libraries does not have it. */
#ifndef ELFCOMPRESS_ZSTD
#define ELFCOMPRESS_ZSTD 2
#endif

/* More than any file has. */
#define SECTIONS_MAX 128

static bool is_debug_name(const char *name)
{
    return strncmp(name, ".debug_", 7) == 0 || strncmp(name, ".zdebug_", 8) == 0;
}

static const char *compression_unsound(Elf_Scn *section, const GElf_Shdr *header)
{
    GElf_Chdr compression;
    if ((header->sh_flags & SHF_COMPRESSED) == 0)
        return NULL;
    if (gelf_getchdr(section, &compression) == NULL)
        return "header of a compressed section";
    if (compression.ch_type != ELFCOMPRESS_ZLIB && compression.ch_type != ELFCOMPRESS_ZSTD)
        return "sections compressed in a way that is not known";
    return compression.ch_size / ASNAP_PACKED_RATIO_MAX > header->sh_size
               ? "size of a compressed section"
               : NULL;
}

static const char *section_unsound(Elf_Scn *section, const GElf_Shdr *header, uint64_t file_size)
{
    if (header->sh_type == SHT_NOBITS)
        return NULL;
    if (header->sh_type != SHT_PROGBITS && header->sh_type != SHT_X86_64_UNWIND &&
        header->sh_type != SHT_MIPS_DWARF)
        return "type of a section";
    if (header->sh_offset > file_size || header->sh_size > file_size - header->sh_offset)
        return "section behind the end";
    return compression_unsound(section, header);
}

const char *asnap_debug_sections_unsound(const struct asnap_elf *elf)
{
    struct stat status;
    size_t names;
    const char *seen[SECTIONS_MAX];
    size_t count = 0;
    if (fstat(elf->fd, &status) != 0 || elf_getshdrstrndx(elf->elf, &names) != 0)
        return "sections";
    for (Elf_Scn *section = NULL; (section = elf_nextscn(elf->elf, section)) != NULL;) {
        GElf_Shdr header;
        const char *name = NULL;
        if (gelf_getshdr(section, &header) != NULL)
            name = elf_strptr(elf->elf, names, header.sh_name);
        if (name == NULL)
            return "names of sections";
        if (!is_debug_name(name))
            continue;
        for (size_t i = 0; i < count; i++) {
            if (strcmp(seen[i], name) == 0)
                return "two sections of one name";
        }
        if (count == SECTIONS_MAX)
            return "number of sections";
        seen[count++] = name;
        const char *unsound = section_unsound(section, &header, (uint64_t)status.st_size);
        if (unsound != NULL)
            return unsound;
    }
    return NULL;
}
