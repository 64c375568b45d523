#include "elf_contents.h"

#include "open_file.h"

/* Debug information packs to a fifth or so of its size, never to a hundredth; less than this is
 * no harm. */
#define RATIO_MAX ((uint64_t)100)
#define UNPACKED_BYTES ((uint64_t)16 << 20)

bool asnap_elf_is_there(const struct asnap_elf *elf, uint64_t offset, uint64_t size)
{
    if (offset > elf->file_bytes || size > elf->file_bytes - offset)
        return false;
    return elf->fd < 0 || !asnap_file_is_hollow(elf->fd, offset, size);
}

static bool has_contents(const struct asnap_elf *elf, Elf_Scn *section, GElf_Shdr *header)
{
    return section != NULL && gelf_getshdr(section, header) != NULL &&
           header->sh_type != SHT_NOBITS &&
           asnap_elf_is_there(elf, header->sh_offset, header->sh_size);
}

Elf_Data *asnap_elf_data(const struct asnap_elf *elf, Elf_Scn *section)
{
    GElf_Shdr header;
    return has_contents(elf, section, &header) ? elf_getdata(section, NULL) : NULL;
}

Elf_Data *asnap_elf_raw_data(const struct asnap_elf *elf, Elf_Scn *section)
{
    GElf_Shdr header;
    return has_contents(elf, section, &header) ? elf_rawdata(section, NULL) : NULL;
}

bool asnap_elf_has_strings(const struct asnap_elf *elf, size_t index)
{
    GElf_Shdr header;
    Elf_Scn *section = elf_getscn(elf->elf, index);
    /* A packed one would be unpacked, whatever it holds. */
    if (!has_contents(elf, section, &header) || header.sh_type != SHT_STRTAB ||
        (header.sh_flags & SHF_COMPRESSED) != 0)
        return false;
    /* libelf looks for the end of the last string from behind, each time. */
    Elf_Data *data = elf_rawdata(section, NULL);
    return data != NULL && data->d_buf != NULL && data->d_size > 0 &&
           ((const char *)data->d_buf)[data->d_size - 1] == '\0';
}

bool asnap_elf_packing(const struct asnap_elf *elf, Elf_Scn *section, const GElf_Shdr *header,
                       GElf_Chdr *packing)
{
    return (header->sh_flags & SHF_COMPRESSED) != 0 &&
           asnap_elf_is_there(elf, header->sh_offset, header->sh_size) &&
           gelf_getchdr(section, packing) != NULL;
}

bool asnap_elf_is_overpacked(const GElf_Shdr *header, const GElf_Chdr *packing)
{
    return packing->ch_size > UNPACKED_BYTES && packing->ch_size / RATIO_MAX > header->sh_size;
}

Elf_Scn *asnap_elf_symbol_table(const struct asnap_elf *elf, GElf_Word type)
{
    Elf_Scn *section = NULL;
    while (elf != NULL && (section = elf_nextscn(elf->elf, section)) != NULL) {
        GElf_Shdr header;
        if (gelf_getshdr(section, &header) != NULL && header.sh_type == type &&
            header.sh_entsize != 0)
            return section;
    }
    return NULL;
}
