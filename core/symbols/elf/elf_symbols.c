#include "elf_symbols.h"

#include <stdlib.h>
#include <string.h>

#include "elf_contents.h"
#include "error.h"
#include "mini_debug.h"
#include "range_index.h"

struct function {
    uint64_t address;
    uint64_t size;
    uint64_t section_end;
    uint32_t index; /* in the symbol table */
    unsigned char rank;
    unsigned char underscores;
    bool is_function;
    bool is_local;
    const char *name;
};

struct asnap_symbols {
    enum asnap_symbol_kinds kinds;
    struct asnap_range_index sized; /* value: place in `functions` */
    struct asnap_range_index unsized;
    struct function *functions;
    size_t count;
    struct asnap_mini_debug mini; /* has names of functions */
};

/* As much of two names tells which comes first. */
#define COMPARED_BYTES ((size_t)256)

/* Of symbols of one address, that with the lowest rank names it. */
enum { RANK_GLOBAL, RANK_WEAK, RANK_LOCAL, RANK_LABEL };

static unsigned char rank_of(unsigned char binding)
{
    if (binding == STB_GLOBAL || binding == STB_GNU_UNIQUE)
        return RANK_GLOBAL;
    return binding == STB_WEAK ? RANK_WEAK : RANK_LOCAL;
}

static bool is_function(unsigned char type)
{
    return type == STT_FUNC || type == STT_GNU_IFUNC;
}

/* Fills `function` from symbol `index`; false where that is none of the kinds. */
static bool read_function(Elf *elf, Elf_Data *data, const GElf_Shdr *table, size_t index,
                          enum asnap_symbol_kinds kinds, struct function *function)
{
    GElf_Sym symbol;
    if (gelf_getsym(data, (int)index, &symbol) == NULL)
        return false;
    bool is_all = kinds == ASNAP_SYMBOLS_ALL;
    unsigned char type = GELF_ST_TYPE(symbol.st_info);
    unsigned char rank = rank_of(GELF_ST_BIND(symbol.st_info));
    bool is_typed = is_function(type) || (is_all && type == STT_OBJECT);
    /* Assembly may give its functions no type. Local labels are not functions. */
    bool is_label = type == STT_NOTYPE && rank != RANK_LOCAL;
    if ((!is_typed && !is_label) || symbol.st_shndx == SHN_UNDEF || symbol.st_value == 0)
        return false;
    const char *name = elf_strptr(elf, table->sh_link, symbol.st_name);
    if (name == NULL || name[0] == '\0' ||
        strnlen(name, ASNAP_SYMBOL_BYTES_MAX) == ASNAP_SYMBOL_BYTES_MAX)
        return false;
    size_t underscores = 0;
    while (underscores < UINT8_MAX && name[underscores] == '_')
        underscores++;
    *function = (struct function){
        .address = symbol.st_value,
        .size = symbol.st_size,
        .section_end = symbol.st_value,
        .index = (uint32_t)index,
        .rank = (unsigned char)(is_typed ? rank : rank + RANK_LABEL),
        .underscores = (unsigned char)underscores,
        .is_function = is_function(type),
        .is_local = rank == RANK_LOCAL,
        .name = name,
    };
    GElf_Shdr header;
    bool has_section = symbol.st_shndx < SHN_LORESERVE &&
                       gelf_getshdr(elf_getscn(elf, symbol.st_shndx), &header) != NULL;
    GElf_Xword wanted = is_all ? SHF_ALLOC : SHF_EXECINSTR;
    if (is_label && (!has_section || (header.sh_flags & wanted) == 0))
        return false;
    if (has_section &&
        !__builtin_add_overflow(header.sh_addr, header.sh_size, &function->section_end) &&
        function->section_end < function->address)
        function->section_end = function->address;
    return true;
}

/* By address; the one to be preferred first. */
static int compare_functions(const void *left, const void *right)
{
    const struct function *a = left;
    const struct function *b = right;
    if (a->address != b->address)
        return a->address < b->address ? -1 : 1;
    if ((a->size == 0) != (b->size == 0))
        return a->size == 0 ? 1 : -1;
    if (a->rank != b->rank)
        return a->rank - b->rank;
    if (a->underscores != b->underscores)
        return a->underscores - b->underscores;
    int order = strncmp(a->name, b->name, COMPARED_BYTES);
    return order != 0 ? order : (a->index > b->index) - (a->index < b->index);
}

static struct asnap_error *index_functions(struct asnap_symbols *symbols)
{
    struct asnap_error *error = NULL;
    struct function *functions = symbols->functions;
    for (size_t i = 0; i < symbols->count && error == NULL; i++) {
        if (i > 0 && functions[i].address == functions[i - 1].address)
            continue;
        uint64_t start = functions[i].address;
        uint64_t end;
        if (functions[i].size != 0) {
            if (!__builtin_add_overflow(start, functions[i].size, &end))
                error = asnap_range_index_add(&symbols->sized, start, end, i);
            continue;
        }
        size_t next = i + 1;
        while (next < symbols->count && functions[next].address == start)
            next++;
        end = functions[i].section_end;
        if (next < symbols->count && functions[next].address < end)
            end = functions[next].address;
        error = asnap_range_index_add(&symbols->unsized, start, end, i);
    }
    if (error == NULL)
        error = asnap_range_index_sort(&symbols->sized);
    if (error == NULL)
        error = asnap_range_index_sort(&symbols->unsized);
    return error;
}

