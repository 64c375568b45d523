#include "elf_variables.h"

#include <string.h>

#include "elf_contents.h"

static const char *name_of(const struct asnap_elf *elf, size_t strings, size_t name)
{
    const char *text = elf_strptr(elf->elf, strings, name);
    bool is_name = text != NULL && text[0] != '\0' &&
                   strnlen(text, ASNAP_SYMBOL_BYTES_MAX) < ASNAP_SYMBOL_BYTES_MAX;
    return is_name ? text : NULL;
}

static bool is_variable(const GElf_Sym *symbol, uint64_t place, bool is_thread_local)
{
    unsigned char type = GELF_ST_TYPE(symbol->st_info);
    bool is_kind = is_thread_local ? type == STT_TLS : type == STT_OBJECT || type == STT_COMMON;
    return is_kind && symbol->st_shndx != SHN_UNDEF && place >= symbol->st_value &&
           place - symbol->st_value < symbol->st_size;
}

static void search(const struct asnap_elf *elf, Elf_Scn *section, uint64_t place,
                   bool is_thread_local, struct asnap_variable *variable)
{
    GElf_Shdr header;
    Elf_Data *data = asnap_elf_data(elf, section);
    size_t entry_size = gelf_fsize(elf->elf, ELF_T_SYM, 1, EV_CURRENT);
    if (data == NULL || data->d_buf == NULL || gelf_getshdr(section, &header) == NULL ||
        !asnap_elf_has_strings(elf, header.sh_link) || entry_size == 0)
        return;
    size_t count = data->d_size / entry_size;
    const char *source = NULL;
    GElf_Sym best = {.st_size = UINT64_MAX};
    for (size_t i = 0; i < count && i < INT32_MAX; i++) {
        GElf_Sym symbol;
        if (gelf_getsym(data, (int)i, &symbol) == NULL)
            continue;
        bool is_local = GELF_ST_BIND(symbol.st_info) == STB_LOCAL;
        /* Static symbols of a source come after its name (ELF gABI, chapter 4). */
        if (is_local && GELF_ST_TYPE(symbol.st_info) == STT_FILE)
            source = name_of(elf, header.sh_link, symbol.st_name);
        if (!is_variable(&symbol, place, is_thread_local) || symbol.st_size > best.st_size)
            continue;
        bool was_local = GELF_ST_BIND(best.st_info) == STB_LOCAL;
        const char *name = name_of(elf, header.sh_link, symbol.st_name);
        if (name == NULL || (symbol.st_size == best.st_size && (is_local || !was_local)))
            continue;
        best = symbol;
        *variable = (struct asnap_variable){
            .name = name, .offset = place - symbol.st_value, .source = is_local ? source : NULL};
    }
}

void asnap_elf_variable(const struct asnap_elf *elf, const struct asnap_elf *debug, uint64_t place,
                        bool is_thread_local, struct asnap_variable *variable)
{
    *variable = (struct asnap_variable){0};
    const struct asnap_elf *source = elf;
    Elf_Scn *section = asnap_elf_symbol_table(elf, SHT_SYMTAB);
    if (section == NULL) {
        section = asnap_elf_symbol_table(debug, SHT_SYMTAB);
        if (section != NULL)
            source = debug;
    }
    if (section == NULL)
        section = asnap_elf_symbol_table(elf, SHT_DYNSYM);
    if (section != NULL)
        search(source, section, place, is_thread_local, variable);
}
