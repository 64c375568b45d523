#include "debug_sections.h"

#include <string.h>

#include "byte_cursor.h"
#include "elf_contents.h"

/* The elf.h of older C libraries does not have it. */
#ifndef ELFCOMPRESS_ZSTD
#define ELFCOMPRESS_ZSTD 2
#endif

/* More than any file has. */
#define SECTIONS_MAX 128

static bool is_packed_name(const char *name)
{
    return strncmp(name, ".zdebug_", 8) == 0;
}

static bool is_debug_name(const char *name)
{
    return strncmp(name, ".debug_", 7) == 0 || is_packed_name(name);
}

/* Reads the header of a section in GNU's older packing: "ZLIB", and the size, big-endian. */
static bool read_old_packing(const struct asnap_elf *elf, Elf_Scn *section, GElf_Chdr *packing)
{
    static const char magic[] = {'Z', 'L', 'I', 'B'};
    Elf_Data *data = asnap_elf_raw_data(elf, section);
    if (data == NULL || data->d_buf == NULL || data->d_size < sizeof(magic) ||
        memcmp(data->d_buf, magic, sizeof(magic)) != 0)
        return false;
    const unsigned char *bytes = data->d_buf;
    struct asnap_cursor cursor = {
        .at = bytes + sizeof(magic), .end = bytes + data->d_size, .big_endian = true};
    *packing = (GElf_Chdr){.ch_type = ELFCOMPRESS_ZLIB,
                           .ch_size = asnap_cursor_take(&cursor, sizeof(uint64_t))};
    return !cursor.is_bad;
}

static const char *compression_unsound(const struct asnap_elf *elf, Elf_Scn *section,
                                       const GElf_Shdr *header, bool is_old, uint64_t *unpacked)
{
    GElf_Chdr compression;
    bool is_packed = (header->sh_flags & SHF_COMPRESSED) != 0;
    if (!is_packed && !is_old)
        return NULL;
    if (is_packed ? !asnap_elf_packing(elf, section, header, &compression)
                  : !read_old_packing(elf, section, &compression))
        return "header of a compressed section";
    if (compression.ch_type != ELFCOMPRESS_ZLIB && compression.ch_type != ELFCOMPRESS_ZSTD)
        return "sections compressed in a way that is not known";
    const GElf_Shdr whole = {.sh_size = elf->file_bytes};
    if (__builtin_add_overflow(*unpacked, compression.ch_size, unpacked) ||
        asnap_elf_is_overpacked(header, &compression) ||
        asnap_elf_is_overpacked(&whole, &(GElf_Chdr){.ch_size = *unpacked}))
        return "size of a compressed section";
    return NULL;
}

/* Whether libdwarf reads a section at once, by itself, and does not survive nonsense in it. */
static bool is_list_table(const char *name)
{
    static const char ranges[] = ".debug_rnglists";
    static const char locations[] = ".debug_loclists";
    return strncmp(name, ranges, sizeof(ranges) - 1) == 0 ||
           strncmp(name, locations, sizeof(locations) - 1) == 0;
}

static const char *section_unsound(const struct asnap_elf *elf, Elf_Scn *section,
                                   const GElf_Shdr *header, const char *name, uint64_t *unpacked)
{
    bool is_old = is_packed_name(name);
    /* As .debug_gdb_scripts is in debug files. libdwarf reads what lies there all the same. */
    if (header->sh_type == SHT_NOBITS)
        return is_list_table(name) && header->sh_size != 0 ? "section without contents" : NULL;
    if (header->sh_type != SHT_PROGBITS && header->sh_type != SHT_X86_64_UNWIND &&
        header->sh_type != SHT_MIPS_DWARF)
        return "type of a section";
    if (header->sh_offset > elf->file_bytes ||
        header->sh_size > elf->file_bytes - header->sh_offset)
        return "section behind the end";
    if (!asnap_elf_is_there(elf, header->sh_offset, header->sh_size))
        return "section of holes";
    return compression_unsound(elf, section, header, is_old, unpacked);
}

const char *asnap_debug_sections_unsound(const struct asnap_elf *elf)
{
    const char *seen[SECTIONS_MAX];
    size_t count = 0;
    uint64_t unpacked = 0;
    if (elf->section_names == 0)
        return "sections";
    for (Elf_Scn *section = NULL; (section = elf_nextscn(elf->elf, section)) != NULL;) {
        GElf_Shdr header;
        const char *name = NULL;
        if (gelf_getshdr(section, &header) != NULL)
            name = elf_strptr(elf->elf, elf->section_names, header.sh_name);
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
        const char *unsound = section_unsound(elf, section, &header, name, &unpacked);
        if (unsound != NULL)
            return unsound;
    }
    return NULL;
}