static struct asnap_error *read_table(const struct asnap_elf *elf, Elf_Scn *section,
                                      struct asnap_symbols *symbols)
{
    GElf_Shdr header;
    Elf_Data *data = asnap_elf_data(elf, section);
    if (data == NULL || data->d_buf == NULL || gelf_getshdr(section, &header) == NULL ||
        !asnap_elf_has_strings(elf, header.sh_link))
        return NULL;
    size_t entry_size = gelf_fsize(elf->elf, ELF_T_SYM, 1, EV_CURRENT);
    size_t count = entry_size == 0 ? 0 : data->d_size / entry_size;
    if (count > INT32_MAX)
        count = INT32_MAX;
    struct function *functions =
        reallocarray(symbols->functions, symbols->count + count + 1, sizeof(*functions));
    if (functions == NULL)
        return asnap_error_no_memory();
    symbols->functions = functions;
    for (size_t i = 0; i < count; i++) {
        if (read_function(elf->elf, data, &header, i, symbols->kinds,
                          &symbols->functions[symbols->count]))
            symbols->count++;
    }
    return NULL;
}

/* Mini debug information leaves out what is in .dynsym. */
static struct asnap_error *read_mini(const struct asnap_elf *elf, struct asnap_symbols *symbols)
{
    struct asnap_error *error = asnap_mini_debug_open(elf, &symbols->mini);
    Elf_Scn *section = asnap_elf_symbol_table(symbols->mini.elf, SHT_SYMTAB);
    if (error == NULL && section != NULL)
        error = read_table(symbols->mini.elf, section, symbols);
    return error;
}

struct asnap_error *asnap_symbols_create(const struct asnap_elf *elf, const struct asnap_elf *debug,
                                         enum asnap_symbol_kinds kinds,
                                         struct asnap_symbols **symbols)
{
    struct asnap_symbols *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return asnap_error_no_memory();
    made->kinds = kinds;
    const struct asnap_elf *source = elf;
    Elf_Scn *section = asnap_elf_symbol_table(elf, SHT_SYMTAB);
    if (section == NULL) {
        section = asnap_elf_symbol_table(debug, SHT_SYMTAB);
        source = section != NULL ? debug : elf;
    }
    struct asnap_error *error = NULL;
    if (section == NULL) {
        error = read_mini(elf, made);
        section = asnap_elf_symbol_table(elf, SHT_DYNSYM);
    }
    if (error == NULL && section != NULL)
        error = read_table(source, section, made);
    if (error == NULL && made->count > 0)
        qsort(made->functions, made->count, sizeof(*made->functions), compare_functions);
    if (error == NULL)
        error = index_functions(made);
    if (error != NULL) {
        asnap_symbols_destroy(made);
        return error;
    }
    *symbols = made;
    return NULL;
}

void asnap_symbols_destroy(struct asnap_symbols *symbols)
{
    if (symbols == NULL)
        return;
    asnap_range_index_deinit(&symbols->sized);
    asnap_range_index_deinit(&symbols->unsized);
    asnap_mini_debug_close(&symbols->mini);
    free(symbols->functions);
    free(symbols);
}

static const struct function *find(const struct asnap_symbols *symbols, uint64_t address)
{
    const struct asnap_range *range = asnap_range_index_find(&symbols->sized, address);
    if (range == NULL)
        range = asnap_range_index_find(&symbols->unsized, address);
    return range == NULL ? NULL : &symbols->functions[range->value];
}

const char *asnap_symbols_find(const struct asnap_symbols *symbols, uint64_t address)
{
    const struct function *found = find(symbols, address);
    return found == NULL ? NULL : found->name;
}

static struct asnap_symbol symbol_of(const struct function *function)
{
    return (struct asnap_symbol){
        .name = function->name,
        .address = function->address,
        .size = function->size,
        .is_function = function->is_function,
        .is_local = function->is_local,
    };
}

bool asnap_symbols_at(const struct asnap_symbols *symbols, uint64_t address,
                      struct asnap_symbol *symbol)
{
    const struct function *found = find(symbols, address);
    if (found != NULL)
        *symbol = symbol_of(found);
    return found != NULL;
}

size_t asnap_symbols_count(const struct asnap_symbols *symbols)
{
    return symbols->count;
}

void asnap_symbols_get(const struct asnap_symbols *symbols, size_t index,
                       struct asnap_symbol *symbol)
{
    *symbol = symbol_of(&symbols->functions[index]);
}
